"""What the differential tests share: a webhook, payhook's verdict on it, an SDK's, and the written
list of what may differ."""

import base64
import collections
import dataclasses
import json
import os
import subprocess

import grpc

from payhook.v1 import webhook_service_pb2 as pb

URL = "https://shop.example/payments/process/shop/"
# Divergences shown of each SDK.
SHOWN = 5


@dataclasses.dataclass
class Webhook:
    """A request as the application received it, and what was done to it on the way there."""

    body: bytes
    headers: list
    url: str = URL
    method: str = "POST"
    done: set = dataclasses.field(default_factory=set)

    def handed_over(self):
        """The headers as a web framework hands them to an SDK: names in lower case, blanks at the
        ends of values dropped, repeats joined."""
        joined = {}
        for name, value in self.headers:
            joined.setdefault(name.lower(), []).append(value.strip(" \t"))
        return {name: ", ".join(values) for name, values in joined.items()}

    def header(self, name):
        """The one value that an SDK is given; empty where the header is absent."""
        return self.handed_over().get(name.lower(), "")

    def values(self, name):
        """Every value of a header that may repeat."""
        return [value for own, value in self.headers if own.lower() == name.lower()]

    def text(self):
        """The body as text; SDKs that take a text are never reached with other bytes."""
        return self.body.decode("utf-8")


def ours(stub, webhook, variant="shop"):
    """payhook's response, or the reason of its refusal."""
    headers = [pb.HttpHeader(name=name, value=value) for name, value in webhook.headers]
    message = pb.WebhookRequest(
        variant=variant,
        method=webhook.method,
        url=webhook.url,
        headers=headers,
        body=webhook.body,
    )
    try:
        return stub.VerifyAndParse(pb.VerifyAndParseRequest(webhook=message), timeout=5), None
    except grpc.RpcError as error:
        return None, dict(error.trailing_metadata()).get("x-payhook-reason", error.code().name)


def accepts(judge, *arguments):
    """What an SDK read, or None where it refuses. SDKs refuse by a false value or by one of many
    exceptions; the count of what both accept shows that none of them hides a mistake here."""
    try:
        return judge(*arguments) or None
    except Exception:  # every SDK has its own, and most have several
        return None


class Node:
    """The SDKs from npm, in one process that answers line by line."""

    def __enter__(self):
        self.process = subprocess.Popen(
            ["node", os.environ["PAYHOOK_JUDGE"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(timeout=20) == 0, "the process of the npm SDKs failed"

    def judge(self, sdk, **settings):
        """An SDK as a function of a webhook."""

        def ask(webhook):
            question = {
                "sdk": sdk,
                "settings": settings,
                "body": base64.b64encode(webhook.body).decode(),
                "headers": webhook.handed_over(),
                "values": webhook.headers,
                "url": webhook.url,
            }
            try:
                self.process.stdin.write(json.dumps(question) + "\n")
                return json.loads(self.process.stdout.readline())
            except (OSError, ValueError):
                # Never taken for a refusal.
                raise SystemExit("the process of the npm SDKs failed") from None

        return ask


@dataclasses.dataclass(frozen=True)
class Divergence:
    """What an SDK and payhook may judge differently, and why."""

    # The SDKs that differ, by name.
    sdks: tuple
    # What was done to the webhook: one of these.
    done: tuple
    # payhook's verdict: the reason of its refusal, or "verified"; one of these.
    ours: tuple
    # Why payhook is right, with the source.
    why: str


class Ledger:
    """Both verdicts on every webhook, and what is not on the list."""

    def __init__(self, sdk, divergences):
        self.sdk, self.inputs = sdk, 0
        self.listed = [entry for entry in divergences if sdk in entry.sdks]
        self.used, self.wrong = collections.Counter(), []
        self.figures = collections.Counter()

    def compare(self, webhook, response, reason, theirs):
        self.inputs += 1
        if (response is None) == (theirs is None):
            self.figures["both refuse" if response is None else "both accept"] += 1
            if response is not None and isinstance(theirs, dict):
                self.read_alike(webhook, response, theirs)
            return
        verdict = reason or "verified"
        for entry in self.listed:
            if verdict in entry.ours and webhook.done.intersection(entry.done):
                self.used[entry] += 1
                who = "the SDK" if response is None else "payhook"
                self.figures[f"only {who} accepts"] += 1
                return
        self.wrong.append((verdict, sorted(webhook.done), webhook.headers, webhook.body[:200]))

    def read_alike(self, webhook, response, theirs):
        """Where both accept, both read the same events."""
        read = {
            "ids": [event.id for event in response.events],
            "types": [event.gateway_type for event in response.events],
        }
        for name, values in theirs.items():
            if name in read and values != read[name]:
                self.wrong.append((f"another {name}", values, read[name], webhook.body[:200]))

    def close(self, gateway, fewest):
        """Prints the figures and returns what is wrong."""
        shown = ", ".join(f"{count} {name}" for name, count in sorted(self.figures.items()))
        print(f"{gateway:18} {self.sdk:30} {self.inputs:5} inputs: {shown}")
        problems = [f"{self.sdk}: not on the list: {row}" for row in self.wrong[:SHOWN]]
        if self.figures["both accept"] < fewest:
            problems.append(f"{self.sdk}: too few genuine inputs to mean anything")
        unused = [entry for entry in self.listed if not self.used[entry]]
        problems += [f"{self.sdk}: never happened: {' or '.join(entry.ours)}, {entry.why}" for entry in unused]
        return problems
