{{/*
payhook.native: "true" where the sidecar is an init container with
restartPolicy Always. That field is on by default from Kubernetes 1.29.
*/}}
{{- define "payhook.native" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if eq (toString $v.native) "auto" -}}
{{- semverCompare ">=1.29.0-0" .Capabilities.KubeVersion.Version -}}
{{- else -}}
{{- toString $v.native -}}
{{- end -}}
{{- end -}}

{{/* payhook.sleepAction: "true" where the kubelet can sleep before a stop (on by default from 1.30). */}}
{{- define "payhook.sleepAction" -}}
{{- semverCompare ">=1.30.0-0" .Capabilities.KubeVersion.Version -}}
{{- end -}}
