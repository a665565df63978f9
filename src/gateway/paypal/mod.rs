//! `PayPal`'s REST webhooks, verified offline.
//!
//! Sources: "Integrate webhooks" (message and headers), "Webhook event names", "Webhooks simulator",
//! the event classes of PayPal-Python-SDK and PayPal-Java-SDK, and a genuine sandbox delivery of
//! 2017 from the latter's test data, which the vectors hold.

mod event;
mod failure;
mod list;
mod object;
mod samples;
mod state;
mod status;
mod subject;

use std::borrow::Cow;

use super::{
    Gateway, KeyField, KeyFieldKind, KeyPart, OptionError, OptionField, OptionKind, Polled, Reply,
    SchemeOf,
};
use crate::limits::SIGNED_ID_BYTES_MAX;
use crate::{
    model::Environment::{Live, Test},
    verify::{
        Options, Scheme, check_anchors,
        scheme::{
            Algorithm, AnswerForm, AnswerRule, Assurance, CertificateRule, Encoding, Freshness,
            Grammar, HeaderGrammar, HeaderRule, KeyForm, Part, PayloadCodec, QuestionForm, Source,
            Template, TimeSource, TimeUnit,
        },
    },
};

/// `PayPal`'s description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "paypal",
    title: "PayPal",
    scheme: SchemeOf::Configured(scheme),
    keys: &[KeyField {
        name: "webhook_id",
        kind: KeyFieldKind::Public,
        part: KeyPart::Secret,
        bytes_min: 1,
    }],
    options: OPTIONS,
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
        "PayPal documentation, \"Integrate webhooks\", \"Webhook event names\", \
         \"Webhooks simulator\"",
        "PayPal-Python-SDK 1.13.3 notifications module, PayPal-Java-SDK SSLUtil and test data",
    ],
};

const OPTIONS: &[OptionField] = &[
    OptionField {
        name: "trust_anchors",
        kind: OptionKind::Text,
        about: "certificates in PEM to which the signing certificate must chain; \
                default: the public roots",
    },
    OptionField {
        name: "allowed_cert_hosts",
        kind: OptionKind::TextList,
        about: "which of PayPal's four hosts may serve certificates; default: all that fit \
                the environment",
    },
    OptionField {
        name: "insecure_cert_hosts",
        kind: OptionKind::TextList,
        about: "further hosts that may serve certificates: whoever runs one can sign events",
    },
    OptionField {
        name: "allow_simulator",
        kind: OptionKind::FlagInTest,
        about: "accept what PayPal's webhooks simulator sends to anybody",
    },
    OptionField {
        name: "verify",
        kind: OptionKind::OneOf(&["offline", "api"]),
        about: "offline: by certificate; api: PayPal is asked about each webhook",
    },
    OptionField {
        name: "api",
        kind: OptionKind::Nested,
        about: "client_id and client_secret of the REST app, for verify: api",
    },
    OptionField {
        name: "certificates",
        kind: OptionKind::Nested,
        about: "fixed: {URL: certificates in PEM}; with it nothing is ever fetched",
    },
];

/// The scheme for these options.
fn scheme(options: &Options) -> Result<Scheme, OptionError> {
    check_options(options)?;
    if options.text("verify") != Some("api") {
        return Ok(SCHEME.clone());
    }
    let complete = options.value("api").and_then(|api| api.get("client_id")).is_some()
        && options.secret("api.client_secret").is_some();
    if !complete {
        return Err(refused("api", "expected client_id and client_secret with verify: api"));
    }
    Ok(Scheme {
        name: Cow::Borrowed("paypal-verify-webhook-signature"),
        assurance: Assurance::ConfirmedByGateway,
        algorithm: Algorithm::Answer(&API),
        ..SCHEME.clone()
    })
}

fn check_options(options: &Options) -> Result<(), OptionError> {
    if let Some(anchors) = options.text("trust_anchors") {
        check_anchors(anchors).map_err(|problem| refused("trust_anchors", problem))?;
    }
    let hosts = |name: &str| {
        let list = options.value(name).and_then(|list| list.as_array());
        list.into_iter().flatten().map(|host| host.as_str().unwrap_or_default())
    };
    let known = |host: &str| CERTIFICATES.hosts.iter().any(|(name, _)| *name == host);
    if !hosts("allowed_cert_hosts").all(known) {
        let names: Vec<_> = CERTIFICATES.hosts.iter().map(|(name, _)| *name).collect();
        return Err(refused(
            "allowed_cert_hosts",
            &format!("expected any of {}", names.join(", ")),
        ));
    }
    let shaped = |host: &str| {
        let byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        !host.is_empty() && host.bytes().all(byte)
    };
    check_certificates(options)?;
    if !hosts("insecure_cert_hosts").all(shaped) {
        return Err(refused("insecure_cert_hosts", "expected host names in lower case, no port"));
    }
    Ok(())
}

/// `certificates` holds texts by URL, or nothing yet where a reference stands.
fn check_certificates(options: &Options) -> Result<(), OptionError> {
    let Some(certificates) = options.value("certificates") else { return Ok(()) };
    let entries = certificates.as_object().filter(|map| map.keys().all(|key| key == "fixed"));
    let fixed = entries.and_then(|map| map.get("fixed")).and_then(|fixed| fixed.as_object());
    let certificate = |text: &serde_json::Value| {
        text.is_null() || text.as_str().is_some_and(|pem| check_anchors(pem).is_ok())
    };
    match fixed {
        Some(fixed) if !fixed.is_empty() && fixed.values().all(certificate) => Ok(()),
        Some(_) | None => {
            Err(refused("certificates", "expected fixed: {URL: certificates in PEM}"))
        }
    }
}

fn refused(option: &'static str, problem: &str) -> OptionError {
    OptionError { option, problem: problem.to_owned() }
}

/// `id|time|webhook id|CRC-32 of the body` under RSA PKCS#1 v1.5 with SHA-256. The body itself is
/// not signed: another one with the same checksum is made in no time, so that
/// `Verified::signed_id` must be remembered with the body that came first.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("paypal-rsa-sha256-crc32"),
    assurance: Assurance::ChecksumSigned,
    headers: Cow::Borrowed(&[
        // A `|` in one of the texts would shift its neighbours in the signed text.
        HeaderRule {
            name: Cow::Borrowed(TRANSMISSION_ID),
            grammar: HeaderGrammar::Token { bytes_max: SIGNED_ID_BYTES_MAX },
        },
        // The SDKs let the header choose the algorithm, SHA-1 included.
        HeaderRule {
            name: Cow::Borrowed("PAYPAL-AUTH-ALGO"),
            grammar: HeaderGrammar::Exactly(Cow::Borrowed("SHA256withRSA")),
        },
        HeaderRule { name: Cow::Borrowed(CERT_URL), grammar: HeaderGrammar::Any },
    ]),
    source: Source::Header(Cow::Borrowed("PAYPAL-TRANSMISSION-SIG")),
    grammar: Grammar::Plain,
    encoding: Encoding::Base64,
    algorithm: Algorithm::RsaSha256ByCertificate(&CERTIFICATES),
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: Some(TimeSource {
        header: Some(Cow::Borrowed("PAYPAL-TRANSMISSION-TIME")),
        unit: TimeUnit::Rfc3339,
    }),
    // PayPal repeats a delivery for three days, and it is not known whether it signs it anew.
    freshness: Freshness::WhenConfigured,
    payload: PayloadCodec::Body,
    challenge: None,
};

const TRANSMISSION_ID: &str = "PAYPAL-TRANSMISSION-ID";
const CERT_URL: &str = "PAYPAL-CERT-URL";

const SIGNED: Template = Cow::Borrowed(&[
    Part::Header(Cow::Borrowed(TRANSMISSION_ID)),
    Part::Literal(Cow::Borrowed("|")),
    Part::Timestamp,
    Part::Literal(Cow::Borrowed("|")),
    Part::Key,
    Part::Literal(Cow::Borrowed("|")),
    Part::BodyCrc32,
]);

/// The Java SDK requires a name that begins with `messageverificationcerts`; the Python SDK takes
/// any of `PayPal`'s, and both fetch whatever URL the header names.
static CERTIFICATES: CertificateRule = CertificateRule {
    url_header: CERT_URL,
    id_header: TRANSMISSION_ID,
    hosts: &[
        ("api.paypal.com", Live),
        ("api-m.paypal.com", Live),
        ("api.sandbox.paypal.com", Test),
        ("api-m.sandbox.paypal.com", Test),
    ],
    path: "/v1/notifications/certs/",
    names: &[
        ("messageverificationcerts.paypal.com", Live),
        ("messageverificationcerts.sandbox.paypal.com", Test),
    ],
    simulator_key: "WEBHOOK_ID",
};

/// "Verify webhook signature": the body is spliced in as it came, because written anew it has
/// another checksum and the answer is FAILURE.
static API: AnswerRule = AnswerRule {
    hosts: &[("api-m.paypal.com", Live), ("api-m.sandbox.paypal.com", Test)],
    host_option: None,
    path: "/v1/notifications/verify-webhook-signature",
    question: QuestionForm::Spliced {
        headers: &[
            ("auth_algo", "PAYPAL-AUTH-ALGO"),
            ("cert_url", CERT_URL),
            ("transmission_id", TRANSMISSION_ID),
            ("transmission_sig", "PAYPAL-TRANSMISSION-SIG"),
            ("transmission_time", "PAYPAL-TRANSMISSION-TIME"),
        ],
        key: "webhook_id",
        body: "webhook_event",
    },
    accepts: AnswerForm::VerificationStatus("SUCCESS"),
    receiver: &[],
    credentials: Some("api"),
    certificate: Some(&CERTIFICATES),
};
