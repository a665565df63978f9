"""Where an official SDK and payhook judge a webhook differently, and why payhook is right.

Everything else is a mistake in payhook, and an entry that never happens is a mistake here. "Rule"
means the rules of a webhook's shape in the contract and the vectors that hold them.
"""

from harness import Divergence

# Bodies that carry a right signature and are not what the gateway sends.
READ = (
    "a byte order mark",
    "a repeated key",
    "cut before it was signed",
    "no JSON",
    "no body",
    "not UTF-8",
    "other values",
)
WHY_READ = "the SDK looks at the signature only; payhook reads the event too, and a body that two \
readers could take differently is refused"

# Other ways to write a base64 text, which lenient decoders read as the same bytes.
BASE64 = (
    "a NUL behind it",
    "a blank inside",
    "a character that is no base64",
    "a line feed behind it",
    "base64 for URLs",
    "blanks around a signature",
    "listed twice",
    "more padding",
    "no padding",
    "one character less",
    "one character more",
    "other last bits",
    "quoted",
)
WHY_BASE64 = "the SDK's decoder skips what is no base64; payhook reads one text for one signature"

# Hexadecimal of which Node's decoder reads the beginning.
HEX = (
    "a header repeated with another value",
    "listed twice",
    "more padding",
    "one character more",
    "other last bits",
)
WHY_HEX = "Node's decoder stops at the first character that is no hexadecimal digit and drops the rest"

CASE = ("another case", "upper case")
WHY_CASE = "hexadecimal digits in either case are the same bytes; the SDK compares texts"

CONTROL = ("a NUL behind it", "a line feed behind it")
WHY_CONTROL = "no HTTP server lets control characters through in a header's value"

REPEATED = ("a header repeated",)
WHY_REPEATED = "equal repeats of a header count once; the SDK is handed them joined by a comma"

TIME = (
    "a header repeated with another value",
    "a time in full-width digits",
    "a time in other digits",
    "a time with a blank",
    "a time with a sign",
    "a time with a zero before it",
    "a time with an exponent",
    "a time with an underscore",
    "a time with decimals",
    "a time with letters behind it",
    "another time",
)
WHY_TIME = "a signed time is a plain number and the only one; the SDK takes the last of several, or \
reads the beginning and renders it anew before it hashes"

BEYOND_ASCII = ("full-width characters", "letters beyond ASCII")
WHY_BEYOND_ASCII = "beside a signature that holds; the SDK fails on one beyond ASCII, where payhook \
looks at the others"


def entry(sdks, ours, done, why):
    verdicts = (ours,) if isinstance(ours, str) else tuple(ours)
    return Divergence(tuple(sdks), tuple(done), verdicts, why)


def read(*sdks, done=READ):
    return entry(sdks, "PAYLOAD_MALFORMED", done, WHY_READ)


BRAINTREE, BRAINTREE_NODE = "braintree (PyPI)", "braintree (npm)"
ADYEN, ADYEN_NODE = "Adyen (PyPI)", "@adyen/api-library (npm)"
GOCARDLESS, GOCARDLESS_NODE = "gocardless_pro (PyPI)", "gocardless-nodejs (npm)"
MERCADOPAGO, MERCADOPAGO_NODE = "mercadopago (PyPI)", "mercadopago (npm)"
MOLLIE, MOLLIE_NODE = "mollie-api-py (PyPI)", "mollie-api-typescript (npm)"
PADDLE, PADDLE_NODE = "paddle-python-sdk (PyPI)", "@paddle/paddle-node-sdk (npm)"
RAZORPAY, RAZORPAY_NODE = "razorpay (PyPI)", "razorpay (npm)"
SHOPIFY = "@shopify/shopify-api (npm)"
SQUARE, SQUARE_NODE = "squareup (PyPI)", "square (npm)"
STANDARD, STANDARD_NODE = "standardwebhooks (PyPI)", "standardwebhooks (npm)"
SVIX, SVIX_NODE = "svix (PyPI)", "svix (npm)"
STRIPE, STRIPE_NODE = "stripe (PyPI)", "stripe (npm)"

DIVERGENCES = {
    "adyen": [
        entry(
            [ADYEN, ADYEN_NODE],
            "PAYLOAD_MALFORMED",
            ["a colon in another field"],
            "the signed fields are joined without escapes: each has a shape that keeps it in its place \
(vector adyen/field-shift)",
        ),
        entry(
            [ADYEN, ADYEN_NODE],
            "PAYLOAD_MALFORMED",
            ["a value with decimals"],
            "Adyen's amounts count minor units (\"Currency codes\")",
        ),
        entry([ADYEN_NODE], "PAYLOAD_MALFORMED", ["no success"], "an item that does not say whether it succeeded proves nothing"),
        read(ADYEN, done=["a byte order mark", "a repeated key"]),
        read(ADYEN_NODE, done=["a repeated key", "not UTF-8"]),
        entry([ADYEN], "verified", ["no amount"], "reports come without an amount; the SDK fails on it, its Node sister does not"),
        entry([ADYEN], "verified", ["no original reference"], "null is absent; the SDK hashes the word None, its Node sister an empty text"),
        entry([ADYEN], "verified", ["success as true"], "JSON's true is the word true; the SDK hashes Python's True"),
        entry([ADYEN], "SIGNATURE_MISMATCH", ["success as true"], "the same from the other side: signed with Python's True"),
        entry([ADYEN_NODE], "SIGNATURE_MALFORMED", BASE64, WHY_BASE64),
    ],
    "braintree": [
        entry(
            [BRAINTREE, BRAINTREE_NODE],
            "PAYLOAD_MALFORMED",
            ["a document type"],
            "no notification has one, and an XML reader may expand its entities",
        ),
        entry(
            [BRAINTREE, BRAINTREE_NODE],
            "PAYLOAD_MALFORMED",
            ["a repeated field", "a repeated element"],
            "the SDK takes one of the copies",
        ),
        entry([BRAINTREE, BRAINTREE_NODE], "SIGNATURE_MALFORMED", ["a repeated field"], "the SDK takes one of the copies"),
        entry([BRAINTREE, BRAINTREE_NODE], "PAYLOAD_MALFORMED", ["no kind"], "the SDK fails only where the kind is read"),
        entry(
            [BRAINTREE, BRAINTREE_NODE],
            "PAYLOAD_MALFORMED",
            ["an amount that is no amount"],
            "an amount is a plain decimal number; the SDK hands over what is there",
        ),
        entry(
            [BRAINTREE],
            "PAYLOAD_MALFORMED",
            ["base64 outside its grammar"],
            "the SDK's decoder drops what it does not know, its Node sister's does not",
        ),
        entry(
            [BRAINTREE],
            "PAYLOAD_MALFORMED",
            ["a challenge with a line feed"],
            "a challenge is hexadecimal; the SDK lets one trailing line feed through",
        ),
    ],
    "gocardless": [
        read(GOCARDLESS, done=["a byte order mark", "a repeated key"]),
        read(GOCARDLESS_NODE, done=["a repeated key"]),
        entry([GOCARDLESS], "verified", CASE, WHY_CASE + ", its Node sister bytes"),
        entry([GOCARDLESS], "verified", REPEATED, WHY_REPEATED),
        entry([GOCARDLESS_NODE], "SIGNATURE_MALFORMED", HEX, WHY_HEX),
        entry([GOCARDLESS_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
    ],
    "mercadopago": [
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "verified",
            ["an id in upper case"],
            "Mercado Pago's documentation: the id is signed in lower case; the SDK takes it as it came \
(vector mercadopago/valid/alphanumeric-id-lowercased-in-manifest)",
        ),
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "SIGNATURE_MISMATCH",
            ["an id in upper case"],
            "the same from the other side (vector mercadopago/reject/alphanumeric-id-not-lowercased)",
        ),
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "PAYLOAD_MALFORMED",
            ["another id in the body", "no id"],
            "the body is not signed: it must name the object that the signed query names (vector \
mercadopago/body-id-swapped); the SDK does not look at it",
        ),
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "PAYLOAD_MALFORMED",
            ["a repeated query field", "an id with a semicolon", "an id with blanks around"],
            "such an id could flow into its neighbours in the signed text, or be read differently",
        ),
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "verified",
            ["another signature"],
            "any signature of several may match, as while a secret is rolled; the SDK keeps the last",
        ),
        entry(
            [MERCADOPAGO, MERCADOPAGO_NODE],
            "verified",
            ["a time in milliseconds"],
            "real deliveries carry milliseconds (vector mercadopago/ms-timestamp); the SDK takes them for \
seconds",
        ),
        entry([MERCADOPAGO, MERCADOPAGO_NODE], "verified", CASE, WHY_CASE),
        entry([MERCADOPAGO, MERCADOPAGO_NODE], "verified", REPEATED, WHY_REPEATED),
        entry([MERCADOPAGO, MERCADOPAGO_NODE], "SIGNATURE_MALFORMED", TIME, WHY_TIME),
        entry([MERCADOPAGO, MERCADOPAGO_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
    ],
    "mollie": [
        read(MOLLIE, MOLLIE_NODE),
        entry([MOLLIE, MOLLIE_NODE], "verified", CASE, WHY_CASE),
        entry([MOLLIE], "verified", BEYOND_ASCII, WHY_BEYOND_ASCII),
        entry([MOLLIE, MOLLIE_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
    ],
    "paddle": [
        read(PADDLE, PADDLE_NODE),
        entry(
            [PADDLE],
            "verified",
            [
                "a value with an equals sign",
                "an entry without a name",
                "an entry without a value",
                "an unknown entry",
                "another name of an entry",
                "blanks between entries",
            ],
            "entries that are not known do not count, so that Paddle can add some; the SDK refuses all, its \
Node sister none",
        ),
        entry([PADDLE, PADDLE_NODE], "verified", CASE, WHY_CASE),
        entry([PADDLE], "verified", REPEATED, WHY_REPEATED),
        entry(
            [PADDLE],
            "verified",
            ["several signatures", "another signature"],
            "beside a signature that holds, one that is none does not count; the SDK fails on a second equals \
sign in it and on letters beyond ASCII, its Node sister does not",
        ),
        entry(
            [PADDLE_NODE],
            "verified",
            ["another signature", "several signatures"],
            "Paddle sends one h1 for each secret while one is rolled: any may match (vector paddle/two-h1); \
the SDK keeps the last, its Python sister tries all",
        ),
        entry([PADDLE, PADDLE_NODE], "SIGNATURE_MALFORMED", TIME, WHY_TIME),
        entry(
            [PADDLE_NODE],
            "SIGNATURE_MALFORMED",
            ["more padding", "one character more"],
            "the SDK drops what follows a second equals sign",
        ),
        entry(
            [PADDLE_NODE],
            "TIMESTAMP_IN_FUTURE",
            ["a later time", "a time in milliseconds"],
            "the SDK judges only the past, its Python sister both sides (vector paddle/future)",
        ),
        entry([PADDLE_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
    ],
    "razorpay": [
        read(RAZORPAY, RAZORPAY_NODE),
        entry([RAZORPAY, RAZORPAY_NODE], "verified", CASE, WHY_CASE),
        entry([RAZORPAY, RAZORPAY_NODE], "verified", REPEATED, WHY_REPEATED),
    ],
    "shopify": [
        read(SHOPIFY),
        entry(
            [SHOPIFY],
            "verified",
            ["a header that is absent"],
            "the SDK also wants topic, shop, version and webhook id, which no signature covers; payhook \
takes no meaning from them",
        ),
        entry([SHOPIFY], "verified", REPEATED, WHY_REPEATED),
    ],
    "square": [
        read(SQUARE, SQUARE_NODE),
        entry([SQUARE, SQUARE_NODE], "verified", REPEATED, WHY_REPEATED),
    ],
    "standard_webhooks": [
        read(STANDARD, SVIX, STANDARD_NODE, SVIX_NODE),
        entry([STANDARD, SVIX, STANDARD_NODE, SVIX_NODE], "verified", REPEATED, WHY_REPEATED),
        entry([STANDARD, SVIX, STANDARD_NODE, SVIX_NODE], "SIGNATURE_MALFORMED", TIME, WHY_TIME),
        entry([STANDARD, SVIX, STANDARD_NODE, SVIX_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
        entry(
            [STANDARD, SVIX],
            "verified",
            ["an entry without a comma", "several signatures"],
            "beside a signature that holds, an entry that is none does not count; the SDK fails on it, its Node \
sister does not",
        ),
        # A mismatch where a wrong signature stands beside it.
        entry([STANDARD, SVIX], ["SIGNATURE_MALFORMED", "SIGNATURE_MISMATCH"], BASE64, WHY_BASE64),
        entry(
            [STANDARD_NODE, SVIX_NODE],
            ["SIGNATURE_MALFORMED", "SIGNATURE_MISMATCH"],
            ["listed twice"],
            "the SDK drops what follows a second comma",
        ),
    ],
    "stripe": [
        read(STRIPE, STRIPE_NODE),
        entry(
            [STRIPE, STRIPE_NODE],
            "TIMESTAMP_IN_FUTURE",
            ["a later time", "a time in milliseconds"],
            "the SDK judges only the past",
        ),
        entry([STRIPE, STRIPE_NODE], "SIGNATURE_MALFORMED", TIME, WHY_TIME),
        entry(
            [STRIPE, STRIPE_NODE],
            "SIGNATURE_MISMATCH",
            ["more padding", "one character more"],
            "the SDK drops what follows a second equals sign",
        ),
        entry([STRIPE, STRIPE_NODE], "REQUEST_INVALID", CONTROL, WHY_CONTROL),
        entry(
            [STRIPE],
            "verified",
            ["other values"],
            "the signature holds; the SDK's own classes fail on decimals of other fields than payhook reads",
        ),
        entry(
            [STRIPE_NODE],
            "verified",
            ["an entry without a value", *BEYOND_ASCII],
            "beside a signature that holds; the SDK fails on one that is empty or beyond ASCII, its Python \
sister does not",
        ),
    ],
}
