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
            webhook = sender.send(rng, known, int(time.time()))
            response, reason = harness.ours(stub, webhook)
            for name, judge in asked.items():
                theirs = harness.accepts(judge, webhook)
                ledgers[sender.gateway, name].compare(webhook, response, reason, theirs)


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
