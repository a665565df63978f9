//! The gateways: what each signs, and what its payloads mean.
//!
//! Floor 2. Pure: a gateway only ever sees bytes that were verified. Adding one is a folder or a
//! file here, a line in [`GATEWAYS`] and a file of vectors.

mod adyen;
mod authorizenet;
mod braintree;
mod checkout;
mod description;
mod doc;
mod dotpay;
mod error;
mod facts;
mod generic;
mod gocardless;
mod idempotency;
pub(crate) mod json;
mod lemonsqueezy;
mod mercadopago;
mod mollie;
mod opayo_form;
mod paddle;
mod paypal;
mod paypal_ipn;
mod paystack;
mod razorpay;
mod shopify;
mod square;
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
pub static GATEWAYS: &[&Gateway] = &[
    &adyen::GATEWAY,
    &authorizenet::GATEWAY,
    &braintree::GATEWAY,
    &checkout::GATEWAY,
    &dotpay::GATEWAY,
    &generic::hmac::GATEWAY,
    &gocardless::GATEWAY,
    &lemonsqueezy::GATEWAY,
    &mercadopago::GATEWAY,
    &mollie::GATEWAY,
    &opayo_form::GATEWAY,
    &paddle::GATEWAY,
    &paypal::GATEWAY,
    &paypal_ipn::GATEWAY,
    &paystack::GATEWAY,
    &razorpay::GATEWAY,
    &shopify::GATEWAY,
    &square::GATEWAY,
    &generic::standard::GATEWAY,
    &stripe::GATEWAY,
];

/// The gateway of this name, exactly as it is written in configuration.
pub fn find(name: &str) -> Option<&'static Gateway> {
    GATEWAYS.iter().find(|gateway| gateway.name == name).copied()
}
