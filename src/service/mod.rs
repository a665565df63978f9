//! The gRPC service: the journey of one webhook and nothing else.
//!
//! Floor 4. Decides nothing itself: `verify` says whether, `gateway` says what, `status` says how
//! a refusal looks.

mod challenges;
mod convert;
mod explain;
mod handlers;
mod journey;
mod lines;
mod mapping;
mod read;
pub mod status;

pub use handlers::PaymentWebhooks;
pub use journey::{Guardrails, Webhooks};
pub use status::{Context, Refusal};
