{{/*
payhook.manifests: everything beside the pod: ConfigMap, Secret (development),
ExternalSecret, NetworkPolicy, PodMonitor. One include in a file of its own.
*/}}
{{- define "payhook.manifests" -}}
{{- $v := include "payhook.values" . | fromJson -}}
{{- if $v.enabled }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "payhook.configMapName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "payhook.labels" . | nindent 4 }}
data:
  payhook.yaml: |
    {{- include "payhook.config" . | nindent 4 }}
{{- if $v.secrets.inline }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ include "payhook.secretName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "payhook.labels" . | nindent 4 }}
type: Opaque
data:
  {{- range $name, $text := $v.secrets.inline }}
  {{ $name }}: {{ $text | b64enc | quote }}
  {{- end }}
{{- end }}
{{- if $v.secrets.externalSecret.enabled }}
{{- $e := $v.secrets.externalSecret }}
---
apiVersion: {{ $e.apiVersion }}
kind: ExternalSecret
metadata:
  name: {{ include "payhook.secretName" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "payhook.labels" . | nindent 4 }}
spec:
  refreshInterval: {{ $e.refreshInterval }}
  secretStoreRef:
    name: {{ $e.storeRef.name }}
    kind: {{ $e.storeRef.kind }}
  target:
    name: {{ include "payhook.secretName" . }}
    creationPolicy: Owner
  {{- with $e.data }}
  data:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $e.dataFrom }}
  dataFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
{{- if $v.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "payhook.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "payhook.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "payhook.podLabels" . | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    {{- if $v.networkPolicy.metricsFrom }}
    - from:
        {{- toYaml $v.networkPolicy.metricsFrom | nindent 8 }}
      ports:
        - port: {{ $v.admin.port | int }}
          protocol: TCP
    {{- end }}
    {{- with $v.networkPolicy.extraIngress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- if not (or $v.networkPolicy.metricsFrom $v.networkPolicy.extraIngress) }}
    []
    {{- end }}
{{- end }}
{{- if $v.podMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ include "payhook.fullname" . }}
  namespace: {{ .Release.Namespace }}
  labels:
    {{- include "payhook.labels" . | nindent 4 }}
    {{- with $v.podMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels:
      {{- include "payhook.podLabels" . | nindent 6 }}
  podMetricsEndpoints:
    - port: payhook-admin
      path: /metrics
      interval: {{ $v.podMonitor.interval }}
{{- end }}
{{- end }}
{{- end -}}
