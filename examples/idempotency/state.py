"""What to store after MapStatus answered: docs/transitions.md as code."""

from payhook.v1 import event_pb2
from payhook.v1 import webhook_service_pb2 as pb

CONFIRMED = event_pb2.PAYMENT_STATUS_CONFIRMED
APPLY = pb.TRANSITION_ADVICE_APPLY
NO_OP = pb.TRANSITION_ADVICE_NO_OP
STALE = pb.TRANSITION_ADVICE_STALE


def after(state, event, answer):
    """The PaymentState to store; unchanged where nothing is to be stored."""
    kept = pb.PaymentState()
    kept.CopyFrom(state)
    if answer.advice not in (APPLY, NO_OP):
        return kept
    # Also where nothing else changes: a refund is remembered by its id, so that its reversal
    # takes back what was counted, and nothing else.
    del kept.movements[:]
    kept.movements.extend(answer.movements)
    if answer.advice == NO_OP:
        return kept
    kept.status = answer.status
    for total in ("captured", "refunded"):
        kept.ClearField(total)
        if answer.HasField(total):
            getattr(kept, total).CopyFrom(getattr(answer, total))
    kept.last_event_id = event.id
    # One that is not set compares as the epoch.
    if event.occurred_at.ToNanoseconds() > kept.last_event_at.ToNanoseconds():
        kept.last_event_at.CopyFrom(event.occurred_at)
    return kept


def jobs(state, event, answer):
    """What is to be done because of it."""
    if answer.advice == APPLY:
        became_paid = answer.status == CONFIRMED and state.status != CONFIRMED
        return ["ship"] if became_paid else []
    # An advice that this version does not know is a conflict.
    return [] if answer.advice in (NO_OP, STALE) else ["review"]


def name(status):
    """`confirmed`, as django-payments writes it."""
    return event_pb2.PaymentStatus.Name(status).removeprefix("PAYMENT_STATUS_").lower()


def advice(answer):
    """`APPLY`, or the number of an advice that this version does not know."""
    known = pb.TransitionAdvice.DESCRIPTOR.values_by_number.get(answer.advice)
    return known.name.removeprefix("TRANSITION_ADVICE_") if known else str(answer.advice)
