{{- define "foundation.labels" -}}
app.kubernetes.io/name: gantry-foundation
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: gantry
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
