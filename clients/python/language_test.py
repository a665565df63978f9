"""payhook_client.py against the built server: see ../languages.py."""

import base64
import hashlib
import json
import os
import queue
import threading
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from payhook.v1 import event_pb2, webhook_service_pb2 as pb
from payhook_client import Payhook, Refused

CASES = json.load(open(os.environ["PAYHOOK_CASES"]))
SOCKET = "unix:" + os.environ["PAYHOOK_SOCKET"]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = ("", "payhook.v1.PaymentWebhookService", "readiness")


def ask(step):
    print(f"@{step}", flush=True)
    return input()


def webhook(case):
    headers = [pb.HttpHeader(name=name, value=value) for name, value in case["headers"]]
    body = base64.b64decode(case["body"])
    return pb.WebhookRequest(
        variant=case["variant"], body=body, headers=headers, method=case["method"], url=case["url"]
    )


def refused(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except Refused as error:
        return error
    raise AssertionError("not refused")


def same(expected, seen, name):
    assert seen == expected, f"{name}: {seen} instead of {expected}"


def seen(error):
    """A refusal in the words of the cases."""
    diagnostics = error.diagnostics
    same("payhook.v1", error.info.domain, "domain")
    told = {"variant": diagnostics.variant, "gateway": diagnostics.gateway,
            "httpStatus": str(error.http_status),
            "cause": pb.MismatchCause.Name(diagnostics.cause).removeprefix("MISMATCH_CAUSE_")}
    told = {name: value for name, value in told.items() if value not in ("", "UNSPECIFIED")}
    same(told, dict(error.info.metadata), "the metadata of ErrorInfo")
    return {
        "code": error.code.value[0],
        "reason": error.reason,
        "http_status": error.http_status,
        "redelivery_may_succeed": diagnostics.redelivery_may_succeed,
        "retry_ms": round(error.retry_seconds * 1000),
        "verified": diagnostics.verified,
        "body_sha256": diagnostics.body_sha256.hex(),
        "key_labels": list(diagnostics.key_labels_tried),
    }


def table(client):
    for case in CASES["table"]:
        if case["expect"] is None:
            client.verify(webhook(case["webhook"]))
        else:
            error = refused(client.verify, webhook(case["webhook"]))
            same(case["expect"], seen(error), case["name"])
    return len(CASES["table"])


def late(client):
    """A call whose message never comes: the method, called as if it took a stream."""
    method = "/payhook.v1.PaymentWebhookService/VerifyAndParse"
    call = client.channel.stream_unary(method, pb.VerifyAndParseRequest.SerializeToString)
    never = queue.Queue()
    try:
        call(iter(never.get, None), timeout=10)
        raise AssertionError("not refused")
    except grpc.RpcError as error:
        same(CASES["late"], seen(Refused(error)), "a message that does not come")
    finally:
        never.put(None)


def genuine(client):
    first = CASES["genuine"][0]
    [event] = client.verify(webhook(first)).events
    same(event_pb2.EVENT_TYPE_CHECKOUT_COMPLETED, event.type, "type")
    same(("EUR", 1990, "19.90"), (event.amount.currency_code, event.amount.minor_units,
                                  event.amount.decimal), "amount")
    same("order-1", event.merchant_reference, "reference")
    oversize = refused(client.verify, webhook(CASES["oversize"]))
    same((grpc.StatusCode.OUT_OF_RANGE, None, 503),
         (oversize.code, oversize.reason, oversize.http_status), "oversize")
    return event


def map_status(client, event):
    first = webhook(CASES["genuine"][0])
    state = pb.PaymentState(status=event_pb2.PAYMENT_STATUS_WAITING, total=event.amount,
                            merchant_reference="order-1")
    answer = client.map_status(pb.MapStatusRequest(webhook=first, current=state))
    same((pb.TRANSITION_ADVICE_APPLY, event_pb2.PAYMENT_STATUS_CONFIRMED, 1990, event.id),
         (answer.advice, answer.status, answer.captured.minor_units, answer.event.id), "apply")
    state.last_event_id = event.id
    answer = client.map_status(pb.MapStatusRequest(event=event, current=state))
    same((pb.TRANSITION_ADVICE_NO_OP, "same-event"), (answer.advice, answer.rule), "repeat")
    forged = pb.MapStatusRequest(webhook=webhook(CASES["forged"]), current=state)
    same("SIGNATURE_MISMATCH", refused(client.map_status, forged).reason, "forged")


class Stream:
    """A VerifyAndParseStream whose items are sent one by one."""

    def __init__(self, client):
        self.items = queue.Queue()
        self.answers = client.stub.VerifyAndParseStream(iter(self.items.get, None))

    def send(self, number, case):
        self.items.put(pb.VerifyAndParseStreamRequest(correlation_id=number, webhook=webhook(case)))
        return next(self.answers)

    def end(self):
        self.items.put(None)
        same([], list(self.answers), "the rest of the stream")


def stream(client):
    streams = [Stream(client)]
    first, second, third = CASES["genuine"]
    for number, case in enumerate((first, CASES["forged"], second, third)):
        answer = streams[0].send(number, case)
        same(number, answer.correlation_id, "correlation")
        if case is not CASES["forged"]:
            same("order-1", answer.success.events[0].merchant_reference, "item")
            continue
        failure = answer.failure
        same((16, "ERROR_REASON_SIGNATURE_MISMATCH", 400, ["spring"]),
             (failure.code, pb.ErrorReason.Name(failure.reason),
              failure.diagnostics.reply.status, list(failure.diagnostics.key_labels_tried)), "item")
    # Streams get half of the calls: one more is shed, a unary call is not.
    while len(streams) < CASES["streams_max"]:
        streams.append(Stream(client))
        streams[-1].send(1, first)
    try:
        Stream(client).send(1, first)
        raise AssertionError("not shed")
    except grpc.RpcError as error:
        shed, trailers = Refused(error), dict(error.trailing_metadata())
    same(("OVERLOADED", 503, 0.2), (shed.reason, shed.http_status, shed.retry_seconds), "shed")
    same("200", trailers["grpc-retry-pushback-ms"], "pushback")
    client.verify(webhook(first))
    for one in streams:
        one.end()


def deadline(client):
    ask("freeze")
    error = refused(client.verify, webhook(CASES["genuine"][0]), timeout=0.3)
    ask("thaw")
    same((grpc.StatusCode.DEADLINE_EXCEEDED, None, 503),
         (error.code, error.reason, error.http_status), "deadline")
    client.verify(webhook(CASES["genuine"][0]))


def token(target):
    owner = Payhook(target, token=CASES["token"])
    same(1, len(owner.verify(webhook(CASES["owned"])).events), "owned")
    listed = [
        {variant.name for variant in client.stub.ListVariants(
            pb.ListVariantsRequest(), timeout=5, metadata=client.metadata).variants}
        for client in (owner, Payhook(target))
    ]
    same({"ours"}, listed[0] - listed[1], "listed to its caller alone")


def authority():
    """With grpcio's own authority over a Unix socket no call is answered."""
    error = refused(Payhook(SOCKET, authority=None).verify, webhook(CASES["genuine"][0]))
    same((grpc.StatusCode.INTERNAL, None, 503), (error.code, error.reason, error.http_status),
         "without an authority")
    Payhook(os.environ["PAYHOOK_TCP"], authority=None).verify(webhook(CASES["genuine"][0]))


def health(admin):
    stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(admin))
    for service in SERVICES:
        # Readiness is told a moment after the start.
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=10)
        while next(watch).status != SERVING:
            pass
        watch.cancel()
        request = health_pb2.HealthCheckRequest(service=service)
        same(SERVING, stub.Check(request, timeout=5).status, service)
    try:
        stub.Check(health_pb2.HealthCheckRequest(service="nobody"), timeout=5)
        raise AssertionError("an unknown service is not found")
    except grpc.RpcError as error:
        same(grpc.StatusCode.NOT_FOUND, error.code(), "unknown service")
    data = health_pb2_grpc.HealthStub(grpc.insecure_channel(os.environ["PAYHOOK_TCP"]))
    same(SERVING, data.Check(health_pb2.HealthCheckRequest(), timeout=5).status, "the data port")
    return stub.Watch(health_pb2.HealthCheckRequest(service=""), timeout=60)


def plain(client):
    """One call that does not wait for a server; its code."""
    request = pb.VerifyAndParseRequest(webhook=webhook(CASES["genuine"][0]))
    try:
        client.stub.VerifyAndParse(request, timeout=5)
        return grpc.StatusCode.OK
    except grpc.RpcError as error:
        return error.code()


def broken(stream_):
    try:
        next(stream_.answers)
    except grpc.RpcError as error:
        return error.code()
    raise AssertionError("the stream did not break")


def restart(client, watch):
    """Drained: what is under way finishes, what is new is told to come back."""
    under_way, stuck = Stream(client), Stream(client)
    under_way.send(1, CASES["genuine"][0])
    stuck.send(1, CASES["genuine"][0])
    same(SERVING, next(watch).status, "watch")
    ask("drain")
    same(NOT_SERVING, next(watch).status, "watch while draining")
    until = time.monotonic() + 5
    while (code := plain(client)) == grpc.StatusCode.OK:
        assert time.monotonic() < until, "still served"
    same(grpc.StatusCode.UNAVAILABLE, code, "while draining")
    same("order-1", under_way.send(2, CASES["genuine"][1]).success.events[0].merchant_reference,
         "an item of a stream under way")
    under_way.end()
    cut = broken(stuck)
    same("exit 0", ask("wait"), "exit")
    same(grpc.StatusCode.UNAVAILABLE, plain(client), "while it is down")
    tcp, admin = ask("start").split()
    # The same channel, made before.
    client.verify(webhook(CASES["genuine"][0]), timeout=20)
    stuck = Stream(client)
    stuck.send(1, CASES["genuine"][0])
    ask("kill")
    killed = broken(stuck)
    ask("start")
    same((grpc.StatusCode.UNAVAILABLE,) * 2, (cut, killed), "cut at the drain's end, killed")


def storm():
    """Callers that repeat what UNAVAILABLE ended lose nothing, however the server goes."""
    client, over, codes, answered = Payhook(SOCKET), threading.Event(), set(), []

    def caller():
        count = 0
        while not over.is_set():
            until = time.monotonic() + 20
            while (code := plain(client)) != grpc.StatusCode.OK:
                codes.add(code)
                assert time.monotonic() < until, "unavailable for too long"
                time.sleep(0.01)
            count += 1
        answered.append(count)

    callers = [threading.Thread(target=caller) for _ in range(6)]
    for one in callers:
        one.start()
    for step in ("kill", "drain") * 3:
        time.sleep(0.2)
        ask(step)
        if step == "drain":
            same("exit 0", ask("wait"), "exit under load")
        ask("start")
        client.verify(webhook(CASES["genuine"][0]), timeout=20)
    over.set()
    for one in callers:
        one.join()
    same(({grpc.StatusCode.UNAVAILABLE}, 6), (codes, len(answered)), "codes of lost calls")
    return sum(answered)


def every_reason():
    """What no case causes is our own bug, INTERNAL, and has no reason."""
    expected = [case["expect"] for case in CASES["table"]] + [CASES["late"]]
    caused = {one["reason"] for one in expected if one} | {"OVERLOADED"}
    names = {name.removeprefix("ERROR_REASON_") for name in pb.ErrorReason.keys()}
    same(names - {"UNSPECIFIED"}, caused, "reasons")


def main():
    every_reason()
    channels = {"tcp": Payhook(os.environ["PAYHOOK_TCP"]), "socket": Payhook(SOCKET)}
    for name, client in channels.items():
        rows = table(client)
        late(client)
        map_status(client, genuine(client))
        stream(client)
        deadline(client)
        print(f"{name}: {rows} rows of the table, MapStatus, stream, shed, deadlines, sizes")
    token(SOCKET)
    authority()
    watch = health(os.environ["PAYHOOK_ADMIN"])
    restart(channels["socket"], watch)
    print(f"authority, health, drain, restart, kill; {storm()} calls over 6 restarts, none lost")


if __name__ == "__main__":
    main()
