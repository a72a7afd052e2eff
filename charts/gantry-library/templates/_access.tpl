{{/* Whether the web server wants API keys; `global.apiKeys`, which the umbrella chart sets, is for all of its parts. */}}
{{- define "gantry.wantsApiKeys" -}}
{{- if or (.Values.apiKeys | default dict).enabled ((.Values.global | default dict).apiKeys | default dict).enabled }}yes{{ end }}
{{- end }}

{{/* Whether the web server's /metrics wants a key as well. */}}
{{- define "gantry.metricsWantKey" -}}
{{- $open := toString (get .Values.config "metricsOpen") -}}
{{- range .Values.extraEnv -}}
{{- if eq .name "GANTRY_METRICS_OPEN" -}}{{- $open = toString .value -}}{{- end -}}
{{- end -}}
{{- if and (include "gantry.wantsApiKeys" .) (eq $open "false") }}yes{{ end }}
{{- end }}

{{/* Secret whose `key` a canary sends; nothing: it sends none. */}}
{{- define "gantry.canaryKeySecret" -}}
{{- if .Values.test.keySecret -}}
{{ .Values.test.keySecret }}
{{- else if and (include "gantry.wantsApiKeys" .) (not (.Values.apiKeys | default dict).existingSecret) -}}
{{ if .Values.apiKeys }}{{ .Values.fullnameOverride }}{{ else }}web-server{{ end }}-admin-key
{{- end -}}
{{- end }}
