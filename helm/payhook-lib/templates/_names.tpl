{{/*
payhook.values: the sidecar's values as JSON, with a readable failure where the
dependency was declared without its alias.
*/}}
{{- define "payhook.values" -}}
{{- if not (hasKey .Values "payhook") -}}
{{- fail "payhook: no values under `payhook`: declare the dependency payhook-lib with `alias: payhook`" -}}
{{- end -}}
{{- .Values.payhook | toJson -}}
{{- end -}}

{{/* payhook.fullname: the prefix of everything the sidecar brings. */}}
{{- define "payhook.fullname" -}}
{{- if contains "payhook" .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-payhook" (.Release.Name | trunc 55 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "payhook.configMapName" -}}{{ include "payhook.fullname" . | trunc 56 | trimSuffix "-" }}-config{{- end -}}

{{/* payhook.secretName: the Secret that is mounted, or nothing where sources are projected. */}}
{{- define "payhook.secretName" -}}
{{- $s := (include "payhook.values" . | fromJson).secrets -}}
{{- if $s.existingSecret -}}{{ $s.existingSecret }}
{{- else if or $s.externalSecret.enabled $s.inline -}}{{ include "payhook.fullname" . | trunc 55 | trimSuffix "-" }}-secrets
{{- end -}}
{{- end -}}

{{/* payhook.labels: labels of the objects that payhook.manifests makes. */}}
{{- define "payhook.labels" -}}
app.kubernetes.io/name: payhook
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook-verification
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* payhook.podLabels: what marks a pod that carries the sidecar; policies and monitors select it. */}}
{{- define "payhook.podLabels" -}}
payhook.dev/sidecar: {{ .Release.Name | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{- define "payhook.image" -}}
{{- $i := (include "payhook.values" . | fromJson).image -}}
{{- $version := "0.1.0" -}}
{{- $name := $i.repository -}}
{{- if $i.registry -}}{{- $name = printf "%s/%s" $i.registry $i.repository -}}{{- end -}}
{{- if $i.digest -}}{{ printf "%s@%s" $name $i.digest }}{{- else -}}{{ printf "%s:%s" $name (default $version $i.tag) }}{{- end -}}
{{- end -}}
