"""Writes component/ from the chart, so that both are the same container.

Without arguments it renews the files; with --check it compares them, then builds
examples/kustomize with kubectl (where there is one) and looks at the result.
"""

import pathlib
import shutil
import subprocess
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VALUES = """
payhook:
  native: true
  variants: {s: {gateway: stripe, keys: [{endpoint_secret: {secretKey: stripe}}]}}
  secrets: {existingSecret: payhook-secrets}
"""
HEADER = "# Written by deploy/kustomize/render.py from helm/payhook-lib.\n"


def chart_pod():
    command = ["helm", "template", "demo", ROOT / "helm/payhook", "--kube-version", "v1.33.0"]
    out = subprocess.run([*command, "-f", "-"], input=VALUES, capture_output=True, text=True, check=True)
    items = [item for item in yaml.safe_load_all(out.stdout) if item]
    return next(i for i in items if i["kind"] == "Deployment")["spec"]["template"]["spec"]


def patch(kind):
    spec = chart_pod()
    volumes = [v for v in spec["volumes"] if v["name"].startswith("payhook")]
    for volume in volumes:
        if "configMap" in volume:
            volume["configMap"]["name"] = "payhook-config"
    pod = {
        "initContainers": spec["initContainers"],
        "securityContext": {"fsGroup": spec["securityContext"]["fsGroup"]},
        "volumes": volumes,
    }
    api = "batch/v1" if kind == "Job" else "apps/v1"
    body = {"apiVersion": api, "kind": kind, "metadata": {"name": "any"}, "spec": {"template": {"spec": pod}}}
    return HEADER + yaml.safe_dump(body, sort_keys=False)


def files():
    return {f"{kind.lower()}.yaml": patch(kind) for kind in ("Deployment", "StatefulSet", "Job")}


def check():
    for name, text in files().items():
        if (HERE / "component" / name).read_text() != text:
            sys.exit(f"deploy/kustomize/component/{name} differs from the chart: run render.py")
    if not shutil.which("kubectl"):
        print("kustomize: kubectl is absent, the example was not built")
        return
    command = ["kubectl", "kustomize", ROOT / "examples/kustomize", "--load-restrictor=LoadRestrictionsNone"]
    out = subprocess.run(command, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(out.stderr)
    items = [item for item in yaml.safe_load_all(out.stdout) if item]
    pod = next(i for i in items if i["kind"] == "Deployment")["spec"]["template"]["spec"]
    config = next(i for i in items if i["kind"] == "ConfigMap")["metadata"]["name"]
    order = [c["name"] for c in pod["initContainers"]]
    assert order == ["payhook", "migrate"], order
    names = {v["name"]: v for v in pod["volumes"]}
    assert names["payhook-config"]["configMap"]["name"] == config, names
    assert [c["name"] for c in pod["containers"]] == ["web"]
    import kubernetes_validate
    for item in items:
        kubernetes_validate.validate(item, "1.33", strict=True)
    print("kustomize: the component is the chart's container and goes first")


if __name__ == "__main__":
    if "--check" in sys.argv:
        check()
    else:
        for name, text in files().items():
            (HERE / "component" / name).write_text(text)
