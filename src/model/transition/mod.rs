//! What an event means for the application's payment: a pure function with named rules.
//!
//! Floor 0. Events arrive late, twice and out of order; the rules say which to apply, which to
//! drop, and which contradict what is stored.

mod facts;
mod ledger;
mod rules;

pub use facts::Facts;
pub use ledger::MOVEMENTS_MAX;
pub use rules::transition;

use super::{FraudStatus, Money, PaymentStatus, Timestamp};

/// The application's view of its payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaymentState {
    /// Current status.
    pub status: Option<PaymentStatus>,
    /// Amount asked for.
    pub total: Option<Money>,
    /// Cumulative captured.
    pub captured: Option<Money>,
    /// Cumulative refunded.
    pub refunded: Option<Money>,
    /// When the last event that was applied happened.
    pub last_event_at: Option<Timestamp>,
    /// Id of the last event that was applied.
    pub last_event_id: Option<String>,
    /// The application's reference.
    pub merchant_reference: Option<String>,
    /// Refunds and lost disputes that `refunded` counts already.
    pub movements: Vec<Movement>,
}

/// Money that went back to the payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The gateway's id of the refund or dispute.
    pub gateway_id: String,
    /// Its amount.
    pub amount: Money,
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// No current state was given: the mapping only.
    Unspecified,
    /// Write status, totals and movements.
    Apply,
    /// Nothing changes.
    NoOp,
    /// Older than what is stored.
    Stale,
    /// Contradicts what is stored.
    Conflict,
}

/// What differs between the event and the application's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discrepancy {
    /// The amount.
    Amount,
    /// The currency.
    Currency,
    /// The merchant reference.
    Reference,
    /// Two terminal outcomes.
    Terminal,
    /// More captured or refunded than possible, or a total that cannot be known.
    Totals,
}

/// The answer of the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// What to do.
    pub advice: Advice,
    /// The rule that decided.
    pub rule: &'static str,
    /// One sentence why.
    pub explanation: &'static str,
    /// The status after applying, or the one the event proves.
    pub status: Option<PaymentStatus>,
    /// Cumulative captured after applying.
    pub captured: Option<Money>,
    /// Cumulative refunded after applying; `None` where it cannot be known.
    pub refunded: Option<Money>,
    /// Fraud verdict to store.
    pub fraud_status: Option<FraudStatus>,
    /// What differs.
    pub discrepancies: Vec<Discrepancy>,
    /// Refunds and lost disputes counted after applying.
    pub movements: Vec<Movement>,
}
