//! One verified event in neutral words. Floor 0.

use std::borrow::Cow;

use super::{EventType, Money, PaymentStatus, Subject, Timestamp};

/// One event as the gateway's payload describes it.
///
/// Texts borrow from the payload where they can. `None` means that the gateway does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The gateway's own event id; `None` where it sends none.
    pub id: Option<Cow<'a, str>>,
    /// Signed bytes that identify the event where it has no signed id; `None` means the payload.
    pub identity: Option<Cow<'a, [u8]>>,
    /// The neutral type.
    pub event_type: EventType,
    /// The gateway's type, verbatim.
    pub gateway_type: Option<Cow<'a, str>>,
    /// When it happened at the gateway.
    pub occurred_at: Option<Timestamp>,
    /// Live or test, where the payload tells.
    pub environment: Option<Environment>,
    /// The merchant or connected account it is about.
    pub account: Option<Cow<'a, str>>,
    /// The gateway's API version that shaped the payload.
    pub gateway_api_version: Option<Cow<'a, str>>,
    /// How much was typed.
    pub coverage: Coverage,
    /// What this event alone proves about the payment.
    pub status: Option<PaymentStatus>,
    /// True when the gateway signs no state: read the object from its API before acting.
    pub needs_fetch: bool,
    /// What it is about.
    pub subject_kind: SubjectKind,
    /// The gateway's id of the object it is about.
    pub object_id: Option<Cow<'a, str>>,
    /// The application's own reference.
    pub merchant_reference: Option<Cow<'a, str>>,
    /// The amount this event is about.
    pub amount: Option<Money>,
    /// Which of this event's fields come from headers that the signature does not cover.
    pub unsigned_fields: &'static [UnsignedField],
    /// Typed details; `None` unless `coverage` is [`Coverage::Typed`].
    pub subject: Option<Subject<'a>>,
}

impl Event<'_> {
    /// A verified event of which only the envelope is known: neutral type unrecognized, subject
    /// other, no status. Gateways fill in what the payload proves.
    pub const fn envelope() -> Self {
        Self {
            id: None,
            identity: None,
            event_type: EventType::Unrecognized,
            gateway_type: None,
            occurred_at: None,
            environment: None,
            account: None,
            gateway_api_version: None,
            coverage: Coverage::Envelope,
            status: None,
            needs_fetch: false,
            subject_kind: SubjectKind::Other,
            object_id: None,
            merchant_reference: None,
            amount: None,
            unsigned_fields: &[],
            subject: None,
        }
    }
}

/// A field of [`Event`] that may come from an unsigned header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnsignedField {
    /// [`Event::gateway_type`].
    GatewayType,
    /// [`Event::id`].
    Id,
}

impl UnsignedField {
    /// The field's name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatewayType => "gateway_type",
            Self::Id => "id",
        }
    }
}

/// Live or test traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Real money.
    Live,
    /// Test or sandbox.
    Test,
}

/// How much of the payload became typed fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// Only the envelope.
    Envelope,
    /// The payload only points at an object to fetch.
    Pointer,
    /// The subject is filled in.
    Typed,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// A hosted checkout page, order or payment link.
    Checkout,
    /// A dispute or chargeback.
    Dispute,
    /// An invoice or a charge for a subscription period.
    Invoice,
    /// A mandate or stored means of payment.
    Mandate,
    /// Anything else.
    Other,
    /// A payment.
    Payment,
    /// A payout.
    Payout,
    /// A refund.
    Refund,
    /// A subscription.
    Subscription,
}

impl SubjectKind {
    /// Lower-case name, such as `payment`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Dispute => "dispute",
            Self::Invoice => "invoice",
            Self::Mandate => "mandate",
            Self::Other => "other",
            Self::Payment => "payment",
            Self::Payout => "payout",
            Self::Refund => "refund",
            Self::Subscription => "subscription",
        }
    }
}
