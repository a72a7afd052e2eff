{{/*
Names do not depend on the release, so that `kubectl logs deployment/consumer` is the same everywhere: one of each in
a namespace, or another `fullnameOverride`.
*/}}
{{- define "gantry.selectorLabels" -}}
app.kubernetes.io/name: {{ .Values.fullnameOverride }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "gantry.labels" -}}
{{ include "gantry.selectorLabels" . }}
app.kubernetes.io/part-of: gantry
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* Of pods: nothing in here changes with the chart's version, so that an upgrade restarts only what changed. */}}
{{- define "gantry.podLabels" -}}
{{ include "gantry.selectorLabels" . }}
app.kubernetes.io/part-of: gantry
{{- end }}

{{/* The image of this chart's containers; `global.image`, which the umbrella chart sets, is stronger. */}}
{{- define "gantry.image" -}}
{{- $image := merge (dict) ((.Values.global | default dict).image | default dict) .Values.image -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "gantry.imagePullPolicy" -}}
{{- $image := merge (dict) ((.Values.global | default dict).image | default dict) .Values.image -}}
{{ $image.pullPolicy }}
{{- end }}
