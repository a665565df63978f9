"""Goal 6: what a Python application pays for a call of payhook, against stripe's own SDK in the
same process. Both in turns; the server has the other core."""

import json
import os
import pathlib
import statistics
import sys
import time

import grpc
import stripe

from payhook.v1 import webhook_service_pb2 as pb, webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

TARGET = pathlib.Path(os.environ["PERFORMANCE"])
SHORT = "--short" in sys.argv
SECRET = "whsec_" + "5" * 32
GOALS = {"e3": 0.50, "e30": 0.10}


def call(stub, body, header):
    fields = [pb.HttpHeader(name="Stripe-Signature", value=header)]
    webhook = pb.WebhookRequest(variant="stripe", body=body, headers=fields)
    answer = stub.VerifyAndParse(pb.VerifyAndParseRequest(webhook=webhook), timeout=5)
    assert answer.events[0].id


def construct(body, header):
    assert stripe.Webhook.construct_event(body, header, SECRET, tolerance=86400).id


def took(act, repeats):
    started = time.perf_counter()
    for _ in range(repeats):
        act()
    return (time.perf_counter() - started) / repeats * 1e6


def interval(ratios):
    """The median, with the order statistics that hold it with at least 90 %."""
    import math

    ratios, count = sorted(ratios), len(ratios)
    tail, rank = 0.0, 0
    while True:
        tail += math.comb(count, rank) / 2**count
        if tail > 0.05:
            break
        rank += 1
    rank = max(rank - 1, 0)
    return statistics.median(ratios), ratios[rank], ratios[count - 1 - rank]


def main():
    rows = []
    os.sched_setaffinity(0, {0})
    variants = {
        "stripe": {
            "gateway": "stripe",
            "keys": [{"endpoint_secret": SECRET}],
            "options": {"tolerance_seconds": 86400},
        }
    }
    with Sidecar(variants) as sidecar:
        os.sched_setaffinity(0, {1})
        with grpc.insecure_channel(sidecar.address) as channel:
            stub = rpc.PaymentWebhookServiceStub(channel)
            for size, goal in GOALS.items():
                rows += compare(stub, size, goal)
    (TARGET / "round_trip.json").write_text(json.dumps(rows))


def compare(stub, size, goal):
    body = (TARGET / f"{size}.json").read_bytes()
    at = int(time.time())
    tag = stripe.WebhookSignature._compute_signature(f"{at}.{body.decode()}", SECRET)
    header = f"t={at},v1={tag}"
    ours, theirs = (lambda: call(stub, body, header)), (lambda: construct(body, header))
    rounds = 9 if SHORT else 41
    repeats = 10 if SHORT else 60
    took(ours, 20), took(theirs, 5)
    measured = {"payhook": [], "again": [], "sdk": []}
    for _ in range(rounds):
        measured["payhook"].append(took(ours, repeats))
        measured["sdk"].append(took(theirs, max(repeats // 4, 3)))
        measured["again"].append(took(ours, repeats))
    found = []
    of = lambda above, below: [a / b for a, b in zip(measured[above], measured[below])]
    for key, ratios, what, bound in (
        (f"6 {size} null", of("again", "payhook"), "the same call again", None),
        (f"6 {size}", of("payhook", "sdk"), "round trip / construct_event in process", goal),
    ):
        middle, low, high = interval(ratios)
        verdict = None
        if bound:
            verdict = "holds" if high <= bound else "MISSED" if low > bound else "undecided"
        told = f"<= {bound:.2f}" if bound else ""
        print(f"goal {key:24} {middle:.3f} [{low:.3f}..{high:.3f}]  {what} {told} {verdict or ''}")
        found.append({"key": key, "what": what, "middle": middle, "low": low, "high": high,
                      "rounds": len(ratios), "goal": told or None, "verdict": verdict})
    for name, key in (("payhook", "round trip"), ("sdk", "construct_event")):
        value = statistics.median(measured[name])
        found.append({"key": f"6 {size} {name}", "what": f"{key}, median", "value": value,
                      "unit": "us", "goal": None, "verdict": None})
    return found


main()
