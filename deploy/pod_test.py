"""The rendered chart in a real pod: podman plays it, Stripe-signed webhooks go in.

Run by deploy/pod.sh as root. Everything happens in the pod's network namespace,
which has a loopback interface only; every wait and every load is bounded.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import stripe
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHART = ROOT / "helm" / "payhook"
OLD, NEW = "whsec_" + "a1" * 16, "whsec_" + "b2" * 16
TOKEN = "5f0c1d0e-order-1"
PORT = 8000


def run(*command, ok=True, seconds=120, **options):
    command = ["timeout", "-s", "KILL", str(seconds), *map(str, command)]
    out = subprocess.run(command, capture_output=True, text=True, **options)
    if ok and out.returncode != 0:
        raise AssertionError(f"{command}: {out.returncode}\n{out.stdout}\n{out.stderr}")
    return out


def say(text):
    print(f"pod: {text}", flush=True)


def cpu_ticks(pid):
    """User and system time of a process, in hundredths of a second."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def event(number, token=TOKEN):
    session = {
        "id": f"cs_test_{number}", "object": "checkout.session", "client_reference_id": token,
        "amount_total": 1990, "currency": "eur", "mode": "payment", "payment_status": "paid",
        "payment_intent": "pi_1", "status": "complete", "livemode": False, "metadata": {},
    }
    body = {
        "id": f"evt_{number}", "object": "event", "api_version": "2025-03-31.basil",
        "created": int(time.time()), "livemode": False, "type": "checkout.session.completed",
        "data": {"object": session},
    }
    return json.dumps(body, indent=2).encode()


def signature(body, secret):
    now = int(time.time())
    mac = hmac.new(secret.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
    header = f"t={now},v1={mac}"
    # Stripe's own library agrees that this is what Stripe sends.
    stripe.Webhook.construct_event(body, header, secret)
    return header


def render(values):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        out = run("helm", "template", "demo", CHART, "--kube-version", "v1.28.0", "-f", file.name)
    return [item for item in yaml.safe_load_all(out.stdout) if item]


def values(mode):
    image = {"registry": "localhost", "pullPolicy": "Never"}
    keys = [{"endpoint_secret": {"secretKey": "stripe"}}]
    return {
        "demoApp": {"image": image, "port": PORT, "probes": {"enabled": False},
                    "env": [{"name": "DEMO_PAYMENT", "value": TOKEN}]},
        "payhook": {
            "native": False, "image": image, "listen": {"mode": mode},
            "variants": {"stripe": {"gateway": "stripe", "keys": keys}},
            "config": {"cache": {"ttl_seconds": 1}},
            "secrets": {"inline": {"stripe": OLD}, "allowInline": True},
        },
    }


class Rotating:
    """A directory laid out as the kubelet lays out a Secret, and swapped as it does."""

    def __init__(self, **files):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="payhook-secrets-"))
        self.path.chmod(0o755)
        self.count = 0
        self.swap(**files)
        for name in files:
            (self.path / name).symlink_to(f"..data/{name}")

    def swap(self, **files):
        self.count += 1
        folder = self.path / f"..{self.count}"
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
            os.chown(folder / name, 0, 65532)
            (folder / name).chmod(0o440)
        link = self.path / "..data_tmp"
        link.symlink_to(folder.name)
        link.rename(self.path / "..data")


class Pod:
    """A played chart. podman 4.3 differs from a kubelet in two ways that this makes up for: it
    runs no gRPC probes, so they are left out and asked by hand; and it mounts a Secret as base64
    text, without the kubelet's links, so the Secret's files are laid out here."""

    def __init__(self, mode):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.file = self.folder / "pod.yaml"
        items = render(values(mode))
        test = next(i for i in items if i["kind"] == "Pod")["spec"]["containers"][0]
        self.helm_test = test["args"]
        secret = next(i for i in items if i["kind"] == "Secret")["data"]
        self.secrets = Rotating(**{k: base64.b64decode(v).decode() for k, v in secret.items()})
        for item in items:
            if item["kind"] != "Deployment":
                continue
            spec = item["spec"]["template"]["spec"]
            for container in spec["containers"]:
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    container.pop(probe, None)
                # A pod without a network has nothing to publish.
                container.pop("ports", None)
            for volume in spec["volumes"]:
                if volume["name"] == "payhook-secrets":
                    volume.pop("secret")
                    volume["hostPath"] = {"path": str(self.secrets.path), "type": "Directory"}
        kinds = {"ConfigMap", "Deployment"}
        self.file.write_text(yaml.safe_dump_all(i for i in items if i["kind"] in kinds))

    def __enter__(self):
        self.clean()
        started = time.monotonic()
        run("podman", "kube", "play", "--network", "none", self.file)
        names = run("podman", "ps", "-a", "--format", "{{.Names}}").stdout.split()
        self.app = next(n for n in names if n.startswith("demo-payhook") and n.endswith("-app"))
        self.sidecar = self.app.removesuffix("-app") + "-payhook"
        self.pid = self.inspect("{{.State.Pid}}")
        self.app_pid = self.inspect("{{.State.Pid}}", self.app)
        try:
            self.wait("payhook serves", lambda: self.probe().returncode == 0)
            say(f"played, and serving {time.monotonic() - started:.2f} s after `podman kube play`")
            self.wait("the shop answers", lambda: self.get("/healthz")[0] == 200)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if sys.exc_info()[0]:
            for name in (self.sidecar, self.app):
                out = run("podman", "logs", "--tail", "40", name, ok=False)
                print(f"--- {name}\n{out.stdout}{out.stderr}")
        self.clean()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.secrets.path, ignore_errors=True)

    def clean(self):
        run("podman", "kube", "down", self.file, ok=False)
        for kind, name in (("volume", "demo-payhook-config"), ("volume", "payhook-socket"),
                           ("volume", "tmp")):
            run("podman", kind, "rm", name, ok=False)

    def wait(self, what, check, seconds=40):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if check():
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}")

    def inspect(self, what, name=None):
        return run("podman", "inspect", "--format", what, name or self.sidecar).stdout.strip()

    def probe(self, *more):
        return run("podman", "exec", self.sidecar, "/payhook", "probe", *more, ok=False)

    def inside(self, *command, **options):
        return run("nsenter", "-t", self.app_pid, "-n", *command, **options)

    def request(self, method, path, body=b"", header=""):
        text = json.dumps([method, path, base64.b64encode(body).decode(), header, PORT])
        out = self.inside(sys.executable, __file__, "--request", text)
        status, answer = json.loads(out.stdout)
        return status, answer

    def get(self, path):
        return self.request("GET", path)

    def webhook(self, body, header):
        return self.request("POST", "/payments/process/stripe/", body, header)


def request_main(text):
    """Runs inside the pod's network namespace: one HTTP request to the shop."""
    method, path, body, header, port = json.loads(text)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json"}
    if header:
        headers["Stripe-Signature"] = header
    try:
        client.request(method, path, base64.b64decode(body), headers)
        answer = client.getresponse()
        print(json.dumps([answer.status, answer.read().decode()[:500]]))
    except OSError as error:
        print(json.dumps([0, str(error)]))


class InAPod(unittest.TestCase):
    def test_1_over_tcp(self):
        with Pod("tcp") as pod:
            self.confined(pod)
            self.webhooks(pod, "tcp")
            self.load(pod)
            self.stops(pod)

    def test_2_over_the_socket_with_a_secret_rotated_in_place(self):
        with Pod("uds") as pod:
            socket = pathlib.Path(f"/proc/{pod.pid}/root/run/payhook/payhook.sock")
            self.assertTrue(socket.is_socket())
            self.assertEqual(socket.stat().st_mode & 0o777, 0o660)
            ports = pod.inside("ss", "-Htln").stdout
            self.assertNotIn(":50051", ports)
            self.webhooks(pod, "uds")
            self.rotates(pod)
            self.stops(pod)

    def confined(self, pod):
        self.assertEqual(pod.inspect("{{.HostConfig.ReadonlyRootfs}}"), "true")
        with self.assertRaises(OSError) as refused:
            pathlib.Path(f"/proc/{pod.pid}/root/written").write_text("x")
        self.assertEqual(refused.exception.errno, 30)
        status = pathlib.Path(f"/proc/{pod.pid}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        self.assertEqual(fields["Uid"].split(), ["65532"] * 4)
        for field in ("CapEff", "CapPrm", "CapBnd"):
            self.assertEqual(int(fields[field], 16), 0)
        self.assertEqual(fields["NoNewPrivs"], "1")
        self.assertEqual(pod.inspect("{{.HostConfig.Memory}}"), str(64 * 1024 * 1024))
        environment = pathlib.Path(f"/proc/{pod.pid}/environ").read_bytes()
        arguments = pathlib.Path(f"/proc/{pod.pid}/cmdline").read_bytes()
        for text in (environment, arguments):
            self.assertNotIn(b"whsec_", text)
        self.assertEqual(pod.probe("--service", "readiness").returncode, 0)
        self.assertEqual(pod.probe("--address", "127.0.0.1:1").returncode, 69)
        # What the pod of `helm test` runs, with the address that the kubelet would put in.
        command = [re.sub(r"\$\(\w+_SERVICE_HOST\)", "127.0.0.1", arg) for arg in pod.helm_test]
        self.assertIn("127.0.0.1:50052", command)
        asked = run("podman", "exec", pod.sidecar, "/payhook", *command, ok=False)
        self.assertEqual(asked.returncode, 0, asked.stderr)
        before = cpu_ticks(pod.pid)
        time.sleep(3)
        self.assertLess(cpu_ticks(pod.pid) - before, 15, "an idle sidecar rests")
        ports = pod.inside("ss", "-Htln").stdout
        self.assertIn("127.0.0.1:50051", ports)
        self.assertIn("0.0.0.0:50052", ports)
        say("confined: uid 65532, no capability, read-only root, 64 MiB, no secret in env or args")

    def webhooks(self, pod, transport):
        mounted = pathlib.Path(f"/proc/{pod.pid}/root/var/run/secrets/payhook/stripe")
        self.assertEqual(mounted.read_text(), OLD)
        before = pod.get(f"/payment/{TOKEN}/")
        self.assertEqual(json.loads(before[1])["status"], "waiting")
        body = event(1)
        forged = pod.webhook(body, signature(body, NEW))
        self.assertEqual(forged[0], 400, forged)
        self.assertIn("SIGNATURE_MISMATCH", forged[1])
        missing = pod.webhook(body, "")
        self.assertIn("SIGNATURE_MISSING", missing[1])
        good = signature(body, OLD)
        tampered = pod.webhook(body.replace(b"1990", b"1991"), good)
        self.assertEqual(tampered[0], 400, tampered)
        self.assertEqual(json.loads(pod.get(f"/payment/{TOKEN}/")[1])["status"], "waiting")
        genuine = pod.webhook(body, good)
        self.assertEqual(genuine[0], 200, genuine)
        self.assertEqual(json.loads(pod.get(f"/payment/{TOKEN}/")[1])["status"], "confirmed")
        again = pod.webhook(body, good)
        self.assertEqual(again[0], 200, again)
        say(f"{transport}: forged {forged[0]}, unsigned {missing[0]}, tampered {tampered[0]}, "
            f"genuine {genuine[0]}: payment waiting -> confirmed, redelivered {again[0]}")

    def rotates(self, pod):
        body = event(2)
        self.assertEqual(pod.webhook(body, signature(body, NEW))[0], 400)
        started = time.monotonic()
        pod.secrets.swap(stripe=NEW)
        pod.wait("the new secret is taken", lambda: pod.webhook(body, signature(body, NEW))[0] == 200)
        took = time.monotonic() - started
        self.assertEqual(pod.webhook(body, signature(body, OLD))[0], 400)
        self.assertEqual(pod.inspect("{{.RestartCount}}"), "0")
        self.assertEqual(pod.inspect("{{.State.Pid}}"), pod.pid)
        say(f"rotated in place: the new secret holds after {took:.2f} s, the old one is refused")

    def load(self, pod):
        ghz = shutil.which("ghz")
        if not ghz:
            self.fail("ghz is not installed")
        body = event(3)
        request = {"webhook": {"variant": "stripe", "body": base64.b64encode(body).decode(), "headers": [
            {"name": "Stripe-Signature", "value": signature(body, OLD)}]}}
        file = pod.folder / "request.json"
        file.write_text(json.dumps(request))
        out = pod.inside(
            ghz, "--insecure", "-i", ROOT / "proto", "--proto", "payhook/v1/webhook_service.proto",
            "--call", "payhook.v1.PaymentWebhookService.VerifyAndParse", "-D", file,
            "-n", 5000, "-c", 8, "--timeout", "5s", "-O", "json", "127.0.0.1:50051",
            env={**os.environ, "GOMAXPROCS": "1"})
        report = json.loads(out.stdout)
        self.assertEqual(report["statusCodeDistribution"], {"OK": 5000})
        slow = next(x["latency"] for x in report["latencyDistribution"] if x["percentage"] == 99)
        status = pathlib.Path(f"/proc/{pod.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0])
        self.assertLess(peak, 48 * 1024)
        self.assertEqual(pod.inspect("{{.State.OOMKilled}}"), "false")
        say(f"ghz in the pod: 5000 verified, {report['rps']:.0f}/s over 8 workers, 99 % within "
            f"{slow / 1e6:.2f} ms; peak memory of the sidecar {peak / 1024:.1f} MiB of 64")

    def stops(self, pod):
        started = time.monotonic()
        run("podman", "stop", "-t", "10", pod.sidecar)
        took = time.monotonic() - started
        self.assertEqual(pod.inspect("{{.State.ExitCode}}"), "0")
        self.assertLess(took, 8)
        # The application fails closed, so that the gateway delivers again.
        body = event(4)
        alone = pod.webhook(body, signature(body, OLD))
        self.assertEqual(alone[0], 503, alone)
        say(f"SIGTERM: exit 0 after {took:.2f} s; without the sidecar the shop answers {alone[0]}")


# What a secret of each kind looks like, by the names that the chart's ci/ files give them.
SECRETS = {
    "stripe-eu": OLD, "stripe-eu-previous": OLD, "paypal-webhook-id": "1JE4291016473214C",
    "adyen-hmac": "ab" * 32, "adyen-basic": "not-a-placeholder-9", "hex": "ab" * 32,
    "hex128": "ab" * 64, "text": "not-a-placeholder-9", "text16": "0f1e2d3c4b5a6978",
    "whsec": "whsec_" + base64.b64encode(bytes(range(32))).decode(),
    "django": json.dumps({"stripe": ["payments.stripe.StripeProviderV3",
                                     {"api_key": "sk_test_1", "endpoint_secret": OLD}]}),
}


def certificate():
    """A certificate in PEM, of a key that nobody keeps."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-keyout", "/dev/null", "-subj", "/CN=anchor", "-days", "2"]
    return run(*command).stdout


class Configurations(unittest.TestCase):
    def test_the_binary_takes_every_configuration_that_the_chart_writes(self):
        binary = os.environ["PAYHOOK_BINARY"]
        files = sorted((CHART / "ci").glob("*-values.yaml"))
        secret_files, taken = {**SECRETS, "pem": certificate()}, 0
        for file in files:
            out = run("helm", "template", "demo", CHART, "-f", file).stdout
            items = [item for item in yaml.safe_load_all(out) if item]
            maps = [i["data"]["payhook.yaml"] for i in items
                    if i["kind"] == "ConfigMap" and "payhook.yaml" in i.get("data", {})]
            with tempfile.TemporaryDirectory() as folder, self.subTest(file.name):
                secrets = pathlib.Path(folder, "secrets")
                secrets.mkdir()
                text = maps[0].replace("/var/run/secrets/payhook/", f"{secrets}/")
                for name, content in secret_files.items():
                    (secrets / name).write_text(content)
                    (secrets / name).chmod(0o440)
                config = pathlib.Path(folder, "payhook.yaml")
                config.write_text(text)
                out = run(binary, "check", "--config", config, ok=False)
                self.assertEqual(out.returncode, 0, out.stderr)
            taken += out.returncode == 0
        self.assertGreater(taken, 12)
        say(f"configurations: `payhook check` takes what the chart makes of {taken} values files")


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--request":
        request_main(sys.argv[2])
    else:
        unittest.main()
