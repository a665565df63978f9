"""The cases that a client in every language sends, and what it must see: each row of the status
table, with signatures made now."""

import base64
import datetime
import hashlib
import hmac
import json
import time
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SECRET = "whsec_the_clients_in_every_language"
TOKEN = "a bearer token of the other service"
WEBHOOK_ID = "8PT597110X687430LKGECATA"
CERT_PATH = "/v1/notifications/certs/CERT-1"
CERT_URL = "https://api.paypal.com" + CERT_PATH
CODES = {
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "OUT_OF_RANGE": 11,
    "UNAVAILABLE": 14,
    "UNAUTHENTICATED": 16,
}
BODY_BYTES_MAX = 1024 * 1024
OVERHEAD_BYTES = 128 * 1024


class PayPal:
    """A throw-away authority that plays PayPal's."""

    def __init__(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        root_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Throw-away root")])
        host = "messageverificationcerts.paypal.com"

        def certificate(subject, public_key):
            made = x509.CertificateBuilder(issuer_name=root_name, subject_name=subject)
            made = made.public_key(public_key).serial_number(x509.random_serial_number())
            made = made.not_valid_before(now - datetime.timedelta(days=1))
            return made.not_valid_after(now + datetime.timedelta(days=1))

        root = certificate(root_name, root_key.public_key())
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        leaf = certificate(x509.Name([]), self.key.public_key())
        for extension in (
            x509.SubjectAlternativeName([x509.DNSName(host)]),
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
        ):
            leaf = leaf.add_extension(extension, critical=False)
        self.root = self._pem(root.sign(root_key, hashes.SHA256()))
        self.leaf = self._pem(leaf.sign(root_key, hashes.SHA256()))

    @staticmethod
    def _pem(certificate):
        return certificate.public_bytes(serialization.Encoding.PEM).decode()

    def headers(self, identity, body, url=CERT_URL):
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"{identity}|{at}|{WEBHOOK_ID}|{zlib.crc32(body)}".encode()
        signature = self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return [
            ["PAYPAL-TRANSMISSION-ID", identity],
            ["PAYPAL-TRANSMISSION-TIME", at],
            ["PAYPAL-TRANSMISSION-SIG", base64.b64encode(signature).decode()],
            ["PAYPAL-CERT-URL", url],
            ["PAYPAL-AUTH-ALGO", "SHA256withRSA"],
        ]


def variants(folder, paypal):
    """The accounts of the server; `folder` holds what they point to."""
    (folder / "root.pem").write_text(paypal.root)
    (folder / "leaf.pem").write_text(paypal.leaf)
    stripe = {"gateway": "stripe", "keys": [{"label": "spring", "endpoint_secret": SECRET}]}
    paypal_keys = [{"webhook_id": WEBHOOK_ID}]
    anchors = {"trust_anchors": {"file": str(folder / "root.pem")}}
    fixed = {"fixed": {CERT_URL: {"file": str(folder / "leaf.pem")}}}
    hidden = {"endpoint_secret": {"file": str(folder / "missing")}}
    adyen = {"hmac_key": "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"}
    return {
        "shop": stripe,
        "ours": {**stripe, "callers": [{"token": TOKEN}]},
        "live": {**stripe, "environment": "live"},
        "test": {**stripe, "environment": "test"},
        "connected": {**stripe, "accounts": ["acct_1"]},
        "hidden": {"gateway": "stripe", "keys": [hidden]},
        "adyen": {"gateway": "adyen", "keys": [adyen]},
        "paypal": {
            "gateway": "paypal",
            "keys": paypal_keys,
            "options": {**anchors, "certificates": fixed},
        },
        # Its name leads to no public address: nothing is asked, and nothing leaves this machine.
        "paypal-outage": {
            "gateway": "paypal",
            "keys": paypal_keys,
            "options": {**anchors, "insecure_cert_hosts": ["localhost"]},
        },
    }


def event(identity="evt_1", **fields):
    """A paid checkout of Stripe."""
    checkout = {
        "id": "cs_1",
        "object": "checkout.session",
        "mode": "payment",
        "payment_status": "paid",
        "amount_total": 1990,
        "currency": "eur",
        "client_reference_id": "order-1",
    }
    whole = {
        "id": identity,
        "object": "event",
        "created": 1790000000,
        "livemode": False,
        "type": "checkout.session.completed",
        "data": {"object": checkout},
        **fields,
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def stripe_headers(body, at=None):
    at = int(time.time()) if at is None else at
    tag = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return [["Stripe-Signature", f"t={at},v1={tag}"]]


def webhook(variant, body, headers, sent=None):
    """A webhook as a client sends it: `sent` where that is not what was signed."""
    body = body if sent is None else sent
    return {
        "variant": variant,
        "body": base64.b64encode(body).decode(),
        "headers": headers,
        "method": "POST",
        "url": f"https://shop.example/payments/process/{variant}/",
    }


def refusal(name, call, code, reason, http, redelivery=False, **more):
    """A row of the table."""
    retriable = code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")
    body = base64.b64decode(call["body"])
    expected = {
        "code": CODES[code],
        "reason": reason,
        "http_status": http,
        "redelivery_may_succeed": redelivery,
        "retry_ms": 200 if retriable else 0,
        "verified": False,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "key_labels": [],
        **more,
    }
    return {"name": name, "webhook": call, "expect": expected}


def signed(variant, body, **options):
    return webhook(variant, body, stripe_headers(body), **options)


def stripe_rows():
    body, now = event(), int(time.time())
    signature = stripe_headers(body)
    tried = {"key_labels": ["spring"]}
    return [
        refusal("a forged body", signed("shop", body, sent=body.replace(b"1990", b"1991")),
                "UNAUTHENTICATED", "SIGNATURE_MISMATCH", 400, **tried),
        refusal("no signature", webhook("shop", body, []),
                "UNAUTHENTICATED", "SIGNATURE_MISSING", 400, **tried),
        refusal("half a signature", webhook("shop", body, [["Stripe-Signature", "t=1"]]),
                "UNAUTHENTICATED", "SIGNATURE_MALFORMED", 400, **tried),
        refusal("too old", webhook("shop", body, stripe_headers(body, now - 1000)),
                "UNAUTHENTICATED", "TIMESTAMP_TOO_OLD", 400, True, **tried),
        refusal("from the future", webhook("shop", body, stripe_headers(body, now + 1000)),
                "UNAUTHENTICATED", "TIMESTAMP_IN_FUTURE", 400, True, **tried),
        refusal("no such variant", webhook("nobody", body, signature),
                "NOT_FOUND", "VARIANT_UNKNOWN", 404),
        refusal("another caller's variant", webhook("ours", body, signature),
                "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", 500),
        refusal("a test event on a live variant", webhook("live", body, signature),
                "PERMISSION_DENIED", "ENVIRONMENT_MISMATCH", 200, verified=True),
        refusal("a live event on a test variant", signed("test", event(livemode=True)),
                "PERMISSION_DENIED", "ENVIRONMENT_MISMATCH", 500, True, verified=True),
        refusal("another account's event", signed("connected", event(account="acct_2")),
                "PERMISSION_DENIED", "ACCOUNT_MISMATCH", 500, True, verified=True),
        refusal("signed, but no event", signed("shop", b"[]"),
                "INVALID_ARGUMENT", "PAYLOAD_MALFORMED", 500, True, verified=True),
        refusal("no variant", webhook("", body, signature),
                "INVALID_ARGUMENT", "REQUEST_INVALID", 400),
        refusal("a large body", signed("shop", b" " * (BODY_BYTES_MAX + 1)),
                "INVALID_ARGUMENT", "BODY_TOO_LARGE", 413, body_sha256=""),
        refusal("no secret", webhook("hidden", body, signature),
                "UNAVAILABLE", "SECRET_UNAVAILABLE", 503, True),
    ]


def other_rows(paypal):
    body = json.dumps({"id": "WH-1", "event_type": "PAYMENT.CAPTURE.COMPLETED", "resource": {}})
    body = body.encode()
    nowhere = "https://localhost" + CERT_PATH
    stranger = "https://certificates.example" + CERT_PATH
    first = {"key_labels": ["key-1"]}
    return [
        refusal("a payload that hides its signature", webhook("adyen", b"{", []),
                "INVALID_ARGUMENT", "PAYLOAD_MALFORMED", 400, **first),
        refusal("a certificate of a stranger",
                webhook("paypal", body, paypal.headers("a", body, stranger)),
                "UNAUTHENTICATED", "CERTIFICATE_UNTRUSTED", 400, **first),
        refusal("a certificate that nobody serves",
                webhook("paypal-outage", body, paypal.headers("b", body, nowhere)),
                "UNAVAILABLE", "CERTIFICATE_UNAVAILABLE", 503, True, **first),
        {"name": "a signed id", "webhook": webhook("paypal", body, paypal.headers("c", body)),
         "expect": None},
        refusal("the same signed id with another body",
                webhook("paypal", body + b" ", paypal.headers("c", body + b" ")),
                "UNAUTHENTICATED", "BODY_SUBSTITUTED", 400, verified=True, **first),
    ]


def cases(paypal):
    """Everything, as JSON holds it."""
    body = event()
    return {
        "table": [*stripe_rows(), *other_rows(paypal)],
        # A call whose message never comes: the server gives up, and knows nothing of a webhook.
        "late": refusal("a message that does not come", signed("shop", b""),
                        "DEADLINE_EXCEEDED", "TIMED_OUT", 503, True, body_sha256="")["expect"],
        # Refused by the codec, which knows no reasons.
        "oversize": webhook("shop", b" " * (BODY_BYTES_MAX + OVERHEAD_BYTES + 1), []),
        "genuine": [signed("shop", event(f"evt_{n}")) for n in range(1, 4)],
        "forged": signed("shop", body, sent=body + b" "),
        "owned": signed("ours", body),
        "token": TOKEN,
        "streams_max": STREAMS_MAX,
    }


# Half of the calls at once: see the server's configuration.
CALLS_MAX = 8
STREAMS_MAX = CALLS_MAX // 2
DRAIN_SECONDS = 2
