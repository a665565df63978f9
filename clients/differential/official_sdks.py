"""payhook against the gateways' own SDKs from PyPI and npm: whatever the SDKs accept, payhook
accepts, and the other way round, but for the list in `divergences.py`."""

import random
import sys
import time

import grpc

import harness
import page
import sdks
import senders
import webhooks
from divergences import DIVERGENCES
from payhook.v1 import webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

INPUTS = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
SEED = 20261127


def judges(sender, node):
    """The SDKs that judge this sender's webhooks, by the name under which they are listed."""
    found = {f"{name} (PyPI)": judge for name, judge in sdks.PYTHON.get(sender.gateway, {}).items()}
    for name in sdks.NODE.get(sender.gateway, []):
        secret = next(iter(sender.variant["keys"][0].values()))
        found[f"{name} (npm)"] = node.judge(name, secret=secret, key=secret)
    # Standard Webhooks' own libraries know only their own headers; Svix's know both.
    if sender.variant.get("options", {}).get("header_prefix"):
        found = {name: judge for name, judge in found.items() if name.startswith("svix")}
    return found


def run(sender, node, ledgers):
    """Every input of one sender to payhook and to each of its SDKs."""
    # Every sender has a generator of its own, so that a change to one leaves the others as they are.
    rng = random.Random(f"{SEED} {sender.gateway} {sender.variant.get('options')}")
    known = webhooks.bodies(sender.gateway, sender.wanted)
    asked = judges(sender, node)
    for name in asked:
        ledgers.setdefault((sender.gateway, name), harness.Ledger(name, DIVERGENCES[sender.gateway]))
    with Sidecar({"shop": sender.variant}) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        stub = rpc.PaymentWebhookServiceStub(channel)
        for _ in range(INPUTS):
            webhook, verdict, theirs = judged(sender, rng, known, stub, asked)
            for name, read in theirs.items():
                ledgers[sender.gateway, name].compare(webhook, *verdict, read)


def judged(sender, rng, known, stub, asked):
    """One webhook and every verdict on it. Where the machine stood still in between, so that a
    signed time grew old under way, the same webhook is made and sent again."""
    state = rng.getstate()
    for _ in range(10):
        rng.setstate(state)
        now = int(time.time())
        webhook = sender.send(rng, known, now)
        verdict = harness.ours(stub, webhook)
        theirs = {name: harness.accepts(judge, webhook) for name, judge in asked.items()}
        if time.time() - now < 3:
            return webhook, verdict, theirs
    raise SystemExit("this machine is too slow for signed times of five seconds")


def main():
    ledgers = {}
    with harness.Node() as node:
        for sender in senders.SENDERS:
            run(sender, node, ledgers)
    problems = page.check()
    for (gateway, _), ledger in ledgers.items():
        problems += ledger.close(gateway, INPUTS // 15)
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
