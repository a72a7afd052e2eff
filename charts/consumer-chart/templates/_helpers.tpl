{{/* What contradicts itself is refused before anything is installed. */}}
{{- define "consumer.validate" -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled contradict each other: two autoscalers would pull at one Deployment; choose one" -}}
{{- end -}}
{{- include "gantry.refuseCredentials" (dict "rabbitmq.url" .Values.rabbitmq.url "s3.url" .Values.s3.url "s3.endpoint" .Values.s3.endpoint "keda.managementUrl" .Values.keda.managementUrl "config.otlpUrl" .Values.config.otlpUrl "test.url" .Values.test.url) -}}
{{- range list .Values.autoscaling .Values.keda -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "minReplicas %d is above maxReplicas %d" (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.keda.enabled .Values.rabbitmq.url (not .Values.keda.managementUrl) -}}
{{- fail "keda.enabled with rabbitmq.url needs keda.managementUrl: the management API, such as https://mq.example.com:15671" -}}
{{- end -}}
{{- end }}
