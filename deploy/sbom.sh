#!/usr/bin/env bash
# Writes target/payhook.cdx.json: the bill of materials of the binary.
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
export PATH=$TOOLS/bin:$PATH
command -v cargo-cyclonedx >/dev/null || cargo install --locked --root "$TOOLS" cargo-cyclonedx
mkdir -p target
cargo cyclonedx --format json --describe binaries --target "$(rustc -vV | sed -n 's/^host: //p')"
mv payhook_bin.cdx.json target/payhook.cdx.json
