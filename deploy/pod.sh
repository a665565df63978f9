#!/usr/bin/env bash
# Builds the images without a registry, plays the rendered chart in a pod and
# sends Stripe-signed webhooks to the Django shop in it. Needs root. BINARY=path
# uses a static binary that exists. Installs what it needs into .tools, and
# leaves what it saw in target/pod.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
mkdir -p "$TOOLS"
export PATH=$TOOLS:$PATH GOTOOLCHAIN=local
. deploy/podman-env.sh

for tool in helm.sh/helm/v4/cmd/helm@v4.2.4 github.com/bojand/ghz/cmd/ghz@v0.121.0; do
  name=${tool%@*}
  [ -x "$TOOLS/${name##*/}" ] || GOFLAGS=-mod=mod GOBIN=$TOOLS go install -p 2 "$tool"
done
[ -x "$TOOLS/venv/bin/python" ] || python3 -m venv "$TOOLS/venv"
"$TOOLS/venv/bin/pip" install -q 'pyyaml==6.0.*' 'grpcio-tools==1.85.*' 'stripe==16.*'

target=$(rustc -vV | sed -n 's/^host: //p')
export PAYHOOK_BINARY=${BINARY:-${CARGO_TARGET_DIR:-$PWD/target}/$target/dist/payhook}
transcript=${CARGO_TARGET_DIR:-target}/pod.txt
clean() {
  podman rmi localhost/payhook:0.1.0 localhost/payhook-demo-django:0.1.0 >/dev/null 2>&1 || true
  rm -f "$CONTAINERS_CONF"
}
trap clean EXIT
mkdir -p "${transcript%/*}"
{
  deploy/image.sh
  helm dependency build helm/payhook >/dev/null
  "$TOOLS/venv/bin/python" deploy/demo_image.py >/dev/null
  "$TOOLS/venv/bin/python" deploy/pod_test.py "$@"
  (cd examples/node && npm install --silent --no-audit --no-fund --no-package-lock && npm test)
} 2>&1 | tee "$transcript"
