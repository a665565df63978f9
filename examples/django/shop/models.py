"""Payments, and the events already applied to them."""

from django.db import models
from payments.models import BasePayment


class Payment(BasePayment):
    """A payment, with what MapStatus wants back at the next event."""

    # A serialized payhook.v1.PaymentState: totals, movements, the last event.
    payhook_state = models.BinaryField(default=bytes)

    def get_failure_url(self):
        return "/failed/"

    def get_success_url(self):
        return "/paid/"


class AppliedEvent(models.Model):
    """One row per event: its unique key is what makes a redelivery harmless."""

    idempotency_key = models.CharField(max_length=512, unique=True)
    payment = models.ForeignKey(Payment, on_delete=models.CASCADE)
