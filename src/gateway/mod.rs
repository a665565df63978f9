//! The gateways: what each signs, and what its payloads mean.
//!
//! Floor 2. Pure: a gateway only ever sees bytes that were verified. Adding one is a folder or a
//! file here, a line in [`GATEWAYS`] and a file of vectors.

mod braintree;
mod description;
mod error;
mod idempotency;
pub(crate) mod json;
mod paypal;
mod paypal_ipn;
mod status_table;
mod stripe;
mod tree;
mod xml;

pub use description::{
    Gateway, KeyField, KeyFieldKind, KeyFields, KeyPart, OptionError, OptionField, OptionKind,
    Parse, Polled, PrepareError, Reply, Sample, SchemeOf,
};
pub use error::ParseError;
pub use idempotency::idempotency_key;
pub use status_table::StatusRow;

/// Every gateway, sorted by name.
pub static GATEWAYS: &[&Gateway] =
    &[&braintree::GATEWAY, &paypal::GATEWAY, &paypal_ipn::GATEWAY, &stripe::GATEWAY];

/// The gateway of this name, exactly as it is written in configuration.
pub fn find(name: &str) -> Option<&'static Gateway> {
    GATEWAYS.iter().find(|gateway| gateway.name == name).copied()
}
