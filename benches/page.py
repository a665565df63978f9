"""Writes docs/performance.md from what `just load` measured. `--short` prints it instead."""

import datetime
import json
import os
import pathlib
import platform
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = pathlib.Path(os.environ["PERFORMANCE"])
SHORT = "--short" in sys.argv

GOALS = {
    "1": "**1. Overhead of a call.** Calls for the same CPU of the server, as a share of what a bare "
         "tonic echo of the same message sizes answers: at least 0.62 at 3.6 KB and 0.36 at 32 KB. "
         "Null: one echo against another.",
    "2": "**2. In process.** Multiples of the bare HMAC-SHA-256 of the body: verify at most 1.05; "
         "from the request's message to the reply's at most 3.2 at 3.6 KB, 2.3 at 32 KB. Null: "
         "the HMAC against itself.",
    "4": "**4. Writes.** One connection with 50 streams: at most 0.1 write calls per reply.",
    "5": "**5. Footprint.** Idle at most 8 MiB, under load 16 MiB, exec to serving with 100 "
         "variants 50 ms, the shipped binary 12 MB.",
    "6": "**6. From Python.** A synchronous round trip with grpcio against `construct_event` of the "
         "stripe package in the same process: at most 0.50 at 3.6 KB, 0.10 at 32 KB. Null: the "
         "round trip against itself.",
    "7": "**7. Two workers.** On two cores at least 1.8 times one worker on one.",
    "8": "**8. No cliff.** CPU per call from 1 to 1,000 variants and from 10 to 500 connections "
         "within 1.15; opening a connection is no call's cost. Null: the same against itself. Echo: the "
         "same of the bare echo in the same blocks, which is below payhook.",
}


def rows():
    found = []
    for part in ("micro", "goals", "round_trip"):
        found += json.loads((TARGET / f"{part}.json").read_text())
    return found + [below(found)]


def below(found):
    """What goal 1 could reach at 32 KB with no code of payhook's own."""
    of = {row["key"]: row for row in found}
    echo, hmac = of["1 e30 1x10 echo cpu"]["value"], of["2 e30 hmac"]["value"]
    ratio = echo / (echo + hmac * (1 + of["2 e30 skip"]["middle"]))
    return {"key": "1 e30 1x10 below", "value": ratio, "unit": "", "goal": None, "verdict": None,
            "what": "echo / (echo + HMAC + serde_json reading the JSON over, keeping nothing): computed from "
                    "e30 echo cpu, 2 e30 hmac and 2 e30 skip"}


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 10 else f"{value:.1f}"


def line(row):
    if "middle" in row:
        value = f"{row['middle']:.3f} [{row['low']:.3f} .. {row['high']:.3f}]"
    else:
        value = f"{number(row['value'])} {row['unit']}"
    verdict = {"holds": "holds", "MISSED": "**missed**", "undecided": "undecided"}
    key = row["key"].split(" ", 1)[1] if row["key"][0].isdigit() else row["key"]
    return "| {} | {} | {} | {} | {} |".format(
        key, row["what"], value, row["goal"] or "", verdict.get(row["verdict"], ""))


def told(*command):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def machine():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return [
        f"- {datetime.date.today()}, `just load{' --short' if SHORT else ''}`, profile `dist`",
        f"- {os.cpu_count()} × {cpu[1] if cpu else platform.machine()}, Linux {platform.release()}",
        f"- {told('rustc', '--version')}, Python {platform.python_version()}",
    ]


def sizing(found):
    of = {row["key"]: row for row in found}
    cpu3, cpu30 = of["1 e3 1x50 payhook cpu"]["value"], of["1 e30 1x10 payhook cpu"]["value"]
    alone = of["1 e3 10x1 payhook cpu"]["value"]
    # Microseconds a byte are as many seconds a megabyte.
    megabyte = (cpu30 - cpu3) / (32_077 - 3_672) * 1000
    variant = of["variant memory"]["value"]
    return [
        f"- **Requests.** A core answers {1e6 / cpu3:,.0f} webhooks of 3.6 KB a second where calls "
        f"share a connection ({cpu3:.0f} µs each), {1e6 / alone:,.0f} where each waits for the one "
        f"before it ({alone:.0f} µs), {1e6 / cpu30:,.0f} of 32 KB. Plan with half of that.",
        f"- **Body.** A megabyte more of JSON costs about {megabyte:.1f} ms of CPU.",
        f"- **Memory.** {of['5 idle']['value']:.1f} MiB idle, {of['5 load']['value']:.1f} MiB at "
        f"most under this load, {variant:.1f} KiB for every variant that was called.",
        "- **Pods.** 100 webhooks of 3.6 KB a second take "
        f"{alone / 1e2:.2f} % of a core: `requests: {{cpu: 10m, memory: 32Mi}}` is generous for most "
        "shops. A limit of CPU below `100m` shows as latency: the kernel stops the process for the "
        "rest of its 100 ms.",
        "- **Workers.** One is enough until a core is full. A connection stays with its worker: "
        "a second worker helps from the second connection on.",
    ]


def page():
    found = rows()
    lines = [
        "# Performance",
        "",
        "Written by `just load`; do not edit. Every figure is a ratio inside one run, with the same",
        "thing measured against itself beside it (*null*): what differs less than the null does is no",
        "difference. Intervals are 90 % of the median of the blocks' ratios, by order statistics. A",
        "goal *holds* where the whole interval reaches it, and is *missed* where none of it does.",
        "",
        *machine(),
        "",
        "## Goals",
        "",
        "Goal 3, allocations (none in verify, at most 12 with parsing), is a test:",
        "`tests/allocations.rs`. Instructions per gateway have budgets: `just budgets`.",
    ]
    for goal, text in GOALS.items():
        lines += ["", text, "", "| case | what | measured | goal | |", "|---|---|---|---|---|"]
        lines += [line(row) for row in found if row["key"].startswith(f"{goal} ")]
    lines += ["", "**Hostile bodies.** Signed XML of 5 MB that is made to cost.", "",
              "| case | what | measured | goal | |", "|---|---|---|---|---|"]
    lines += [line(row) for row in found if row["key"].startswith("xml ")]
    lines += ["", "## ghz", "", "A second opinion; its reports are in [ghz.md](ghz.md). ghz fills its",
              "core first: not a bound of the server.", "",
              "| gateway | over | calls/s | p50 | p99 |", "|---|---|---|---|---|"]
    for row in json.loads((TARGET / "ghz.json").read_text()):
        lines.append(f"| {row['gateway']} | {row['transport']} | {row['rate']:,.0f} | {row['p50']} | "
                     f"{row['p99']} |")
    lines += ["", "## Sizing", "", *sizing(found), ""]
    lines += [(ROOT / "benches/performance.md").read_text().strip()]
    return "\n".join(lines) + "\n"


if SHORT:
    print(page())
else:
    (ROOT / "docs/performance.md").write_text(page())
    print("docs/performance.md is written: look at the difference")
