# What calls payhook from outside: Python with its stubs, and ghz. Installs both by name; sourced with
# `target` and PERFORMANCE set.
work="$target/clients"
python="$work/venv/bin/python"
[ -x "$python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  grpcio==1.* grpcio-tools==1.* stripe
mkdir -p "$work/stubs"
"$python" -m grpc_tools.protoc -I proto --python_out="$work/stubs" \
  --grpc_python_out="$work/stubs" payhook/v1/money.proto payhook/v1/event.proto \
  payhook/v1/webhook_service.proto
export PYTHONPATH="$work/stubs:clients/python"

GHZ="$(command -v ghz || true)"
if [ -z "$GHZ" ]; then
  command -v go >/dev/null || { echo "ghz is a Go module: install Go, or ghz itself" >&2; exit 1; }
  GOBIN="$PERFORMANCE" go install github.com/bojand/ghz/cmd/ghz@v0.121.0
  GHZ="$PERFORMANCE/ghz"
fi
export GHZ
