"""Payments, the events already applied to them, and what is to be done."""

from django.db import models


class Payment(models.Model):
    token = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=16, default="waiting")
    # A serialized payhook.v1.PaymentState: totals, movements, the last event.
    state = models.BinaryField()


class AppliedEvent(models.Model):
    """One row per event: its unique key is what makes a repeat harmless."""

    idempotency_key = models.CharField(max_length=512, unique=True)
    token = models.CharField(max_length=255)
    advice = models.CharField(max_length=16, default="CLAIMED")
    event = models.BinaryField()
    applied_at = models.DateTimeField(auto_now_add=True)


class Job(models.Model):
    """Written with the event, done by a worker after the commit."""

    name = models.CharField(max_length=16)
    token = models.CharField(max_length=255)
