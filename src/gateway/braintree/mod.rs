//! Braintree.
//!
//! Verification: "Webhooks: Parse" and the webhook modules of the official SDKs. The payload is XML
//! in base64 in a form field; the signature is over that base64 text.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, KeyFieldKind, KeyPart, OptionField, OptionKind, Polled, Reply, SchemeOf,
};
use crate::verify::{
    Scheme,
    scheme::{
        Algorithm, Assurance, Challenge, Encoding, Freshness, Grammar, KeyForm, Part, PayloadCodec,
        Source, Template,
    },
};

mod event;
mod fields;
mod json;
mod kinds;
mod objects;
mod polled;
mod samples;
mod status;
mod transaction;
mod words;

/// Braintree's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "braintree",
    title: "Braintree",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[
        KeyField {
            name: "public_key",
            kind: KeyFieldKind::Public,
            part: KeyPart::Id,
            bytes_min: 1,
        },
        KeyField {
            name: "private_key",
            kind: KeyFieldKind::Secret,
            part: KeyPart::Secret,
            bytes_min: 1,
        },
    ],
    options: &[OptionField {
        name: "default_currency",
        kind: OptionKind::Text,
        about: "currency of amounts that come without one, such as a subscription's",
    }],
    parse: event::parse,
    polled: Some(Polled {
        object_types: polled::OBJECT_TYPES,
        object: polled::object,
        status: polled::status,
    }),
    statuses: status::TABLE,
    reply: Reply::OK,
    example_options: "",
    samples: samples::SAMPLES,
    sources: &[
        "Braintree documentation, \"Webhooks: Create\" and \"Webhooks: Parse\"",
        "braintree_python 4.48.0 and braintree_node 3.40.0, webhook notification gateways",
    ],
};

/// The field's text as received, else with one line feed more: frameworks strip the last line feed
/// of the MIME base64 (`braintree_python`, `webhook_notification_gateway.py`). A pair counts only
/// where it names our public key, and only the first of those. Nothing signs a time.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("braintree-hmac-sha1"),
    assurance: Assurance::BodySigned,
    headers: Cow::Borrowed(&[]),
    source: Source::FormField(Cow::Borrowed("bt_signature")),
    grammar: Grammar::KeyIdPairs,
    encoding: Encoding::LowerHexText,
    algorithm: Algorithm::HmacSha1,
    key_form: KeyForm::Sha1OfText,
    signed: Cow::Borrowed(&[AS_RECEIVED, WITH_LINE_FEED]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::FormBase64(PAYLOAD),
    challenge: Some(Challenge { field: "bt_challenge", digits_min: 20, digits_max: 32 }),
};

const AS_RECEIVED: Template = Cow::Borrowed(&[Part::FormField(Cow::Borrowed(PAYLOAD))]);
const WITH_LINE_FEED: Template =
    Cow::Borrowed(&[Part::FormField(Cow::Borrowed(PAYLOAD)), Part::Literal(Cow::Borrowed("\n"))]);

const PAYLOAD: &str = "bt_payload";

#[cfg(test)]
mod tests;
