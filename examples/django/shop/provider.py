"""A django-payments provider that leaves the signature to payhook."""

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from payhook.v1 import event_pb2, money_pb2, webhook_service_pb2
from payments import PaymentError
from payments.core import BasicProvider

from . import sidecar
from .models import AppliedEvent

APPLY = webhook_service_pb2.TRANSITION_ADVICE_APPLY
NO_OP = webhook_service_pb2.TRANSITION_ADVICE_NO_OP
CONFLICT = webhook_service_pb2.TRANSITION_ADVICE_CONFLICT


class PayhookProvider(BasicProvider):
    """django-payments calls both methods for one webhook; payhook is asked once."""

    def __init__(self, variant, **kwargs):
        super().__init__(**kwargs)
        self.variant = variant

    def get_token_from_request(self, payment, request):
        answer = self._verified(request)
        return next((e.merchant_reference for e in answer.events if e.merchant_reference), None)

    def process_data(self, payment, request):
        answer = self._verified(request)
        advice = [self._apply(payment, event) for event in answer.events]
        if CONFLICT in advice:
            # Contradicts what is stored: keep the state and let a person look.
            return JsonResponse({"status": payment.status, "conflict": True})
        if answer.reply.body:
            return HttpResponse(answer.reply.body, content_type=answer.reply.content_type)
        return JsonResponse({"status": payment.status})

    def _verified(self, request):
        if not hasattr(request, "payhook"):
            try:
                request.payhook = sidecar.verify(self.variant, request)
            except sidecar.Refused as refused:
                raise PaymentError(refused.reason, code=refused.http_status) from refused
        return request.payhook

    def _apply(self, payment, event):
        if event.merchant_reference != payment.token:
            return None
        try:
            with transaction.atomic():
                AppliedEvent.objects.create(
                    idempotency_key=event.idempotency_key, payment=payment
                )
        except IntegrityError:
            return None
        # Two events of one payment: the second waits here, and sees what the first stored.
        # django-payments holds the transaction.
        type(payment).objects.select_for_update().get(pk=payment.pk)
        payment.refresh_from_db()
        try:
            result = sidecar.advise(event, state_of(payment))
        except sidecar.Refused as refused:
            raise PaymentError(refused.reason, code=refused.http_status) from refused
        if result.advice in (APPLY, NO_OP):
            payment.payhook_state = state_after(payment, event, result).SerializeToString()
            payment.save()
        if result.advice == APPLY:
            name = event_pb2.PaymentStatus.Name(result.status)
            if result.HasField("captured"):
                payment.captured_amount = Decimal(result.captured.decimal)
            payment.save()
            payment.change_status(name.removeprefix("PAYMENT_STATUS_").lower())
        return result.advice


def state_of(payment):
    """The shop's view of a payment, as MapStatus wants it."""
    state = webhook_service_pb2.PaymentState.FromString(bytes(payment.payhook_state))
    state.status = event_pb2.PaymentStatus.Value(f"PAYMENT_STATUS_{payment.status.upper()}")
    state.merchant_reference = payment.token
    # This shop sells in currencies with two decimals only.
    state.total.CopyFrom(
        money_pb2.Money(
            currency_code=payment.currency,
            minor_units=int(payment.total.scaleb(2)),
            exponent=2,
            decimal=f"{payment.total:.2f}",
        )
    )
    return state


def state_after(payment, event, result):
    """What to keep once `result` was applied; movements also where nothing else changes."""
    state = state_of(payment)
    del state.movements[:]
    state.movements.extend(result.movements)
    if result.advice == NO_OP:
        return state
    for field in ("captured", "refunded"):
        state.ClearField(field)
        if result.HasField(field):
            getattr(state, field).CopyFrom(getattr(result, field))
    last = state.last_event_at.ToNanoseconds() if state.HasField("last_event_at") else 0
    if event.occurred_at.ToNanoseconds() >= last:
        state.last_event_at.CopyFrom(event.occurred_at)
    state.last_event_id = event.id
    return state
