//! Stripe.
//!
//! Verification: Stripe's "Verify the signature manually" and the official SDKs' webhook modules.

mod event;
mod object;
mod samples;
mod status;
mod subject;

use std::borrow::Cow;

use super::{
    Gateway, KeyField, KeyFieldKind, KeyPart, OptionField, OptionKind, Polled, Reply, SchemeOf,
};
use crate::verify::{
    Scheme,
    scheme::{
        Algorithm, Assurance, Blanks, Encoding, Freshness, Grammar, KeyForm, Part, PayloadCodec,
        Source, Template, TimeSource, TimeUnit,
    },
};

/// Stripe's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "stripe",
    title: "Stripe",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField {
        name: "endpoint_secret",
        kind: KeyFieldKind::Secret,
        part: KeyPart::Secret,
        // `whsec_` and 10 more: the shortest that the contract accepts.
        bytes_min: 16,
    }],
    options: &[OptionField {
        name: "reference_metadata_keys",
        kind: OptionKind::TextList,
        about: "metadata keys that hold the application's reference, first match wins; \
                default payment_token, order_id",
    }],
    parse: event::parse,
    polled: Some(Polled {
        object_types: event::POLLED_TYPES,
        object: event::object,
        status: event::bare_status,
    }),
    statuses: status::STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: samples::SAMPLES,
    sources: &[
        "Stripe documentation, \"Verify webhook signatures manually\"",
        "stripe-python, stripe-node, stripe-go, stripe-php and stripe-ruby webhook modules",
    ],
};

/// `t.body` under HMAC-SHA256 with the whole secret text, prefix included. Entries are split on
/// `,` and the first `=` without trimming; `v0` and unknown keys are ignored, because a fake
/// scheme must not be a way around `v1`. The time is judged on both sides after the signature.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("stripe-v1-hmac-sha256"),
    assurance: Assurance::BodySigned,
    headers: Cow::Borrowed(&[]),
    source: Source::Header(Cow::Borrowed("Stripe-Signature")),
    grammar: Grammar::KeyValues {
        separator: b',',
        signature: Cow::Borrowed("v1"),
        timestamp: Some(Cow::Borrowed("t")),
        blanks: Blanks::Kept,
    },
    encoding: Encoding::LowerHexText,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: Some(TimeSource { header: None, unit: TimeUnit::Seconds }),
    freshness: Freshness::Window { seconds: 300 },
    payload: PayloadCodec::Body,
    challenge: None,
};

const SIGNED: Template =
    Cow::Borrowed(&[Part::Timestamp, Part::Literal(Cow::Borrowed(".")), Part::Body]);
