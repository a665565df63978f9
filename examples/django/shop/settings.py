"""Settings of the demo shop: everything that varies comes from the environment."""

import os
import secrets

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop", "payments"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", "/tmp/shop.sqlite3"),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

PAYMENT_HOST = os.environ.get("PAYMENT_HOST", "localhost:8000")
PAYMENT_MODEL = "shop.Payment"
# The names are payhook's variants; no secret is needed on this side.
PAYMENT_VARIANTS = {
    name: ("shop.provider.PayhookProvider", {"variant": name})
    for name in os.environ.get("PAYHOOK_VARIANTS", "stripe").split(",")
}
