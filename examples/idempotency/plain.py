"""The application's side in plain SQL, on PostgreSQL or SQLite."""

import contextlib
import sqlite3

import psycopg
from payhook_client import Refused

from payhook.v1 import webhook_service_pb2 as pb
from state import advice, after, jobs, name

CLAIM = """
insert into applied_event (idempotency_key, token, advice, event) values (%s, %s, 'CLAIMED', %s)
on conflict (idempotency_key) do nothing
"""
# SQLite locks the whole database at `begin immediate`, and has no `for update`.
LOCK = "select state from payment where token = %s for update"
STORE = "update payment set status = %s, state = %s where token = %s"
SETTLE = "update applied_event set advice = %s where idempotency_key = %s"
ENQUEUE = "insert into outbox (job, token) values (%s, %s)"


class Database:
    """One connection, and transactions that are all or nothing."""

    def __init__(self, target):
        self.is_sqlite = not target.startswith("postgresql:")
        if self.is_sqlite:
            self.connection = sqlite3.connect(target, timeout=30, isolation_level=None)
        else:
            self.connection = psycopg.connect(target, autocommit=True)

    def execute(self, statement, *values):
        if self.is_sqlite:
            statement = statement.replace("%s", "?").replace(" for update", "")
        return self.connection.execute(statement, values)

    @contextlib.contextmanager
    def transaction(self):
        self.execute("begin immediate" if self.is_sqlite else "begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")


def handle(database, payhook, webhook):
    """Answers one webhook: HTTP status and body."""
    try:
        answer = payhook.verify(webhook)
        for event in answer.events:
            with database.transaction():
                apply(database, payhook, event)
    except Refused as refused:
        return refused.http_status, b""
    return answer.reply.status or 200, answer.reply.body


def apply(database, payhook, event):
    """One event, once. Everything here is undone together."""
    key, token = event.idempotency_key, event.merchant_reference
    # Of two at once, the second waits here until the first has committed or is undone.
    claimed = database.execute(CLAIM, key, token, event.SerializeToString())
    if claimed.rowcount == 0:
        return
    payment = database.execute(LOCK, token).fetchone()
    if payment is None:
        database.execute(SETTLE, "UNMATCHED", key)
        return
    state = pb.PaymentState.FromString(payment[0])
    answer = payhook.map_status(pb.MapStatusRequest(event=event, current=state))
    kept = after(state, event, answer)
    database.execute(STORE, name(kept.status), kept.SerializeToString(), token)
    for job in jobs(state, event, answer):
        database.execute(ENQUEUE, job, token)
    database.execute(SETTLE, advice(answer), key)
