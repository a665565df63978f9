"""payhook against PayPal's construction made with `cryptography`: chains of every kind, deliveries of
every kind, and both must come to the same verdict.

`cryptography` issues the certificates and signs, its own path validation and PKCS #1 v1.5 judge, and
the running server judges beside them, with its certificates from files. Where the two differ, the
pair must be on one of the lists below.
"""

import base64
import collections
import datetime
import json
import pathlib
import random
import sys
import tempfile
import zlib

import cryptography
import grpc
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from payhook.v1 import webhook_service_pb2 as pb, webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

WEBHOOK_ID = "DIFFERENTIAL0WEBHOOK0ID"
NAME = "messageverificationcerts.paypal.com"
URL = "https://api.paypal.com/v1/notifications/certs/"
ROUNDS = 4000
FLIPS = 400
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)

# payhook is stricter here, on purpose.
STRICTER = {
    "a wildcard": "the certificate of the whole company is not the key that signs webhooks",
    "RSA 1024": "a key of 1024 bits is within reach of an attacker",
    "an odd id": "PayPal's ids are UUIDs; a bar in one would shift the signed text",
    "an odd time": "a time is RFC 3339",
    "more certificates than a chain has": "eight are the bound",
}
# payhook is less strict here, on purpose.
LOOSER = {
    "only a common name": "PayPal's own SDKs read nothing but the common name",
    "an issuer without a key usage": "RFC 5280 asks for the bit where there is the extension",
    "no key identifiers": "names lead to the issuer, its key proves it",
    "basic constraints that are not critical": "they are obeyed all the same",
    "an alternative name that is critical": "it is read, critical or not",
}


def key_of(bits):
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def usage(**bits):
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"]
    names += ["key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    return x509.KeyUsage(**{name: bits.get(name, False) for name in names})


class Issuer:
    """An authority: its certificate and its key."""

    def __init__(self, name, above=None, key=None, **changes):
        self.key = key or key_of(2048)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = certify(self.name, self.key, above or self, authority=True, **changes)

    def pem(self):
        return pem(self.certificate)


def pem(*certificates):
    return b"".join(it.public_bytes(serialization.Encoding.PEM) for it in certificates)


def certify(name, key, issuer, authority, **changes):
    """A certificate; `changes` say how it differs from what it should be."""
    given = changes.get
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(given("issuer_name", issuer.name))
        .public_key(public)
        .serial_number(given("serial", x509.random_serial_number()))
        .not_valid_before(given("not_before", NOW - 30 * DAY))
        .not_valid_after(given("not_after", NOW + 30 * DAY))
    )
    constraints = given("constraints", x509.BasicConstraints(ca=authority, path_length=None))
    extensions = [(constraints, given("constraints_critical", True))]
    if given("identifiers", True):
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        extensions.append((identifier, False))
        extensions.append((x509.SubjectKeyIdentifier.from_public_key(public), False))
    default = usage(key_cert_sign=True) if authority else usage(digital_signature=True)
    extensions.append((given("usage", default), True))
    extensions.append((given("eku", None if authority else server()), False))
    names = given("names", None if authority else [NAME])
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(it) for it in names])
        extensions.append((alternative, given("names_critical", False)))
    extensions += given("extra", [])
    for extension, critical in extensions:
        if extension is not None:
            builder = builder.add_extension(extension, critical)
    return builder.sign(given("signer", issuer.key), given("digest", hashes.SHA256()))


def under_sha1(certificate, key):
    """The certificate under SHA-1, which cryptography refuses to sign with."""
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    signed = certificate.tbs_certificate_bytes.replace(sha256, sha1)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    der = certificate.public_bytes(serialization.Encoding.DER).replace(sha256, sha1)
    return x509.load_der_x509_certificate(der[: -len(signature)] + signature)


def server(*others):
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, *others])


def chains(root, key, other):
    """Chains by name: what the URL serves. All but the named part is as it should be."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    middle = Issuer("Intermediate", root)

    def leaf(issuer=middle, own=key, **changes):
        return certify(subject, own, issuer, authority=False, **changes)

    def under(issuer, **changes):
        return pem(leaf(issuer, **changes)) + issuer.pem()

    def below(**changes):
        return under(Issuer("Intermediate", root, middle.key, **changes))

    good, stranger = leaf(), Issuer("Root")
    deep = Issuer("Deeper", middle)
    flat = Issuer("Flat", root, constraints=x509.BasicConstraints(ca=True, path_length=0))
    too_deep = Issuer("Too deep", flat)
    names = lambda *names: under(middle, names=list(names))  # noqa: E731
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\5\0")
    constrained = lambda **trees: below(  # noqa: E731
        extra=[(x509.NameConstraints(**{"permitted_subtrees": None, "excluded_subtrees": None, **trees}), True)]
    )
    texts = {
        "as it should be": under(middle),
        "through two issuers": pem(leaf(deep), deep.certificate, middle.certificate),
        "issuers in another order": pem(leaf(deep), middle.certificate, deep.certificate),
        "the root is there too": under(middle) + root.pem(),
        "straight from the root": pem(leaf(root)),
        "more certificates": under(middle) + stranger.pem() + pem(leaf(root)),
        "another name beside it": names("www.example.com", NAME),
        "the name in capitals": names(NAME.upper()),
        "other uses too": under(middle, eku=server(ExtendedKeyUsageOID.CLIENT_AUTH)),
        "no use": under(middle, eku=None),
        "another leaf of the same key": under(middle, serial=7),
        "an unknown extension": under(middle, extra=[(unknown, False)]),
        "valid from this second": under(middle, not_before=NOW),
        "the sandbox's name": names(NAME.replace(".paypal", ".sandbox.paypal")),
        # Refused by both.
        "no issuer": pem(good),
        "the issuer first": middle.pem() + pem(good),
        "another issuer": pem(good) + Issuer("Intermediate", root).pem(),
        "a root that nobody trusts": under(stranger),
        "signed by itself": pem(certify(subject, key, Issuer("x"), False, issuer_name=subject, signer=key)),
        "signed by a stranger": under(middle, signer=stranger.key),
        "expired": under(middle, not_after=NOW - DAY),
        "expired long ago": under(middle, not_before=NOW - 900 * DAY, not_after=NOW - 800 * DAY),
        "not yet valid": under(middle, not_before=NOW + DAY),
        "an issuer that has expired": below(not_after=NOW - DAY),
        "an issuer that is not yet valid": below(not_before=NOW + DAY),
        "an issuer that is no authority": below(constraints=x509.BasicConstraints(ca=False, path_length=None)),
        "an issuer that does not say what it is": below(constraints=None),
        "an issuer that may sign lists alone": below(usage=usage(crl_sign=True)),
        "an issuer that may sign all but certificates": below(usage=usage(digital_signature=True)),
        "an issuer for clients": below(eku=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
        "deeper than allowed": pem(leaf(too_deep), too_deep.certificate, flat.certificate),
        "a name that is excluded": constrained(excluded_subtrees=[x509.DNSName("paypal.com")]),
        "a name that is not permitted": constrained(permitted_subtrees=[x509.DNSName("example.com")]),
        "a permitted name": constrained(permitted_subtrees=[x509.DNSName("paypal.com")]),
        "another name": names("www.paypal.com"),
        "the name and more": names(NAME + ".example.com"),
        "more and the name": names("x" + NAME),
        "a part of the name": names(NAME.split(".", 1)[1]),
        "right common name, another alternative name": names("example.com"),
        "an authority": under(middle, constraints=x509.BasicConstraints(ca=True, path_length=None)),
        "a leaf that may sign certificates": under(middle, usage=usage(digital_signature=True, key_cert_sign=True)),
        "for clients": under(middle, eku=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
        "for code": under(middle, eku=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])),
        "an unknown critical extension": under(middle, extra=[(unknown, True)]),
        "SHA-1": pem(under_sha1(good, middle.key), middle.certificate),
        "an issuer under SHA-1": pem(good, under_sha1(middle.certificate, root.key)),
        "RSA 1024": under(middle, own=other["rsa-1024"]),
        "an issuer with RSA 1024": under(Issuer("Small", root, other["rsa-1024"])),
        "an EC key": under(middle, own=other["ec"]),
        "another RSA key": under(middle, own=other["rsa"]),
        "SHA-384": under(middle, digest=hashes.SHA384()),
        "RSA 3072": under(middle, own=other["rsa-3072"]),
        "an EC issuer": under(Issuer("Curve", root, other["ec"])),
        "cut": under(middle)[:-60],
        "an empty block": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "no certificate": b"<html>404</html>",
        "a key": other["rsa"].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
        # On the lists.
        "a wildcard": names("*.paypal.com"),
        "only a common name": under(middle, names=None),
        "an issuer without a key usage": below(usage=None),
        "no key identifiers": under(Issuer("Bare", root, identifiers=False), identifiers=False),
        "basic constraints that are not critical": below(constraints_critical=False),
        "text around the certificate": b"# leaf\n" + pem(good) + b"# issuer\n" + middle.pem(),
        "an alternative name that is critical": under(middle, names_critical=True),
        "more certificates than a chain has": under(middle) + b"".join([stranger.pem()] * 7),
    }
    keys = {"RSA 1024": other["rsa-1024"], "RSA 3072": other["rsa-3072"]}
    return texts, keys


def flipped(rng, text):
    """The chain with one bit of one certificate's DER flipped."""
    certificates = x509.load_pem_x509_certificates(text)
    ders = [bytearray(it.public_bytes(serialization.Encoding.DER)) for it in certificates]
    der = rng.choice(ders)
    at = rng.randrange(len(der) * 8)
    der[at // 8] ^= 1 << (at % 8)
    block = b"-----BEGIN CERTIFICATE-----\n%s-----END CERTIFICATE-----\n"
    return b"".join(block % base64.encodebytes(bytes(der)) for der in ders)


class Theirs:
    """PayPal's construction, with cryptography alone."""

    def __init__(self, root, served):
        store = verification.Store([root.certificate])
        self.builder = verification.PolicyBuilder().store(store).time(NOW)
        self.served, self.chains = served, {}

    def signer(self, url):
        if url not in self.chains:
            self.chains[url] = self.judge(self.served[url])
        return self.chains[url]

    def judge(self, text):
        """The key of a chain that holds."""
        try:
            leaf, *issuers = x509.load_pem_x509_certificates(text)
        except ValueError:
            return None
        for name in (NAME, NAME.replace(".paypal", ".sandbox.paypal")):
            try:
                self.builder.build_server_verifier(x509.DNSName(name)).verify(leaf, issuers)
                return leaf.public_key()
            except (verification.VerificationError, ValueError):
                continue
        return None

    def accepts(self, headers, body):
        given = collections.Counter(name.lower() for name, _ in headers)
        values = {name.lower(): value.strip(" \t") for name, value in headers}
        names = ["transmission-id", "transmission-time", "transmission-sig", "cert-url", "auth-algo"]
        names = ["paypal-" + name for name in names]
        if any(given[name] != 1 or not values[name] for name in names):
            return False
        id, time, signature, url, algorithm = (values[name] for name in names)
        if algorithm != "SHA256withRSA" or url not in self.served:
            return False
        key = self.signer(url)
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        message = f"{id}|{time}|{WEBHOOK_ID}|{zlib.crc32(body)}".encode()
        try:
            signature = base64.b64decode(signature, validate=True)
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return False
        return True


def delivery(rng, number, key, url):
    """The headers and body of a delivery, and what was done to it."""
    done = []
    id, time = f"{number:08x}-{rng.getrandbits(64):016x}", NOW.isoformat().replace("+00:00", "Z")
    body = json.dumps({"id": f"WH-{number}", "event_type": "CUSTOMER.NOTE", "resource": {"n": rng.random()}}).encode()
    webhook_id, scheme, digest = WEBHOOK_ID, padding.PKCS1v15(), hashes.SHA256()
    choice = rng.randrange(40)
    if choice == 0:
        id = rng.choice([id + "|x", id + "_", "x" * 51, id + "\u00e9"])
        done.append("an odd id")
    elif choice == 1:
        time = rng.choice(["yesterday", time[:-1], "1700000000", time + "|"])
        done.append("an odd time")
    elif choice == 2:
        time = rng.choice([time[:-1] + "+00:00", time[:-1] + ".5Z", "2001-01-01T00:00:00Z"])
    elif choice == 3:
        webhook_id = rng.choice(["", WEBHOOK_ID.lower(), WEBHOOK_ID + " ", "WEBHOOK_ID", "OTHER"])
    elif choice == 4:
        scheme = padding.PSS(padding.MGF1(digest), padding.PSS.MAX_LENGTH)
    elif choice == 5:
        digest = rng.choice([hashes.SHA1(), hashes.SHA384(), hashes.SHA512()])
    crc = rng.choice([f"{zlib.crc32(body):08x}", "0", str(zlib.crc32(body) - 2**32)]) if choice == 6 else zlib.crc32(body)
    message = f"{id}|{time}|{webhook_id}|{crc}".encode()
    signature = key.sign(message, scheme, digest)
    if choice == 7:
        signature = rng.choice([signature[:-1], signature + b"\0", b"\0" + signature, b"", bytes(len(signature))])
    elif choice == 8:
        at = rng.randrange(len(signature) * 8)
        signature = bytearray(signature)
        signature[at // 8] ^= 1 << (at % 8)
    elif choice == 9:
        at = rng.randrange(len(body))
        body = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    elif choice == 10:
        body = rng.choice([body + b"\n", body + b" ", b"\xef\xbb\xbf" + body, body.replace(b" ", b"")])
    text = base64.b64encode(bytes(signature)).decode()
    if choice == 11:
        text = rng.choice([text.rstrip("="), text + "=", text.replace("A", "-"), text[:40] + " " + text[40:], " " + text])
    algorithm = rng.choice(["SHA1withRSA", "sha256withrsa", "none", "", "SHA256withRSA "]) if choice == 12 else "SHA256withRSA"
    if choice == 13:
        url = rng.choice([url.replace("https", "http"), url + "?", url.replace("api.", "evil."), url + "/..", url.upper()])
    headers = [
        ("PAYPAL-TRANSMISSION-ID", id),
        ("PAYPAL-TRANSMISSION-TIME", time),
        ("PAYPAL-TRANSMISSION-SIG", text),
        ("PAYPAL-CERT-URL", url),
        ("PAYPAL-AUTH-ALGO", algorithm),
    ]
    if choice == 14:
        headers.pop(rng.randrange(5))
    elif choice == 15:
        at = rng.randrange(5)
        headers[at] = (headers[at][0].lower(), headers[at][1] + " ")
    elif choice == 16:
        at = rng.randrange(5)
        headers[at] = (headers[at][0], headers[at][1] + rng.choice("xA0"))
        done += ["an odd time"] if at == 1 else []
    rng.shuffle(headers)
    return headers, body, done


def post(stub, variant, headers, body):
    """Payhook's verdict; what is verified and cannot be read counts as accepted."""
    fields = [pb.HttpHeader(name=name, value=value) for name, value in headers]
    webhook = pb.WebhookRequest(variant=variant, method="POST", headers=fields, body=body)
    try:
        stub.VerifyAndParse(pb.VerifyAndParseRequest(webhook=webhook), timeout=20)
        return True, ""
    except grpc.RpcError as error:
        reason = dict(error.trailing_metadata()).get("x-payhook-reason", error.code().name)
        return reason == "PAYLOAD_MALFORMED", reason


def variant_of(url):
    """Each chain is a variant's only one: a file that cannot be read stops that variant alone."""
    return url.rsplit("/", 1)[1]


def compare(rng, stub, theirs, key, served, keys, figures, wrong):
    """Every chain with a genuine delivery, then every mix of chains and deliveries."""
    urls, good = list(served), next(iter(served))
    for number in range(len(urls) + ROUNDS):
        plain = number < len(urls)
        url = urls[number] if plain else rng.choice(urls[: len(keys)] + [good] * len(keys))
        signer = keys.get(url, key)
        headers, body, done = delivery(random.Random(3) if plain else rng, number, signer, url)
        kind = served[url][0]
        mine, reason = post(stub, variant_of(url), headers, body)
        other = theirs.accepts(headers, body)
        if mine == other:
            figures["both accept" if mine else f"both refuse: {reason}"] += 1
            continue
        listed = [what for what in [kind, *done] if what in (LOOSER if mine else STRICTER)]
        name = "only payhook accepts" if mine else "only cryptography accepts"
        figures[f"{name}: {' and '.join(listed) or 'NOT LISTED'}"] += 1
        if not listed:
            wrong.append((name, kind, reason, done, headers, body))


def main():
    rng, figures, wrong = random.Random(20261127), collections.Counter(), []
    key = key_of(2048)
    other = {"rsa": key_of(2048), "rsa-1024": key_of(1024), "rsa-3072": key_of(3072)}
    other["ec"] = ec.generate_private_key(ec.SECP256R1())
    root = Issuer("Root")
    texts, own_keys = chains(root, key, other)
    kinds = list(texts.items())
    kinds += [("a flipped bit", flipped(rng, texts["as it should be"])) for _ in range(FLIPS)]
    served = {f"{URL}CERT-{number}": kind for number, kind in enumerate(kinds)}
    keys = {url: own_keys.get(name, key) for url, (name, _) in list(served.items())[: len(texts)]}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "root.pem").write_bytes(root.pem())
        variants = {}
        for url, (_, text) in served.items():
            path = folder / f"{variant_of(url)}.pem"
            path.write_bytes(text)
            options = {
                "trust_anchors": {"file": str(folder / "root.pem")},
                "certificates": {"fixed": {url: {"file": str(path)}}},
            }
            shop = {"gateway": "paypal", "keys": [{"webhook_id": WEBHOOK_ID}], "options": options}
            variants[variant_of(url)] = shop
        theirs = Theirs(root, {url: text for url, (_, text) in served.items()})
        with Sidecar(variants) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
            stub = rpc.PaymentWebhookServiceStub(channel)
            compare(rng, stub, theirs, key, served, keys, figures, wrong)
    for name, count in sorted(figures.items()):
        print(f"{count:6} {name}")
    for name in [*STRICTER, *LOOSER]:
        assert any(name in figure for figure in figures), f"{name} is on a list and never happened"
    assert figures["both accept"] > ROUNDS / 4, "too few genuine inputs to mean anything"
    if wrong:
        print(f"{len(wrong)} divergences that are not on the list:", *wrong[:8], sep="\n")
        sys.exit(1)
    total = sum(figures.values())
    print(f"cryptography {cryptography.__version__}: {len(texts)} chains, {total} deliveries, no divergence off the list")


if __name__ == "__main__":
    main()
