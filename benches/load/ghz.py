"""ghz against the built server: one gateway, one configuration and one transport at a time.

The server has a core of its own, ghz the other. Requests are what `payhook sign` makes; PayPal's
come from `goals --prepare`, for only its own key signs them. Writes docs/ghz.md."""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

from sidecar import Sidecar

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ["PERFORMANCE"])
BINARY = os.environ["PAYHOOK_BINARY"]
SHORT = "--short" in sys.argv


def variants():
    """Keys of our own; far-off times are good while the run lasts."""
    paypal = json.loads((TARGET / "paypal.json").read_text())
    return {
        "stripe": {
            "gateway": "stripe",
            "keys": [{"endpoint_secret": "whsec_" + "5" * 32}],
            "options": {"tolerance_seconds": 86400},
        },
        "braintree": {
            "gateway": "braintree",
            "keys": [{"public_key": "bench_public_key", "private_key": "7" * 32}],
        },
        "paypal": paypal,
    }


def sign(config, gateway, payload):
    made = subprocess.run(
        [BINARY, "sign", "--config", config, "--variant", gateway, "--format", "binary"],
        input=payload, check=True, capture_output=True,
    )
    (TARGET / f"{gateway}.bin").write_bytes(made.stdout)


def run(gateway, host):
    # Paths of a configuration are relative to the repository; the requests lie in the target.
    config = json.loads((ROOT / f"benches/load/ghz-{gateway}.json").read_text())
    command = ["taskset", "-c", "1", os.environ["GHZ"], "--config",
               f"benches/load/ghz-{gateway}.json", "-B", str(TARGET / f"{gateway}.bin")]
    if SHORT:
        command += ["--total", "5000"]
    total = 5000 if SHORT else config["total"]
    told = subprocess.run(command + [host], cwd=ROOT, check=True, capture_output=True, text=True)
    text = told.stdout
    answered = re.search(r"\[OK\]\s+(\d+) responses", text)
    assert answered and int(answered[1]) == total, text
    number = lambda pattern: re.search(pattern, text)[1].strip()
    return {
        "gateway": gateway,
        "rate": float(number(r"Requests/sec:\s+(\S+)")),
        "p50": number(r"50 % in (.*)"),
        "p99": number(r"99 % in (.*)"),
        "text": text,
    }


def main():
    socket = TARGET / "ghz.sock"
    socket.unlink(missing_ok=True)
    settings = {"listen": ["127.0.0.1:0", f"unix:{socket}"], "reflection": False}
    os.sched_setaffinity(0, {0})
    rows = []
    with Sidecar(variants(), **settings) as sidecar:
        config = str(pathlib.Path(sidecar.folder.name) / "payhook.yaml")
        sign(config, "stripe", (TARGET / "e3.json").read_bytes())
        sign(config, "braintree", (TARGET / "braintree.xml").read_bytes())
        for gateway in ("stripe", "paypal", "braintree"):
            for name, host in (("tcp", sidecar.address), ("unix", f"unix:{socket}")):
                rows.append({"transport": name, **run(gateway, host)})
                print("{gateway:10} {transport:5} {rate:9.0f}/s  p50 {p50}  p99 {p99}".format(**rows[-1]))
    table = [{key: row[key] for key in ("gateway", "transport", "rate", "p50", "p99")} for row in rows]
    (TARGET / "ghz.json").write_text(json.dumps(table))
    if not SHORT:
        page(rows)


def page(rows):
    version = subprocess.run([os.environ["GHZ"], "--version"], capture_output=True, text=True)
    version = (version.stdout + version.stderr).strip()
    lines = [
        "# ghz",
        "",
        "Written by `just load`, with the configurations `benches/load/ghz-*.json`. ghz has one core",
        "and needs more of it than the server needs of its own: these are what ghz can ask for, not",
        "what the server can answer. [performance.md](performance.md) says that.",
        "",
        f"{datetime.date.today()}, ghz {version}" + (", a short run" if SHORT else "") + ".",
    ]
    for row in rows:
        lines += ["", f"## {row['gateway']} over {row['transport']}", "", "```"]
        lines += [line.rstrip() for line in row["text"].strip().splitlines()]
        lines += ["```"]
    (ROOT / "docs/ghz.md").write_text("\n".join(lines) + "\n")


main()
