"""Writes `docs/differential.md` from the pins and the list of divergences, or says that it is old."""

import json
import os
import pathlib
import re

import sdks
from divergences import DIVERGENCES

PAGE = pathlib.Path("docs/differential.md")

# The function of each SDK that is called.
FUNCTIONS = {
    ("Adyen", "PyPI"): "`is_valid_hmac_notification`, each item",
    ("@adyen/api-library", "npm"): "`hmacValidator.validateHMAC`, each item",
    ("braintree", "PyPI"): "`webhook_notification.parse` and `verify`",
    ("braintree", "npm"): "`webhookNotification.parse`",
    ("gocardless_pro", "PyPI"): "`webhooks.parse`",
    ("gocardless-nodejs", "npm"): "`parse`",
    ("mercadopago", "PyPI"): "`WebhookSignatureValidator.validate`",
    ("mercadopago", "npm"): "`WebhookSignatureValidator.validate`",
    ("mollie-api-py", "PyPI"): "`SignatureValidator.validate_payload`",
    ("mollie-api-typescript", "npm"): "`SignatureValidator.validatePayload`",
    ("paddle-python-sdk", "PyPI"): "`Verifier.verify`",
    ("@paddle/paddle-node-sdk", "npm"): "`webhooks.isSignatureValid`",
    ("razorpay", "PyPI"): "`utility.verify_webhook_signature`",
    ("razorpay", "npm"): "`validateWebhookSignature`",
    ("@shopify/shopify-api", "npm"): "`webhooks.validate`",
    ("squareup", "PyPI"): "`verify_signature`",
    ("square", "npm"): "`WebhooksHelper.verifySignature`",
    ("standardwebhooks", "PyPI"): "`Webhook.verify`",
    ("standardwebhooks", "npm"): "`Webhook.verify`",
    ("svix", "PyPI"): "`Webhook.verify`, both header names",
    ("svix", "npm"): "`Webhook.verify`, both header names",
    ("stripe", "PyPI"): "`construct_event` and `parse_event_notification`",
    ("stripe", "npm"): "`constructEvent` and `parseEventNotification`",
}

# SDKs that were looked through and verify no webhook.
WITHOUT = [
    ("authorizenet", "authorizenet 1.1.6 (PyPI), 1.0.10 (npm)"),
    ("checkout", "checkout_sdk 4.8.1 (PyPI), checkout-sdk-node 5.2.1 (npm): it only mends malformed JSON"),
    ("lemonsqueezy", "@lemonsqueezy/lemonsqueezy.js 4.0.0 (npm)"),
    ("mollie", "mollie-api-python 4.0.0 (PyPI), @mollie/api-client 4.6.0 (npm): classic webhooks, which are not signed"),
    ("paypal", "paypal-server-sdk 2.4.0 (PyPI), @paypal/paypal-server-sdk 2.5.0 (npm); paypalrestsdk verifies, is no longer maintained, and fetches any URL that it is given"),
    ("paystack", "paystack-sdk 1.0.1 (PyPI), @paystack/paystack-sdk 1.2.1 (npm)"),
    ("shopify", "ShopifyAPI 12.7.0 (PyPI): only the queries of a log-in"),
    ("standard_webhooks", "standardwebhooks and svix do not know Ed25519 (`v1a`)"),
]

INTRODUCTION = """# Differential tests

Written by `clients/differential/page.py` from the pins and the list of divergences; `just clients`
fails where it is old (`PAYHOOK_BLESS=1 just clients` writes it anew).

Seeded generators make webhooks, genuine ones and such as something befell: the body before or after
it was signed, the secret, the signed time, the signature's text, the headers. Each goes to the
running server over gRPC and to the gateway's own SDKs. Where both accept and the SDK reads the event
too, ids and types are compared. A webhook on which the two differ must be on the list below, and an
entry of the list that never happens fails the run as well.

The SDKs are handed what a web framework hands them: header names in any case, blanks at the ends of
values dropped, repeats joined by a comma.

## Which SDKs

| gateway | SDK | version | function | inputs |
|---|---|---|---|---|
"""

NO_SDK = """
No SDK verifies for these, so that their schemes rest on documentation and vectors: `dotpay` and
`opayo_form` have no SDK at all, `generic_hmac` is what configuration says, `paypal_ipn` asks the
gateway. These SDKs were looked through and hold no function that verifies a webhook:

| gateway | SDK |
|---|---|
"""

LIST = """
## What may differ

`verified` means that payhook accepts what the SDK refuses; a reason means that payhook refuses what
the SDK accepts.

| SDK | payhook | what befell the webhook | why |
|---|---|---|---|
"""


def pins():
    """The exact version of each SDK, by name and registry."""
    text = pathlib.Path("clients/requirements.txt").read_text()
    found = {(name, "PyPI"): version for name, version in re.findall(r"^(.+)==(.+)$", text, re.M)}
    package = json.loads(pathlib.Path("clients/differential/node/package.json").read_text())
    found.update({(name, "npm"): version for name, version in package["dependencies"].items()})
    return found


def rows(inputs):
    versions = pins()
    for gateway in sorted([*sdks.NODE, "braintree"]):
        names = [(name, "PyPI") for name in sdks.PYTHON.get(gateway, {})]
        names += [(name, "npm") for name in sdks.NODE.get(gateway, [])]
        if gateway == "braintree":
            names = [(gateway, "PyPI"), (gateway, "npm")]
        for sdk in names:
            count = 2 * inputs if sdk[0] == "svix" else inputs
            yield f"| `{gateway}` | {sdk[0]} ({sdk[1]}) | {versions[sdk]} | {FUNCTIONS[sdk]} | {count} |\n"


def text(inputs=3000):
    listed = (
        f"| {', '.join(entry.sdks)} | {' or '.join(entry.ours)} | {'; '.join(entry.done)} | {entry.why} |\n"
        for gateway in sorted(DIVERGENCES)
        for entry in DIVERGENCES[gateway]
    )
    without = (f"| `{gateway}` | {sdk} |\n" for gateway, sdk in WITHOUT)
    return "".join([INTRODUCTION, *rows(inputs), NO_SDK, *without, LIST, *listed])


def check():
    """What is wrong with the page; nothing once it is written."""
    if os.environ.get("PAYHOOK_BLESS"):
        PAGE.write_text(text())
    return [] if PAGE.exists() and PAGE.read_text() == text() else [f"{PAGE} is old"]
