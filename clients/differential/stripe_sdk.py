"""payhook against Stripe's own Python SDK: whatever payhook accepts, the SDK accepts.

Inputs are the accepted vectors, signed now, and mutations of their header and body. Where payhook
refuses what the SDK accepts, the reason must be on the list below.
"""

import base64
import collections
import hashlib
import hmac
import json
import pathlib
import random
import sys
import time

import grpc
import stripe

from payhook.v1 import webhook_service_pb2 as pb, webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

SECRET = "whsec_differential_test_secret_0001"
ROUNDS = 3000
# payhook is stricter than the SDK here, on purpose.
STRICTER = {
    "TIMESTAMP_IN_FUTURE": "the SDK judges only the past",
    "SIGNATURE_MALFORMED": "a time that is no plain number, or two different ones",
    "SIGNATURE_MISMATCH": "the SDK renders the time anew before it hashes: +5, 05 or 5_0 become 5",
    "PAYLOAD_MALFORMED": "the SDK checks the signature only; payhook reads the event",
}


def bodies():
    path = pathlib.Path("tests/vectors/stripe.jsonl")
    for line in path.read_text().strip().split("\n"):
        row = json.loads(line)
        if row["expect"]["verdict"] == "verified":
            yield base64.b64decode(row["request"]["body_b64"])


def sign(body, at, secret=SECRET):
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def mutate(rng, body, now):
    """A body and a header: sometimes genuine, mostly not quite."""
    at = now + rng.choice([0, -10, -299, 299, -400, 400, -100000, 100000])
    shown = rng.choice([f"{at}"] * 6 + [f"+{at}", f" {at}", f"0{at}", f"{at}.0", f"{at}_0", "", "x"])
    tag = sign(body, rng.choice([at, shown]))
    tag = rng.choice([tag] * 6 + [tag.upper(), tag[:-1], tag + "0", "", "0" * 64, tag[::-1]])
    parts = [f"t={shown}", f"{rng.choice(['v1'] * 6 + ['v0', 'V1', ' v1', 'v2'])}={tag}"]
    for _ in range(rng.randrange(3)):
        extra = ["v0=" + tag, "v1=" + "0" * 64, "v1=", "junk", "=", f"t={shown}", "t=1", "x=y=z"]
        parts.insert(rng.randrange(len(parts) + 1), rng.choice(extra))
    header = rng.choice([","] * 9 + [", "]).join(parts)
    if rng.random() < 0.2 and body:
        at_byte = rng.randrange(len(body))
        body = body[:at_byte] + bytes([body[at_byte] ^ (1 << rng.randrange(8))]) + body[at_byte + 1 :]
    return body, header


def sdk_accepts(body, header):
    try:
        stripe.WebhookSignature.verify_header(body.decode("utf-8"), header, SECRET, 300)
        return True
    except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError, TypeError):
        return False


def ours(stub, body, header):
    webhook = pb.WebhookRequest(
        variant="shop",
        body=body,
        headers=[pb.HttpHeader(name="Stripe-Signature", value=header)],
    )
    try:
        stub.VerifyAndParse(pb.VerifyAndParseRequest(webhook=webhook), timeout=5)
        return "verified"
    except grpc.RpcError as error:
        return dict(error.trailing_metadata()).get("x-payhook-reason", error.code().name)


def main():
    rng = random.Random(20261127)
    variants = {"shop": {"gateway": "stripe", "keys": [{"endpoint_secret": SECRET}]}}
    known, figures = list(bodies()), collections.Counter()
    wrong = []
    with Sidecar(variants) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        stub = rpc.PaymentWebhookServiceStub(channel)
        for number in range(ROUNDS):
            now = int(time.time())
            body, header = known[number % len(known)], None
            if number < len(known):
                header = f"t={now},v1={sign(body, now)}"
            else:
                body, header = mutate(rng, body, now)
            theirs, verdict = sdk_accepts(body, header), ours(stub, body, header)
            if verdict == "verified":
                figures["both accept" if theirs else "only payhook accepts"] += 1
                # Bodies that are not UTF-8 never reach the SDK's own check.
                if not theirs:
                    wrong.append((header, body[:60]))
            elif theirs:
                figures[f"only the SDK accepts: {verdict}"] += 1
                if verdict not in STRICTER:
                    wrong.append((verdict, header))
            else:
                figures["both refuse"] += 1
    for name, count in sorted(figures.items()):
        print(f"{count:6} {name}")
    assert figures["both accept"] > 200, "too few genuine inputs to mean anything"
    if wrong:
        print("divergences that are not on the list:", wrong[:5])
        sys.exit(1)
    print(f"stripe {stripe.VERSION if hasattr(stripe, 'VERSION') else ''}: {ROUNDS} inputs, no divergence off the list")


if __name__ == "__main__":
    main()
