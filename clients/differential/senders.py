"""The gateways as senders: each makes a webhook that is genuine or not quite, and says what was done
to it. How a signature is made is written here once more, from the gateways' documentation."""

import base64
import dataclasses
import hashlib
import hmac
import json
import typing
import urllib.parse

import webhooks
from harness import URL, Webhook

HEX_KEY = "44782def547aaa06c910c43932b1eb0c71fc68d9d0c057550c48ec2acf6ba056"
STANDARD_KEY = "whsec_" + base64.b64encode(b"differential-test-key-32-bytes-0").decode()


def mac(secret, message):
    key = secret if isinstance(secret, bytes) else secret.encode()
    return hmac.new(key, message, hashlib.sha256).digest()


def hexadecimal(digest):
    return digest.hex()


def base64_text(digest):
    return base64.b64encode(digest).decode()


@dataclasses.dataclass
class Sender:
    """One gateway: how payhook is configured for it, and what it sends."""

    gateway: str
    # The variant's keys and options.
    variant: dict
    # Makes a webhook from a generator, the known bodies and the time.
    send: typing.Callable
    # Which vectors' bodies are taken.
    wanted: typing.Callable = lambda row: True


def over_body(header, encode, secret, prefix=(b"",), beside=(), url=URL):
    """A sender that signs something before the raw body, and the body."""

    def send(rng, known, now):
        done = set()
        body = webhooks.befall(rng, webhooks.fresh(rng, known, done), webhooks.BEFORE, 0.2, done)
        ahead = rng.choice(prefix)
        if ahead != prefix[0]:
            done.add("another signed text")
        text = encode(mac(webhooks.key(rng, secret, done), ahead + body))
        headers = [(header, webhooks.spoiled(rng, text, done)), *beside]
        body = webhooks.befall(rng, body, webhooks.AFTER, 0.2, done)
        return Webhook(body, webhooks.carried(rng, headers, done), url, done=done)

    return send


def mollie(rng, known, now):
    """One header for each secret while one is rolled."""
    done = set()
    body = webhooks.befall(rng, webhooks.fresh(rng, known, done), webhooks.BEFORE, 0.2, done)
    texts = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = hexadecimal(mac(webhooks.key(rng, SECRET, done), body))
        text = webhooks.spoiled(rng, text, done)
        ahead = rng.choice(["sha256="] * 5 + ["", "SHA256=", "sha1=", "sha256:", " sha256="])
        if ahead == "SHA256=":
            done.add("a prefix in upper case")
        texts.append(ahead + text)
    if len(texts) > 1:
        done.add("several signatures")
    headers = [("X-Mollie-Signature", text) for text in texts]
    body = webhooks.befall(rng, body, webhooks.AFTER, 0.2, done)
    return Webhook(body, webhooks.carried(rng, headers, done), done=done)


def drawn_time(rng, now, spans, done):
    """A signed time and how it is shown."""
    at = now + rng.choice(spans)
    if at < now:
        done.add("an earlier time")
    if at > now:
        done.add("a later time")
    shown = {
        "a time with a sign": f"+{at}",
        "a time with a blank": f" {at}",
        "a time with a zero before it": f"0{at}",
        "a time with decimals": f"{at}.0",
        "a time with an underscore": f"{at}"[:5] + "_" + f"{at}"[5:],
        "a time with letters behind it": f"{at}x",
        "a time in full-width digits": webhooks.wide(f"{at}"),
        "a time in other digits": "".join(chr(0x660 + int(digit)) for digit in f"{at}"),
        "a time with an exponent": f"{at // 10}e1",
        "no time": "",
        "a negative time": f"-{at}",
        "a time in milliseconds": f"{at}123",
    }
    if rng.random() > 0.15:
        return at, f"{at}"
    name = rng.choice(sorted(shown))
    done.add(name)
    return at, shown[name]


def entries(rng, time_key, keys, shown, texts, separator, done):
    """`key=value` entries: the time, the signatures, and what does not belong there."""
    parts = [f"{time_key}={shown}"]
    for text in texts:
        name = rng.choice([keys[0]] * 12 + list(keys[1:]))
        if name != keys[0]:
            done.add("another name of an entry")
        parts.append(f"{name}={text}")
    if rng.random() < 0.3:
        zeros = "0" * 64
        extra = {
            "an unknown entry": rng.choice(["x=y", "v0=" + zeros, "v2=" + zeros]),
            "an entry without a name": rng.choice(["=", "=x"]),
            "an entry without a value": rng.choice([f"{keys[0]}=", "x="]),
            "an entry without an equals sign": rng.choice(["junk", ""]),
            "another signature": f"{keys[0]}={zeros}",
            "another time": f"{time_key}=1",
            "a value with an equals sign": "x=y=z",
            "the time twice": f"{time_key}={shown}",
        }
        name = rng.choice(sorted(extra))
        done.add(name)
        parts.insert(rng.randrange(len(parts) + 1), extra[name])
    if rng.random() < 0.1:
        rng.shuffle(parts)
        done.add("another order")
    if rng.random() < 0.1:
        done.add("blanks between entries")
        return f"{separator} ".join(parts)
    return separator.join(parts)


def timed(header, time_key, keys, separator, between, secret, spans):
    """A sender whose header carries a time and signatures over the time and the body."""

    def send(rng, known, now):
        done = set()
        body = webhooks.befall(rng, webhooks.fresh(rng, known, done), webhooks.BEFORE, 0.2, done)
        at, shown = drawn_time(rng, now, spans, done)
        texts = []
        for _ in range(rng.choice([1, 1, 1, 1, 2])):
            signed = rng.choice([shown, shown, f"{at}"])
            own = webhooks.key(rng, secret, done)
            text = hexadecimal(mac(own, signed.encode() + between + body))
            texts.append(webhooks.spoiled(rng, text, done, 0.25))
        if len(texts) > 1:
            done.add("several signatures")
        value = entries(rng, time_key, keys, shown, texts, separator, done)
        body = webhooks.befall(rng, body, webhooks.AFTER, 0.15, done)
        return Webhook(body, webhooks.carried(rng, [(header, value)], done, 0.1), done=done)

    return send


def mercadopago(rng, known, now):
    """Signs the query's id, the request's id and the time; not the body."""
    done = set()
    body = rng.choice(known)
    own = json.loads(body)["data"]["id"]
    ids = {
        "": own,
        "an id in upper case": f"ORD{own}X".upper(),
        "an id with a semicolon": f"{own};x",
        "an id with blanks around": f" {own} ",
        "no id": "",
        "an id beyond ASCII": f"{own}é",
    }
    name = rng.choice([""] * 12 + sorted(ids))
    done |= {name} - {""}
    target = ids[name]
    if target != target.lower():
        done.add("an id in upper case")
    if rng.random() < 0.9:
        body = json.dumps({**json.loads(body), "data": {"id": target}}).encode()
    else:
        done.add("another id in the body")
        body = json.dumps({**json.loads(body), "data": {"id": "999"}}).encode()
    at, shown = drawn_time(rng, now, [0, 0, -10, -100_000, 100_000], done)
    if rng.random() < 0.1 and shown == f"{at}":
        done.add("a time in milliseconds")
        shown = f"{at}123"
    request = rng.choice(["req-1", "b0a1", "a b", "REQ-é", ""])
    shapes = [(target.lower(), request, shown)] * 8 + [
        (target, request, shown),
        (target.lower().strip(), request, shown),
        (target.lower(), "", shown),
        ("", request, shown),
        (target.lower(), request, f"{at}"),
    ]
    signed_id, signed_request, signed_at = rng.choice(shapes)
    manifest = f"id:{signed_id};" if signed_id else ""
    manifest += f"request-id:{signed_request};" if signed_request else ""
    manifest += f"ts:{signed_at};"
    text = hexadecimal(mac(webhooks.key(rng, SECRET, done), manifest.encode()))
    text = webhooks.spoiled(rng, text, done, 0.25)
    names = ["v1", "V1", " v1", "v2", "v1 "]
    value = entries(rng, rng.choice(["ts"] * 8 + ["TS", " ts"]), names, shown, [text], ",", done)
    headers = [("x-signature", value), ("x-request-id", request)]
    query = urllib.parse.urlencode({"data.id": target, "type": "payment"})
    if rng.random() < 0.05:
        query += "&data.id=1"
        done.add("a repeated query field")
    headers = webhooks.carried(rng, headers, done, 0.1)
    return Webhook(body, headers, f"{URL}?{query}", done=done)


def standard(prefix):
    """Standard Webhooks under the headers of this prefix."""
    key = base64.b64decode(STANDARD_KEY.removeprefix("whsec_"))

    def send(rng, known, now):
        done = set()
        body = webhooks.befall(rng, webhooks.fresh(rng, known, done), webhooks.BEFORE, 0.2, done)
        at, shown = drawn_time(rng, now, [0, 0, -10, -290, 290, -400, 400, 10**9], done)
        ids = ["msg_1", "msg_2Lh9KRb0pzN4LePd3XiA4v", "a.b", "a b", "ä", ""]
        name = rng.choice(ids[:2] * 6 + ids)
        signed_id, shown_id = name, name
        if rng.random() < 0.05:
            shown_id = name + "x"
            done.add("another id")
        items = []
        for _ in range(rng.choice([1, 1, 1, 2])):
            own = webhooks.key(rng, "", done, 0.1).encode() or key
            if "no secret" in done or "half a secret" in done:
                own = rng.choice([key[:16], b"x"])
            signed = rng.choice([shown, shown, f"{at}"])
            text = base64_text(mac(own, f"{signed_id}.{signed}.".encode() + body))
            text = webhooks.spoiled(rng, text, done, 0.25)
            ahead = rng.choice(["v1,"] * 12 + ["v1a,", "v2,", "V1,", "v1=", ""])
            if "," not in ahead:
                done.add("an entry without a comma")
            items.append(ahead + text)
        if rng.random() < 0.15:
            zeros = base64_text(bytes(32))
            extra = {
                "an unknown entry": rng.choice(["v9,abc", "v1a," + base64_text(bytes(64))]),
                "an entry without a comma": rng.choice(["junk", ""]),
                "an entry without a value": "v1,",
                "another signature": "v1," + zeros,
                "an entry that is no base64": "v1,***",
            }
            what = rng.choice(sorted(extra))
            done.add(what)
            items.insert(rng.randrange(len(items) + 1), extra[what])
        if len(items) > 1:
            done.add("several signatures")
        headers = [
            (f"{prefix}id", shown_id),
            (f"{prefix}timestamp", shown),
            (f"{prefix}signature", " ".join(items)),
        ]
        body = webhooks.befall(rng, body, webhooks.AFTER, 0.15, done)
        return Webhook(body, webhooks.carried(rng, headers, done, 0.1), done=done)

    return send


FIELDS = ["pspReference", "originalReference", "merchantAccountCode", "merchantReference"]


def adyen(rng, known, now):
    """Each item carries its own signature over eight of its fields."""
    done = set()
    root = json.loads(rng.choice(known))
    if rng.random() < 0.2:
        done.add("several items")
        root["notificationItems"] += json.loads(rng.choice(known))["notificationItems"]
    for element in root["notificationItems"]:
        item = element["NotificationRequestItem"]
        item["pspReference"] = f"PSP{rng.randrange(10**9)}"
        change_item(rng, item, done)
        fields = [item.get(name) for name in FIELDS]
        fields += [item["amount"].get("value"), item["amount"].get("currency")]
        fields += [item.get("eventCode"), item.get("success")]
        # Python's word for true, or JSON's.
        as_text = rng.choice([str, json.dumps]) if item.get("success") is True else str
        signed = ":".join(shown(field, as_text) for field in fields)
        own = webhooks.key(rng, HEX_KEY, done, 0.05)
        own = HEX_KEY[::-1] if own not in (HEX_KEY, HEX_KEY.swapcase()) else own
        text = base64_text(mac(bytes.fromhex(own), signed.encode()))
        text = webhooks.spoiled(rng, text, done, 0.25)
        item["additionalData"] = {"hmacSignature": text, "x": webhooks.word(rng)}
        if rng.random() < 0.05:
            done.add("no signature in an item")
            item["additionalData"] = rng.choice([{}, {"hmacSignature": None}, None])
        if rng.random() < 0.1:
            done.add("a field changed behind the signature")
            name = rng.choice(["eventCode", "success", "merchantReference", "pspReference"])
            item[name] = rng.choice(["REFUND", "false", "x", "true"])
        if rng.random() < 0.1:
            done.add("an unsigned field changed")
            item["reason"] = webhooks.word(rng)
    body = webhooks.written(rng, root)
    share = 0.05
    for name in ("a repeated key", "no JSON", "a byte order mark", "not UTF-8"):
        if rng.random() < share / 2:
            done.add(name)
            body = webhooks.BEFORE[name](rng, body)
    body = webhooks.befall(rng, body, webhooks.AFTER, share, done)
    return Webhook(body, [("Content-Type", "application/json")], done=done)


def shown(field, as_text):
    if field is None:
        return ""
    return as_text(field) if field is True else str(field)


def change_item(rng, item, done):
    """Signed fields of an item with other values, before it is signed."""
    if rng.random() > 0.4:
        return
    changes = {
        "a reference with a colon": ("merchantReference", "order:1:2"),
        "a reference beyond ASCII": ("merchantReference", webhooks.word(rng)),
        "a backslash in the reference": ("merchantReference", "a\\:b"),
        "no original reference": ("originalReference", rng.choice(["", None])),
        "a colon in another field": (rng.choice(["merchantAccountCode", "originalReference"]), "a:b"),
        "success as true": ("success", True),
        "no success": ("success", None),
        "an event of another kind": ("eventCode", "AUTHORISATION_ADJUSTMENT"),
    }
    name = rng.choice(sorted([*changes, "a value with decimals", "a value as text", "no amount"]))
    done.add(name)
    if name == "a value with decimals":
        item["amount"]["value"] = 10.5
    elif name == "a value as text":
        item["amount"]["value"] = f"{item['amount'].get('value')}"
    elif name == "no amount":
        item["amount"] = {}
    else:
        field, value = changes[name]
        item[field] = value


SECRET = "differential_Test_secret_0001"
STRIPE_SECRET = "whsec_differential_test_secret_0001"


def one(name, secret, **options):
    return {"gateway": name, "keys": [{"signing_secret": secret}], "options": options}


def beside_shopify():
    return (
        ("X-Shopify-Topic", "orders/paid"),
        ("X-Shopify-Shop-Domain", "shop.example"),
        ("X-Shopify-API-Version", "2026-07"),
        ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"),
    )


SENDERS = [
    Sender(
        "adyen",
        {"gateway": "adyen", "keys": [{"hmac_key": HEX_KEY}]},
        adyen,
        lambda row: not row["variant"]["options"],
    ),
    Sender(
        "gocardless",
        one("gocardless", SECRET),
        over_body("Webhook-Signature", hexadecimal, SECRET),
    ),
    Sender("mercadopago", one("mercadopago", SECRET, tolerance_seconds=300), mercadopago),
    Sender("mollie", one("mollie", SECRET), mollie),
    Sender(
        "paddle",
        one("paddle", SECRET),
        timed("Paddle-Signature", "ts", ["h1", "H1", " h1", "h2"], ";", b":", SECRET, [0, 0, 0, -60, 60, 10**8]),
    ),
    Sender(
        "razorpay",
        one("razorpay", SECRET),
        over_body("X-Razorpay-Signature", hexadecimal, SECRET, beside=(("X-Razorpay-Event-Id", "evt_1"),)),
    ),
    Sender(
        "shopify",
        one("shopify", SECRET),
        over_body("X-Shopify-Hmac-Sha256", base64_text, SECRET, beside=beside_shopify()),
    ),
    Sender(
        "square",
        one("square", SECRET),
        over_body(
            "x-square-hmacsha256-signature",
            base64_text,
            SECRET,
            prefix=(URL.encode(),) * 8 + (URL.upper().encode(), URL.rstrip("/").encode(), b""),
        ),
    ),
    Sender("standard_webhooks", one("standard_webhooks", STANDARD_KEY), standard("webhook-")),
    Sender("standard_webhooks", one("standard_webhooks", STANDARD_KEY, header_prefix="svix-"), standard("svix-")),
    Sender(
        "stripe",
        {"gateway": "stripe", "keys": [{"endpoint_secret": STRIPE_SECRET}]},
        timed(
            "Stripe-Signature",
            "t",
            ["v1", "v0", "V1", " v1", "v2"],
            ",",
            b".",
            STRIPE_SECRET,
            [0, 0, -10, -290, 290, -400, 400, -100_000, 100_000],
        ),
    ),
]
