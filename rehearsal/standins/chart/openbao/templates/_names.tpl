{{- define "openbao.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "openbao.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $composed := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{ .Values.fullnameOverride | default $composed | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "openbao.namespace" -}}
{{ .Values.global.namespace | default .Release.Namespace }}
{{- end }}

{{- define "openbao.serviceAccount" -}}
{{- with .Values.server.serviceAccount -}}
{{ .name | default (ternary (include "openbao.fullname" $) "default" .create) }}
{{- end -}}
{{- end }}

{{- define "openbao.chartLabel" -}}
{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "openbao.selector" -}}
app.kubernetes.io/name: {{ include "openbao.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
component: server
{{- end }}

{{- define "openbao.labels" -}}
helm.sh/chart: {{ include "openbao.chartLabel" . }}
app.kubernetes.io/name: {{ include "openbao.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "openbao.scheme" -}}
{{ ternary "http" "https" .Values.global.tlsDisable }}
{{- end }}

{{- define "openbao.image" -}}
{{- with .Values.server.image -}}
{{ .registry | default "docker.io" }}/{{ .repository }}:{{ .tag | default (trimPrefix "v" $.Chart.AppVersion) }}
{{- end -}}
{{- end }}

{{/* A value that users may give as a map or as template text: (list context value). */}}
{{- define "openbao.textOrMap" -}}
{{- $value := index . 1 -}}
{{- if kindIs "string" $value -}}{{ tpl $value (index . 0) }}{{- else -}}{{ toYaml $value }}{{- end -}}
{{- end }}

{{/* The field `annotations:` from one or more such values: (list context value...); empty without any. */}}
{{- define "openbao.annotations" -}}
{{- $context := first . -}}
{{- $parts := compact (rest .) -}}
{{- if $parts }}
annotations:
  {{- range $parts }}
  {{- include "openbao.textOrMap" (list $context .) | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}
