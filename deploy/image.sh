#!/usr/bin/env bash
# Builds the image localhost/payhook:0.1.0 without any registry: a static binary
# (BINARY=path uses one that exists), FROM scratch, twice, with the same id.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/podman-env.sh

tail_of() { sed -n '/^# The lines below/,$p' "$1"; }
[ "$(tail_of Dockerfile)" = "$(tail_of Containerfile.ci)" ] || {
  echo "image: Dockerfile and Containerfile.ci end differently" >&2; exit 1; }

if [ -z "${BINARY:-}" ]; then
  target=$(rustc -vV | sed -n 's/^host: //p')
  deploy/dist.sh build
  BINARY=${CARGO_TARGET_DIR:-target}/$target/dist/payhook
fi
if readelf -l "$BINARY" | grep -q INTERP; then
  echo "image: $BINARY is not static" >&2; exit 1
fi

context=$(mktemp -d)
trap 'rm -rf "$context" "$CONTAINERS_CONF"' EXIT
install -m 755 "$BINARY" "$context/payhook"
id() { buildah bud --quiet --no-cache --timestamp 0 -f Containerfile.ci -t "$1" "$context"; }
first=$(id localhost/payhook:0.1.0)
second=$(id localhost/payhook:again)
buildah rmi localhost/payhook:again >/dev/null
[ "$first" = "$second" ] || { echo "image: $first and $second differ" >&2; exit 1; }
bytes=$(stat -c %s "$context/payhook")
echo "image: localhost/payhook:0.1.0 $first, $bytes bytes, twice the same id"
[ "$bytes" -le $((25 * 1024 * 1024)) ] || { echo "image: larger than 25 MiB" >&2; exit 1; }
