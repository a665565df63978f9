#!/usr/bin/env bash
# Every goal of docs/performance.md on this machine, and that page: `just load`, about 20 minutes on
# two quiet cores. `--short` takes a few and leaves docs/ alone. Installs what it needs by name.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$target/performance"
PERFORMANCE="$(cd "$target/performance" && pwd)"
export PERFORMANCE PAYHOOK_BINARY="$PERFORMANCE/payhook"
[ "$(nproc)" -ge 2 ] || { echo "two cores are needed: one for the server, one for the client" >&2; exit 1; }

if ! command -v strace >/dev/null; then
  { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get install -qq -y --no-install-recommends strace; } >/dev/null 2>&1 || {
    echo "strace counts the writes: install the package \"strace\"" >&2
    exit 1
  }
fi
benches/features.sh
# The binary of the image, put aside: `--against` compares it with later ones.
deploy/dist.sh build --quiet --bin payhook
cp "$target/$(rustc -vV | sed -n 's/^host: //p')/dist/payhook" "$PAYHOOK_BINARY"
# The echo is compiled with the same flags, and with what was learned of the layers that both share.
bench=(deploy/dist.sh bench --quiet -p payhook-benches)
"${bench[@]}" --no-run --bench micro --bench goals
"${bench[@]}" --bench micro -- --ratios "$@"
"${bench[@]}" --bench goals -- "$@"
"${bench[@]}" --bench goals -- --prepare "$PERFORMANCE"

. benches/clients.sh
"$python" benches/load/round_trip.py "$@"
"$python" benches/load/ghz.py "$@"
"$python" benches/page.py "$@"
