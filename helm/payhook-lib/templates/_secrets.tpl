{{/* payhook.hasSecrets: "true" where a secrets volume is needed. */}}
{{- define "payhook.hasSecrets" -}}
{{- $s := (include "payhook.values" . | fromJson).secrets -}}
{{- or (ne (include "payhook.secretName" .) "") (not (empty $s.sources)) -}}
{{- end -}}

{{/*
payhook.secretsVolume: mounted as a directory, never by subPath, so that the
kubelet's rotation reaches the sidecar.
*/}}
{{- define "payhook.secretsVolume" -}}
{{- $s := (include "payhook.values" . | fromJson).secrets -}}
name: payhook-secrets
{{- if $s.sources }}
projected:
  defaultMode: {{ $s.defaultMode | int }}
  sources:
    {{- toYaml $s.sources | nindent 4 }}
{{- else }}
secret:
  secretName: {{ include "payhook.secretName" . }}
  defaultMode: {{ $s.defaultMode | int }}
  optional: false
{{- end }}
{{- end -}}
