"""A client of payhook: one channel, a deadline, and failures that stay failures."""

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from payhook.v1 import webhook_service_pb2 as pb
from payhook.v1 import webhook_service_pb2_grpc as rpc

DEADLINE_SECONDS = 5


class Refused(Exception):
    """Not verified, or nobody answered. `http_status` is the answer to the gateway."""

    def __init__(self, error):
        super().__init__(error.details())
        self.code = error.code()
        info, diagnostics = error_details_pb2.ErrorInfo(), pb.ErrorDiagnostics()
        retry = error_details_pb2.RetryInfo()
        status = rpc_status.from_call(error)
        for detail in status.details if status else ():
            for message in (info, diagnostics, retry):
                detail.Unpack(message)
        # Without a reason it was not payhook that answered, and nothing is known about the
        # webhook: 503, so that the gateway delivers it again.
        self.reason = info.reason or None
        self.info = info
        self.http_status = diagnostics.reply.status or 503
        self.retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()
        self.diagnostics = diagnostics


class Payhook:
    """Make one for a process, after its workers forked."""

    def __init__(self, target="127.0.0.1:50051", authority="localhost", token=None):
        # Over a Unix socket grpcio sends the socket's path as :authority unless told otherwise,
        # and payhook refuses that: it is no host name.
        options = [("grpc.default_authority", authority)] if authority else []
        self.channel = grpc.insecure_channel(target, options)
        self.stub = rpc.PaymentWebhookServiceStub(self.channel)
        self.metadata = [("authorization", f"Bearer {token}")] if token else None

    def verify(self, webhook, timeout=DEADLINE_SECONDS):
        """Returns a VerifyAndParseResponse."""
        return self._call(self.stub.VerifyAndParse, pb.VerifyAndParseRequest(webhook=webhook), timeout)

    def map_status(self, request, timeout=DEADLINE_SECONDS):
        """Returns a MapStatusResponse."""
        return self._call(self.stub.MapStatus, request, timeout)

    def _call(self, method, request, timeout):
        # Waits for a server that restarts, for as long as the deadline allows.
        try:
            return method(request, timeout=timeout, wait_for_ready=True, metadata=self.metadata)
        except grpc.RpcError as error:
            raise Refused(error) from error
