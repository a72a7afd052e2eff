{{/*
Without the Prometheus Operator's definitions Helm would only say `no matches for kind`. Only a cluster can be asked:
where charts are merely rendered, nothing is looked up. Call with `context`, `kind`, `value` (what turned it on).
*/}}
{{- define "gantry.needsOperator" -}}
{{- if and (lookup "v1" "ServiceAccount" .context.Release.Namespace "default") (not (.context.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind))) -}}
{{- fail (printf "%s needs the Prometheus Operator, and this cluster has no %s: install kube-prometheus-stack first, or charts/monitoring-chart instead" .value .kind) -}}
{{- end -}}
{{- end }}

{{/*
What both kinds of monitor say of one endpoint; call with `port`, `job`, `interval`, `path` and `params` if they are
not the usual ones, and `keySecret` (`name`, `key`) if an API key is sent. The rules and dashboards go by the job's name, whatever the objects are called.
*/}}
{{- define "gantry.scrapedEndpoint" -}}
- port: {{ .port }}
  path: {{ .path | default "/metrics" }}
  {{- with .params }}
  params:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  interval: {{ .interval }}
  {{- if (.keySecret | default dict).name }}
  authorization:
    type: Bearer
    credentials: {name: {{ .keySecret.name }}, key: {{ .keySecret.key }}}
  {{- end }}
  relabelings:
    - targetLabel: job
      replacement: {{ .job }}
{{- end }}

{{/* Tells the operator's Prometheus to scrape this chart's Service; call with `context` and `endpoints`. */}}
{{- define "gantry.serviceMonitor" -}}
{{- $monitor := .context.Values.metrics.serviceMonitor -}}
{{- if $monitor.enabled -}}
{{- include "gantry.needsOperator" (dict "context" .context "kind" "ServiceMonitor" "value" "metrics.serviceMonitor.enabled") -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ .context.Values.fullnameOverride }}
  labels:
    {{- include "gantry.labels" .context | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "gantry.selectorLabels" .context | nindent 6 }}
  endpoints:
    {{- range .endpoints }}
    {{- include "gantry.scrapedEndpoint" (set . "interval" $monitor.interval) | nindent 4 }}
    {{- end }}
{{- end }}
{{- end }}

{{/*
The groups of rules in `files`, as a list in YAML. `alerts` changes single alerts by their name (`enabled`, or any field
of a rule), `runbookUrl` takes the place of docs/runbook.md.
*/}}
{{- define "gantry.ruleGroups" -}}
{{- $groups := list -}}
{{- $known := list -}}
{{- $alerts := .alerts -}}
{{- range $path, $content := .files -}}
{{- range (fromYaml (toString $content)).groups -}}
{{- $rules := list -}}
{{- range .rules -}}
{{- $change := dict -}}
{{- if .alert -}}
{{- $known = append $known .alert -}}
{{- $change = get $alerts .alert | default dict -}}
{{- end -}}
{{- if ne (get $change "enabled" | toString) "false" -}}
{{- $rules = append $rules (mergeOverwrite (deepCopy .) (omit $change "enabled")) -}}
{{- end -}}
{{- end -}}
{{- if $rules -}}
{{- $groups = append $groups (dict "name" .name "rules" $rules) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $alerts -}}
{{- if not (has $name $known) -}}
{{- fail (printf "there is no alert %s: see docs/runbook.md" $name) -}}
{{- end -}}
{{- end -}}
{{- toYaml $groups | replace "docs/runbook.md" .runbookUrl -}}
{{- end }}
