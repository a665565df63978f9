//! `PayPal`'s instant payment notifications: form posts that nothing signs. The body is sent back
//! to `PayPal`, which says whether it came from there.
//!
//! Sources: "Instant Payment Notification" (post back, message fields, `payment_status` words).

mod event;
mod samples;
mod status;
mod text;

use std::borrow::Cow;

use super::{Gateway, KeyField, KeyFieldKind, KeyPart, OptionField, OptionKind, Reply, SchemeOf};
use crate::{
    model::Environment::{Live, Test},
    verify::{
        Scheme,
        scheme::{
            Algorithm, AnswerForm, AnswerRule, Assurance, Encoding, Freshness, Grammar, KeyForm,
            PayloadCodec, QuestionForm, Source,
        },
    },
};

/// The description of `PayPal`'s notifications.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "paypal_ipn",
    title: "PayPal IPN",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField {
        name: "receiver_email",
        kind: KeyFieldKind::Public,
        part: KeyPart::Secret,
        bytes_min: 3,
    }],
    options: &[OptionField {
        name: "post_back_host",
        kind: OptionKind::OneOf(&["ipnpb.paypal.com", "ipnpb.sandbox.paypal.com"]),
        about: "the host that says whether a notification is PayPal's; default: the sandbox's \
                on a variant that is pinned to test, else the live one",
    }],
    parse: event::parse,
    polled: None,
    statuses: status::STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: samples::SAMPLES,
    sources: &["PayPal documentation, \"Instant Payment Notification\", IPN and PDT variables"],
};

static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("paypal-ipn-post-back"),
    assurance: Assurance::ConfirmedByGateway,
    headers: Cow::Borrowed(&[]),
    source: Source::Answer,
    grammar: Grammar::Plain,
    encoding: Encoding::Base64,
    algorithm: Algorithm::Answer(&POST_BACK),
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Body,
    challenge: None,
};

/// The body goes back unchanged, in its own order and charset, behind one field of ours.
static POST_BACK: AnswerRule = AnswerRule {
    hosts: &[("ipnpb.paypal.com", Live), ("ipnpb.sandbox.paypal.com", Test)],
    host_option: Some("post_back_host"),
    path: "/cgi-bin/webscr",
    question: QuestionForm::Prefixed("cmd=_notify-validate&"),
    accepts: AnswerForm::Exactly("VERIFIED"),
    // PayPal vouches for what it sent to any merchant.
    receiver: &["receiver_email", "receiver_id"],
    credentials: None,
    certificate: None,
};
