{{/*
payhook.initContainers: the list for `initContainers`, put it first. Empty in
classic mode.
*/}}
{{- define "payhook.initContainers" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if and $v.enabled (eq (include "payhook.native" .) "true") -}}
- {{ include "payhook.container" . | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* payhook.containers: the list to append to `containers`. Empty in native mode. */}}
{{- define "payhook.containers" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if and $v.enabled (ne (include "payhook.native" .) "true") -}}
- {{ include "payhook.container" . | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* payhook.volumes: the list to append to `volumes`. */}}
{{- define "payhook.volumes" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if $v.enabled -}}
- name: payhook-config
  configMap:
    name: {{ include "payhook.configMapName" . }}
    optional: false
{{- if eq (include "payhook.hasSecrets" .) "true" }}
- {{ include "payhook.secretsVolume" . | nindent 2 | trim }}
{{- end }}
{{- if $v.tls.secretName }}
- name: payhook-tls
  secret:
    secretName: {{ $v.tls.secretName }}
    defaultMode: {{ $v.secrets.defaultMode | int }}
    optional: false
{{- end }}
{{- if ne $v.listen.mode "tcp" }}
- name: payhook-socket
  emptyDir:
    {{- with $v.uds.medium }}
    medium: {{ . }}
    {{- end }}
    sizeLimit: {{ $v.uds.sizeLimit }}
{{- end }}
{{- with $v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/*
payhook.appEnv: what the application needs to know. PAYHOOK_TARGET is a gRPC
target; PAYHOOK_ENDPOINT the same for clients that take URLs. Over the socket
several gRPC libraries send its path as :authority, which HTTP/2 servers refuse:
PAYHOOK_AUTHORITY is what they must send instead.
*/}}
{{- define "payhook.appEnv" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if $v.enabled -}}
{{- if eq $v.listen.mode "uds" -}}
- name: PAYHOOK_TARGET
  value: {{ printf "unix:%s" $v.uds.path | quote }}
- name: PAYHOOK_ENDPOINT
  value: {{ printf "unix://%s" $v.uds.path | quote }}
{{- else -}}
- name: PAYHOOK_TARGET
  value: {{ printf "127.0.0.1:%d" (int $v.listen.port) | quote }}
- name: PAYHOOK_ENDPOINT
  value: {{ printf "http%s://127.0.0.1:%d" (ternary "s" "" (ne $v.tls.secretName "")) (int $v.listen.port) | quote }}
{{- end }}
- name: PAYHOOK_AUTHORITY
  value: localhost
{{- end -}}
{{- end -}}

{{/* payhook.appVolumeMounts: the socket's directory, where there is one. */}}
{{- define "payhook.appVolumeMounts" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if and $v.enabled (ne $v.listen.mode "tcp") -}}
- name: payhook-socket
  mountPath: {{ dir $v.uds.path }}
{{- end -}}
{{- end -}}

{{/*
payhook.pod: a whole pod spec with the sidecar in it. Arguments:
  ctx   the chart's context (.)
  spec  your pod spec, a map
  app   name of the container that calls payhook; empty: all of them
Your own lists are kept; the sidecar goes first among the init containers, so
that migrations and the like can already call it.
*/}}
{{- define "payhook.pod" -}}
{{- $v := include "payhook.values" .ctx | fromJson -}}
{{- $spec := deepCopy .spec -}}
{{- if $v.enabled -}}
{{- $env := include "payhook.appEnv" .ctx | fromYamlArray -}}
{{- $mounts := include "payhook.appVolumeMounts" .ctx | fromYamlArray -}}
{{- $app := default "" .app -}}
{{- $containers := list -}}
{{- $found := false -}}
{{- range $spec.containers -}}
  {{- $c := . -}}
  {{- if or (not $app) (eq $app $c.name) -}}
    {{- $found = true -}}
    {{- $_ := set $c "env" (concat (default list $c.env) $env) -}}
    {{- if $mounts -}}{{- $_ := set $c "volumeMounts" (concat (default list $c.volumeMounts) $mounts) -}}{{- end -}}
  {{- end -}}
  {{- $containers = append $containers $c -}}
{{- end -}}
{{- if not $found -}}{{- fail (printf "payhook.pod: no container is named %q" $app) -}}{{- end -}}
{{- $_ := set $spec "containers" (concat $containers (include "payhook.containers" .ctx | fromYamlArray)) -}}
{{- $init := concat (include "payhook.initContainers" .ctx | fromYamlArray) (default list $spec.initContainers) -}}
{{- if $init -}}{{- $_ := set $spec "initContainers" $init -}}{{- end -}}
{{- $_ := set $spec "volumes" (concat (default list $spec.volumes) (include "payhook.volumes" .ctx | fromYamlArray)) -}}
{{- $security := merge (default dict $spec.securityContext) (include "payhook.podSecurityContext" .ctx | fromYaml) -}}
{{- $_ := set $spec "securityContext" $security -}}
{{- end -}}
{{- toYaml $spec -}}
{{- end -}}
