"""The chart against a real kube-apiserver: what only a server can refuse.

Run by deploy/apiserver.sh, which puts kube-apiserver, etcd and helm on PATH.
Both servers listen on loopback, on ports the system picks, and end with the test.
"""

import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHART = ROOT / "helm" / "payhook"
TOKEN = "not-a-secret-of-anyones"


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for one in held:
        one.close()
    return ports


class RealServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="payhook-apiserver-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        client, peer, secure = free_ports(3)
        cls.server = f"https://127.0.0.1:{secure}"
        cls.start("etcd", f"--data-dir={cls.folder}/etcd",
                  f"--listen-client-urls=http://127.0.0.1:{client}",
                  f"--advertise-client-urls=http://127.0.0.1:{client}",
                  f"--listen-peer-urls=http://127.0.0.1:{peer}",
                  f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
                  f"--initial-cluster=default=http://127.0.0.1:{peer}")
        key = cls.folder / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (cls.folder / "tokens").write_text(f'{TOKEN},admin,1,"system:masters"\n')
        cls.start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{client}",
                  "--bind-address=127.0.0.1", f"--secure-port={secure}",
                  "--advertise-address=127.0.0.1", "--service-cluster-ip-range=10.0.0.0/24",
                  f"--cert-dir={cls.folder}/certs", f"--service-account-key-file={key}",
                  f"--service-account-signing-key-file={key}",
                  "--service-account-issuer=https://kubernetes.default.svc",
                  "--authorization-mode=RBAC", f"--token-auth-file={cls.folder}/tokens",
                  # No controller makes the default ServiceAccount here.
                  "--disable-admission-plugins=ServiceAccount",
                  "--endpoint-reconciler-type=none")
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                cls.api("/readyz", raw=True)
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise AssertionError((cls.folder / "kube-apiserver.log").read_text()[-2000:])
        cls.kubeconfig = cls.folder / "kubeconfig"
        user = {"token": TOKEN}
        cluster = {"server": cls.server, "insecure-skip-tls-verify": True}
        cls.kubeconfig.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        cls.api("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                       "metadata": {"name": "shop", "labels": labels}})

    @classmethod
    def start(cls, *command):
        log = (cls.folder / f"{command[0]}.log").open("w")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

        def stop():
            process.terminate()
            process.wait(20)
            log.close()

        cls.addClassCleanup(stop)

    @classmethod
    def api(cls, path, body=None, raw=False, method=None):
        data = json.dumps(body).encode() if body else None
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(cls.server + path, data, headers, method=method)
        context = ssl._create_unverified_context()
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            text = answer.read()
        return text if raw else json.loads(text)

    def helm(self, *args, ok=True):
        run = subprocess.run(["helm", *map(str, args), "-n", "shop"], capture_output=True, text=True,
                             env={**os.environ, "KUBECONFIG": str(self.kubeconfig)}, timeout=120)
        if ok:
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertNotIn("would violate PodSecurity", run.stderr)
        return run

    def deployment(self, name):
        return self.api(f"/apis/apps/v1/namespaces/shop/deployments/{name}")

    def test_install_upgrade_and_rollback(self):
        values = CHART / "ci" / "native-values.yaml"
        notes = self.helm("install", "demo", CHART, "-f", values).stdout
        self.assertIn("native sidecar", notes)
        pod = self.deployment("demo-payhook")["spec"]["template"]["spec"]
        sidecar = pod["initContainers"][0]
        self.assertEqual((sidecar["name"], sidecar["restartPolicy"]), ("payhook", "Always"))
        first = self.deployment("demo-payhook")["spec"]["template"]["metadata"]["annotations"]
        self.helm("upgrade", "demo", CHART, "-f", CHART / "ci" / "classic-values.yaml",
                  "--set", "payhook.config.audit=true")
        pod = self.deployment("demo-payhook")["spec"]["template"]["spec"]
        self.assertEqual([c["name"] for c in pod["containers"]], ["app", "payhook"])
        self.assertFalse(pod.get("initContainers"))
        self.helm("rollback", "demo", "1")
        again = self.deployment("demo-payhook")["spec"]["template"]
        self.assertEqual(again["metadata"]["annotations"], first)
        self.assertEqual(again["spec"]["initContainers"][0]["name"], "payhook")
        self.helm("uninstall", "demo")

    def test_notes_warn_of_what_classic_mode_cannot_do(self):
        notes = self.helm("install", "old", CHART, "-f", CHART / "ci" / "classic-values.yaml").stdout
        self.assertIn("a Job never finishes", notes)
        self.helm("uninstall", "old")

    def test_the_pods_pass_the_restricted_pod_security_of_the_namespace(self):
        for file in ("native", "classic", "both", "standalone"):
            values = CHART / "ci" / f"{file}-values.yaml"
            self.helm("install", f"p-{file}", CHART, "-f", values)
            template = self.deployment(f"p-{file}-payhook")["spec"]["template"]
            pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
                   "metadata": {"name": f"pod-{file}", "labels": template["metadata"]["labels"]}}
            made = self.api("/api/v1/namespaces/shop/pods", pod)
            self.assertEqual(made["metadata"]["name"], f"pod-{file}")
            self.helm("uninstall", f"p-{file}")

    def test_a_pod_that_is_not_restricted_is_refused_there(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"},
               "spec": {"containers": [{"name": "c", "image": "c:1"}]}}
        with self.assertRaises(urllib.error.HTTPError) as refused:
            self.api("/api/v1/namespaces/shop/pods", pod)
        self.assertEqual(refused.exception.code, 403)
        self.assertIn("restricted", refused.exception.read().decode())


if __name__ == "__main__":
    unittest.main()
