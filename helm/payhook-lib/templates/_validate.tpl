{{/* payhook.validate: what the schema cannot say, in words. */}}
{{- define "payhook.validate" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- $s := $v.secrets -}}
{{- $ways := list -}}
{{- if $s.existingSecret -}}{{- $ways = append $ways "existingSecret" -}}{{- end -}}
{{- if $s.sources -}}{{- $ways = append $ways "sources" -}}{{- end -}}
{{- if $s.externalSecret.enabled -}}{{- $ways = append $ways "externalSecret" -}}{{- end -}}
{{- if $s.inline -}}{{- $ways = append $ways "inline" -}}{{- end -}}
{{- if gt (len $ways) 1 -}}
{{- fail (printf "payhook.secrets: choose one of existingSecret, sources, externalSecret, inline; got %s" (join " and " $ways)) -}}
{{- end -}}
{{- if and $s.inline (not $s.allowInline) -}}
{{- fail "payhook.secrets.inline puts secrets into the release's history; for development only, with payhook.secrets.allowInline: true" -}}
{{- end -}}
{{- $uses := contains "\"secretKey\":" (dict "a" $v.variants "b" $v.config | toJson) -}}
{{- if and $uses (not $ways) -}}
{{- fail "payhook.variants refers to a secretKey, but payhook.secrets names no Secret: set existingSecret, sources or externalSecret" -}}
{{- end -}}
{{- if and $s.externalSecret.enabled (not $s.externalSecret.storeRef.name) -}}
{{- fail "payhook.secrets.externalSecret.storeRef.name is required" -}}
{{- end -}}
{{- if and $s.externalSecret.enabled (not $s.externalSecret.data) (not $s.externalSecret.dataFrom) -}}
{{- fail "payhook.secrets.externalSecret needs data or dataFrom" -}}
{{- end -}}
{{- if and (ne (include "payhook.loopback" $v) "true") (not $v.tls.secretName) (not $v.listen.insecure) -}}
{{- fail (printf "payhook.listen.address %s is not loopback: set payhook.tls.secretName, or payhook.listen.insecure: true" $v.listen.address) -}}
{{- end -}}
{{- if eq (int $v.listen.port) (int $v.admin.port) -}}
{{- fail "payhook.listen.port and payhook.admin.port must differ" -}}
{{- end -}}
{{- end -}}
