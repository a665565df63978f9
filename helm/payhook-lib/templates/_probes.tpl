{{/* payhook.probe: one probe. Arguments: values, timing, service. */}}
{{- define "payhook.probe" -}}
{{- if eq .values.probes.type "grpc" -}}
grpc:
  port: {{ .values.admin.port | int }}
  {{- with .service }}
  service: {{ . }}
  {{- end }}
{{- else -}}
exec:
  command:
    - /payhook
    - probe
    - --address
    - 127.0.0.1:{{ .values.admin.port | int }}
    {{- with .service }}
    - --service
    - {{ . }}
    {{- end }}
{{- end }}
{{ toYaml .timing }}
{{- end -}}

{{- define "payhook.probes" -}}
{{- $v := include "payhook.values" . | fromJson -}}
startupProbe:
  {{- include "payhook.probe" (dict "values" $v "timing" $v.probes.startup "service" $v.probes.readinessService) | nindent 2 }}
livenessProbe:
  {{- include "payhook.probe" (dict "values" $v "timing" $v.probes.liveness "service" $v.probes.livenessService) | nindent 2 }}
readinessProbe:
  {{- include "payhook.probe" (dict "values" $v "timing" $v.probes.readiness "service" $v.probes.readinessService) | nindent 2 }}
{{- end -}}
