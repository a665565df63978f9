"""Settings of the example. SHOP_DATABASE is a file, or a folder with PostgreSQL's socket."""

import os
import pathlib
import secrets

SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

_place = os.environ.get("SHOP_DATABASE", "shop.sqlite3")
if pathlib.Path(_place).is_dir():
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _place,
            "NAME": "postgres",
            "USER": "postgres",
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _place,
            # Two transactions that read first and write later cannot both go on in SQLite:
            # with this the second waits at its start.
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 30},
        }
    }
