{{/* Works on a copy in /tmp, so a changed ConfigMap does not reach a running server. */}}
{{- define "openbao.startScript" -}}
{{- if eq (include "openbao.mode" .) "dev" -}}
/usr/local/bin/docker-entrypoint.sh bao server -dev {{ .Values.server.extraArgs }}
{{- else -}}
cp /openbao/config/extraconfig-from-values.hcl /tmp/storageconfig.hcl
{{- range list "HOST_IP" "POD_IP" "HOSTNAME" "API_ADDR" "TRANSIT_ADDR" "RAFT_ADDR" }}
{{ printf "if [ -n \"${%[1]s}\" ]; then sed -Ei \"s|%[1]s|${%[1]s}|g\" /tmp/storageconfig.hcl; fi" . }}
{{- end }}
/usr/local/bin/docker-entrypoint.sh bao server -config=/tmp/storageconfig.hcl {{ .Values.server.extraArgs }}
{{- end -}}
{{- end }}

{{- define "openbao.fieldEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    fieldRef:
      fieldPath: {{ index . 1 }}
{{- end }}

{{- define "openbao.env" -}}
{{- $server := .Values.server -}}
{{- $scheme := include "openbao.scheme" . -}}
{{ include "openbao.fieldEnv" (list "HOST_IP" "status.hostIP") }}
{{ include "openbao.fieldEnv" (list "POD_IP" "status.podIP") }}
{{ include "openbao.fieldEnv" (list "BAO_K8S_POD_NAME" "metadata.name") }}
{{ include "openbao.fieldEnv" (list "BAO_K8S_NAMESPACE" "metadata.namespace") }}
- name: BAO_ADDR
  value: {{ printf "%s://127.0.0.1:8200" $scheme | quote }}
- name: BAO_API_ADDR
  value: {{ $server.ha.apiAddr | default (printf "%s://$(POD_IP):8200" $scheme) | quote }}
- name: SKIP_CHOWN
  value: "true"
- name: SKIP_SETCAP
  value: "true"
{{ include "openbao.fieldEnv" (list "HOSTNAME" "metadata.name") }}
- name: BAO_CLUSTER_ADDR
  value: {{ $server.ha.clusterAddr | default (printf "https://$(HOSTNAME).%s-internal:8201" (include "openbao.fullname" .)) | quote }}
{{- if and (eq (include "openbao.onRaft" .) "true") (eq (toString $server.ha.raft.setNodeId) "true") }}
{{ include "openbao.fieldEnv" (list "BAO_RAFT_NODE_ID" "metadata.name") }}
{{- end }}
- name: HOME
  value: /home/openbao
{{- with $server.logLevel }}
- name: BAO_LOG_LEVEL
  value: {{ quote . }}
{{- end }}
{{- with $server.logFormat }}
- name: BAO_LOG_FORMAT
  value: {{ quote . }}
{{- end }}
{{- if eq (include "openbao.mode" .) "dev" }}
- name: VAULT_DEV_ROOT_TOKEN_ID
  value: {{ quote $server.dev.devRootToken }}
- name: VAULT_DEV_LISTEN_ADDRESS
  value: "[::]:8200"
{{- end }}
{{- range $server.extraSecretEnvironmentVars }}
- name: {{ .envName }}
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretKey }}
{{- end }}
{{- range $key, $value := $server.extraEnvironmentVars }}
- name: {{ $key | replace "." "_" | upper }}
  value: {{ quote $value }}
{{- end }}
{{- end }}

{{/* Names of the claims this mode mounts, one a line; the data volume belongs to standalone and raft only. */}}
{{- define "openbao.claims" -}}
{{- $server := .Values.server -}}
{{- $mode := include "openbao.mode" . -}}
{{- $keepsData := or (eq $mode "standalone") (and (eq $mode "ha") (eq (include "openbao.onRaft" .) "true")) -}}
{{- if and $keepsData (eq (toString $server.dataStorage.enabled) "true") }}data {{ end -}}
{{- if and (ne $mode "dev") (eq (toString $server.auditStorage.enabled) "true") }}audit {{ end -}}
{{- end }}

{{- define "openbao.mounts" -}}
{{- $server := .Values.server -}}
{{- range include "openbao.claims" . | splitList " " | compact }}
- name: {{ . }}
  mountPath: {{ (index $server (printf "%sStorage" .)).mountPath }}
{{- end }}
{{- if ne (include "openbao.mode" .) "dev" }}
- name: config
  mountPath: /openbao/config
{{- end }}
{{- range $server.extraVolumes }}
- name: userconfig-{{ .name }}
  readOnly: true
  mountPath: {{ .path | default "/openbao/userconfig" }}/{{ .name }}
{{- end }}
{{- with $server.volumeMounts }}
{{ toYaml . }}
{{- end }}
- name: home
  mountPath: /home/openbao
{{- end }}

{{- define "openbao.volumes" -}}
{{- if ne (include "openbao.mode" .) "dev" }}
- name: config
  configMap:
    name: {{ include "openbao.fullname" . }}-config
{{- end }}
{{- range .Values.server.extraVolumes }}
- name: userconfig-{{ .name }}
  {{ .type }}:
    {{ ternary "secretName" "name" (eq .type "secret") }}: {{ .name }}
    defaultMode: {{ .defaultMode | default 420 }}
{{- end }}
{{- with .Values.server.volumes }}
{{ toYaml . }}
{{- end }}
- name: home
  emptyDir: {}
{{- end }}

{{- define "openbao.podSecurity" -}}
{{- with .Values.server.statefulSet.securityContext.pod -}}
{{ include "openbao.textOrMap" (list $ .) }}
{{- else -}}
runAsNonRoot: true
runAsUser: {{ .Values.server.uid | default 100 }}
runAsGroup: {{ .Values.server.gid | default 1000 }}
fsGroup: {{ .Values.server.gid | default 1000 }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- end }}

{{- define "openbao.containerSecurity" -}}
{{- with .Values.server.statefulSet.securityContext.container -}}
{{ include "openbao.textOrMap" (list $ .) }}
{{- else -}}
allowPrivilegeEscalation: false
{{- end -}}
{{- end }}

{{/* The timing fields of a probe, and its HTTP request when no command is given: (list context probe command). */}}
{{- define "openbao.probe" -}}
{{- $probe := index . 1 -}}
{{- with index . 2 }}
exec:
  command: {{ toJson . }}
{{- else }}
httpGet:
  path: {{ quote $probe.path }}
  port: {{ $probe.port }}
  scheme: {{ include "openbao.scheme" (index . 0) | upper }}
{{- end }}
{{- range list "failureThreshold" "initialDelaySeconds" "periodSeconds" "successThreshold" "timeoutSeconds" }}
{{ . }}: {{ index $probe . }}
{{- end }}
{{- end }}
