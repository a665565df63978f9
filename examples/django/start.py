"""Entry point of the image: migrate, seed the demo payment, serve. Needs no shell."""

import os
import sys

import django
from django.core.management import call_command
from gunicorn.app.wsgiapp import run

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    if token := os.environ.get("DEMO_PAYMENT"):
        call_command("new_payment", token=token)
    port = os.environ.get("PORT", "8000")
    sys.argv = ["gunicorn", f"--bind=0.0.0.0:{port}", "--workers=1", "--threads=4",
                "--worker-tmp-dir=/tmp", "--no-control-socket", "shop.wsgi"]
    run()
