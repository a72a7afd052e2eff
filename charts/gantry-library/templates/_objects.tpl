{{/* An account that says who the pods are and may do nothing. */}}
{{- define "gantry.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Values.fullnameOverride }}
  labels:
    {{- include "gantry.labels" . | nindent 4 }}
  {{- with (.Values.serviceAccount | default dict).annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}

{{/* `maxUnavailable`, as `minAvailable: 1` on a single replica would block every drain. */}}
{{- define "gantry.podDisruptionBudget" -}}
{{- if .Values.podDisruptionBudget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Values.fullnameOverride }}
  labels:
    {{- include "gantry.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "gantry.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* A claim; call with `context`, `name`, `claim` (size, accessMode, storageClass, keep). */}}
{{- define "gantry.claim" -}}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels:
    {{- include "gantry.labels" .context | nindent 4 }}
  {{- if .claim.keep }}
  annotations:
    helm.sh/resource-policy: keep
  {{- end }}
spec:
  accessModes:
    - {{ .claim.accessMode }}
  {{- with .claim.storageClass }}
  storageClassName: {{ . | quote }}
  {{- end }}
  resources:
    requests:
      storage: {{ .claim.size }}
{{- end }}

{{/* DNS, for everything that looks up a name. */}}
{{- define "gantry.egressDns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}
