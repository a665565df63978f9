{{/* The shop's pod as it was before payhook. */}}
{{- define "shop.pod" -}}
initContainers:
  - name: migrate
    image: {{ .Values.image }}
    command: [python, manage.py, migrate]
containers:
  - name: web
    image: {{ .Values.image }}
    env:
      - {name: PORT, value: {{ .Values.port | quote }}}
    ports:
      - {name: http, containerPort: {{ .Values.port }}}
{{- end -}}
