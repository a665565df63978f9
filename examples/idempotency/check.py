"""Runs an example against the built server and a real database.

usage: check.py plain|django sqlite|postgres"""

import contextlib
import functools
import hashlib
import hmac
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

from payhook.v1 import webhook_service_pb2 as pb
from payhook_client import Payhook
from sidecar import Sidecar

from backends import BACKENDS, postgres

SECRET = "whsec_of_the_idempotency_examples"
PAYSTACK = "sk_test_of_the_idempotency_examples"
VARIANTS = {
    "shop": {"gateway": "stripe", "keys": [{"endpoint_secret": SECRET}]},
    # Signs no time: a request that somebody kept is genuine for ever.
    "timeless": {"gateway": "paystack", "keys": [{"signing_secret": PAYSTACK}]},
}


class Hooked(Payhook):
    """The client, with something that happens while a transaction is open."""

    def __init__(self, target):
        super().__init__(target)
        self.inside = lambda: None

    def map_status(self, request, **options):
        answer = super().map_status(request, **options)
        self.inside()
        return answer


def stripe(identity, kind, thing):
    """An event of Stripe, signed now."""
    created = 1790000000 + int(identity)
    event = {"id": f"evt_{identity}", "object": "event", "created": created, "livemode": False,
             "type": kind, "data": {"object": thing}}
    body, at = json.dumps(event).encode(), int(time.time())
    tag = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    header = pb.HttpHeader(name="Stripe-Signature", value=f"t={at},v1={tag}")
    return pb.WebhookRequest(variant="shop", body=body, headers=[header])


ORDER = {"metadata": {"order_id": "order-1"}, "currency": "eur"}


def paid(identity="1"):
    thing = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 1990,
             "amount_received": 1990, **ORDER}
    return stripe(identity, "payment_intent.succeeded", thing)


def charge(identity, refunded):
    thing = {"id": "ch_1", "object": "charge", "status": "succeeded", "amount": 1990,
             "captured": True, "amount_captured": 1990, "amount_refunded": refunded,
             "refunded": refunded == 1990, "payment_intent": "pi_1", **ORDER}
    return stripe(identity, "charge.refunded", thing)


def refund(identity, name, amount, status="succeeded"):
    thing = {"id": name, "object": "refund", "status": status, "amount": amount,
             "charge": "ch_1", "payment_intent": "pi_1", **ORDER}
    kind = "refund.failed" if status == "failed" else "refund.updated"
    return stripe(identity, kind, thing)


def timeless():
    thing = {"id": 1, "status": "success", "reference": "order-1", "amount": 1990,
             "currency": "EUR", "paid_at": "2026-01-01T00:00:00.000Z"}
    body = json.dumps({"event": "charge.success", "data": thing}).encode()
    tag = hmac.new(PAYSTACK.encode(), body, hashlib.sha512).hexdigest()
    header = pb.HttpHeader(name="x-paystack-signature", value=tag)
    return pb.WebhookRequest(variant="timeless", body=body, headers=[header])


def same(expected, seen):
    assert seen == expected, f"{seen} instead of {expected}"


class Shop:
    """One example with one payment, and the server it asks."""

    def __init__(self, kind, target, address):
        self.backend = BACKENDS[kind](target)
        self.backend.payhook = Hooked(address)
        self.deliver = self.backend.deliver

    def expect(self, status, jobs, advice):
        seen_status, state, seen_jobs, seen_advice = self.backend.seen()
        same((status, jobs, sorted(advice)), (seen_status, seen_jobs, seen_advice))
        return state


def a_repeat_changes_nothing(shop):
    for _ in range(3):
        same(200, shop.deliver(paid()))
        shop.expect("confirmed", ["ship"], ["APPLY"])


def a_refusal_leaves_nothing(shop):
    forged = paid()
    forged.body += b" "
    same(400, shop.deliver(forged))
    forged.variant = "nobody"
    same(404, shop.deliver(forged))
    shop.expect("waiting", [], [])


def two_at_once_have_one_effect(shop, crash=False):
    """The second comes while the first has its transaction open."""
    first_is_inside, go_on = threading.Event(), threading.Event()
    answers = []

    def inside():
        shop.backend.payhook.inside = lambda: None
        first_is_inside.set()
        assert go_on.wait(20)
        if crash:
            raise MemoryError("made up")

    def deliver():
        try:
            answers.append(shop.deliver(paid()))
        except MemoryError:
            answers.append("crashed")

    shop.backend.payhook.inside = inside
    threads = [threading.Thread(target=deliver) for _ in range(2)]
    threads[0].start()
    assert first_is_inside.wait(20)
    threads[1].start()
    # The second cannot be done before the first is: its answer would be a lie.
    threads[1].join(0.5)
    same([], answers)
    go_on.set()
    for thread in threads:
        thread.join(30)
    same({"crashed", 200} if crash else {200}, set(answers))
    same(2, len(answers))
    shop.expect("confirmed", ["ship"], ["APPLY"])


def a_first_that_fails_leaves_it_to_the_second(shop):
    two_at_once_have_one_effect(shop, crash=True)


def many_at_once_have_their_effects_once(shop):
    """Six deliveries of each of four events."""
    events = [paid(), refund("2", "re_1", 500), refund("3", "re_2", 200), charge("4", 700)]
    same(200, shop.deliver(events[0]))
    start, answers = threading.Barrier(len(events) * 6), []

    def deliver(event):
        start.wait(20)
        answers.append(shop.deliver(event))

    threads = [threading.Thread(target=deliver, args=(event,)) for event in events * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    same([200] * len(threads), answers)
    status, state, jobs, advice = shop.backend.seen()
    same(("confirmed", ["ship"], 4), (status, jobs, len(advice)))
    same((700, {"re_1": 500, "re_2": 200}), (state.refunded.minor_units, ledger(state)))


def ledger(state):
    return {movement.gateway_id: movement.amount.minor_units for movement in state.movements}


def movements_are_stored_with_a_no_op(shop):
    """The total was told before the refund was: only its id is news, and it is needed."""
    for event in (paid(), charge("2", 700), refund("3", "re_1", 700)):
        same(200, shop.deliver(event))
    state = shop.expect("confirmed", ["ship"], ["APPLY", "APPLY", "NO_OP"])
    same((700, {"re_1": 700}), (state.refunded.minor_units, ledger(state)))
    same(200, shop.deliver(refund("4", "re_1", 700, "failed")))
    state = shop.expect("confirmed", ["ship"], ["APPLY", "APPLY", "APPLY", "NO_OP"])
    same((0, {}), (state.refunded.minor_units, ledger(state)))


def a_conflict_is_kept_for_a_person(shop):
    other = json.loads(paid().body)["data"]["object"]
    other["currency"] = "usd"
    for _ in range(2):
        same(200, shop.deliver(stripe("9", "payment_intent.succeeded", other)))
        shop.expect("waiting", ["review"], ["CONFLICT"])


def nothing_is_kept_where_payhook_is_gone(shop):
    """Verified, and then nobody says what it means: the gateway comes again."""
    payhook = shop.backend.payhook
    verified = payhook.verify(paid())
    payhook.verify = lambda webhook: verified
    shop.server.process.send_signal(signal.SIGTERM)
    shop.server.process.wait(20)
    payhook.map_status = functools.partial(payhook.map_status, timeout=0.3)
    same(503, shop.deliver(paid()))
    shop.expect("waiting", [], [])


def a_replay_after_days_has_no_effect(shop):
    """The server has been restarted since and remembers nothing; the unique index does."""
    for event in (paid(), timeless()):
        same(200, shop.deliver(event))
    before = shop.backend.seen()
    with Sidecar(VARIANTS) as server:
        shop.backend.payhook = Hooked(server.address)
        for event in (paid(), timeless()):
            answer = shop.backend.payhook.verify(event)
            same(pb.DELIVERY_STATE_FIRST_SEEN, answer.delivery.state)
            same(200, shop.deliver(event))
    same(before, shop.backend.seen())
    same(["ship"], before[2])


def a_crash_before_the_commit_leaves_nothing(shop):
    """A process that ends between the effect and the commit, as `kill -9` would end it."""
    died = subprocess.run([sys.executable, __file__, *shop.again, "die"], check=False)
    same(9, died.returncode)
    shop.expect("waiting", [], [])
    same(200, shop.deliver(paid()))
    shop.expect("confirmed", ["ship"], ["APPLY"])


def die(shop):
    shop.backend.die_at_commit()
    shop.deliver(paid())
    raise SystemExit("it did not die")


CHECKS = [
    a_repeat_changes_nothing,
    a_refusal_leaves_nothing,
    two_at_once_have_one_effect,
    a_first_that_fails_leaves_it_to_the_second,
    many_at_once_have_their_effects_once,
    movements_are_stored_with_a_no_op,
    a_conflict_is_kept_for_a_person,
    a_replay_after_days_has_no_effect,
    a_crash_before_the_commit_leaves_nothing,
    nothing_is_kept_where_payhook_is_gone,
]


@contextlib.contextmanager
def database(name):
    with tempfile.TemporaryDirectory(prefix="payhook-") as folder:
        if name == "sqlite":
            yield str(pathlib.Path(folder) / "shop.sqlite3")
        else:
            with postgres(folder) as address:
                yield address


def main():
    kind, name, *more = sys.argv[1:]
    if more:
        address, _ = more
        return die(Shop(kind, name, address))
    with database(name) as target:
        for check in CHECKS:
            with Sidecar(VARIANTS) as server:
                shop = Shop(kind, target, server.address)
                shop.again, shop.server = (kind, target, server.address), server
                shop.backend.reset()
                check(shop)
            print(f"{kind} {name}: {check.__name__.replace('_', ' ')}", flush=True)


if __name__ == "__main__":
    main()
