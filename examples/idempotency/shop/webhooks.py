"""The application's side in Django."""

import functools
import os

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from payhook_client import Payhook, Refused

from payhook.v1 import webhook_service_pb2 as pb
from state import advice, after, jobs, name

from .models import AppliedEvent, Job, Payment


@functools.cache
def payhook():
    # Made at the first call, hence after the workers forked.
    return Payhook(os.environ.get("PAYHOOK_TARGET", "127.0.0.1:50051"))


@csrf_exempt
@require_POST
@transaction.non_atomic_requests
def webhook(request, variant):
    try:
        answer = payhook().verify(as_received(request, variant))
        for event in answer.events:
            apply(event)
    except Refused as refused:
        return HttpResponse(status=refused.http_status)
    reply = answer.reply
    return HttpResponse(reply.body, reply.content_type or None, reply.status or 200)


@transaction.atomic
def apply(event):
    """One event, once. Everything here is undone together."""
    # Of two at once, the second waits here until the first has committed or is undone.
    applied, first = AppliedEvent.objects.get_or_create(
        idempotency_key=event.idempotency_key,
        defaults={"token": event.merchant_reference, "event": event.SerializeToString()},
    )
    if not first:
        return
    payment = Payment.objects.select_for_update().filter(token=event.merchant_reference).first()
    if payment is None:
        applied.advice = "UNMATCHED"
        applied.save()
        return
    state = pb.PaymentState.FromString(bytes(payment.state))
    answer = payhook().map_status(pb.MapStatusRequest(event=event, current=state))
    kept = after(state, event, answer)
    payment.status, payment.state = name(kept.status), kept.SerializeToString()
    payment.save()
    for job in jobs(state, event, answer):
        Job.objects.create(name=job, token=payment.token)
    applied.advice = advice(answer)
    applied.save()


def as_received(request, variant):
    headers = [pb.HttpHeader(name=name, value=value) for name, value in request.headers.items()]
    return pb.WebhookRequest(
        variant=variant,
        body=request.body,
        headers=headers,
        method=request.method,
        url=request.build_absolute_uri(),
    )
