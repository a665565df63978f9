//! Authenticity: the only code that can say that a webhook is genuine.
//!
//! Floor 1. Pure: the clock, keys, certificates and the gateway's answers come in as arguments.
//! The road has one direction: [`Unverified`] -> [`Step`] -> [`Check`] -> [`Verified`].

mod answer;
mod binding;
mod carrier;
mod cert_url;
mod certificate;
mod challenge;
mod check;
mod cipher;
mod credential;
pub mod explain;
pub(crate) mod form;
mod freshness;
mod grammar;
mod headers;
mod hmac;
mod items;
pub(crate) mod json;
mod keys;
mod options;
mod outline;
mod outside;
mod payload;
mod rejection;
mod request;
mod rules;
mod running;
pub mod scheme;
mod shape;
mod sign;
mod signature;
mod template;
mod verified;
mod verifier;

pub use answer::{Credentials, Question};
pub use cert_url::CertUrl;
pub use certificate::CertificateChain;
pub use check::{Check, Step, Unverified};
pub use freshness::CheckTime;
pub use keys::{KeyError, KeyInput, KeyRole, PreparedKey};
pub use options::Options;
pub use outside::{NeedsAnswer, NeedsCertificate};
pub use rejection::Rejection;
pub use request::{Header, Request};
pub use scheme::{Assurance, Scheme};
pub use sign::{Draft, SignError, Signed};
pub use verified::{Evidence, Verified};
pub use verifier::Verifier;

/// Checks anchors in PEM, before a variant uses them.
pub(crate) fn check_anchors(text: &str) -> Result<(), &'static str> {
    certificate::Anchors::from_pem(text).map(drop)
}
