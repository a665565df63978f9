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
            fraud_status: facts.fraud_status,
            ..answer(&PaymentState::default(), facts, NO_STATE)
        };
    };
    let decided = sound_totals(state, facts, decide(state, status, facts));
    with_fraud(state, facts, decided)
}

fn decide(state: &PaymentState, status: PaymentStatus, facts: &Facts) -> Transition {
    let same_event = facts.id.is_some() && facts.id == state.last_event_id;
    if same_event {
        return answer(state, facts, SAME_EVENT);
    }
    if differ(state.merchant_reference.as_deref(), facts.merchant_reference.as_deref()) {
        return answer(state, facts, REFERENCE_DIFFERS).differing(Discrepancy::Reference);
    }
    if currencies_differ(state, facts) {
        return answer(state, facts, CURRENCY_DIFFERS).differing(Discrepancy::Currency);
    }
    match facts.movement() {
        Movement::Counts => return ledger::counts(state, facts),
        Movement::TakesBack => return ledger::takes_back(state, facts),
        Movement::None => {}
    }
    let Some(proved) = facts.status else { return answer(state, facts, NO_BEARING) };
    // A polled payment tells its refunded total beside its status.
    let more_refunded = exceeds(facts.refunded, state.refunded);
    if more_refunded && status == Confirmed && proved == Confirmed {
        return ledger::counts(state, facts);
    }
    let grew = exceeds(facts.captured, state.captured);
    moved(state, facts, proved, by_status(status, proved, order(state, facts), grew))
}

/// The rules over two statuses and their order in time. Each pair stands in exactly one line, so
/// that the compiler refuses a pair that no rule covers.
fn by_status(from: PaymentStatus, to: PaymentStatus, arrived: Order, grew: bool) -> Answer {
    let newer = |rule| if arrived == Order::Newer { rule } else { OLDER_THAN_STORED };
    let unless_older = |rule| if arrived == Order::Older { OLDER_THAN_STORED } else { rule };
    match (from, to) {
        (Waiting, Waiting)
        | (Input, Input)
        | (Preauth, Preauth)
        | (Confirmed, Confirmed)
        | (Refunded, Refunded)
        | (Rejected, Rejected)
        | (Cancelled, Cancelled)
        | (Error, Error) => {
            if grew {
                AMOUNTS_GREW
            } else {
                SAME_STATUS
            }
        }
        (Waiting | Input | Error, Preauth)
        | (Waiting | Input | Preauth | Error, Confirmed)
        | (Waiting | Input | Preauth | Confirmed | Rejected | Cancelled | Error, Refunded) => {
            UP_THE_LINE
        }
        (Preauth | Confirmed | Refunded | Cancelled, Waiting | Input)
        | (Confirmed | Refunded, Preauth) => DOWN_THE_LINE,
        (Waiting, Input) | (Input, Waiting) => newer(PAYER_STEP),
        (Rejected, Waiting | Input) => newer(PAYER_RETRIES),
        (Rejected, Preauth | Confirmed) => match arrived {
            Order::Older => MONEY_BEFORE_EXIT,
            Order::Equal | Order::Newer => PAYER_RETRIES,
        },
        (Error, Waiting | Input | Rejected | Cancelled) => newer(LEAVES_ERROR),
        (Waiting | Input | Preauth, Rejected | Cancelled | Error) => {
            unless_older(EXIT_BEFORE_MONEY)
        }
        (Confirmed | Refunded, Rejected | Cancelled | Error) => unless_older(EXIT_AFTER_MONEY),
        (Cancelled, Preauth | Confirmed) => MONEY_AFTER_CANCEL,
        (Refunded, Confirmed) => unless_older(MONEY_AFTER_REFUND),
        (Rejected, Cancelled | Error) | (Cancelled, Rejected | Error) => EXIT_AFTER_EXIT,
    }
}

/// The totals after a rule over statuses.
fn moved(
    state: &PaymentState,
    facts: &Facts,
    proved: PaymentStatus,
    decided: Answer,
) -> Transition {
    let done = answer(state, facts, decided);
    match decided.advice {
        Conflict => done.differing(Discrepancy::Terminal),
        Unspecified | NoOp | Stale => done,
        Apply => {
            let told = larger_of(state.refunded, facts.refunded);
            let whole = proved == Refunded;
            Transition {
                captured: larger_of(state.captured, facts.captured),
                refunded: if whole { ledger::in_full(state, facts, told) } else { told },
                ..done
            }
        }
    }
}

/// Amounts are compared only where the event would be applied as money.
fn sound_totals(state: &PaymentState, facts: &Facts, done: Transition) -> Transition {
    let (Apply, Some(status @ (Preauth | Confirmed))) = (done.advice, done.status) else {
        return done;
    };
    let limit = ledger::limit(state, facts);
    let over = |told, most: Option<Money>| most.is_some() && exceeds(told, most);
    if over(facts.captured, state.total) || over(facts.refunded, limit) {
        return answer(state, facts, MORE_THAN_TOTAL).differing(Discrepancy::Totals);
    }
    if differ(state.total, facts.requested) {
        return answer(state, facts, AMOUNT_DIFFERS).differing(Discrepancy::Amount);
    }
    // Nothing captured yet is what an authorization is: no news.
    let news = facts.captured.is_some_and(|it| status == Confirmed || it.minor_units() > 0);
    if news && exceeds(state.total, done.captured) {
        return done.differing(Discrepancy::Amount);
    }
    done
}

/// A fraud verdict is stored with what is applied, and with what changes nothing else unless it is
/// older than what is stored.
fn with_fraud(state: &PaymentState, facts: &Facts, done: Transition) -> Transition {
    let store = match done.advice {
        Apply | Unspecified => true,
        NoOp => done.rule != SAME_EVENT.rule && order(state, facts) != Order::Older,
        Conflict | Stale => false,
    };
    Transition { fraud_status: facts.fraud_status.filter(|_| store), ..done }
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
        fraud_status: None,
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

/// Amounts of two currencies, wherever they stand: nothing after this adds or compares them.
fn currencies_differ(state: &PaymentState, facts: &Facts) -> bool {
    let totals = [state.total, state.captured, state.refunded].into_iter().flatten();
    let counted = state.movements.iter().map(|movement| movement.amount);
    let mut all = totals.chain(counted).chain(facts.amounts()).map(Money::currency);
    let first = all.next();
    all.any(|currency| Some(currency) != first)
}

/// Both known and different.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// Minor units, none for an unknown amount; the currencies were compared before.
pub(super) fn units(money: Option<Money>) -> i64 {
    money.map_or(0, Money::minor_units)
}

/// Whether one amount is above the other; an unknown one counts as zero.
pub(super) fn exceeds(one: Option<Money>, other: Option<Money>) -> bool {
    units(one) > units(other)
}

/// The larger of two amounts, of which either may be unknown.
pub(super) fn larger_of(one: Option<Money>, other: Option<Money>) -> Option<Money> {
    if exceeds(other, one) { other } else { one.or(other) }
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
const MORE_THAN_TOTAL: Answer = Answer::new(
    Conflict,
    "totals-impossible",
    "more would be captured or refunded than is possible",
);
const AMOUNT_DIFFERS: Answer =
    Answer::new(Conflict, "money-differs", "another amount than the application asked for");
