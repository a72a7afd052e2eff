{{- define "rabbitmq.validate" -}}
{{- $replicas := int .Values.replicas -}}
{{- if eq (mod $replicas 2) 0 -}}
{{- fail (printf "replicas %d: RabbitMQ needs an odd number of nodes (1, 3 or 5); of two, neither could go on without the other" $replicas) -}}
{{- end -}}
{{- if and (gt $replicas 1) .Values.persistence.existingClaim -}}
{{- fail "persistence.existingClaim is for one node; several have a claim each" -}}
{{- end -}}
{{- end }}

{{- define "rabbitmq.secretName" -}}
{{ .Values.existingSecret | default (printf "%s-credentials" .Values.fullnameOverride) }}
{{- end }}

{{/*
The Secret's data, in base64: what the cluster has, else made up, once for the whole rendering, so that the checksum
of a first installation is the one of the next upgrade.
*/}}
{{- define "rabbitmq.credentials" -}}
{{- if not (hasKey .Values "credentials") -}}
{{- $found := (lookup "v1" "Secret" .Release.Namespace (include "rabbitmq.secretName" .)).data | default dict -}}
{{- $made := dict "username" (.Values.auth.username | b64enc) "password" (randAlphaNum 32 | b64enc) "erlang-cookie" (randAlphaNum 32 | b64enc) -}}
{{- $_ := set .Values "credentials" (ternary $found (merge (dict) $found $made) (ne .Values.existingSecret "")) -}}
{{- end -}}
{{ toJson .Values.credentials }}
{{- end }}

{{/* What one node calls another. */}}
{{- define "rabbitmq.host" -}}
{{ .pod }}.{{ .context.Values.fullnameOverride }}-nodes.{{ .context.Release.Namespace }}.svc.{{ .context.Values.clusterDomain }}
{{- end }}

{{- define "rabbitmq.credentialsVolume" -}}
- name: credentials
  secret:
    secretName: {{ include "rabbitmq.secretName" . }}
    defaultMode: 0440
{{- end }}

{{/* The files of the ConfigMap: what a change of restarts the nodes. */}}
{{- define "rabbitmq.config" -}}
enabled_plugins: |
  [rabbitmq_management,rabbitmq_prometheus].
rabbitmq.conf: |
  load_definitions = /run/rabbitmq/definitions.json
  total_memory_available_override_value = {{ .Values.resources.limits.memory }}B
  vm_memory_high_watermark.relative = {{ .Values.memoryHighWatermark }}
  disk_free_limit.absolute = {{ .Values.diskFreeLimit }}
  {{- if gt (int .Values.replicas) 1 }}
  cluster_formation.peer_discovery_backend = classic_config
  {{- range $node := until (int .Values.replicas) }}
  cluster_formation.classic_config.nodes.{{ add $node 1 }} = rabbit@{{ include "rabbitmq.host" (dict "context" $ "pod" (printf "%s-%d" $.Values.fullnameOverride $node)) }}
  {{- end }}
  cluster_partition_handling = pause_minority
  # Queues made while nodes were missing get their members later.
  quorum_queue.continuous_membership_reconciliation.enabled = true
  quorum_queue.continuous_membership_reconciliation.target_group_size = {{ .Values.replicas }}
  {{- end }}
  {{- with .Values.extraConfig }}
  {{- . | nindent 2 }}
  {{- end }}
prepare.sh: |
  {{- .Files.Get "files/prepare.sh" | nindent 2 }}
test.escript: |
  {{- .Files.Get "files/test.escript" | nindent 2 }}
{{- end }}
