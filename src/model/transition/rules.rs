//! The rules in their order: the first that says something decides.

use super::{Advice, Discrepancy, Facts, PaymentState, Transition, facts::Movement, ledger};
use crate::model::{
    Money,
    PaymentStatus::{
        self, Cancelled, Confirmed, Error, Input, Preauth, Refunded, Rejected, Waiting,
    },
};

/// What an event means for a payment in this state; without a state, the mapping only.
pub fn transition(current: Option<&PaymentState>, facts: &Facts) -> Transition {
    let known = current.and_then(|state| state.status.map(|status| (state, status)));
    let Some((state, status)) = known else {
        return Transition {
            captured: facts.captured,
            refunded: facts.refunded,
            ..answer(&PaymentState::default(), facts, NO_STATE)
        };
    };
    let same_event = facts.id.is_some() && facts.id == state.last_event_id;
    if same_event {
        return answer(state, facts, SAME_EVENT);
    }
    if differ(state.merchant_reference.as_deref(), facts.merchant_reference.as_deref()) {
        return answer(state, facts, REFERENCE_DIFFERS).differing(Discrepancy::Reference);
    }
    if other_currency(state, facts) {
        return answer(state, facts, CURRENCY_DIFFERS).differing(Discrepancy::Currency);
    }
    match facts.movement() {
        Movement::Counts => return ledger::counts(state, facts),
        Movement::TakesBack => return ledger::takes_back(state, facts),
        Movement::None => {}
    }
    let Some(proved) = facts.status else { return answer(state, facts, NO_BEARING) };
    // A polled payment tells its refunded total beside its status.
    let more_refunded = larger(facts.refunded, state.refunded);
    if more_refunded && matches!(status, Confirmed | Refunded) && proved != Refunded {
        return ledger::counts(state, facts);
    }
    let decided =
        by_status(status, proved, order(state, facts), larger(facts.captured, state.captured));
    finish(state, facts, proved, decided)
}

/// The rules over two statuses and their order in time.
fn by_status(from: PaymentStatus, to: PaymentStatus, arrived: Order, grew: bool) -> Answer {
    if from == to {
        return if grew { AMOUNTS_GREW } else { SAME_STATUS };
    }
    let later = arrived == Order::Newer;
    let older = arrived == Order::Older;
    match (from, to) {
        (_, Refunded) | (Waiting | Input | Error, Preauth | Confirmed) | (Preauth, Confirmed) => {
            UP_THE_LINE
        }
        (Preauth | Confirmed | Refunded | Cancelled, Waiting | Input)
        | (Confirmed | Refunded, Preauth) => DOWN_THE_LINE,
        (Waiting, Input) | (Input, Waiting) if later => PAYER_STEP,
        (Rejected, Waiting | Input) if later => PAYER_RETRIES,
        (Rejected, Preauth | Confirmed) if older => MONEY_BEFORE_EXIT,
        (Rejected, Preauth | Confirmed) => PAYER_RETRIES,
        (Error, Waiting | Input | Rejected | Cancelled) if later => LEAVES_ERROR,
        (Waiting | Input | Preauth, Rejected | Cancelled | Error) if !older => EXIT_BEFORE_MONEY,
        (Confirmed | Refunded, Rejected | Cancelled | Error) if !older => EXIT_AFTER_MONEY,
        (Cancelled, Preauth | Confirmed) => MONEY_AFTER_CANCEL,
        (Refunded, Confirmed) if !older => MONEY_AFTER_REFUND,
        (Rejected | Cancelled, Rejected | Cancelled | Error) => EXIT_AFTER_EXIT,
        (
            Waiting | Input | Preauth | Confirmed | Refunded | Rejected | Error,
            Waiting | Input | Preauth | Confirmed | Rejected | Cancelled | Error,
        ) => OLDER_THAN_STORED,
    }
}

/// Amounts are compared only where the event would be applied as money.
fn finish(
    state: &PaymentState,
    facts: &Facts,
    proved: PaymentStatus,
    decided: Answer,
) -> Transition {
    let mut done = answer(state, facts, decided);
    done.status = Some(proved);
    if decided.advice != Apply {
        if decided.advice == Conflict {
            done = done.differing(Discrepancy::Terminal);
        }
        return done;
    }
    let (total, captured) = (units(state.total), units(facts.captured));
    if matches!(proved, Preauth | Confirmed) {
        if total.zip(captured).is_some_and(|(total, captured)| captured > total) {
            return answer(state, facts, MORE_THAN_TOTAL).differing(Discrepancy::Totals);
        }
        if differ(total, units(facts.requested)) {
            return answer(state, facts, AMOUNT_DIFFERS).differing(Discrepancy::Amount);
        }
        if total.zip(captured).is_some_and(|(total, captured)| captured < total) {
            done = done.differing(Discrepancy::Amount);
        }
    }
    done.captured = larger_of(state.captured, facts.captured);
    done.refunded = larger_of(state.refunded, facts.refunded);
    if proved == Refunded {
        done.refunded = done.refunded.or(done.captured).or(state.total);
    }
    done
}

/// When an event happened, seen from the last one applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Older,
    Equal,
    Newer,
}

/// An event without a time, or a state without one, counts as newer.
pub(super) fn order(state: &PaymentState, facts: &Facts) -> Order {
    match (state.last_event_at, facts.occurred_at) {
        (Some(last), Some(now)) if now < last => Order::Older,
        (Some(last), Some(now)) if now == last => Order::Equal,
        (Some(_) | None, Some(_) | None) => Order::Newer,
    }
}

/// An advice with its rule and its reason.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    advice: Advice,
    rule: &'static str,
    explanation: &'static str,
}

impl Answer {
    pub(super) const fn new(advice: Advice, rule: &'static str, explanation: &'static str) -> Self {
        Self { advice, rule, explanation }
    }
}

/// An answer that leaves everything as it is stored.
pub(super) fn answer(state: &PaymentState, facts: &Facts, answer: Answer) -> Transition {
    Transition {
        advice: answer.advice,
        rule: answer.rule,
        explanation: answer.explanation,
        status: facts.status,
        captured: state.captured,
        refunded: state.refunded,
        fraud_status: facts.fraud_status,
        discrepancies: Vec::new(),
        movements: state.movements.clone(),
    }
}

impl Transition {
    pub(super) fn differing(mut self, discrepancy: Discrepancy) -> Self {
        self.discrepancies.push(discrepancy);
        self
    }
}

fn other_currency(state: &PaymentState, facts: &Facts) -> bool {
    let stored = [state.total, state.captured, state.refunded].into_iter().flatten().next();
    stored
        .is_some_and(|stored| facts.amounts().any(|amount| amount.currency() != stored.currency()))
}

/// Both known and different.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

fn units(money: Option<Money>) -> Option<i64> {
    money.map(Money::minor_units)
}

fn larger(new: Option<Money>, old: Option<Money>) -> bool {
    units(new).unwrap_or(0) > units(old).unwrap_or(0)
}

fn larger_of(one: Option<Money>, other: Option<Money>) -> Option<Money> {
    if larger(other, one) { other } else { one.or(other) }
}

use Advice::{Apply, Conflict, NoOp, Stale, Unspecified};

const NO_STATE: Answer = Answer::new(Unspecified, "no-state", "no current state was given");
const SAME_EVENT: Answer = Answer::new(NoOp, "same-event", "this event was the last one applied");
const REFERENCE_DIFFERS: Answer =
    Answer::new(Conflict, "reference-differs", "the event names another reference");
const CURRENCY_DIFFERS: Answer =
    Answer::new(Conflict, "money-differs", "the event is in another currency than the payment");
const NO_BEARING: Answer =
    Answer::new(NoOp, "no-bearing", "the event proves nothing about the payment");
const SAME_STATUS: Answer = Answer::new(NoOp, "same-status", "the payment has this status");
const AMOUNTS_GREW: Answer = Answer::new(Apply, "amounts-grew", "more was captured");
const UP_THE_LINE: Answer =
    Answer::new(Apply, "up-the-line", "money only moves forward, whatever the order of arrival");
const DOWN_THE_LINE: Answer =
    Answer::new(Stale, "down-the-line", "the payment is further than this event");
const PAYER_STEP: Answer = Answer::new(Apply, "payer-step", "the payer went a step");
const PAYER_RETRIES: Answer =
    Answer::new(Apply, "payer-retries", "the payer tried again after a refusal");
const LEAVES_ERROR: Answer = Answer::new(Apply, "leaves-error", "something newer than the error");
const EXIT_BEFORE_MONEY: Answer =
    Answer::new(Apply, "exit-before-money", "the payment ended before money was captured");
const EXIT_AFTER_MONEY: Answer =
    Answer::new(Conflict, "exit-after-money", "the payment ended after money was captured");
const MONEY_BEFORE_EXIT: Answer =
    Answer::new(Conflict, "money-before-exit", "money that is older than a stored refusal");
const MONEY_AFTER_CANCEL: Answer =
    Answer::new(Conflict, "money-after-cancel", "money for a payment that was cancelled");
const MONEY_AFTER_REFUND: Answer =
    Answer::new(Conflict, "money-after-refund", "money again after a whole refund");
const EXIT_AFTER_EXIT: Answer =
    Answer::new(NoOp, "exit-after-exit", "the payment had ended already");
const OLDER_THAN_STORED: Answer =
    Answer::new(Stale, "older-than-stored", "older than the last event applied");
const MORE_THAN_TOTAL: Answer =
    Answer::new(Conflict, "totals-impossible", "more would be captured than was asked for");
const AMOUNT_DIFFERS: Answer =
    Answer::new(Conflict, "money-differs", "another amount than the application asked for");
