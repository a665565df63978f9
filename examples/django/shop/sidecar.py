"""The client side of payhook: one channel, one deadline, failures that stay failures."""

import functools
import os

import grpc
from payhook.v1 import webhook_service_pb2 as pb
from payhook.v1 import webhook_service_pb2_grpc as rpc

DEADLINE_SECONDS = 1.0


class Refused(Exception):
    """The webhook is not to be acted on; `http_status` is the answer to the gateway."""

    def __init__(self, reason, http_status):
        super().__init__(reason)
        self.reason = reason
        self.http_status = http_status


@functools.cache
def stub():
    # Made at the first call, hence after gunicorn's fork. Over a unix socket
    # gRPC sends the path as :authority unless told otherwise, and HTTP/2
    # servers refuse that.
    target = os.environ.get("PAYHOOK_TARGET", "127.0.0.1:50051")
    authority = os.environ.get("PAYHOOK_AUTHORITY", "localhost")
    options = [("grpc.default_authority", authority)]
    return rpc.PaymentWebhookServiceStub(grpc.insecure_channel(target, options))


def call(method, request):
    try:
        return getattr(stub(), method)(request, timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        # No trailer means that payhook did not answer: 503, so that the
        # gateway delivers again. Never treat it as verified.
        reason = trailers.get("x-payhook-reason", error.code().name)
        raise Refused(reason, int(trailers.get("x-payhook-http-status", 503))) from error


def verify(variant, request):
    """Verifies a Django request and returns VerifyAndParseResponse."""
    webhook = pb.WebhookRequest(
        variant=variant,
        body=request.body,
        headers=[pb.HttpHeader(name=n, value=v) for n, v in request.headers.items()],
        method=request.method,
        url=request.build_absolute_uri(),
    )
    return call("VerifyAndParse", pb.VerifyAndParseRequest(webhook=webhook))


def advise(event, state):
    """Asks what `event` does to a payment in `state`."""
    return call("MapStatus", pb.MapStatusRequest(event=event, current=state))
