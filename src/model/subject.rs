//! What an event is about, typed. Floor 0. The shapes are the contract's messages.

use std::borrow::Cow;

use super::{FraudStatus, Money, SubjectKind, Timestamp};

/// Typed details of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A checkout.
    Checkout(Box<Checkout<'a>>),
    /// A dispute.
    Dispute(Box<Dispute<'a>>),
    /// An invoice.
    Invoice(Box<Invoice<'a>>),
    /// A mandate.
    Mandate(Box<Mandate<'a>>),
    /// A payment.
    Payment(Box<Payment<'a>>),
    /// A payout.
    Payout(Box<Payout<'a>>),
    /// A refund.
    Refund(Box<Refund<'a>>),
    /// A subscription.
    Subscription(Box<Subscription<'a>>),
}

impl Subject<'_> {
    /// The kind of this subject.
    pub const fn kind(&self) -> SubjectKind {
        match self {
            Self::Checkout(_) => SubjectKind::Checkout,
            Self::Dispute(_) => SubjectKind::Dispute,
            Self::Invoice(_) => SubjectKind::Invoice,
            Self::Mandate(_) => SubjectKind::Mandate,
            Self::Payment(_) => SubjectKind::Payment,
            Self::Payout(_) => SubjectKind::Payout,
            Self::Refund(_) => SubjectKind::Refund,
            Self::Subscription(_) => SubjectKind::Subscription,
        }
    }
}

/// Identifiers that let the application find its own record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References<'a> {
    /// The application's own reference, such as a django-payments token.
    pub merchant_reference: Option<Cow<'a, str>>,
    /// The gateway's payment id, such as "`pi_1`" or a `PayPal` order id.
    pub gateway_payment_id: Option<Cow<'a, str>>,
    /// The gateway's charge, capture or transaction id.
    pub gateway_charge_id: Option<Cow<'a, str>>,
    /// The gateway's customer id.
    pub gateway_customer_id: Option<Cow<'a, str>>,
    /// Merchant metadata as the gateway echoes it: first 64 entries, 8 KiB.
    pub metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Why a payment failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure<'a> {
    /// Neutral, stable code in lower snake case, such as "`insufficient_funds`".
    pub code: Option<Cow<'a, str>>,
    /// The gateway's code, verbatim.
    pub gateway_code: Option<Cow<'a, str>>,
    /// The gateway's message, verbatim; not for end users.
    pub message: Option<Cow<'a, str>>,
}

/// A payment as the event describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment<'a> {
    /// Identifiers.
    pub references: References<'a>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// Amount asked for, before captures and refunds.
    pub requested: Option<Money>,
    /// Amount authorized and not captured yet.
    pub capturable: Option<Money>,
    /// Cumulative amount captured.
    pub captured: Option<Money>,
    /// Cumulative amount refunded.
    pub refunded: Option<Money>,
    /// Set on failure.
    pub failure: Option<Failure<'a>>,
    /// Fraud verdict, if any.
    pub fraud_status: Option<FraudStatus>,
}

/// A refund as the event describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refund<'a> {
    /// Identifiers of the refunded payment.
    pub references: References<'a>,
    /// The gateway's refund id.
    pub gateway_refund_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// Amount of this refund.
    pub amount: Option<Money>,
    /// Cumulative refunded on the payment; unset where the gateway does not say.
    pub payment_refunded_total: Option<Money>,
    /// True when the payment is known to be refunded in full.
    pub full: bool,
    /// Set on failure.
    pub failure: Option<Failure<'a>>,
    /// The merchant's or gateway's reason, verbatim.
    pub reason: Option<Cow<'a, str>>,
}

/// A dispute as the event describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dispute<'a> {
    /// Identifiers of the disputed payment.
    pub references: References<'a>,
    /// The gateway's dispute id.
    pub gateway_dispute_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// Disputed amount.
    pub amount: Option<Money>,
    /// Neutral reason in lower snake case, such as "fraudulent".
    pub reason: Option<Cow<'a, str>>,
    /// Last moment to send evidence.
    pub evidence_due_at: Option<Timestamp>,
    /// The disputed payment's whole amount, where the gateway tells.
    pub payment_total: Option<Money>,
}

/// A hosted checkout page or order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout<'a> {
    /// Identifiers.
    pub references: References<'a>,
    /// The gateway's session or order id.
    pub gateway_checkout_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// Total.
    pub amount: Option<Money>,
    /// True only when the money is captured.
    pub paid: bool,
    /// Set on failure.
    pub failure: Option<Failure<'a>>,
}

/// A subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Identifiers.
    pub references: References<'a>,
    /// The gateway's subscription id.
    pub gateway_subscription_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// End of the paid period.
    pub current_period_end: Option<Timestamp>,
    /// True when it ends at the period's end.
    pub cancel_at_period_end: bool,
}

/// An invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoice<'a> {
    /// Identifiers.
    pub references: References<'a>,
    /// The gateway's invoice id.
    pub gateway_invoice_id: Option<Cow<'a, str>>,
    /// The gateway's subscription id, if any.
    pub gateway_subscription_id: Option<Cow<'a, str>>,
    /// Amount due.
    pub amount_due: Option<Money>,
    /// Cumulative amount paid.
    pub amount_paid: Option<Money>,
}

/// A payout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payout<'a> {
    /// The gateway's payout id.
    pub gateway_payout_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
    /// Amount.
    pub amount: Option<Money>,
    /// Expected or actual arrival.
    pub arrives_at: Option<Timestamp>,
    /// Set on failure.
    pub failure: Option<Failure<'a>>,
    /// The application's own reference.
    pub merchant_reference: Option<Cow<'a, str>>,
}

/// A mandate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mandate<'a> {
    /// Identifiers.
    pub references: References<'a>,
    /// The gateway's mandate id.
    pub gateway_mandate_id: Option<Cow<'a, str>>,
    /// The gateway's status, verbatim.
    pub gateway_status: Option<Cow<'a, str>>,
}
