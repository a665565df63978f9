{{- define "chart.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "chart.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride }}-{{ ternary "server" "app" (eq .Values.mode "standalone") }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "chart.labels" -}}
{{ include "chart.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "chart.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}{{ default (include "chart.fullname" .) .Values.serviceAccount.name }}
{{- else -}}{{ default "default" .Values.serviceAccount.name }}{{- end -}}
{{- end -}}

{{- define "chart.demoImage" -}}
{{- $i := .Values.demoApp.image -}}
{{- $name := $i.repository -}}
{{- if $i.registry -}}{{- $name = printf "%s/%s" $i.registry $i.repository -}}{{- end -}}
{{- if $i.digest -}}{{ printf "%s@%s" $name $i.digest }}{{- else -}}{{ printf "%s:%s" $name (default .Chart.AppVersion $i.tag) }}{{- end -}}
{{- end -}}

{{/* The pod around the containers; payhook.pod adds the sidecar to it. */}}
{{- define "chart.podBase" -}}
serviceAccountName: {{ include "chart.serviceAccountName" . }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
{{- with get $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "chart.appPod" -}}
{{ include "chart.podBase" . }}
containers:
  - name: app
    image: {{ include "chart.demoImage" . | quote }}
    imagePullPolicy: {{ .Values.demoApp.image.pullPolicy }}
    {{- with .Values.demoApp.command }}
    command:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with .Values.demoApp.args }}
    args:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    env:
      - name: PORT
        value: {{ .Values.demoApp.port | quote }}
      {{- with .Values.demoApp.env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    ports:
      - name: http
        containerPort: {{ .Values.demoApp.port }}
        protocol: TCP
    {{- if .Values.demoApp.probes.enabled }}
    readinessProbe:
      httpGet: {path: {{ .Values.demoApp.probes.path }}, port: http}
      periodSeconds: 5
    livenessProbe:
      httpGet: {path: {{ .Values.demoApp.probes.path }}, port: http}
      periodSeconds: 10
    {{- end }}
    resources:
      {{- toYaml .Values.demoApp.resources | nindent 6 }}
    securityContext:
      {{- toYaml .Values.demoApp.securityContext | nindent 6 }}
    volumeMounts:
      - name: tmp
        mountPath: /tmp
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 64Mi}
{{- end -}}

{{- define "chart.standalonePod" -}}
{{- $base := include "chart.podBase" . | fromYaml -}}
{{- $_ := set $base "containers" (list (include "payhook.container" . | fromYaml)) -}}
{{- $_ := set $base "volumes" (include "payhook.volumes" . | fromYamlArray) -}}
{{- $_ := set $base "securityContext" (merge $base.securityContext (include "payhook.podSecurityContext" . | fromYaml)) -}}
{{- toYaml $base -}}
{{- end -}}
