# Sourced. Podman and buildah where there is no CAP_SYS_RESOURCE and where cgroups
# are hybrid: runc, cgroupfs, and limits that do not need to be raised.
if ! command -v podman >/dev/null || ! command -v buildah >/dev/null || ! command -v runc >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends podman buildah \
    runc conmon netavark aardvark-dns catatonit containernetworking-plugins iptables \
    iproute2 uidmap binutils >/dev/null
fi
[ "$(id -u)" = 0 ] || { echo "podman: containers need root here; run this as root" >&2; exit 1; }
# Without new namespaces no container starts; better said here than by runc.
unshare --mount --pid --net --ipc --uts --fork true || {
  echo "podman: this kernel or sandbox forbids new namespaces, so no container can run here" >&2; exit 1; }
CONTAINERS_CONF=$(mktemp)
export CONTAINERS_CONF
cat >"$CONTAINERS_CONF" <<'CONF'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
CONF
