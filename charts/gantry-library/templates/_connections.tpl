{{/*
What `gantry web` and `gantry consumer` need to reach RabbitMQ and S3. Credentials are files of mounted Secrets: a
pod waits for a Secret that is not there yet, so the charts can be installed in any order.
*/}}
{{- define "gantry.connectionEnv" -}}
{{- with .Values.rabbitmq }}
- name: GANTRY_AMQP_URL
  value: {{ .url | default (printf "amqp://%s:%d" .host (int .port)) | quote }}
- name: GANTRY_AMQP_USERNAME_FILE
  value: /etc/gantry/rabbitmq/{{ .secretKeys.username }}
- name: GANTRY_AMQP_PASSWORD_FILE
  value: /etc/gantry/rabbitmq/{{ .secretKeys.password }}
{{- if .caSecret }}
- name: GANTRY_AMQP_CA_FILE
  value: /etc/gantry/rabbitmq-ca/ca.crt
{{- end }}
{{- end }}
{{- with .Values.s3 }}
{{- if .url }}
- name: GANTRY_S3_URL
  value: {{ .url | quote }}
- name: GANTRY_S3_REGION
  value: {{ .region | quote }}
{{- with .endpoint }}
- name: GANTRY_S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- if .existingSecret }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.s3.existingSecret }}
      key: {{ . }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $value := .Values.config }}
- name: GANTRY_{{ $name | snakecase | upper }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Pods show their environment to whoever may read them: URLs with credentials are refused. Call with a dict of them. */}}
{{- define "gantry.refuseCredentials" -}}
{{- range $name, $url := . -}}
{{- if contains "@" (toString $url) -}}
{{- /* Not in the schema: what that refuses is repeated in the error. */ -}}
{{- fail (printf "credentials do not belong into %s, which everybody sees who may read pods: take them out and name an existingSecret" $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "gantry.connectionMounts" -}}
- name: rabbitmq-credentials
  mountPath: /etc/gantry/rabbitmq
  readOnly: true
{{- if .Values.rabbitmq.caSecret }}
- name: rabbitmq-ca
  mountPath: /etc/gantry/rabbitmq-ca
  readOnly: true
{{- end }}
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "gantry.connectionVolumes" -}}
- name: rabbitmq-credentials
  secret:
    secretName: {{ .Values.rabbitmq.existingSecret }}
    defaultMode: 0440
    items:
      {{- range list .Values.rabbitmq.secretKeys.username .Values.rabbitmq.secretKeys.password }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- with .Values.rabbitmq.caSecret }}
- name: rabbitmq-ca
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 1Gi
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Ways out to RabbitMQ and S3, wherever they are. */}}
{{- define "gantry.connectionEgress" -}}
{{- with .Values.rabbitmq }}
{{- if .url }}
- ports:
    {{- range $port := concat (list "5671" "5672") (regexFindAll ":[0-9]+" (urlParse .url).host -1) | uniq }}
    - {protocol: TCP, port: {{ trimPrefix ":" $port }}}
    {{- end }}
{{- else if contains "." .host }}
# Elsewhere in the cluster: a policy knows pods of its own namespace by their labels.
- ports:
    - {protocol: TCP, port: {{ .port }}}
{{- else }}
- to:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: {{ .host }}
  ports:
    - {protocol: TCP, port: {{ .port }}}
{{- end }}
{{- end }}
{{- with .Values.s3 }}
{{- if .url }}
- ports:
    - {protocol: TCP, port: 443}
    {{- with .endpoint }}
    {{- with regexFind ":[0-9]+$" (urlParse .).host }}
    - {protocol: TCP, port: {{ trimPrefix ":" . }}}
    {{- end }}
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The test of a release: a picture goes the whole way. */}}
{{- define "gantry.canaryPod" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Values.fullnameOverride }}-test
  labels:
    {{- include "gantry.canaryLabels" (dict "context" . "suffix" "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- include "gantry.canarySpec" . | nindent 2 }}
{{- end }}

{{/* A pod that checks is none of those that are checked; call with `context` and `suffix`. */}}
{{- define "gantry.canaryLabels" -}}
{{- $name := .context.Values.fullnameOverride -}}
{{- include "gantry.labels" .context | replace (printf "app.kubernetes.io/name: %s" $name) (printf "app.kubernetes.io/name: %s-%s" $name .suffix) -}}
{{- end }}

{{- define "gantry.canarySpec" -}}
restartPolicy: Never
{{ include "gantry.podPlacement" . }}
securityContext:
  {{- include "gantry.podSecurityContext" 1000 | nindent 2 }}
containers:
  - name: canary
    image: {{ include "gantry.image" . }}
    imagePullPolicy: {{ include "gantry.imagePullPolicy" . }}
    args: [gantry, canary, --timeout, 120s]
    env:
      - name: GANTRY_URL
        value: {{ .Values.test.url | quote }}
      {{- if include "gantry.canaryKeySecret" . }}
      - name: GANTRY_API_KEY_FILE
        value: /etc/gantry/api-key/key
    volumeMounts:
      - name: api-key
        mountPath: /etc/gantry/api-key
        readOnly: true
      {{- end }}
    securityContext:
      {{- include "gantry.containerSecurityContext" . | nindent 6 }}
    resources:
      requests: {cpu: 50m, memory: 96Mi, ephemeral-storage: 16Mi}
      limits: {cpu: "1", memory: 192Mi, ephemeral-storage: 64Mi}
{{- with include "gantry.canaryKeySecret" . }}
volumes:
  - name: api-key
    secret:
      secretName: {{ . }}
      defaultMode: 0440
      # A pod that says which key it lacks is better than one that waits for ever.
      optional: true
{{- end }}
{{- end }}
