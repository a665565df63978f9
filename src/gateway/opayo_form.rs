//! Opayo Form (once `SagePay`), as django-payments supports it.
//!
//! The answer comes encrypted in the URL, with AES-128 in CBC mode whose initial vector is the
//! key, and nothing authenticates it: whoever sees one can change parts of it. A variant must say
//! that it accepts this.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, OptionField, OptionKind, ParseError, Reply, Sample, SchemeOf, StatusRow,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Event,
        EventType::{PaymentCaptured, PaymentFailed},
        PaymentStatus::{Confirmed, Rejected},
        SubjectKind::Payment,
    },
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Case, Encoding, Freshness, Grammar, KeyForm, PayloadCodec,
            Presence, Source,
        },
    },
};

/// Opayo Form's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "opayo_form",
    title: "Opayo Form",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("encryption_key", 16)],
    options: &[
        OptionField {
            name: "insecure_unauthenticated_cipher",
            kind: OptionKind::Consent,
            about: "must be true: what the gateway sends is encrypted and not authenticated",
        },
        OptionField {
            name: "vendor",
            kind: OptionKind::Text,
            about: "the vendor name, for the operator's own records: the answer does not carry it",
        },
    ],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: r#"{"insecure_unauthenticated_cipher":true}"#,
    samples: SAMPLES,
    sources: &[
        "Opayo Form integration guide, protocol 3.00, \"crypt\" field",
        "django-payments, sagepay provider",
    ],
};

/// A wrong key, broken padding and text without the fields that every answer has are one and the
/// same refusal: telling them apart would be a padding oracle.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("opayo-form-aes-128-cbc"),
    assurance: Assurance::EncryptedOnly,
    headers: Cow::Borrowed(&[]),
    source: Source::QueryField(Cow::Borrowed("crypt")),
    grammar: Grammar::Prefixed {
        prefix: Cow::Borrowed("@"),
        case: Case::Exact,
        required: Presence::Optional,
    },
    encoding: Encoding::CipherHex,
    algorithm: Algorithm::Aes128CbcKeyAsIv,
    key_form: KeyForm::Aes128,
    signed: Cow::Borrowed(&[]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Cipher(&[REFERENCE, STATUS]),
    challenge: None,
};

const REFERENCE: &str = "VendorTxCode";
const STATUS: &str = "Status";

/// Only `OK` is a payment. Everything else ends without one, as in django-payments.
static STATUSES: &[StatusRow] = &[
    row("OK", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("*", "*", Payment, PaymentFailed, Some(Rejected)),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let unreadable = |_| ParseError::Unreadable { format: "form data", line: 0, column: 0 };
    let plain = std::str::from_utf8(verified.payload()).map_err(unreadable)?;
    // Values are not escaped, and may hold an equals sign.
    let field = |name: &str| {
        let mut pairs = plain.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name).map(|(_, value)| value);
        value.filter(|value| !value.is_empty()).map(Cow::Borrowed)
    };
    let status = field(STATUS).ok_or(ParseError::FieldMissing { path: STATUS })?;
    let id = field("VPSTxId");
    let failed = status != "OK";
    let facts = Facts {
        object_id: id.clone(),
        payment_id: id.clone(),
        charge_id: field("TxAuthNo"),
        merchant_reference: field(REFERENCE),
        gateway_status: Some(status.clone()),
        // The amount has no currency, which makes it no amount.
        failure: facts::failure(
            field("DeclineCode").filter(|_| failed),
            field("StatusDetail").filter(|_| failed),
        ),
        ..Facts::default()
    };
    let event = facts::event(STATUSES, &status, "", facts);
    Ok(vec![Event { gateway_type: Some(status), ..event }])
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "paid",
        PaymentCaptured,
        Some(Confirmed),
        "VendorTxCode=order-1001&VPSTxId={00000000-0000-4000-8000-000000001001}&Status=OK&Amount=30.00",
    ),
    Sample::new(
        "aborted by the payer",
        PaymentFailed,
        Some(Rejected),
        "VendorTxCode=order-1001&VPSTxId={00000000-0000-4000-8000-000000001001}&Status=ABORT&Amount=30.00",
    ),
];
