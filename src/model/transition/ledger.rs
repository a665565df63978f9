//! Refunds and lost disputes: each counts once, by its gateway id.

use super::{
    Advice, Discrepancy, Facts, Movement, PaymentState, Transition,
    rules::{Answer, Order, answer, exceeds, larger_of, order, units},
};
use crate::model::{Money, PaymentStatus};

/// Money went back: how much in all, and is that everything?
pub(super) fn counts(state: &PaymentState, facts: &Facts) -> Transition {
    let conflict = |rule| answer(state, facts, rule).differing(Discrepancy::Totals);
    let whole = facts.status == Some(PaymentStatus::Refunded);
    let own = facts.gateway_id.as_deref().zip(facts.amount);
    if own.is_none() && facts.refunded.is_none() && !whole {
        return conflict(EXTENT_UNKNOWN);
    }
    let movements = with(&state.movements, own);
    if movements.len() > MOVEMENTS_MAX {
        return conflict(UNCOUNTABLE);
    }
    let Ok(sum) = sum(&movements) else { return conflict(TOO_MUCH) };
    let (stored, limit) = (counted(state, facts), limit(state, facts));
    let told = larger_of(larger_of(stored, facts.refunded), sum);
    if limit.is_some() && exceeds(told, limit) {
        return conflict(TOO_MUCH);
    }
    let refunded = if whole { in_full(state, facts, told) } else { told };
    let captured = larger_of(state.captured, facts.captured);
    let short = exceeds(limit, refunded);
    let already = state.status == Some(PaymentStatus::Refunded);
    let complete = whole || (limit.is_some() && !short);
    let applied = |rule, status| Transition {
        status,
        captured,
        refunded,
        movements: movements.clone(),
        ..answer(state, facts, rule)
    };
    if complete && !already {
        let done = applied(IN_FULL, Some(PaymentStatus::Refunded));
        // The payload says that this was all, our totals say that it was not.
        return if short { done.differing(Discrepancy::Amount) } else { done };
    }
    if !already && state.status != Some(PaymentStatus::Confirmed) {
        return conflict(BEFORE_MONEY);
    }
    if exceeds(refunded, stored) || exceeds(captured, state.captured) {
        return applied(GREW, state.status);
    }
    Transition { captured: state.captured, ..applied(SAME, state.status) }
}

/// Money that went back came again: the one way in which a total falls.
pub(super) fn takes_back(state: &PaymentState, facts: &Facts) -> Transition {
    let conflict = |rule| answer(state, facts, rule).differing(Discrepancy::Totals);
    let Ok(known) = sum(&state.movements) else { return conflict(TOO_MUCH) };
    let (stored, refunded) = (counted(state, facts), is_refunded(state));
    // A refunded payment has a total even where nobody stored one.
    let hidden = exceeds(stored, known) || (refunded && known.is_none());
    let Some(id) = facts.gateway_id.as_deref() else {
        let nothing = !hidden && known.is_none();
        return if nothing { answer(state, facts, NEVER_COUNTED) } else { conflict(UNNAMED) };
    };
    let listed = state.movements.iter().any(|movement| movement.gateway_id == id);
    let counted = listed || (hidden && fits(stored, known, facts.amount));
    if !counted {
        return answer(state, facts, NEVER_COUNTED);
    }
    if order(state, facts) == Order::Older {
        return answer(state, facts, OLDER);
    }
    let mut movements = state.movements.clone();
    movements.retain(|movement| movement.gateway_id != id);
    let zero = |money: Money| money.saturating_sub(money);
    let left = sum(&movements).ok().flatten().or_else(|| known.and_then(zero));
    let done = Transition {
        status: if refunded { Some(PaymentStatus::Confirmed) } else { state.status },
        captured: larger_of(state.captured, facts.captured),
        refunded: left.filter(|_| !hidden),
        movements,
        ..answer(state, facts, REVERSED)
    };
    if hidden { done.differing(Discrepancy::Totals) } else { done }
}

/// The refunded total after an event that proves that everything went back: what was told, and what
/// was captured; where neither is known, the total.
pub(super) fn in_full(state: &PaymentState, facts: &Facts, told: Option<Money>) -> Option<Money> {
    let captured = positive(larger_of(state.captured, facts.captured));
    positive(larger_of(told, captured)).or_else(|| limit(state, facts))
}

/// The most that can go back. A captured total of zero, as an authorization has it, says nothing.
pub(super) fn limit(state: &PaymentState, facts: &Facts) -> Option<Money> {
    let captured = positive(larger_of(state.captured, facts.captured));
    captured.or(positive(state.total)).or(positive(facts.payment_total))
}

/// The refunded total that the state stands for: refunded without a total is refunded in full.
fn counted(state: &PaymentState, facts: &Facts) -> Option<Money> {
    state.refunded.or_else(|| limit(state, facts).filter(|_| is_refunded(state)))
}

fn is_refunded(state: &PaymentState) -> bool {
    state.status == Some(PaymentStatus::Refunded)
}

/// Whether what no movement explains has room for this amount; if not, it was never counted.
fn fits(stored: Option<Money>, known: Option<Money>, amount: Option<Money>) -> bool {
    let room = stored.map(|total| total.minor_units().saturating_sub(units(known)));
    room.zip(amount).is_none_or(|(room, amount)| amount.minor_units() <= room)
}

/// The ledger with this refund in it, once. Told with two amounts, the larger counts: then neither
/// the order of arrival nor a repeat changes the sum.
fn with(counted: &[Movement], own: Option<(&str, Money)>) -> Vec<Movement> {
    let mut movements = counted.to_vec();
    let Some((id, amount)) = own else { return movements };
    match movements.iter_mut().find(|movement| movement.gateway_id == id) {
        Some(known) if amount.minor_units() > known.amount.minor_units() => known.amount = amount,
        Some(_) => {}
        None => {
            movements.push(Movement { gateway_id: id.to_owned(), amount });
            // One order whatever the order of arrival, so that equal ledgers are equal.
            movements.sort_by(|one, other| one.gateway_id.cmp(&other.gateway_id));
        }
    }
    movements
}

/// The sum, `None` for no movements. An id that the application stored twice counts once.
fn sum(movements: &[Movement]) -> Result<Option<Money>, Overflow> {
    let mut sum: Option<Money> = None;
    for (place, movement) in movements.iter().enumerate() {
        let mut before = movements.iter().take(place);
        if before.any(|other| other.gateway_id == movement.gateway_id) {
            continue;
        }
        let amount = movement.amount;
        sum = Some(sum.map_or(Some(amount), |sum| sum.checked_add(amount)).ok_or(Overflow)?);
    }
    Ok(sum)
}

/// Beyond 64 bits of minor units.
#[derive(Clone, Copy, Debug)]
struct Overflow;

fn positive(money: Option<Money>) -> Option<Money> {
    money.filter(|money| money.minor_units() > 0)
}

/// Refunds and lost disputes of one payment that are counted one by one. Nobody refunds a payment in
/// more parts; each event is compared with all of them.
pub const MOVEMENTS_MAX: usize = 200;

const UNCOUNTABLE: Answer = Answer::new(
    Advice::Conflict,
    "totals-impossible",
    "more refunds than one payment has; read the gateway's API",
);
const EXTENT_UNKNOWN: Answer = Answer::new(
    Advice::Conflict,
    "refund-extent-unknown",
    "a refund without an id and without a total; read the gateway's API",
);
const UNNAMED: Answer = Answer::new(
    Advice::Conflict,
    "refund-extent-unknown",
    "a reversal does not say of which refund; read the gateway's API",
);
const TOO_MUCH: Answer =
    Answer::new(Advice::Conflict, "totals-impossible", "more would be refunded than was captured");
const IN_FULL: Answer =
    Answer::new(Advice::Apply, "refunded-in-full", "everything that was captured went back");
const BEFORE_MONEY: Answer =
    Answer::new(Advice::Conflict, "refund-before-money", "a refund before any money was captured");
const GREW: Answer = Answer::new(Advice::Apply, "amounts-grew", "more went back to the payer");
const SAME: Answer = Answer::new(Advice::NoOp, "same-status", "this refund is counted already");
const NEVER_COUNTED: Answer =
    Answer::new(Advice::NoOp, "no-bearing", "a refund that was never counted did not happen");
const OLDER: Answer =
    Answer::new(Advice::Stale, "older-than-stored", "older than the last event applied");
const REVERSED: Answer =
    Answer::new(Advice::Apply, "refund-reversed", "money that went back stays with the merchant");
