"""Makes a payment that waits, as a checkout page would."""

from django.core.management.base import BaseCommand

from shop.models import Payment


class Command(BaseCommand):
    help = "make a waiting payment; prints its token"

    def add_arguments(self, parser):
        parser.add_argument("--token", default="")
        parser.add_argument("--variant", default="stripe")
        parser.add_argument("--total", default="19.90")
        parser.add_argument("--currency", default="EUR")

    def handle(self, *args, **options):
        fields = {k: options[k] for k in ("token", "variant", "total", "currency")}
        payment, _ = Payment.objects.get_or_create(token=fields.pop("token"), defaults=fields)
        self.stdout.write(payment.token)
