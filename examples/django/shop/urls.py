"""The webhook of every variant is /payments/process/VARIANT/."""

from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import include, path

from .models import Payment


def healthz(_request):
    return JsonResponse({"status": "ok"})


def payment(_request, token):
    found = get_object_or_404(Payment, token=token)
    return JsonResponse({"token": found.token, "status": found.status})


urlpatterns = [
    path("healthz", healthz),
    path("payment/<token>/", payment),
    path("payments/", include("payments.urls")),
]
