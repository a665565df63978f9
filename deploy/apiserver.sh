#!/usr/bin/env bash
# Builds kube-apiserver and etcd from their Go modules (several minutes, kept in
# .tools), starts both on loopback, and installs the chart for real: server-side
# validation, Pod Security "restricted", upgrade and rollback. No kubelet: pods
# are accepted, not run.
set -euo pipefail
cd "$(dirname "$0")/.."
TOOLS=${TOOLS:-$PWD/.tools}
mkdir -p "$TOOLS"
export PATH=$TOOLS:$PATH GOTOOLCHAIN=local GOFLAGS=-mod=mod
MINOR=33 PATCH=13

if [ ! -x "$TOOLS/kube-apiserver" ] || [ ! -x "$TOOLS/etcd" ]; then
  module=$TOOLS/apiserver-module
  mkdir -p "$module"
  {
    echo "module tools"
    echo "go 1.24.0"
    echo "godebug default=go1.24"
    echo "require k8s.io/kubernetes v1.$MINOR.$PATCH"
    for name in api apiextensions-apiserver apimachinery apiserver cli-runtime client-go \
      cloud-provider cluster-bootstrap code-generator component-base component-helpers \
      controller-manager cri-api cri-client csi-translation-lib dynamic-resource-allocation \
      endpointslice externaljwt kms kube-aggregator kube-controller-manager kube-proxy \
      kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission \
      sample-apiserver sample-cli-plugin sample-controller; do
      echo "replace k8s.io/$name => k8s.io/$name v0.$MINOR.$PATCH"
    done
    echo "tool k8s.io/kubernetes/cmd/kube-apiserver"
    echo "tool go.etcd.io/etcd/server/v3"
  } >"$module/go.mod"
  version=k8s.io/component-base/version
  flags="-s -w -X $version.gitVersion=v1.$MINOR.$PATCH -X $version.gitMajor=1 -X $version.gitMinor=$MINOR"
  (cd "$module" && go mod tidy -e >/dev/null 2>"$TOOLS/apiserver.log" || { tail -5 "$TOOLS/apiserver.log" >&2; exit 1; })
  (cd "$module" && CGO_ENABLED=0 go build -trimpath -p 2 -ldflags "$flags" \
    -o "$TOOLS/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver)
  (cd "$module" && CGO_ENABLED=0 go build -trimpath -p 2 -ldflags "-s -w" -o "$TOOLS/etcd" go.etcd.io/etcd/server/v3)
fi
[ -x "$TOOLS/helm" ] || GOBIN=$TOOLS go install -p 2 helm.sh/helm/v4/cmd/helm@v4.2.4
helm dependency build helm/payhook >/dev/null
helm dependency build examples/helm-embed >/dev/null
exec python3 deploy/apiserver_test.py "$@"
