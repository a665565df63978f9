{{/* payhook.securityContext: of the sidecar's container. */}}
{{- define "payhook.securityContext" -}}
{{- (include "payhook.values" . | fromJson).securityContext | toYaml -}}
{{- end -}}

{{/*
payhook.podSecurityContext: what the pod needs so that a sidecar that is not
root can read the mounted Secret and share the socket.
*/}}
{{- define "payhook.podSecurityContext" -}}
fsGroup: {{ (include "payhook.values" . | fromJson).fsGroup | int }}
fsGroupChangePolicy: OnRootMismatch
{{- end -}}
