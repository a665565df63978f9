#!/usr/bin/env bash
# Every goal of docs/performance.md on this machine, and that page: `just load`, about 20 minutes on
# two quiet cores. `--short` takes a few and leaves docs/ alone. Installs what it needs by name.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$target/performance"
PERFORMANCE="$(cd "$target/performance" && pwd)"
# The binary of the image, built as deploy/image.sh builds it.
host="$(rustc -vV | sed -n 's/^host: //p')"
export PERFORMANCE PAYHOOK_BINARY="$target/$host/dist/payhook"
[ "$(nproc)" -ge 2 ] || { echo "two cores are needed: one for the server, one for the client" >&2; exit 1; }

if ! command -v strace >/dev/null; then
  { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq -y --no-install-recommends strace; } >/dev/null 2>&1 || {
    echo "strace counts the writes: install the package \"strace\"" >&2
    exit 1
  }
fi
RUSTFLAGS="-C target-feature=+crt-static" \
  cargo build --locked --quiet --profile dist --target "$host" --bin payhook
bench=(cargo bench --locked --quiet --profile dist)
"${bench[@]}" --no-run --bench micro --bench goals
"${bench[@]}" --bench micro -- --ratios "$@"
"${bench[@]}" --bench goals -- "$@"
"${bench[@]}" --bench goals -- --prepare "$PERFORMANCE"

work="$target/clients"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  grpcio==1.* grpcio-tools==1.* stripe
mkdir -p "$work/stubs"
"$work/venv/bin/python" -m grpc_tools.protoc -I proto --python_out="$work/stubs" \
  --grpc_python_out="$work/stubs" payhook/v1/money.proto payhook/v1/event.proto \
  payhook/v1/webhook_service.proto
export PYTHONPATH="$work/stubs:clients/python"
"$work/venv/bin/python" benches/load/round_trip.py "$@"

GHZ="$(command -v ghz || true)"
if [ -z "$GHZ" ]; then
  command -v go >/dev/null || { echo "ghz is a Go module: install Go, or ghz itself" >&2; exit 1; }
  GOBIN="$PERFORMANCE" go install github.com/bojand/ghz/cmd/ghz@v0.121.0
  GHZ="$PERFORMANCE/ghz"
fi
export GHZ
"$work/venv/bin/python" benches/load/ghz.py "$@"
"$work/venv/bin/python" benches/page.py "$@"
