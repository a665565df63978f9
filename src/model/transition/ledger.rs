//! Refunds and lost disputes: each counts once, by its gateway id.

use super::{
    Advice, Discrepancy, Facts, Movement, PaymentState, Transition,
    rules::{Answer, Order, answer, order},
};
use crate::model::{Money, PaymentStatus};

/// Money went back: how much in all, and is that everything?
pub(super) fn counts(state: &PaymentState, facts: &Facts) -> Transition {
    let whole = facts.status == Some(PaymentStatus::Refunded);
    let limit = state.captured.or(facts.captured).or(state.total);
    let movements = with(state, facts);
    if movements.len() > MOVEMENTS_MAX {
        return answer(state, facts, UNCOUNTABLE).differing(Discrepancy::Totals);
    }
    let known = facts.gateway_id.is_some() && facts.amount.is_some();
    let told = if known { sum(&movements) } else { None };
    let candidates = [facts.refunded, told, limit.filter(|_| whole && facts.refunded.is_none())];
    if candidates.iter().all(Option::is_none) {
        return answer(state, facts, EXTENT_UNKNOWN);
    }
    let refunded = candidates.into_iter().chain([state.refunded]).flatten().reduce(larger);
    let done = |rule: Answer, status| {
        let mut done = answer(state, facts, rule);
        done.status = status;
        done.captured = state.captured;
        done.refunded = refunded;
        done.movements.clone_from(&movements);
        done
    };
    let (refunded_units, limit_units) = (units(refunded), limit.map(Money::minor_units));
    if limit_units.is_some_and(|limit| refunded_units > limit) {
        return answer(state, facts, TOO_MUCH).differing(Discrepancy::Totals);
    }
    let grew = refunded_units > units(state.refunded);
    let complete = whole || limit_units == Some(refunded_units);
    let already = state.status == Some(PaymentStatus::Refunded);
    if complete && !already {
        return done(IN_FULL, Some(PaymentStatus::Refunded));
    }
    if !matches!(state.status, Some(PaymentStatus::Confirmed | PaymentStatus::Refunded)) {
        return answer(state, facts, BEFORE_MONEY).differing(Discrepancy::Totals);
    }
    if grew { done(GREW, state.status) } else { done(SAME, state.status) }
}

/// Money that went back came again: the one way in which a total falls.
pub(super) fn takes_back(state: &PaymentState, facts: &Facts) -> Transition {
    let counted = facts
        .gateway_id
        .as_deref()
        .and_then(|id| state.movements.iter().position(|movement| movement.gateway_id == id));
    let explained = units(state.refunded) == units(sum(&state.movements));
    let refunded = state.status == Some(PaymentStatus::Refunded);
    // Without a ledger that explains the total, a payment that is refunded may have been so by
    // this one.
    if counted.is_none() && (explained || !(refunded || units(state.refunded) > 0)) {
        return answer(state, facts, NEVER_COUNTED);
    }
    if order(state, facts) == Order::Older {
        return answer(state, facts, OLDER);
    }
    let mut movements = state.movements.clone();
    if let Some(position) = counted {
        movements.remove(position);
    }
    let mut done = answer(state, facts, REVERSED);
    done.status = Some(PaymentStatus::Confirmed);
    done.captured = state.captured;
    done.refunded = match (explained, sum(&movements)) {
        (false, _) => None,
        (true, Some(sum)) => Some(sum),
        (true, None) => state.refunded.and_then(|total| total.saturating_sub(total)),
    };
    done.movements = movements;
    if done.refunded.is_none() { done.differing(Discrepancy::Totals) } else { done }
}

/// The ledger with this refund in it, once.
fn with(state: &PaymentState, facts: &Facts) -> Vec<Movement> {
    let mut movements = state.movements.clone();
    if let (Some(id), Some(amount)) = (&facts.gateway_id, facts.amount)
        && !movements.iter().any(|movement| movement.gateway_id == *id)
    {
        movements.push(Movement { gateway_id: id.clone(), amount });
        // One order whatever the order of arrival, so that equal ledgers are equal.
        movements.sort_by(|one, other| one.gateway_id.cmp(&other.gateway_id));
    }
    movements
}

fn sum(movements: &[Movement]) -> Option<Money> {
    let mut amounts = movements.iter().map(|movement| movement.amount);
    let first = amounts.next()?;
    amounts.try_fold(first, Money::checked_add)
}

fn larger(one: Money, other: Money) -> Money {
    if other.minor_units() > one.minor_units() { other } else { one }
}

/// Minor units; currencies were compared before.
fn units(money: Option<Money>) -> i64 {
    money.map_or(0, Money::minor_units)
}

/// Refunds and lost disputes of one payment: beyond this the ledger is not believed.
pub(crate) const MOVEMENTS_MAX: usize = 200;

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
