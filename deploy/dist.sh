#!/usr/bin/env bash
# Cargo for what ships: `deploy/dist.sh build --bin payhook` makes the static binary of the image,
# laid out by what deploy/payhook.profdata.gz tells of the paths that webhooks take. `just profile`
# renews that file: a function that has changed since is compiled as it would be without it.
# RECORD=generate=FOLDER makes a binary that records such paths.
set -euo pipefail
cd "$(dirname "$0")/.."
command=$1
shift
if [ -z "${RECORD:-}" ]; then
  mkdir -p "${CARGO_TARGET_DIR:-target}"
  record="$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/payhook.profdata"
  gunzip -c deploy/payhook.profdata.gz >"$record.$$"
  # Left alone where it is the same: whatever is older than it is compiled anew.
  if cmp -s "$record.$$" "$record"; then rm "$record.$$"; else mv "$record.$$" "$record"; fi
  RECORD="use=$record"
fi
export RUSTFLAGS="-C target-feature=+crt-static -C profile-$RECORD"
exec cargo "$command" --locked --profile dist --target "$(rustc -vV | sed -n 's/^host: //p')" "$@"
