//! `generic_hmac`: a gateway written in configuration, no code.

use std::borrow::Cow;

use super::{AMOUNT_UNIT, PATHS, STATUS_MAP, template, text_in};
use crate::{
    gateway::{
        Gateway, KeyField, OptionError, OptionField, OptionKind, ParseError, Reply, Sample,
        SchemeOf,
    },
    model::{
        Event,
        EventType::{PaymentCaptured, PaymentFailed, Unrecognized},
        PaymentStatus::{Confirmed, Rejected},
    },
    verify::{
        Options, Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Blanks, Case, Encoding, Freshness, Grammar, HeaderGrammar,
            HeaderRule, KeyForm, Part, PayloadCodec, Presence, Source, TimeSource, TimeUnit,
        },
    },
};

/// The description that configuration completes.
pub(in crate::gateway) static GATEWAY: Gateway = Gateway {
    name: "generic_hmac",
    title: "Generic HMAC",
    scheme: SchemeOf::Configured(scheme),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[
        OptionField {
            name: SCHEME,
            kind: OptionKind::Nested,
            about: "algorithm, header, encoding, template; prefix or header_grammar kv with \
                    separator, signature_key and timestamp_key; timestamp_header, timestamp_unit; \
                    key_encoding",
        },
        PATHS,
        STATUS_MAP,
        AMOUNT_UNIT,
        OptionField {
            name: "notification_url",
            kind: OptionKind::Text,
            about: "what {url} stands for, where the application sees another one",
        },
    ],
    parse,
    polled: None,
    statuses: &[],
    reply: Reply::OK,
    example_options: EXAMPLE,
    samples: SAMPLES,
    sources: &["The gateway's own documentation, as the operator writes it down"],
};

const SCHEME: &str = "scheme";

/// The keys of `scheme`.
const FIELDS: [&str; 12] = [
    "algorithm",
    "header",
    "encoding",
    "prefix",
    "template",
    "key_encoding",
    "header_grammar",
    "separator",
    "signature_key",
    "timestamp_key",
    "timestamp_header",
    "timestamp_unit",
];

fn wrong(problem: impl Into<String>) -> OptionError {
    OptionError { option: SCHEME, problem: problem.into() }
}

fn scheme(options: &Options) -> Result<Scheme, OptionError> {
    super::check(options)?;
    let table = options.value(SCHEME).ok_or_else(|| wrong("is required"))?;
    for (name, value) in super::entries(options, SCHEME)? {
        if !FIELDS.contains(&name) || !value.is_string() {
            return Err(wrong(format!("expected texts for some of {}", FIELDS.join(", "))));
        }
    }
    let required = |name| {
        let text = text_in(table, name).filter(|text| !text.is_empty());
        text.map(Cow::into_owned).ok_or_else(|| wrong(format!("{name} is required")))
    };
    let parts = template::read(&required("template")?).map_err(wrong)?;
    if !parts.contains(&Part::Body) {
        return Err(wrong("the template must contain {body}: nothing else binds the payload"));
    }
    let (grammar, timestamp) = (grammar(table)?, timestamp(table)?);
    if timestamp.is_some() != parts.contains(&Part::Timestamp) {
        let problem = "a time must be both configured and in the template as {timestamp}";
        return Err(wrong(problem));
    }
    let freshness = match timestamp {
        Some(_) => Freshness::Window { seconds: 300 },
        None => Freshness::NotSigned,
    };
    Ok(Scheme {
        name: Cow::Borrowed("generic-hmac"),
        assurance: Assurance::BodySigned,
        headers: headers(&parts).into(),
        source: Source::Header(Cow::Owned(required("header")?)),
        grammar,
        encoding: word(table, "encoding", "hex", ENCODINGS)?,
        algorithm: word(table, "algorithm", "sha256", ALGORITHMS)?,
        key_form: word(table, "key_encoding", "text", KEY_FORMS)?,
        signed: Cow::Owned(vec![Cow::Owned(parts)]),
        timestamp,
        freshness,
        payload: PayloadCodec::Body,
        challenge: None,
    })
}

/// Headers that are signed must be there.
fn headers(parts: &[Part]) -> Vec<HeaderRule> {
    let rule = |part: &Part| {
        let Part::Header(name) = part else { return None };
        Some(HeaderRule { name: name.clone(), grammar: HeaderGrammar::Any })
    };
    parts.iter().filter_map(rule).collect()
}

fn grammar(table: &serde_json::Value) -> Result<Grammar, OptionError> {
    let owned = |name| text_in(table, name).map(|text| Cow::Owned(text.into_owned()));
    match text_in(table, "header_grammar").as_deref() {
        Some("kv") => {
            let separator = text_in(table, "separator").unwrap_or(Cow::Borrowed(","));
            let &[separator @ 0..=0x7f] = separator.as_bytes() else {
                return Err(wrong("separator: expected one ASCII character"));
            };
            let signature = owned("signature_key");
            let signature = signature.ok_or_else(|| wrong("signature_key is required with kv"))?;
            let timestamp = owned("timestamp_key");
            Ok(Grammar::KeyValues { separator, signature, timestamp, blanks: Blanks::Kept })
        }
        Some("plain") | None => Ok(match owned("prefix").filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => {
                Grammar::Prefixed { prefix, case: Case::Any, required: Presence::Required }
            }
            None => Grammar::Plain,
        }),
        Some(_) => Err(wrong("header_grammar: expected plain or kv")),
    }
}

fn timestamp(table: &serde_json::Value) -> Result<Option<TimeSource>, OptionError> {
    let unit = word(table, "timestamp_unit", "s", UNITS)?;
    let header = text_in(table, "timestamp_header").map(|name| Cow::Owned(name.into_owned()));
    match (header, text_in(table, "timestamp_key")) {
        (Some(_), Some(_)) => Err(wrong("expected one of timestamp_header and timestamp_key")),
        (Some(header), None) => Ok(Some(TimeSource { header: Some(header), unit })),
        (None, Some(_)) => Ok(Some(TimeSource { header: None, unit })),
        (None, None) => Ok(None),
    }
}

/// One of a few words.
fn word<T: Copy>(
    table: &serde_json::Value,
    name: &str,
    default: &str,
    words: &[(&str, T)],
) -> Result<T, OptionError> {
    let text = text_in(table, name).unwrap_or(Cow::Borrowed(default));
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| wrong(format!("{name}: expected one of {}", known())))
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("sha1", Algorithm::HmacSha1),
    ("sha256", Algorithm::HmacSha256),
    ("sha384", Algorithm::HmacSha384),
    ("sha512", Algorithm::HmacSha512),
];
const ENCODINGS: &[(&str, Encoding)] = &[("hex", Encoding::Hex), ("base64", Encoding::Base64)];
const KEY_FORMS: &[(&str, KeyForm)] =
    &[("text", KeyForm::Text), ("hex", KeyForm::Hex), ("base64", KeyForm::Base64)];
const UNITS: &[(&str, TimeUnit)] =
    &[("s", TimeUnit::Seconds), ("ms", TimeUnit::Milliseconds), ("rfc3339", TimeUnit::Rfc3339)];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    super::read(verified.payload(), verified.options(), None).map(|event| vec![event])
}

const EXAMPLE: &str = r#"{"scheme":{"algorithm":"sha256","header":"X-Signature","encoding":"hex","prefix":"sha256=","template":"{body}"},
"paths":{"id":"id","type":"type","object_id":"payment.id","amount":"payment.amount","currency":"payment.currency","merchant_reference":"payment.ref"},
"status_map":{"paid":"confirmed","refused":"rejected"}}"#;

static SAMPLES: &[Sample] = &[
    Sample::new(
        "a type mapped to confirmed",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"id":"e-1","type":"paid","payment":{"id":"p-1","amount":3000,"currency":"EUR","ref":"order-1001"}}"#,
    ),
    Sample::new(
        "a type mapped to rejected",
        PaymentFailed,
        Some(Rejected),
        r#"{"id":"e-2","type":"refused","payment":{"id":"p-1","amount":3000,"currency":"EUR","ref":"order-1001"}}"#,
    ),
    Sample::new(
        "a type that is not mapped",
        Unrecognized,
        None,
        r#"{"id":"e-3","type":"hello","payment":{"id":"p-1"}}"#,
    ),
];
