#!/usr/bin/env bash
# Renews deploy/payhook.profdata.gz: `just profile`, about 15 minutes. A binary that counts serves the
# calls of the Python client and of ghz, of the three main gateways and in both sizes, and runs the
# demo of every gateway. To be run where the toolchain or much of the code has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$target/profile/prepared"
target="$(cd "$target" && pwd)"
raw="$target/profile/raw"
rm -rf "$raw"
export PERFORMANCE="$target/profile/prepared"
rustup component add llvm-tools
host="$(rustc -vV | sed -n 's/^host: //p')"
CARGO_TARGET_DIR="$target/profile" RECORD="generate=$raw" deploy/dist.sh build --quiet --bin payhook
export PAYHOOK_BINARY="$target/profile/$host/dist/payhook"
cargo bench --locked --quiet -p payhook-benches --bench goals -- --prepare "$PERFORMANCE"
. benches/clients.sh
export LLVM_PROFILE_FILE="$raw/%p.profraw"
"$python" benches/load/round_trip.py --short
"$python" benches/load/ghz.py --short
"$PAYHOOK_BINARY" demo >/dev/null
merge="$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata"
# With all that never ran: it is compiled for size.
"$merge" merge -o "$raw/all" "$raw"/*.profraw
gzip -9nc "$raw/all" >deploy/payhook.profdata.gz
ls -l deploy/payhook.profdata.gz
