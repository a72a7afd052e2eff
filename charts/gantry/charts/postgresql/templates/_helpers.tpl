{{- define "postgresql.secretName" -}}
{{ .Values.existingSecret | default (printf "%s-credentials" .Values.fullnameOverride) }}
{{- end }}

{{/* The Secret's data, in base64: what the cluster has, else made up. */}}
{{- define "postgresql.credentials" -}}
{{- $found := (lookup "v1" "Secret" .Release.Namespace (include "postgresql.secretName" .)).data -}}
{{- if $found -}}
{{ toYaml $found }}
{{- else -}}
{{- $password := randAlphaNum 32 -}}
{{- with .Values.auth -}}
username: {{ .username | b64enc }}
password: {{ $password | b64enc }}
url: {{ printf "postgres://%s:%s@%s:5432/%s" .username $password $.Values.fullnameOverride .database | b64enc }}
{{- end }}
{{- end }}
{{- end }}
