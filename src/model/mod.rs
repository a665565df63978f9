//! The words of the field: money, statuses, events, secrets, times, names of variants.
//!
//! Floor 0. Pure data and pure functions: no IO, no clock, nothing of the rest of the crate.

pub mod event;
pub mod event_type;
pub mod money;
pub mod secret;
pub mod status;
pub mod subject;
pub mod time;
pub mod transition;
pub mod variant;

pub use event::{Coverage, Environment, Event, SubjectKind, UnsignedField};
pub use event_type::EventType;
pub use money::{Currency, Money, MoneyError};
pub use secret::Secret;
pub use status::{FraudStatus, PaymentStatus};
pub use subject::{
    Checkout, Dispute, Failure, Invoice, Mandate, Payment, Payout, References, Refund, Subject,
    Subscription,
};
pub use time::{Timestamp, UnixSeconds};
pub use transition::{Advice, Discrepancy, Facts, PaymentState, Transition};
pub use variant::{Variant, VariantError};
