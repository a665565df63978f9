#!/usr/bin/env bash
# Tests the charts: lint, schema, golden renders, strict validation, policy.
# Installs what it needs from package registries into .tools (TOOLS overrides it).
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
mkdir -p "$TOOLS"
export PATH=$TOOLS:$PATH GOTOOLCHAIN=local

if [ ! -x "$TOOLS/helm" ]; then
  GOFLAGS=-mod=mod GOBIN=$TOOLS go install -p 2 helm.sh/helm/v4/cmd/helm@v4.2.4
fi
if [ ! -x "$TOOLS/venv/bin/python" ]; then
  python3 -m venv "$TOOLS/venv"
fi
"$TOOLS/venv/bin/pip" install -q 'pyyaml==6.0.*' 'kubernetes-validate==1.37.*'

helm dependency build helm/payhook >/dev/null
helm dependency build examples/helm-embed >/dev/null
"$TOOLS/venv/bin/python" -m unittest helm/tests/test_chart.py "$@"
# The Kustomize component is what the chart renders, no more and no less.
"$TOOLS/venv/bin/python" deploy/kustomize/render.py --check
helm package helm/payhook --destination "$(mktemp -d)" >/dev/null
echo "chart: lint, schema, golden, objects for Kubernetes 1.28 to 1.35, policy: ok"
