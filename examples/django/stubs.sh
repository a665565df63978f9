#!/bin/sh
# Generates the gRPC stubs into DIR (default: here). Needs grpcio-tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
proto=${PROTO:-$here/../../proto}
"${PYTHON:-python3}" -m grpc_tools.protoc -I "$proto" --python_out="$out" \
  --grpc_python_out="$out" "$proto"/payhook/v1/*.proto
