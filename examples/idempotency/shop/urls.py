"""The webhook of every variant is /payments/process/VARIANT/."""

from django.urls import path

from .webhooks import webhook

urlpatterns = [path("payments/process/<variant>/", webhook)]
