"""The official SDKs' verifying functions, each called as its documentation says. A judge takes a
webhook and gives what the SDK read, or a false value; it may raise."""

import json
import os
import urllib.parse

import gocardless_pro.webhooks
import mercadopago.webhook.validator as mercadopago
import mollie.utils.webhooks.signature_validator as mollie
import paddle_billing.Notifications as paddle
import razorpay
import square.utils.webhooks_helper as square
import standardwebhooks.webhooks as standardwebhooks
import stripe
import svix.webhooks as svix
from Adyen.util import is_valid_hmac_notification

from senders import HEX_KEY, SECRET, STANDARD_KEY, STRIPE_SECRET

# Paddle's SDK would not compare times under it.
os.environ.pop("TEST_MODE", None)


def adyen(webhook):
    """The SDK reads one item: the application hands it each."""
    items = json.loads(webhook.body)["notificationItems"]
    judged = [is_valid_hmac_notification(item["NotificationRequestItem"], HEX_KEY) for item in items]
    return bool(judged) and all(judged)


def gocardless(webhook):
    events = gocardless_pro.webhooks.parse(webhook.body, SECRET, webhook.header("Webhook-Signature"))
    return {"ids": [event.id or "" for event in events]}


def mercado_pago(webhook):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(webhook.url).query)
    mercadopago.WebhookSignatureValidator.validate(
        webhook.header("x-signature"),
        webhook.header("x-request-id"),
        query.get("data.id", [None])[0],
        SECRET,
        tolerance_seconds=300,
    )
    return True


def mollie_validator(webhook):
    values = [value.strip(" \t") for value in webhook.values("X-Mollie-Signature")]
    return mollie.SignatureValidator(SECRET).validate_payload(webhook.text(), values)


class PaddleRequest:
    """A request as the frameworks that Paddle's SDK knows hand it over."""

    def __init__(self, webhook):
        value = webhook.header("Paddle-Signature")
        self.headers = {"Paddle-Signature": value} if value else {}
        self.body = webhook.body


def paddle_verifier(webhook):
    return paddle.Verifier().verify(PaddleRequest(webhook), paddle.Secret(SECRET))


RAZORPAY = razorpay.Client(auth=("rzp_test_differential", "unused"))


def razorpay_utility(webhook):
    text, signature = webhook.text(), webhook.header("X-Razorpay-Signature")
    return RAZORPAY.utility.verify_webhook_signature(text, signature, SECRET)


def square_helper(webhook):
    return square.verify_signature(
        request_body=webhook.text(),
        signature_header=webhook.header("x-square-hmacsha256-signature"),
        signature_key=SECRET,
        notification_url=webhook.url,
    )


def standard_webhooks(webhook):
    standardwebhooks.Webhook(STANDARD_KEY).verify(webhook.body, webhook.handed_over())
    return True


def svix_webhooks(webhook):
    svix.Webhook(STANDARD_KEY).verify(webhook.body, webhook.handed_over())
    return True


STRIPE = stripe.StripeClient("sk_test_differential")


def stripe_event(webhook):
    """Snapshot events and thin ones have a function each."""
    thin = json.loads(webhook.body).get("object") == "v2.core.event"
    read = STRIPE.parse_event_notification if thin else STRIPE.construct_event
    event = read(webhook.body, webhook.header("Stripe-Signature"), STRIPE_SECRET)
    return {"ids": [event.id], "types": [event.type]}


# The SDKs from PyPI, by gateway and name, and below those from npm.
PYTHON = {
    "adyen": {"Adyen": adyen},
    "gocardless": {"gocardless_pro": gocardless},
    "mercadopago": {"mercadopago": mercado_pago},
    "mollie": {"mollie-api-py": mollie_validator},
    "paddle": {"paddle-python-sdk": paddle_verifier},
    "razorpay": {"razorpay": razorpay_utility},
    "square": {"squareup": square_helper},
    "standard_webhooks": {"standardwebhooks": standard_webhooks, "svix": svix_webhooks},
    "stripe": {"stripe": stripe_event},
}
NODE = {
    "adyen": ["@adyen/api-library"],
    "gocardless": ["gocardless-nodejs"],
    "mercadopago": ["mercadopago"],
    "mollie": ["mollie-api-typescript"],
    "paddle": ["@paddle/paddle-node-sdk"],
    "razorpay": ["razorpay"],
    "shopify": ["@shopify/shopify-api"],
    "square": ["square"],
    "standard_webhooks": ["standardwebhooks", "svix"],
    "stripe": ["stripe"],
}
