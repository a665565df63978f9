#!/usr/bin/env bash
# Writes target/payhook.cdx.json, the bill of materials of the binary, and checks that every crate
# that is linked into it is listed with its licence.
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
export PATH=$TOOLS/bin:$PATH
command -v cargo-cyclonedx >/dev/null || cargo install --locked --quiet --root "$TOOLS" cargo-cyclonedx
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p target
cargo cyclonedx --quiet --format json --describe binaries --target "$host"
mv payhook_bin.cdx.json target/payhook.cdx.json
cargo tree --locked --edges normal --target "$host" --prefix none --format '{p}' --no-dedupe |
  awk '{ sub(/^v/, "", $2); print $1 " " $2 }' | sort -u >target/payhook.crates
python3 - target/payhook.cdx.json target/payhook.crates <<'PYTHON'
import json, sys

bill = json.load(open(sys.argv[1]))
listed = {(it["name"], it["version"]): it for it in bill["components"]}
linked = [tuple(line.split()) for line in open(sys.argv[2]) if not line.startswith("payhook ")]
missing = [crate for crate in linked if crate not in listed]
unlicensed = [crate for crate in linked if crate in listed and not listed[crate].get("licenses")]
if missing or unlicensed or len(linked) < 100:
    sys.exit(f"sbom: not listed {missing}, without a licence {unlicensed}, {len(linked)} linked")
print(f"sbom: {len(linked)} linked crates, all listed with their licences ({len(listed)} components)")
PYTHON
