{{/* payhook.container: the sidecar's container, one map. */}}
{{- define "payhook.container" -}}
{{- include "payhook.validate" . -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- $native := eq (include "payhook.native" .) "true" -}}
name: payhook
image: {{ include "payhook.image" . | quote }}
imagePullPolicy: {{ $v.image.pullPolicy }}
{{- if and $native (not $v.standalone) }}
restartPolicy: Always
{{- end }}
args:
  - serve
  - --config
  - /etc/payhook/payhook.yaml
  {{- range $v.extraArgs }}
  - {{ . | quote }}
  {{- end }}
{{- with $v.extraEnv }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- if ne (include "payhook.loopback" $v) "true" }}
  - name: payhook-grpc
    containerPort: {{ $v.listen.port | int }}
    protocol: TCP
  {{- end }}
  - name: payhook-admin
    containerPort: {{ $v.admin.port | int }}
    protocol: TCP
{{ include "payhook.probes" . }}
{{- if and (not $native) (eq (include "payhook.sleepAction" .) "true") (gt (int $v.terminationDrainSeconds) 0) }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ $v.terminationDrainSeconds | int }}
{{- end }}
resources:
  {{- toYaml $v.resources | nindent 2 }}
securityContext:
  {{- include "payhook.securityContext" . | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - name: payhook-config
    mountPath: /etc/payhook
    readOnly: true
  {{- if eq (include "payhook.hasSecrets" .) "true" }}
  - name: payhook-secrets
    mountPath: {{ $v.secrets.mountPath }}
    readOnly: true
  {{- end }}
  {{- if $v.tls.secretName }}
  - name: payhook-tls
    mountPath: /var/run/secrets/payhook-tls
    readOnly: true
  {{- end }}
  {{- if ne $v.listen.mode "tcp" }}
  - name: payhook-socket
    mountPath: {{ dir $v.uds.path }}
  {{- end }}
  {{- with $v.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
