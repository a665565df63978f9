//! `standard_webhooks`: every sender that follows the Standard Webhooks specification, Svix and
//! its customers among them. The signature is fixed; what the types mean is configured.

use std::borrow::Cow;

use super::{AMOUNT_UNIT, PATHS, STATUS_MAP};
use crate::{
    gateway::{
        Gateway, KeyField, OptionError, OptionField, OptionKind, ParseError, Reply, Sample,
        SchemeOf, doc::Doc,
    },
    model::{
        Event,
        EventType::{PaymentCaptured, PaymentFailed, RefundSucceeded, Unrecognized},
        PaymentStatus::{Confirmed, Refunded, Rejected},
    },
    verify::{
        Options, Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Encoding, Freshness, Grammar, HeaderGrammar, HeaderRule, KeyForm,
            Part, PayloadCodec, Source, Text, TimeSource, TimeUnit,
        },
    },
};

/// The description that configuration completes.
pub(in crate::gateway) static GATEWAY: Gateway = Gateway {
    name: "standard_webhooks",
    title: "Standard Webhooks",
    scheme: SchemeOf::Configured(scheme),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[
        OptionField {
            name: "header_prefix",
            kind: OptionKind::Text,
            about: "what the three headers begin with: webhook- (default) or svix-",
        },
        PATHS,
        STATUS_MAP,
        AMOUNT_UNIT,
    ],
    parse,
    polled: None,
    statuses: &[],
    reply: Reply::OK,
    example_options: EXAMPLE,
    samples: SAMPLES,
    sources: &[
        "Standard Webhooks specification",
        "standardwebhooks and svix libraries, webhook verification",
    ],
};

/// `id.timestamp.body`. The key says which signatures count: `v1` are HMACs, `v1a` are Ed25519.
fn scheme(options: &Options) -> Result<Scheme, OptionError> {
    super::check(options)?;
    let prefix = prefix(options);
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !prefix.bytes().all(letters) {
        let problem = "expected letters, digits and hyphens".to_owned();
        return Err(OptionError { option: "header_prefix", problem });
    }
    let name = |end: &str| -> Text { Cow::Owned(format!("{prefix}{end}")) };
    let dot = || Part::Literal(Cow::Borrowed("."));
    let signed = vec![Part::Header(name("id")), dot(), Part::Timestamp, dot(), Part::Body];
    Ok(Scheme {
        name: Cow::Borrowed("standard-webhooks-v1"),
        assurance: Assurance::BodySigned,
        headers: Cow::Owned(vec![HeaderRule { name: name("id"), grammar: HeaderGrammar::Any }]),
        source: Source::Header(name("signature")),
        grammar: Grammar::Named(&[("v1", Algorithm::HmacSha256), ("v1a", Algorithm::Ed25519)]),
        encoding: Encoding::Base64,
        algorithm: Algorithm::HmacSha256,
        key_form: KeyForm::StandardWebhooks,
        signed: Cow::Owned(vec![Cow::Owned(signed)]),
        timestamp: Some(TimeSource { header: Some(name("timestamp")), unit: TimeUnit::Seconds }),
        freshness: Freshness::Window { seconds: 300 },
        payload: PayloadCodec::Body,
        challenge: None,
    })
}

fn prefix(options: &Options) -> &str {
    options.text("header_prefix").unwrap_or("webhook-")
}

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let options = verified.options();
    let event = super::read(verified.payload(), options, Some("type"))?;
    let header = format!("{}id", prefix(options));
    let id = verified.signed_header(&header).map(Cow::Borrowed);
    let occurred_at = Doc::read(verified.payload())?.time("timestamp")?;
    Ok(vec![Event { id, occurred_at, ..event }])
}

const EXAMPLE: &str = r#"{"paths":{"object_id":"data.id","amount":"data.amount","currency":"data.currency","merchant_reference":"data.metadata.order_id"},
"status_map":{"payment.succeeded":"confirmed","payment.failed":"rejected","refund.succeeded":"refunded"}}"#;

static SAMPLES: &[Sample] = &[
    Sample::new(
        "a type mapped to confirmed",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"type":"payment.succeeded","timestamp":"2026-09-21T13:46:40Z","data":{"id":"pay_1","amount":3000,"currency":"EUR","metadata":{"order_id":"order-1001"}}}"#,
    ),
    Sample::new(
        "a type mapped to rejected",
        PaymentFailed,
        Some(Rejected),
        r#"{"type":"payment.failed","timestamp":"2026-09-21T13:46:40Z","data":{"id":"pay_1","amount":3000,"currency":"EUR"}}"#,
    ),
    Sample::new(
        "a type mapped to refunded",
        RefundSucceeded,
        Some(Refunded),
        r#"{"type":"refund.succeeded","timestamp":"2026-09-21T13:46:40Z","data":{"id":"pay_1","amount":3000,"currency":"EUR"}}"#,
    ),
    Sample::new(
        "a type that is not mapped",
        Unrecognized,
        None,
        r#"{"type":"customer.created","timestamp":"2026-09-21T13:46:40Z","data":{"id":"cus_1"}}"#,
    ),
];
