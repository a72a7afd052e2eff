{{- define "web-server.usesPostgresql" -}}
{{- if or .Values.database.url .Values.database.existingSecret }}yes{{ end }}
{{- end }}

{{/* What contradicts itself is refused before anything is installed. */}}
{{- define "web-server.validate" -}}
{{- $postgresql := include "web-server.usesPostgresql" . -}}
{{- if and (gt (int .Values.replicaCount) 1) (not $postgresql) -}}
{{- fail (printf "replicaCount %d needs PostgreSQL: SQLite has room for one web server; set database.existingSecret, or replicaCount to 1" (int .Values.replicaCount)) -}}
{{- end -}}
{{- if and .Values.database.url (not .Values.database.existingSecret) -}}
{{- fail "database.url needs database.existingSecret: the Secret with the user name and the password" -}}
{{- end -}}
{{- include "gantry.refuseCredentials" (dict "rabbitmq.url" .Values.rabbitmq.url "database.url" .Values.database.url "s3.url" .Values.s3.url "s3.endpoint" .Values.s3.endpoint "config.otlpUrl" .Values.config.otlpUrl "test.url" .Values.test.url) -}}
{{- if and .Values.apiKeys.existingSecret (not (include "gantry.wantsApiKeys" .)) -}}
{{- fail "apiKeys.existingSecret needs apiKeys.enabled: without it access is open, whatever the Secret holds" -}}
{{- end -}}
{{- if and .Values.metrics.serviceMonitor.enabled (include "gantry.metricsWantKey" .) (not .Values.metrics.serviceMonitor.keySecret.name) -}}
{{- fail "metrics.serviceMonitor.enabled needs metrics.serviceMonitor.keySecret.name: with config.metricsOpen false Prometheus must send an API key with the scope read" -}}
{{- end -}}
{{- if and .Values.service.nodePort (eq .Values.service.type "ClusterIP") -}}
{{- fail "service.nodePort needs service.type NodePort or LoadBalancer" -}}
{{- end -}}
{{- end }}
