#!/usr/bin/env bash
# Official clients and SDKs against the built server, over loopback. Installs what it needs from
# PyPI and npm into target/clients.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
work="$target/clients"
mkdir -p "$work/stubs" "$work/sdks"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
fi
"$work/venv/bin/pip" install --quiet --disable-pip-version-check -r clients/requirements.txt
command -v npm >/dev/null || { apt-get update && apt-get install -y --no-install-recommends npm; } >/dev/null
cp clients/differential/node/* "$work/sdks/"
npm install --prefix "$work/sdks" --silent --no-audit --no-fund --no-package-lock
"$work/venv/bin/python" -m grpc_tools.protoc -I proto --python_out="$work/stubs" \
  --grpc_python_out="$work/stubs" payhook/v1/money.proto payhook/v1/event.proto \
  payhook/v1/webhook_service.proto
export PYTHONDONTWRITEBYTECODE=1 PAYHOOK_BINARY="$target/debug/payhook" PAYHOOK_JUDGE="$work/sdks/judge.mjs"
export PYTHONPATH="$work/stubs:clients/python:clients/differential"
"$work/venv/bin/python" clients/python/smoke.py
"$work/venv/bin/python" clients/differential/official_sdks.py
"$work/venv/bin/python" clients/differential/braintree_diff.py
"$work/venv/bin/python" clients/differential/paypal_diff.py
