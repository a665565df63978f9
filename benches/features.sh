#!/usr/bin/env bash
# What is measured is what ships: every dependency of payhook has the same features in a build of the
# benches. With others cargo gives it, and all that stands on it, other names: a build of its own, of
# which the record of deploy/profile.sh says nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
features() { cargo tree --locked --package "$1" --edges "$2" --prefix none --format '{p} {f}' | sed 's/ (\*)$//' | sort -u; }
shipped=$(features payhook normal,build)
measured=$(features payhook-benches normal,build,dev)
different=$(comm -23 <(echo "$shipped") <(echo "$measured"))
if [ -n "$different" ]; then
  printf 'the benches are built with other features than these:\n%s\n' "$different" >&2
  exit 1
fi
echo "$(wc -l <<<"$shipped") crates have the same features in the benches"
