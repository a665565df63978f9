"""Random webhooks: bodies like the gateways', and what can befall a body, a signature, a secret, a
time or a header on its way. Everything is drawn from one seeded generator."""

import base64
import json
import pathlib

VECTORS = pathlib.Path("tests/vectors")


def bodies(gateway, wanted=lambda row: True):
    """The bodies of the gateway's accepted vectors."""
    found = {}
    for line in (VECTORS / f"{gateway}.jsonl").read_text().strip().split("\n"):
        row = json.loads(line)
        accepted = row["expect"]["verdict"] == "verified" and row["expect"].get("events") is not None
        if accepted and wanted(row):
            found[base64.b64decode(row["request"]["body_b64"])] = True
    return list(found)


def word(rng):
    letters = "abcxyzABC019-_ .:;,=/+%&\"\\äß€漢字🙂\u00a0\u200b\u0301\n\t"
    return "".join(rng.choice(letters) for _ in range(rng.randrange(1, 24)))


def vary(rng, value):
    """The same JSON with some of its texts and numbers changed."""
    if isinstance(value, dict):
        return {key: vary(rng, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [vary(rng, inner) for inner in value]
    if rng.random() > 0.15:
        return value
    if isinstance(value, str):
        return word(rng)
    if isinstance(value, int) and not isinstance(value, bool):
        return value + rng.randrange(-3, 1000)
    return value


def written(rng, value):
    """JSON in one of the ways in which senders write it."""
    separators = rng.choice([(",", ":"), (", ", ": ")])
    indent = rng.choice([None, None, None, 2])
    return json.dumps(value, ensure_ascii=rng.random() < 0.5, separators=separators, indent=indent).encode()


def fresh(rng, known, done):
    """A body of the gateway's, as it is or with other values."""
    body = rng.choice(known)
    if rng.random() < 0.5:
        try:
            body = written(rng, vary(rng, json.loads(body)))
            done.add("other values")
        except ValueError:
            pass
    return body


def twice(rng, body):
    """A key of the outermost object once more, with another value."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    if not isinstance(value, dict) or not value:
        return body
    name = rng.choice(list(value))
    extra = f'{json.dumps(name)}:{json.dumps(rng.choice(["other", 1, None, value[name]]))}'
    return b"{" + extra.encode() + b"," + body.lstrip()[1:]


# What can befall a body before it is signed: the signature is right all the same.
BEFORE = {
    "a byte order mark": lambda rng, body: b"\xef\xbb\xbf" + body,
    "a repeated key": twice,
    "blanks around the body": lambda rng, body: rng.choice([b" ", b"\n"]) + body + b"\r\n",
    "cut before it was signed": lambda rng, body: body[: rng.randrange(1, max(2, len(body)))],
    "no body": lambda rng, body: b"",
    "no JSON": lambda rng, body: rng.choice([b"id=tr_1&x=y", b"{}", b"[]", b"null", b"{\"a\":NaN}", b"x", b"\0"]),
    "not UTF-8": lambda rng, body: body.replace(b'"', b'"\xff', 1) if b'"' in body else b"\xff" + body,
}

# And after it was signed.
AFTER = {
    "a body in another form": lambda rng, body: _again(rng, body),
    "a flipped bit": lambda rng, body: flipped(rng, body),
    "a longer body": lambda rng, body: body + rng.choice([b" ", b"\n", b"\0", b"x"]),
    "a shorter body": lambda rng, body: body[: rng.randrange(len(body))] if body else b"x",
    "carriage returns": lambda rng, body: body.replace(b"\n", b"\r\n") if b"\n" in body else body + b"\r",
}


def _again(rng, body):
    try:
        again = written(rng, json.loads(body))
    except ValueError:
        return body + b" "
    return again if again != body else body + b" "


def flipped(rng, body):
    if not body:
        return b"x"
    at = rng.randrange(len(body))
    return body[:at] + bytes([body[at] ^ (1 << rng.randrange(8))]) + body[at + 1 :]


def befall(rng, body, fates, share, done):
    """One of the fates, sometimes."""
    if rng.random() > share:
        return body
    name = rng.choice(sorted(fates))
    done.add(name)
    return fates[name](rng, body)


def secrets(secret):
    """Secrets that are not the configured one."""
    return {
        "another secret": "another-secret-of-the-same-kind-0001",
        "a secret in another case": secret.swapcase(),
        "a secret with a blank": secret + " ",
        "half a secret": secret[: len(secret) // 2],
        "no secret": "",
    }


def key(rng, secret, done, share=0.1):
    """Mostly the configured secret."""
    if rng.random() > share:
        return secret
    name, other = rng.choice(sorted(secrets(secret).items()))
    done.add(name)
    return other


def wide(text):
    """ASCII letters and digits as their full-width twins."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _other_encoding(rng, text):
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        pass
    try:
        return base64.b64decode(text, validate=True).hex()
    except ValueError:
        return text + "g"


def _last_bits(rng, text):
    """Base64 whose last character holds bits that no byte takes."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bare = text.rstrip("=")
    if len(bare) == len(text) or not bare or bare[-1] not in letters:
        return text + "!"
    return bare[:-1] + letters[letters.index(bare[-1]) ^ 1] + text[len(bare) :]


# What can befall the text of a signature.
SIGNATURES = {
    "upper case": lambda rng, text: text.upper(),
    "another case": lambda rng, text: text.swapcase(),
    "a blank inside": lambda rng, text: text[:5] + " " + text[5:],
    "blanks around a signature": lambda rng, text: rng.choice([" " + text, text + " ", "\t" + text]),
    "a line feed behind it": lambda rng, text: text + "\n",
    "a NUL behind it": lambda rng, text: text + "\0",
    "one character less": lambda rng, text: text[:-1],
    "one character more": lambda rng, text: text + rng.choice("0a=Z"),
    "half of it": lambda rng, text: text[: len(text) // 2],
    "an empty signature": lambda rng, text: "",
    "zeros": lambda rng, text: "0" * len(text),
    "backwards": lambda rng, text: text[::-1],
    "quoted": lambda rng, text: f'"{text}"',
    "full-width characters": lambda rng, text: wide(text),
    "letters beyond ASCII": lambda rng, text: "é" + text[1:],
    "the other encoding": _other_encoding,
    "base64 for URLs": lambda rng, text: text.replace("+", "-").replace("/", "_"),
    "no padding": lambda rng, text: text.rstrip("="),
    "more padding": lambda rng, text: text + "==",
    "other last bits": _last_bits,
    "a character that is no base64": lambda rng, text: text[:4] + rng.choice("!*.-") + text[4:],
    "its own prefix": lambda rng, text: rng.choice(["sha256=", "SHA256=", "sha1=", "v1="]) + text,
    "listed twice": lambda rng, text: f"{text},{text}",
}


def spoiled(rng, text, done, share=0.35):
    """A signature's text, sometimes no longer what it was."""
    if rng.random() > share:
        return text
    name = rng.choice(sorted(SIGNATURES))
    other = SIGNATURES[name](rng, text)
    if other != text:
        done.add(name)
    return other


def _repeated(rng, headers, value):
    at = rng.randrange(len(headers))
    name, own = headers[at]
    return [*headers, (name.upper(), value(own))]


# What can befall the headers.
HEADERS = {
    "a header that is absent": lambda rng, headers: rng.sample(headers, len(headers) - 1),
    "names in another case": lambda rng, headers: [(name.swapcase(), value) for name, value in headers],
    "blanks around a value": lambda rng, headers: [(name, f" {value}\t") for name, value in headers],
    "a header that is blank": lambda rng, headers: [(headers[0][0], " "), *headers[1:]],
    "a header repeated": lambda rng, headers: _repeated(rng, headers, lambda value: value),
    "a header repeated with another value": lambda rng, headers: _repeated(
        rng, headers, lambda value: value[::-1] + "x"
    ),
    "names with underscores": lambda rng, headers: [(name.replace("-", "_"), value) for name, value in headers],
    "more headers": lambda rng, headers: [("X-Request", "1"), *headers, ("Cookie", "a=b")],
}


def carried(rng, headers, done, share=0.2):
    """The headers as they arrive."""
    if rng.random() > share or not headers:
        return headers
    name = rng.choice(sorted(HEADERS))
    done.add(name)
    return HEADERS[name](rng, headers)
