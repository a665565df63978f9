{{/*
payhook.resolve: a value as JSON with every `{secretKey: NAME}` turned into
`{file: MOUNT/NAME}`. Arguments: value, mount. JSON because an include returns
text; `v` wraps it because fromJson wants an object.
*/}}
{{- define "payhook.resolve" -}}
{{- $mount := .mount -}}
{{- if kindIs "map" .value -}}
  {{- if hasKey .value "secretKey" -}}
    {{- dict "v" (dict "file" (printf "%s/%s" $mount .value.secretKey)) | toJson -}}
  {{- else -}}
    {{- $out := dict -}}
    {{- range $k, $x := .value -}}
      {{- $_ := set $out $k (include "payhook.resolve" (dict "value" $x "mount" $mount) | fromJson).v -}}
    {{- end -}}
    {{- dict "v" $out | toJson -}}
  {{- end -}}
{{- else if kindIs "slice" .value -}}
  {{- $out := list -}}
  {{- range .value -}}
    {{- $out = append $out (include "payhook.resolve" (dict "value" . "mount" $mount) | fromJson).v -}}
  {{- end -}}
  {{- dict "v" $out | toJson -}}
{{- else if kindIs "float64" .value -}}
  {{- dict "v" (int64 .value) | toJson -}}
{{- else -}}
  {{- dict "v" .value | toJson -}}
{{- end -}}
{{- end -}}

{{/* payhook.listen: the data listeners as JSON: {v: one address, or a list}. */}}
{{- define "payhook.listen" -}}
{{- $tcp := printf "%s:%d" .listen.address (int .listen.port) -}}
{{- $uds := printf "unix:%s" .uds.path -}}
{{- if eq .listen.mode "tcp" -}}{{ dict "v" $tcp | toJson }}
{{- else if eq .listen.mode "uds" -}}{{ dict "v" $uds | toJson }}
{{- else -}}{{ dict "v" (list $tcp $uds) | toJson }}
{{- end -}}
{{- end -}}

{{/* payhook.loopback: "true" where the data port cannot be reached from outside the pod. */}}
{{- define "payhook.loopback" -}}
{{- or (eq .listen.mode "uds") (hasPrefix "127." .listen.address) (has .listen.address (list "[::1]")) -}}
{{- end -}}

{{/* payhook.config: the text of payhook.yaml. It never holds a secret, only paths. */}}
{{- define "payhook.config" -}}
{{- include "payhook.validate" . -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- $c := dict "listen" (include "payhook.listen" $v | fromJson).v
    "admin_listen" (printf "%s:%d" $v.admin.address (int $v.admin.port)) -}}
{{- if ne $v.listen.mode "tcp" -}}
  {{- $_ := set $c "socket" (dict "mode" $v.uds.mode) -}}
  {{- if $v.uds.group -}}{{- $_ := set $c.socket "group" $v.uds.group -}}{{- end -}}
{{- end -}}
{{- if $v.tls.secretName -}}
  {{- $tls := dict "certificate" (dict "file" "/var/run/secrets/payhook-tls/tls.crt")
      "private_key" (dict "file" "/var/run/secrets/payhook-tls/tls.key") -}}
  {{- if $v.tls.clientCertificates -}}
    {{- $_ := set $tls "client_ca" (dict "file" "/var/run/secrets/payhook-tls/ca.crt") -}}
  {{- end -}}
  {{- $_ := set $c "tls" $tls -}}
{{- else if and $v.listen.insecure (ne (include "payhook.loopback" $v) "true") -}}
  {{- $_ := set $c "insecure_listen" true -}}
{{- end -}}
{{- range $k, $x := $v.config -}}
  {{- if not (kindIs "invalid" $x) -}}{{- $_ := set $c $k $x -}}{{- end -}}
{{- end -}}
{{- $_ := set $c "variants" $v.variants -}}
{{- (include "payhook.resolve" (dict "value" $c "mount" $v.secrets.mountPath) | fromJson).v | toYaml -}}
{{- end -}}

{{/* payhook.podAnnotations: rolls the pods when the configuration changes. Secrets reload in place. */}}
{{- define "payhook.podAnnotations" -}}
checksum/payhook-config: {{ include "payhook.config" . | sha256sum }}
{{- end -}}
