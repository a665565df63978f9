"""A Python client over TCP: verification, refusals with their reasons, reflection, and the
README's own client, as it stands there."""

import hashlib
import hmac
import pathlib
import re
import time

import grpc
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from payhook.v1 import event_pb2, webhook_service_pb2 as pb, webhook_service_pb2_grpc as rpc
from sidecar import Sidecar

SECRET = "whsec_smoke_test_of_the_python_client"
BODY = (
    b'{"id":"evt_1","object":"event","created":1790000000,"livemode":false,'
    b'"type":"checkout.session.completed","data":{"object":{"id":"cs_1",'
    b'"object":"checkout.session","mode":"payment","payment_status":"paid",'
    b'"amount_total":1990,"currency":"eur","client_reference_id":"order-1"}}}'
)


def headers(body, secret=SECRET, at=None):
    at = int(time.time()) if at is None else at
    tag = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return [pb.HttpHeader(name="Stripe-Signature", value=f"t={at},v1={tag}")]


def request(body, **fields):
    webhook = {"variant": "shop", "headers": headers(BODY), **fields}
    return pb.VerifyAndParseRequest(webhook=pb.WebhookRequest(body=body, **webhook))


def refused(stub, message, code, reason):
    try:
        stub.VerifyAndParse(message, timeout=5)
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        trailers = dict(error.trailing_metadata())
        assert trailers["x-payhook-reason"] == reason, trailers
        info = error_details_pb2.ErrorInfo()
        details = rpc_status.from_call(error).details
        assert any(any_.Unpack(info) for any_ in details), "ErrorInfo"
        assert (info.reason, info.domain) == (reason, "payhook.v1"), info
        return
    raise AssertionError(f"{reason}: not refused")


def readme(address):
    """The function `verify` of the README, with this server's address."""
    text = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert block.count("127.0.0.1:50051") == 1, block
    names = {}
    exec(compile(block.replace("127.0.0.1:50051", address), "README.md", "exec"), names)
    return names["verify"]


def readme_answers(verify, variant, body):
    """What the README's client would answer the gateway; 200 with the events."""
    signed = [(header.name, header.value) for header in headers(BODY)]
    try:
        return 200, verify(variant, body, signed)
    except SystemExit as answer:
        return answer.code, []


def main():
    variants = {"shop": {"gateway": "stripe", "keys": [{"endpoint_secret": SECRET}]}}
    with Sidecar(variants) as sidecar, grpc.insecure_channel(sidecar.address) as channel:
        stub = rpc.PaymentWebhookServiceStub(channel)
        answer = stub.VerifyAndParse(request(BODY), timeout=5)
        [event] = answer.events
        assert event.type == event_pb2.EVENT_TYPE_CHECKOUT_COMPLETED, event
        assert event.status == event_pb2.PAYMENT_STATUS_CONFIRMED, event
        assert event.merchant_reference == "order-1", event
        assert (event.amount.minor_units, event.amount.decimal) == (1990, "19.90"), event
        unauthenticated = grpc.StatusCode.UNAUTHENTICATED
        refused(stub, request(BODY + b" "), unauthenticated, "SIGNATURE_MISMATCH")
        refused(stub, request(BODY, headers=[]), unauthenticated, "SIGNATURE_MISSING")
        stale = headers(BODY, at=int(time.time()) - 1000)
        refused(stub, request(BODY, headers=stale), unauthenticated, "TIMESTAMP_TOO_OLD")
        refused(stub, request(BODY, variant="nobody"), grpc.StatusCode.NOT_FOUND, "VARIANT_UNKNOWN")
        verify = readme(sidecar.address)
        status, [event] = readme_answers(verify, "shop", BODY)
        assert (status, event.id) == (200, "evt_1"), (status, event)
        assert readme_answers(verify, "shop", BODY + b" ") == (400, [])
        assert readme_answers(verify, "nobody", BODY) == (404, [])
        services = ProtoReflectionDescriptorDatabase(channel).get_services()
        assert "payhook.v1.PaymentWebhookService" in services, services
        assert "grpc.health.v1.Health" in services, services
    # Nobody listens there any more: no trailer, and the answer that asks for a redelivery.
    assert readme_answers(verify, "shop", BODY) == (503, [])
    print("python client: verified, 4 refusals with their reasons, reflection lists the service;")
    print("README client: 200, 400, 404, and 503 once the server is gone")


if __name__ == "__main__":
    main()
