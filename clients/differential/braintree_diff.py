"""payhook against Braintree's own SDKs from PyPI and npm: whatever payhook accepts, they accept, and
the Python one reads the same kind, object, amount and time.

Inputs are the vectors' own notifications and challenges, signed anew, and mutations of their form,
list of signatures, payload and XML. What may differ is in `divergences.py`.
"""

import base64
import hashlib
import hmac
import json
import pathlib
import random
import sys
import urllib.parse

import braintree
import grpc

import harness
from divergences import BRAINTREE, BRAINTREE_NODE, DIVERGENCES
from payhook.v1 import webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

PUBLIC, PRIVATE = "differentialpublic01", "differential-private-key-0001"
ROUNDS = 3000
CHALLENGES = 300

GATEWAY = braintree.BraintreeGateway(
    braintree.Configuration(braintree.Environment.Sandbox, "merchant", PUBLIC, PRIVATE)
)


def sign(payload, private=PRIVATE):
    key = hashlib.sha1(private.encode()).digest()
    return hmac.new(key, payload, hashlib.sha1).hexdigest()


def documents():
    """The XML of every accepted vector, once."""
    seen = {}
    for line in pathlib.Path("tests/vectors/braintree.jsonl").read_text().strip().split("\n"):
        row = json.loads(line)
        if row["expect"]["verdict"] == "verified" and row["expect"]["events"]:
            body = base64.b64decode(row["request"]["body_b64"]).decode()
            payload = urllib.parse.parse_qs(body)["bt_payload"][0]
            seen[base64.b64decode(payload)] = True
    return list(seen)


def mutate_xml(rng, xml):
    """The document, changed before it is signed, and what was done to it."""
    choice = rng.randrange(12)
    if choice == 0:
        return b'<!DOCTYPE notification [<!ENTITY a "b">]>' + xml.strip(), "a document type"
    if choice == 1:
        twice = b"<kind>check</kind><kind>check</kind>"
        return b"<notification>" + twice + b"<subject><check/></subject></notification>", "a repeated element"
    if choice == 2:
        return xml.replace(b"kind>", b"kinds>"), "no kind"
    if choice == 3:
        return xml[: rng.randrange(len(xml))], "cut"
    if choice == 4:
        at = xml.find(b"<amount>")
        odd = rng.choice([b"1e3", b"1.00001", b"NaN", b"one", b"1,5"])
        if at >= 0:
            return xml[: at + 8] + odd + xml[xml.find(b"</amount>") :], "an amount that is no amount"
    if choice == 5:
        return xml.replace(b"<subject>", b"<subject><!-- a comment --><extra>1</extra>"), "more elements"
    return xml, ""


def mutate(rng, xml):
    """The form's fields in order and the list of what was done to them."""
    done = []
    xml, what = mutate_xml(rng, xml)
    if what:
        done.append(what)
    payload = rng.choice([base64.encodebytes, base64.b64encode])(xml)
    tag = sign(payload)
    if rng.random() < 0.3 and payload.endswith(b"\n"):
        payload = payload[:-1]
    if rng.random() < 0.15:
        payload, what = rng.choice(
            [
                (payload + b"\n\n", "line feeds"),
                (payload.replace(b"\n", b"\r\n"), "carriage returns"),
                (payload.replace(b"+", b" "), "a lost plus"),
                (payload[:-4], "cut payload"),
                (b"", "no payload"),
                (payload + b"\0", "a NUL"),
            ]
        )
        done.append(what)
    if rng.random() < 0.1 and payload:
        at = rng.randrange(len(payload))
        payload = payload[:at] + bytes([payload[at] ^ (1 << rng.randrange(7))]) + payload[at + 1 :]
    if rng.random() < 0.05:
        payload = rng.choice([b"=" + payload, payload[:8] + b"=" + payload[8:]])
        tag = sign(payload)
        done.append("base64 outside its grammar")
    pairs = [f"{PUBLIC}|{tag}"]
    if rng.random() < 0.4:
        zeros = "0" * 40
        pairs[0] = rng.choice(
            [
                pairs[0],
                f"{PUBLIC}|{tag.upper()}",
                f"{PUBLIC}|{tag[:-1]}",
                f"{PUBLIC}|",
                f"{PUBLIC.upper()}|{tag}",
                f"|{tag}",
                f"{PUBLIC}|{sign(payload, 'another-key')}",
                f" {PUBLIC}|{tag}",
                tag,
                "",
            ]
        )
        for _ in range(rng.randrange(3)):
            extra = rng.choice([f"other|{zeros}", f"{PUBLIC}|{zeros}", "junk", "", f"|{zeros}"])
            pairs.insert(rng.randrange(len(pairs) + 1), extra)
    fields = [("bt_signature", "&".join(pairs)), ("bt_payload", payload.decode("latin-1"))]
    if rng.random() < 0.1:
        fields.append(rng.choice([fields[1], fields[0], ("bt_payload", "PGE+")]))
        done.append("a repeated field")
    rng.shuffle(fields)
    return fields, done


def theirs(webhook):
    """The SDK's notification; a framework hands it the first of repeated fields."""
    fields = urllib.parse.parse_qs(webhook.text(), keep_blank_values=True)
    signature, payload = (fields.get(name, [None])[0] for name in ("bt_signature", "bt_payload"))
    return GATEWAY.webhook_notification.parse(signature, payload)


def their_object(notification):
    for name in ("transaction", "subscription", "dispute", "disbursement"):
        found = getattr(notification, name, None)
        if found is not None:
            return found
    return None


def differences(response, notification):
    """What the two read differently in a notification that both accept."""
    event = response.events[0]
    if event.gateway_type != notification.kind:
        yield "kind"
    found = their_object(notification)
    if found is None:
        return
    if event.object_id != (getattr(found, "id", None) or ""):
        yield "object id"
    if event.HasField("amount"):
        amount = getattr(found, "amount_disputed", None) or getattr(found, "amount", None)
        if amount is None:
            amount = found.transactions[0].amount
        scaled = amount * 10**event.amount.exponent
        if scaled != event.amount.minor_units:
            yield "amount"
    stamp = notification.timestamp
    if stamp and event.occurred_at.ToDatetime() != stamp.replace(tzinfo=None):
        yield "time"


def challenges(rng, stub, ledger):
    for number in range(CHALLENGES):
        length = rng.randrange(16, 36)
        text = "".join(rng.choice("0123456789abcdef") for _ in range(length))
        text = rng.choice([text] * 4 + [text.upper(), text + "\n", text + "g", " " + text, text + "\0"])
        answer = harness.accepts(GATEWAY.webhook_notification.verify, text)
        url = harness.URL + "?" + urllib.parse.urlencode({"bt_challenge": text})
        done = {"a challenge with a line feed"} if text.endswith("\n") else set()
        webhook = harness.Webhook(b"", [], url, "GET", done)
        response, reason = harness.ours(stub, webhook, f"asked-{number // 10}")
        ledger.compare(webhook, response, reason, answer)
        if response and answer and response.reply.body.decode() != answer:
            ledger.wrong.append(("another answer", text, response.reply.body, answer))


def notifications(rng, stub, python, node, judge):
    known = documents()
    for number in range(ROUNDS):
        xml = known[number % len(known)]
        if number < len(known):
            payload = base64.encodebytes(xml)
            fields = [("bt_signature", f"{PUBLIC}|{sign(payload)}"), ("bt_payload", payload.decode())]
            done = []
        else:
            fields, done = mutate(rng, xml)
        webhook = harness.Webhook(urllib.parse.urlencode(fields).encode(), [], done=set(done))
        response, reason = harness.ours(stub, webhook)
        notification = harness.accepts(theirs, webhook)
        python.compare(webhook, response, reason, notification)
        if response and notification:
            python.wrong += [(what, fields) for what in differences(response, notification)]
        node.compare(webhook, response, reason, harness.accepts(judge, webhook))


def main():
    rng = random.Random(20261127)
    python, npm = (harness.Ledger(name, DIVERGENCES["braintree"]) for name in (BRAINTREE, BRAINTREE_NODE))
    keys = [{"public_key": PUBLIC, "private_key": PRIVATE}]
    variants = {"shop": {"gateway": "braintree", "keys": keys}}
    # A variant answers ten challenges a minute.
    variants |= {f"asked-{number}": variants["shop"] for number in range(CHALLENGES // 10)}
    with (
        harness.Node() as node,
        Sidecar(variants) as sidecar,
        grpc.insecure_channel(sidecar.address) as channel,
    ):
        stub = rpc.PaymentWebhookServiceStub(channel)
        judge = node.judge("braintree", public=PUBLIC, private=PRIVATE)
        notifications(rng, stub, python, npm, judge)
        challenges(rng, stub, python)
    problems = [problem for ledger in (python, npm) for problem in ledger.close("braintree", ROUNDS // 15)]
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
