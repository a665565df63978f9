#!/usr/bin/env bash
# A client in Python, Node, Go and Java against the built server. Stubs are made here, with each
# language's own tools; everything is installed by name into target/languages.
# languages.sh [NAME...]: only these.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
work="$target/languages"
export PROTO="$PWD/proto" PAYHOOK_BINARY="$target/debug/payhook"
contract=(payhook/v1/money.proto payhook/v1/event.proto payhook/v1/webhook_service.proto)
python="$work/venv/bin/python"
mkdir -p "$work/stubs"

needs() {
  command -v "$1" >/dev/null && return
  [ -n "${2:-}" ] || { echo "languages.sh needs $1" >&2; exit 1; }
  { apt-get update && apt-get install -y --no-install-recommends "$2"; } >/dev/null
}

# Also for the driver and for Go, whose protoc it has.
setup_python() {
  needs python3
  [ -x "$python" ] || python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    grpcio==1.* grpcio-tools==1.* grpcio-reflection==1.* grpcio-status==1.* \
    grpcio-health-checking==1.* cryptography
  "$python" -m grpc_tools.protoc -I "$PROTO" --python_out="$work/stubs" \
    --grpc_python_out="$work/stubs" "${contract[@]}"
}
run_python() {
  PYTHONPATH="$work/stubs:clients/python" "$python" clients/languages.py python \
    "$python" clients/python/language_test.py
}

# proto-loader reads the contract at run time.
run_node() {
  needs npm npm
  mkdir -p "$work/node"
  cp -r clients/node/. "$work/node"
  npm install --prefix "$work/node" --silent --no-audit --no-fund
  "$python" clients/languages.py node node "$work/node/language_test.js"
}

run_go() {
  needs go
  rm -rf "$work/go"
  mkdir -p "$work/go" "$work/bin"
  cp -r clients/go/. "$work/go"
  GOBIN="$work/bin" go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
  GOBIN="$work/bin" go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
  PATH="$work/bin:$PATH" "$python" -m grpc_tools.protoc -I "$PROTO" \
    --go_out="$work/go" --go_opt=module=payhook.dev \
    --go-grpc_out="$work/go" --go-grpc_opt=module=payhook.dev "${contract[@]}"
  (cd "$work/go" && go vet ./... && go build -o "$work/bin/languagetest" ./languagetest)
  "$python" clients/languages.py go "$work/bin/languagetest"
}

run_java() {
  needs javac default-jdk-headless
  needs mvn maven
  mvn --quiet --batch-mode -Dstyle.color=never --no-transfer-progress --file clients/java/pom.xml \
    -Dbuild.folder="$work/java" compile dependency:build-classpath \
    -Dmdep.outputFile="$work/java.classpath"
  "$python" clients/languages.py java \
    java -cp "$work/java/classes:$(cat "$work/java.classpath")" shop.LanguageTest
}

languages=("$@")
[ $# -gt 0 ] || languages=(python node go java)
setup_python
for language in "${languages[@]}"; do
  begun=$SECONDS
  "run_$language"
  echo "$language: $((SECONDS - begun)) s with its build"
done
