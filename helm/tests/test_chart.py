"""The charts as their users see them: rendered, refused, and judged object by object.

Run by deploy/chart.sh, which puts helm on PATH. `BLESS=1` renews helm/tests/golden.
"""

import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import textwrap
import unittest

import kubernetes_validate
import yaml

HELM = pathlib.Path(__file__).resolve().parents[1]
ROOT = HELM.parent
CHART = HELM / "payhook"
EMBED = ROOT / "examples" / "helm-embed"
GOLDEN = HELM / "tests" / "golden"
CI = sorted((CHART / "ci").glob("*-values.yaml"))
VERSIONS = ["1.28", "1.29", "1.30", "1.31", "1.32", "1.33", "1.34", "1.35"]
FOREIGN = {"ExternalSecret", "PodMonitor", "ServiceMonitor", "PrometheusRule"}
STRIPE = {
    "variants": {"s": {"gateway": "stripe", "keys": [{"endpoint_secret": {"secretKey": "s"}}]}},
    "secrets": {"existingSecret": "x"},
}


def helm(*args, values=None, ok=True):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        extra = ["-f", file.name] if values is not None else []
        run = subprocess.run(["helm", *map(str, args), *extra], capture_output=True, text=True)
    if ok and run.returncode != 0:
        raise AssertionError(run.stderr)
    return run


def render(chart=CHART, version="1.33", values=None, file=None, name="demo", ok=True):
    args = ["template", name, chart, "--namespace", "shop", "--kube-version", f"v{version}.0"]
    if file:
        args += ["-f", file]
    return helm(*args, values=values, ok=ok)


def objects(text):
    return [item for item in yaml.safe_load_all(text) if item]


def pod_spec(item):
    if item["kind"] == "Pod":
        return item["spec"]
    if item["kind"] in {"Deployment", "StatefulSet", "Job"}:
        return item["spec"]["template"]["spec"]
    return None


def pick(items, kind):
    return next(item for item in items if item["kind"] == kind)


def sidecar(spec):
    everyone = spec.get("initContainers", []) + spec["containers"]
    return next(c for c in everyone if c["name"] == "payhook")


def merged(*parts):
    """Deep merge of maps, the last one wins."""
    out = {}
    for part in parts:
        for key, value in part.items():
            both = isinstance(value, dict) and isinstance(out.get(key), dict)
            out[key] = merged(out[key], value) if both else value
    return out


class Lint(unittest.TestCase):
    def test_charts_are_clean_under_strict_lint_with_every_values_file(self):
        helm("lint", "--strict", EMBED)
        helm("lint", "--strict", HELM / "payhook-lib")
        for file in CI:
            with self.subTest(file.name):
                helm("lint", "--strict", CHART, "-f", file)

    def test_versions_in_the_charts_and_the_crate_agree(self):
        crate = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
        for name in ("payhook", "payhook-lib"):
            chart = yaml.safe_load((HELM / name / "Chart.yaml").read_text())
            self.assertEqual(chart["appVersion"], crate)
        names = (HELM / "payhook-lib/templates/_names.tpl").read_text()
        self.assertIn(f'$version := "{crate}"', names)


class Golden(unittest.TestCase):
    maxDiff = None

    def check(self, name, text):
        path = GOLDEN / f"{name}.yaml"
        if os.environ.get("BLESS"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        expected = path.read_text() if path.exists() else ""
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), "golden", "now", n=2)
        self.assertEqual("\n".join(lines), "", f"{path.name}; BLESS=1 renews it")

    def test_every_values_file_renders_as_recorded_native_and_classic(self):
        for file in CI:
            for mode, version in (("native", "1.33"), ("classic", "1.28")):
                name = f"{file.name.removesuffix('-values.yaml')}.{mode}"
                with self.subTest(name):
                    self.check(name, render(version=version, file=file).stdout)

    def test_the_embedding_chart_renders_as_recorded(self):
        for mode, version in (("native", "1.33"), ("classic", "1.28")):
            self.check(f"embed.{mode}", render(EMBED, version, name="shop").stdout)


class Objects(unittest.TestCase):
    def test_every_object_holds_strictly_against_each_kubernetes(self):
        count = 0
        for version in VERSIONS:
            renders = [(f.name, render(version=version, file=f).stdout) for f in CI]
            renders.append(("embed", render(EMBED, version, name="shop").stdout))
            for name, text in renders:
                for item in objects(text):
                    if item["kind"] in FOREIGN:
                        continue
                    with self.subTest(f"{version} {name} {item['kind']}"):
                        kubernetes_validate.validate(item, version, strict=True)
                    count += 1
        self.assertGreater(count, 300)

    def test_the_validation_would_catch_a_misspelt_field(self):
        item = pick(objects(render().stdout), "Deployment")
        sidecar(pod_spec(item))["restartPolcy"] = "Always"
        with self.assertRaises(Exception):
            kubernetes_validate.validate(item, "1.33", strict=True)


class Policy(unittest.TestCase):
    """Pod Security "restricted", and the house rules on top of it."""

    def every_pod(self):
        for version in ("1.28", "1.33"):
            for file in CI:
                for item in objects(render(version=version, file=file).stdout):
                    if pod_spec(item):
                        yield f"{version} {file.name} {item['kind']}", pod_spec(item)

    def test_pods_pass_restricted(self):
        seen = 0
        for name, spec in self.every_pod():
            self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(spec), name)
            for volume in spec.get("volumes", []):
                self.assertNotIn("hostPath", volume, name)
            for container in spec.get("initContainers", []) + spec["containers"]:
                security = container["securityContext"]
                with self.subTest(f"{name} {container['name']}"):
                    self.assertTrue(security["runAsNonRoot"])
                    self.assertFalse(security["allowPrivilegeEscalation"])
                    self.assertTrue(security["readOnlyRootFilesystem"])
                    self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
                    self.assertEqual(security["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertNotIn("privileged", security)
                seen += 1
        self.assertGreater(seen, 40)

    def test_no_cpu_limit_but_a_memory_limit_and_requests(self):
        for name, spec in self.every_pod():
            for container in spec.get("initContainers", []) + spec["containers"]:
                resources = container["resources"]
                with self.subTest(f"{name} {container['name']}"):
                    self.assertNotIn("cpu", resources["limits"])
                    self.assertIn("memory", resources["limits"])
                    self.assertLessEqual({"cpu", "memory"}, set(resources["requests"]))

    def test_secrets_are_directories_never_env_nor_sub_path(self):
        for name, spec in self.every_pod():
            for container in spec.get("initContainers", []) + spec["containers"]:
                for mount in container.get("volumeMounts", []):
                    self.assertNotIn("subPath", mount, name)
                self.assertNotIn("envFrom", container, name)
                for variable in container.get("env", []):
                    self.assertNotIn("valueFrom", variable, name)
            for volume in spec.get("volumes", []):
                if "secret" in volume:
                    self.assertEqual(volume["secret"]["optional"], False)
                    self.assertEqual(volume["secret"]["defaultMode"], 0o440)
                if volume["name"] == "payhook-secrets":
                    self.assertEqual(spec["securityContext"]["fsGroup"], 65532, name)

    def test_no_service_account_token_and_tagged_images(self):
        for name, spec in self.every_pod():
            self.assertIs(spec["automountServiceAccountToken"], False, name)
            for container in spec.get("initContainers", []) + spec["containers"]:
                self.assertRegex(container["image"], r"(:[0-9][^:]*|@sha256:[0-9a-f]{64})$")

    def test_the_config_map_never_holds_a_secret(self):
        file = CHART / "ci" / "inline-dev-values.yaml"
        items = objects(render(file=file).stdout)
        for item in items:
            if item["kind"] != "Secret":
                self.assertNotIn("whsec_", json.dumps(item))
        self.assertIn("data", pick(items, "Secret"))
        self.assertNotIn("stringData", pick(items, "Secret"))


class Sidecar(unittest.TestCase):
    def spec(self, version="1.33", **values):
        values = {"payhook": merged(STRIPE, values)}
        return pod_spec(pick(objects(render(version=version, values=values).stdout), "Deployment"))

    def test_native_is_automatic_from_1_29(self):
        for version, native in (("1.25", False), ("1.28", False), ("1.29", True), ("1.35", True)):
            with self.subTest(version):
                spec = self.spec(version)
                names = [c["name"] for c in spec.get("initContainers", [])]
                self.assertEqual("payhook" in names, native)
                self.assertEqual(sidecar(spec).get("restartPolicy"), "Always" if native else None)

    def test_native_can_be_forced_either_way(self):
        self.assertIn("initContainers", self.spec("1.28", native=True))
        self.assertNotIn("initContainers", self.spec("1.33", native=False))

    def test_it_starts_before_the_users_own_init_containers_and_gates_them(self):
        web = pod_spec(pick(objects(render(EMBED, name="shop").stdout), "Deployment"))
        self.assertEqual([c["name"] for c in web["initContainers"]], ["payhook", "migrate"])
        startup = sidecar(web)["startupProbe"]
        self.assertEqual((startup["periodSeconds"], startup["failureThreshold"]), (1, 30))

    def test_jobs_can_finish_because_the_sidecar_is_native(self):
        job = pick(objects(render(EMBED, name="shop").stdout), "Job")
        self.assertEqual([c["name"] for c in pod_spec(job)["containers"]], ["web"])
        self.assertEqual(sidecar(pod_spec(job))["restartPolicy"], "Always")

    def test_classic_mode_outlives_the_application_where_the_kubelet_can_sleep(self):
        stop = sidecar(self.spec("1.33", native=False))["lifecycle"]["preStop"]
        self.assertEqual(stop, {"sleep": {"seconds": 5}})
        self.assertNotIn("lifecycle", sidecar(self.spec("1.28", native=False)))
        self.assertNotIn("lifecycle", sidecar(self.spec("1.33")))
        off = sidecar(self.spec("1.33", native=False, terminationDrainSeconds=0))
        self.assertNotIn("lifecycle", off)

    def test_probes_ask_the_admin_port_which_is_not_on_loopback(self):
        values = {"payhook": STRIPE}
        items = objects(render(values=values).stdout)
        container = sidecar(pod_spec(pick(items, "Deployment")))
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(container[probe]["grpc"]["port"], 50052)
        config = yaml.safe_load(pick(items, "ConfigMap")["data"]["payhook.yaml"])
        self.assertEqual(config["admin_listen"], "0.0.0.0:50052")
        self.assertEqual(config["listen"], "127.0.0.1:50051")
        self.assertEqual([p["name"] for p in container["ports"]], ["payhook-admin"])

    def test_exec_probes_run_the_binary_itself(self):
        probe = sidecar(self.spec(probes={"type": "exec"}))["startupProbe"]["exec"]["command"]
        self.assertEqual(probe, ["/payhook", "probe", "--address", "127.0.0.1:50052", "--service", "readiness"])

    def test_the_socket_is_shared_and_the_authority_told(self):
        spec = self.spec(listen={"mode": "uds"})
        app = next(c for c in spec["containers"] if c["name"] == "app")
        env = {e["name"]: e["value"] for e in app["env"]}
        self.assertEqual(env["PAYHOOK_TARGET"], "unix:/run/payhook/payhook.sock")
        self.assertEqual(env["PAYHOOK_AUTHORITY"], "localhost")
        for container in (app, sidecar(spec)):
            mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
            self.assertEqual(mounts["payhook-socket"], "/run/payhook")
        volume = next(v for v in spec["volumes"] if v["name"] == "payhook-socket")
        self.assertEqual(volume["emptyDir"], {"medium": "Memory", "sizeLimit": "1Mi"})

    def test_both_listeners_are_configured(self):
        values = {"payhook": merged(STRIPE, {"listen": {"mode": "both"}})}
        config = pick(objects(render(values=values).stdout), "ConfigMap")["data"]["payhook.yaml"]
        listen = yaml.safe_load(config)["listen"]
        self.assertEqual(listen, ["127.0.0.1:50051", "unix:/run/payhook/payhook.sock"])

    def test_a_changed_configuration_rolls_the_pods_but_a_secret_does_not(self):
        def checksum(**values):
            text = render(values={"payhook": merged(STRIPE, values)}).stdout
            meta = pick(objects(text), "Deployment")["spec"]["template"]["metadata"]
            return meta["annotations"]["checksum/payhook-config"]

        same = checksum()
        self.assertEqual(checksum(secrets={"existingSecret": "other"}), same)
        self.assertNotEqual(checksum(config={"audit": True}), same)

    def test_secret_references_become_files_at_any_depth(self):
        file = CHART / "ci" / "multi-variant-values.yaml"
        text = pick(objects(render(file=file).stdout), "ConfigMap")["data"]["payhook.yaml"]
        config = yaml.safe_load(text)
        mount = "/var/run/secrets/payhook/"
        keys = config["variants"]["stripe-eu"]["keys"]
        self.assertEqual(keys[1]["endpoint_secret"], {"file": mount + "stripe-eu-previous"})
        options = config["variants"]["adyen"]["options"]
        self.assertEqual(options["password"], {"file": mount + "adyen-basic"})
        self.assertEqual(config["variants"]["stripe-eu"]["options"], {"tolerance_seconds": 300})
        self.assertNotIn("secretKey", text)

    def test_the_test_pod_asks_by_address_because_the_binary_resolves_no_names(self):
        args = pod_spec(pick(objects(render().stdout), "Pod"))["containers"][0]["args"]
        self.assertEqual(args[2], "$(DEMO_PAYHOOK_SERVICE_HOST):50052")

    def test_disabled_leaves_the_users_pod_as_it_was(self):
        text = render(EMBED, name="shop", values={"payhook": {"enabled": False}}).stdout
        self.assertNotIn("50052", text)
        self.assertNotIn("ConfigMap", text)

    def test_the_policy_and_the_monitor_select_the_pods(self):
        items = objects(render(file=CHART / "ci" / "full-values.yaml").stdout)
        labels = pick(items, "Deployment")["spec"]["template"]["metadata"]["labels"]
        for kind, path in (("NetworkPolicy", "podSelector"), ("PodMonitor", "selector")):
            wanted = pick(items, kind)["spec"][path]["matchLabels"]
            self.assertLessEqual(wanted.items(), labels.items())
        for kind in ("Service", "PodDisruptionBudget"):
            spec = pick(items, kind)["spec"]
            selector = spec["selector"].get("matchLabels", spec["selector"])
            self.assertLessEqual(selector.items(), labels.items())
        self.assertNotIn("replicas", pick(items, "Deployment")["spec"])

    def test_alone_it_serves_over_tls_behind_a_service(self):
        items = objects(render(file=CHART / "ci" / "standalone-values.yaml").stdout)
        spec = pod_spec(pick(items, "Deployment"))
        self.assertEqual([c["name"] for c in spec["containers"]], ["payhook"])
        self.assertNotIn("restartPolicy", spec["containers"][0])
        self.assertNotIn("initContainers", spec)
        config = yaml.safe_load(pick(items, "ConfigMap")["data"]["payhook.yaml"])
        self.assertEqual(config["listen"], "0.0.0.0:50051")
        self.assertIn("client_ca", config["tls"])
        self.assertNotIn("insecure_listen", config)


class Refused(unittest.TestCase):
    """Each wrong value is refused with a message that names it."""

    CASES = [
        ({"payhook": {"native": "yes"}}, "/native"),
        ({"payhook": {"nativ": True}}, "nativ"),
        ({"unknown": 1}, "unknown"),
        ({"payhook": {"listen": {"mode": "udp"}}}, "/listen/mode"),
        ({"payhook": {"listen": {"port": "50051"}}}, "/listen/port"),
        ({"payhook": {"listen": {"port": 80}}}, "/listen/port"),
        ({"payhook": {"image": {"digest": "sha256:12"}}}, "/image/digest"),
        ({"payhook": {"config": {"limits": {"body_bytes_max": 4194305}}}}, "body_bytes_max"),
        ({"payhook": {"config": {"limits": {"bodyBytesMax": 1}}}}, "bodyBytesMax"),
        ({"payhook": {"config": {"runtime": {"workers": 65}}}}, "workers"),
        ({"payhook": {"config": {"cache": {"negative_seconds": 6}}}}, "negative_seconds"),
        ({"payhook": {"variants": {"a b": {"gateway": "stripe"}}}}, "a b"),
        ({"payhook": {"variants": {"s": {"keys": []}}}}, "gateway"),
        ({"payhook": {"variants": {"s": {"gateway": "stripe", "environment": "prod"}}}},
         "environment"),
        ({"payhook": {"variants": {"s": {"gateway": "stripe",
          "keys": [{"endpoint_secret": "whsec_in_the_clear_0000"}]}}}}, "endpoint_secret"),
        ({"payhook": {"variants": {"s": {"gateway": "stripe",
          "keys": [{"endpoint_secret": {"env": "STRIPE"}}]}}}}, "endpoint_secret"),
        ({"payhook": {"extraVolumeMounts": [{"name": "a", "mountPath": "/a", "subPath": "b"}]}},
         "extraVolumeMounts"),
        ({"payhook": {"secrets": {"defaultMode": 1000}}}, "defaultMode"),
        ({"payhook": {"uds": {"mode": "0666"}}}, "/uds/mode"),
        ({"payhook": {"variants": {"s": {"gateway": "stripe", "callers": [
            {"token": "in_the_clear_0000"}]}}}}, "callers"),
        ({"payhook": {"config": {"vault": {"address": "https://v", "auth": {
            "token": "in_the_clear_0000"}}}}}, "/config/vault/auth"),
        ({"payhook": {"config": {"vault": {"address": "http://v", "auth": {
            "token": {"file": "/t"}}}}}}, "/config/vault/address"),
        ({"payhook": {"listen": {"address": "localhost"}}}, "/listen/address"),
        ({"mode": "injector"}, "/mode"),
        ({"hpa": {"minReplicas": 0}}, "minReplicas"),
        # What templates say, not the schema.
        ({"payhook": {"variants": STRIPE["variants"]}}, "names no Secret"),
        ({"payhook": merged(STRIPE, {"secrets": {"inline": {"s": "x"}, "allowInline": True}})},
         "choose one of"),
        ({"payhook": {"secrets": {"inline": {"s": "x"}}}}, "allowInline"),
        ({"payhook": {"secrets": {"externalSecret": {"enabled": True}}}}, "storeRef.name"),
        ({"payhook": {"listen": {"address": "0.0.0.0"}}}, "is not loopback"),
        ({"payhook": {"listen": {"port": 50052}}}, "must differ"),
        ({"mode": "standalone"}, "go together"),
        ({"mode": "standalone", "payhook": {"standalone": True}}, "listen.address"),
    ]

    def test_wrong_values_are_named(self):
        for values, word in self.CASES:
            with self.subTest(json.dumps(values)):
                run = render(values=values, ok=False)
                self.assertNotEqual(run.returncode, 0)
                self.assertIn(word, run.stderr)
                self.assertNotIn("in_the_clear", run.stderr)

    def test_globals_of_a_parent_chart_are_let_through(self):
        render(values={"global": {"imageRegistry": "x", "team": {"a": 1}}})
        render(EMBED, values={"global": {"team": "a"}})

    def test_an_embedding_chart_without_the_alias_is_told_so(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cp", "-r", EMBED, folder], check=True)
            chart = pathlib.Path(folder, EMBED.name)
            meta = yaml.safe_load((chart / "Chart.yaml").read_text())
            del meta["dependencies"][0]["alias"]
            (chart / "Chart.yaml").write_text(yaml.safe_dump(meta))
            values = yaml.safe_load((chart / "values.yaml").read_text())
            del values["payhook"]
            (chart / "values.yaml").write_text(yaml.safe_dump(values))
            (chart / "Chart.lock").unlink(missing_ok=True)
            run = render(chart, ok=False)
            self.assertIn("alias: payhook", run.stderr)


class Dashboards(unittest.TestCase):
    def test_the_dashboard_and_the_alerts_ask_for_metrics_payhook_has(self):
        names = set()
        board = json.loads((CHART / "dashboards/payhook.json").read_text())
        for panel in board["panels"]:
            names |= set(re.findall(r"payhook_[a-z_]+", panel["targets"][0]["expr"]))
        alerts = yaml.safe_load((CHART / "dashboards/alerts.yaml").read_text())
        for rule in alerts["groups"][0]["rules"]:
            names |= set(re.findall(r"payhook_[a-z_]+", rule["expr"]))
            self.assertIn(rule["labels"]["severity"], {"warning", "critical"})
        source = ROOT / "src" / "telemetry" / "name.rs"
        known = source.read_text()
        self.assertGreater(len(names), 3)
        for name in names:
            self.assertIn(f'"{re.sub(r"_(total|bucket)$", "", name)}"', known)


def reached(tree):
    """Every key at any depth."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from reached(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from reached(value)


class Reach(unittest.TestCase):
    """The chart lets everything through that payhook.yaml may say."""

    VAULT = {
        "variants": {"s": {"gateway": "stripe", "keys": [
            {"endpoint_secret": {"vault": {"path": "secret/data/shop", "field": "stripe"}}}]}},
        "config": {"vault": {"address": "https://vault.example.com", "namespace": "shop",
                             "ca": {"file": "/etc/vault/ca.pem"},
                             "auth": {"kubernetes": {"role": "payhook", "mount": "kubernetes"}}}},
    }

    def config(self, **source):
        items = objects(render(**source).stdout)
        maps = [i["data"] for i in items if i["kind"] == "ConfigMap"]
        return next(yaml.safe_load(d["payhook.yaml"]) for d in maps if "payhook.yaml" in d)

    def test_every_gateway_with_every_key_and_option_is_let_through(self):
        variants = self.config(file=CHART / "ci" / "every-gateway-values.yaml")["variants"]
        page = (ROOT / "docs" / "gateways.md").read_text()
        sections = re.split(r"^## ", page, flags=re.M)[1:]
        self.assertGreaterEqual(len(sections), 20)
        for section in sections:
            name = section.split("\n")[0]
            mine = [v for v in variants.values() if v["gateway"] == name]
            self.assertEqual(len(mine), 1, name)
            keys = {field for key in mine[0]["keys"] for field in key}
            self.assertLessEqual(set(re.findall(r"^- key `(\w+)`", section, re.M)), keys, name)
            options = set(re.findall(r"^- option `(\w+)`", section, re.M))
            self.assertLessEqual(options, set(mine[0].get("options", {})), name)

    def test_every_key_of_the_reference_can_be_written(self):
        reference = yaml.safe_load((ROOT / "docs" / "config.reference.yaml").read_text())
        every = self.config(file=CHART / "ci" / "every-key-values.yaml")
        known = {
            **every,
            "vault": self.config(values={"payhook": self.VAULT})["vault"],
            "tls": self.config(file=CHART / "ci" / "standalone-values.yaml")["tls"],
            "variants": self.config(file=CHART / "ci" / "every-gateway-values.yaml")["variants"],
        }
        wanted = set(reached(reference)) - {"NAME", "token"}
        self.assertGreater(len(wanted), 45)
        self.assertEqual(wanted - set(reached(known)), set())
        for key, value in reference.items():
            if isinstance(value, dict) and key not in {"variants", "vault"}:
                self.assertEqual(set(value), set(known[key]), key)
        token = {"config": {"vault": {"auth": {"token": {"file": "/run/token"}}}}}
        base = {k: v for k, v in self.VAULT["config"]["vault"].items() if k != "auth"}
        base["auth"] = token["config"]["vault"]["auth"]
        written = self.config(values={"payhook": {**self.VAULT, "config": {"vault": base}}})
        self.assertEqual(written["vault"]["auth"], {"token": {"file": "/run/token"}})


class Documents(unittest.TestCase):
    def test_every_complaint_names_tests_that_exist(self):
        page = (ROOT / "docs" / "deploy.md").read_text()
        table = page.split("## What sidecars are blamed for")[1].split("Tests of the chart")[0]
        rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")][1:]
        sources = [pathlib.Path(__file__), ROOT / "deploy" / "pod_test.py"]
        code = "".join(path.read_text() for path in sources)
        self.assertGreaterEqual(len(rows), 8)
        for _, complaint, _, tests, _ in rows:
            named = re.findall(r"`(?:InAPod\.)?(\w+)`", tests)
            self.assertTrue(named, complaint)
            for name in named:
                self.assertIn(f"def {name}(", code, complaint)

    def test_the_values_of_the_charts_readme_render(self):
        page = (CHART / "README.md").read_text()
        text = re.search(r"```yaml\n(payhook:.*?)```", page, re.S)[1]
        items = objects(render(values=yaml.safe_load(text)).stdout)
        named = re.search(r"create secret generic (\S+) --from-file=(\S+)", page)
        spec = next(filter(None, map(pod_spec, items)))
        volume = next(v for v in spec["volumes"] if v["name"] == "payhook-secrets")
        self.assertEqual(volume["secret"]["secretName"], named[1])
        config = pick(items, "ConfigMap")["data"]["payhook.yaml"]
        self.assertIn(f"/var/run/secrets/payhook/{named[2]}\n", config)

    def test_a_chart_made_from_the_three_lines_of_the_page_carries_the_sidecar(self):
        page = (ROOT / "docs" / "deploy.md").read_text().split("## Embed it")[1]
        depends, pod = re.findall(r"```yaml\n(.*?)```", page, re.S)[:2]
        manifests = re.search(r"`templates/payhook.yaml`: `(.*?)`", page)[1]
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder, "payhook-lib")
            shutil.copytree(HELM / "payhook-lib", library)
            chart = pathlib.Path(folder, "shop")
            (chart / "templates").mkdir(parents=True)
            (chart / "Chart.yaml").write_text(
                "apiVersion: v2\nname: shop\nversion: 0.1.0\n" + textwrap.dedent(depends))
            (chart / "templates" / "_pod.tpl").write_text(
                '{{ define "shop.pod" }}\ncontainers: [{name: web, image: "web:1"}]\n{{ end }}')
            (chart / "templates" / "web.yaml").write_text(
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
                "  selector: {matchLabels: {app: web}}\n  template:\n"
                "    metadata: {labels: {app: web}}\n" + textwrap.indent(textwrap.dedent(pod), "    "))
            (chart / "templates" / "payhook.yaml").write_text(manifests)
            helm("dependency", "build", chart)
            items = objects(render(chart, values={"payhook": STRIPE}).stdout)
            spec = pod_spec(pick(items, "Deployment"))
            self.assertEqual([c["name"] for c in spec["initContainers"]], ["payhook"])
            self.assertIn("PAYHOOK_TARGET", [e["name"] for e in spec["containers"][0]["env"]])
            pick(items, "ConfigMap")

    def test_files_that_the_pages_name_exist(self):
        for page in [ROOT / "docs" / "deploy.md", *HELM.glob("*/README.md")]:
            for name in re.findall(r"(?:docs|deploy|examples|helm)/[\w./-]*\w", page.read_text()):
                self.assertTrue((ROOT / name).exists(), f"{page.name}: {name}")

    def test_the_image_is_built_with_the_toolchain_of_the_tests(self):
        channel = re.search(r'channel = "(\d+\.\d+)', (ROOT / "rust-toolchain.toml").read_text())
        self.assertIn(f"FROM rust:{channel[1]}-", (ROOT / "Dockerfile").read_text())


if __name__ == "__main__":
    unittest.main()
