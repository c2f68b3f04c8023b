{{/* "true" when server.enabled, or "-" together with global.enabled. */}}
{{- define "openbao.serverEnabled" -}}
{{- $own := toString .Values.server.enabled -}}
{{ or (eq $own "true") (and (eq $own "-") (eq (toString .Values.global.enabled) "true")) }}
{{- end }}

{{/* external | dev | ha | standalone | none, in this order of precedence. */}}
{{- define "openbao.mode" -}}
{{- $server := .Values.server -}}
{{- if or .Values.global.externalBaoAddr .Values.global.externalVaultAddr (eq (include "openbao.serverEnabled" .) "false") -}}
external
{{- else if eq (toString $server.dev.enabled) "true" -}}
dev
{{- else if eq (toString $server.ha.enabled) "true" -}}
ha
{{- else if has (toString $server.standalone.enabled) (list "true" "-") -}}
standalone
{{- else -}}
none
{{- end -}}
{{- end }}

{{/* "true" when a server StatefulSet is to be rendered. */}}
{{- define "openbao.rendersServer" -}}
{{ has (include "openbao.mode" .) (list "dev" "ha" "standalone") }}
{{- end }}

{{- define "openbao.onRaft" -}}
{{ eq (toString .Values.server.ha.raft.enabled) "true" }}
{{- end }}

{{/* Only a YAML number counts: text renders the default of 3 (values.schema.json normally refuses it first). */}}
{{- define "openbao.replicas" -}}
{{- if ne (include "openbao.mode" .) "ha" -}}
1
{{- else if has (kindOf .Values.server.ha.replicas) (list "int64" "float64" "int") -}}
{{ .Values.server.ha.replicas }}
{{- else -}}
3
{{- end -}}
{{- end }}

{{/* The largest minority of the members, never more than none of a single one. */}}
{{- define "openbao.maxUnavailable" -}}
{{- $members := int .Values.server.ha.replicas -}}
{{- if eq $members 1 -}}
0
{{- else -}}
{{ .Values.server.ha.disruptionBudget.maxUnavailable | default (div (sub $members 1) 2) }}
{{- end -}}
{{- end }}

{{/* The server configuration: text through tpl, a map as JSON; server.ha.config decides which for raft, too. */}}
{{- define "openbao.config" -}}
{{- $server := .Values.server -}}
{{- $mode := include "openbao.mode" . -}}
{{- $own := ternary $server.ha.config $server.standalone.config (eq $mode "ha") -}}
{{- $config := ternary $server.ha.raft.config $own (and (eq $mode "ha") (eq (include "openbao.onRaft" .) "true")) -}}
{{- if kindIs "string" $own -}}{{ tpl $config . | trim }}{{- else -}}{{ toPrettyJson $config }}{{- end -}}
{{- end }}
