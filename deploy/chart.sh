#!/usr/bin/env bash
# Tests the charts: lint, schema, golden renders, strict validation, policy.
# Installs what it needs from package registries into .tools (TOOLS overrides it).
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
mkdir -p "$TOOLS"
export PATH=$TOOLS:$PATH GOTOOLCHAIN=local

for tool in helm.sh/helm/v4/cmd/helm@v4.2.4 github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2 \
  github.com/zegl/kube-score/cmd/kube-score@v1.20.0; do
  name=${tool%@*}
  [ -x "$TOOLS/${name##*/}" ] || GOFLAGS=-mod=mod GOBIN=$TOOLS go install -p 2 "$tool"
done
if [ ! -x "$TOOLS/venv/bin/python" ]; then
  python3 -m venv "$TOOLS/venv"
fi
"$TOOLS/venv/bin/pip" install -q 'pyyaml==6.0.*' 'kubernetes-validate==1.37.*'

helm dependency build helm/payhook >/dev/null
helm dependency build examples/helm-embed >/dev/null
"$TOOLS/venv/bin/python" -m unittest helm/tests/test_chart.py "$@"
# The Kustomize component is what the chart renders, no more and no less.
"$TOOLS/venv/bin/python" deploy/kustomize/render.py --check
# The READMEs are what helm-docs makes of the values.
for chart in payhook payhook-lib; do
  helm-docs --chart-search-root "helm/$chart" --log-level error --dry-run |
    diff -u "helm/$chart/README.md" - || { echo "chart: run helm-docs --chart-search-root helm" >&2; exit 1; }
done
# kube-score, without: pull policy Always (the image is pinned), ephemeral storage
# (nothing is written), network policies and placement (opt-in, or the user's),
# one probe for two purposes (that is the demo shop's); no CPU limit is on purpose.
for file in helm/payhook/ci/*-values.yaml; do
  helm template demo helm/payhook --namespace shop --kube-version v1.33.0 -f "$file" >"$TOOLS/score.yaml"
  kube-score score "$TOOLS/score.yaml" --output-format ci --ignore-container-cpu-limit \
    --ignore-test container-image-pull-policy,container-ephemeral-storage-request-and-limit \
    --ignore-test pod-networkpolicy,deployment-has-host-podantiaffinity,deployment-replicas \
    --ignore-test deployment-has-poddisruptionbudget,pod-probes-identical >"$TOOLS/score.txt" || {
      echo "chart: kube-score, $file" >&2; grep -E 'CRITICAL|WARNING' "$TOOLS/score.txt" >&2; exit 1; }
done
helm package helm/payhook --destination "$(mktemp -d)" >/dev/null
echo "chart: lint, schema, golden, objects for Kubernetes 1.28 to 1.35, policy: ok"
