{{/*
The templates of gantry-library know one component a chart. This chart has two: each has its values below its name.
Gives a context as JSON; call with `root` and `component`.
*/}}
{{- define "monitoring.context" -}}
{{- $root := .root -}}
{{- $values := merge (dict "imagePullSecrets" $root.Values.imagePullSecrets) (index $root.Values .component) -}}
{{- dict "Values" $values "Chart" (dict "Name" $root.Chart.Name "Version" $root.Chart.Version "AppVersion" (index $root.Values .component).image.tag) "Release" (dict "Name" $root.Release.Name "Namespace" $root.Release.Namespace "Service" $root.Release.Service) | toJson -}}
{{- end }}

{{/* Not part of `gantry`: RabbitMQ's policy lets those that are in. */}}
{{- define "monitoring.labels" -}}
{{- include "gantry.labels" . | replace "part-of: gantry" "part-of: gantry-monitoring" -}}
{{- end }}

{{- define "monitoring.podLabels" -}}
{{ include "gantry.selectorLabels" . }}
app.kubernetes.io/part-of: gantry-monitoring
{{- end }}

{{- define "monitoring.secretName" -}}
{{ .Values.existingSecret | default (printf "%s-credentials" .Values.fullnameOverride) }}
{{- end }}

{{/* The volume `data`: a claim, or a folder that goes with the pod. Call with a component's context. */}}
{{- define "monitoring.dataVolume" -}}
- name: data
  {{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim | default .Values.persistence.name }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}

{{/* What the library makes, with this chart's labels. */}}
{{- define "monitoring.claim" -}}
{{- $claim := .Values.persistence -}}
{{- if and $claim.enabled (not $claim.existingClaim) -}}
{{ include "gantry.claim" (dict "context" . "name" $claim.name "claim" $claim) | replace "part-of: gantry" "part-of: gantry-monitoring" }}
{{- end -}}
{{- end }}

{{- define "monitoring.serviceAccount" -}}
{{ include "gantry.serviceAccount" . | replace "part-of: gantry" "part-of: gantry-monitoring" }}
{{- end }}

{{/* prometheus.yml and the rules: what a change of restarts Prometheus. */}}
{{- define "monitoring.prometheusConfig" -}}
prometheus.yml: |
  global:
    scrape_interval: {{ .Values.prometheus.interval }}
    evaluation_interval: {{ .Values.prometheus.interval }}
  rule_files: [/etc/prometheus/rules.yaml]
  {{- with .Values.alertmanagers }}
  alerting:
    alertmanagers:
      - static_configs:
          - targets: {{ toJson . }}
  {{- end }}
  scrape_configs:
    {{- include "monitoring.scrapeConfig" (dict "job" "gantry-web" "container" "web-server" "port" "http" "keySecret" .Values.prometheus.keySecret) | nindent 4 }}
    {{- include "monitoring.scrapeConfig" (dict "job" "gantry-consumer" "container" "consumer" "port" "metrics") | nindent 4 }}
    {{- include "monitoring.scrapeConfig" (dict "job" "gantry-rabbitmq" "container" "rabbitmq" "port" "prometheus") | nindent 4 }}
    # The counts of each queue; the endpoint above has only their sums.
    {{- include "monitoring.scrapeConfig" (dict "job" "gantry-rabbitmq-queues" "container" "rabbitmq" "port" "prometheus" "path" "/metrics/detailed" "params" (dict "family" (list "queue_coarse_metrics" "queue_consumer_count"))) | nindent 4 }}
    {{- with .Values.prometheus.extraScrapeConfigs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
rules.yaml: |
  groups:
    {{- include "gantry.ruleGroups" (dict "files" (.Files.Glob "files/rules/*.yaml") "alerts" .Values.alerts "runbookUrl" .Values.runbookUrl) | nindent 4 }}
{{- end }}

{{/* Pods of this namespace, by the names that the charts give containers and ports, whatever the objects are called. */}}
{{- define "monitoring.scrapeConfig" -}}
- job_name: {{ .job }}
  {{- with .path }}
  metrics_path: {{ . }}
  {{- end }}
  {{- with .params }}
  params:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if (.keySecret | default dict).name }}
  authorization:
    type: Bearer
    credentials_file: /etc/gantry/{{ .keySecret.key }}
  {{- end }}
  kubernetes_sd_configs:
    - role: pod
      namespaces: {own_namespace: true}
  relabel_configs:
    - source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_part_of, __meta_kubernetes_pod_container_name, __meta_kubernetes_pod_container_port_name]
      regex: gantry;{{ .container }};{{ .port }}
      action: keep
    - source_labels: [__meta_kubernetes_pod_phase]
      regex: Failed|Succeeded
      action: drop
    - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
    - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
{{- end }}
