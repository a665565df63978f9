//! Mercado Pago.
//!
//! The signature covers the object's id in the query, the request's id and the time, and nothing
//! of the body: the body only points at an object, which must be the signed one. Its state is read
//! from the API.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{Coverage, Event, EventType::Unrecognized, SubjectKind::Payment},
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Binding, Blanks, Encoding, Freshness, Grammar, KeyForm, Part,
            PayloadCodec, Source, Template, TimeSource, TimeUnit,
        },
    },
};

/// Mercado Pago's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "mercadopago",
    title: "Mercado Pago",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Mercado Pago documentation, \"Webhooks: validate the origin of a notification\" (the id in lower case)",
        "mercadopago (Python and Node), webhook validators",
    ],
};

/// `id:<data.id>;request-id:<x-request-id>;ts:<ts>;`, where an absent pair is left out whole.
/// The time is in seconds in the SDKs and in milliseconds in real deliveries. Old deliveries keep
/// their time, so that it is compared only where the variant says how far it may lie.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("mercadopago-manifest-hmac-sha256"),
    assurance: Assurance::FieldsSigned,
    headers: Cow::Borrowed(&[]),
    source: Source::Header(Cow::Borrowed("x-signature")),
    grammar: Grammar::KeyValues {
        separator: b',',
        signature: Cow::Borrowed("v1"),
        timestamp: Some(Cow::Borrowed("ts")),
        blanks: Blanks::Trimmed,
    },
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: Some(TimeSource { header: None, unit: TimeUnit::SecondsOrMilliseconds }),
    freshness: Freshness::WhenConfigured,
    payload: PayloadCodec::Bound(&[Binding::JsonQuery { path: &["data", "id"], query: ID }]),
    challenge: None,
};

const SIGNED: Template = Cow::Borrowed(&[
    Part::Group(&[
        Part::Literal(Cow::Borrowed("id:")),
        Part::QueryLower(ID),
        Part::Literal(Cow::Borrowed(";")),
    ]),
    Part::Group(&[
        Part::Literal(Cow::Borrowed("request-id:")),
        Part::Header(Cow::Borrowed(REQUEST_ID)),
        Part::Literal(Cow::Borrowed(";")),
    ]),
    Part::Literal(Cow::Borrowed("ts:")),
    Part::Timestamp,
    Part::Literal(Cow::Borrowed(";")),
]);

/// Query fields that hold the object's id, the current name first.
const ID: &[&str] = &["data.id", "id"];
const REQUEST_ID: &str = "x-request-id";

/// The type is the body's `type`. No state is signed, so that no status is proven.
static STATUSES: &[StatusRow] = &[row("payment", "*", Payment, Unrecognized, None)];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let kind = root.word("type")?.or(root.word("topic")?);
    let gateway_type = root.text("action")?.or_else(|| kind.clone());
    // The body's own id is not signed and identifies nothing: the signed parts do.
    let object_id = verified.signed_query();
    let request_id = verified.signed_header(REQUEST_ID).unwrap_or_default();
    let signed_at = verified.evidence().signed_at.map_or(0, crate::model::UnixSeconds::get);
    let identity =
        format!("{}\n{request_id}\n{signed_at}", object_id.as_deref().unwrap_or_default());
    let object_id = object_id.map(Cow::Owned);
    let facts = Facts { object_id, ..Facts::default() };
    Ok(vec![Event {
        id: root.id("id")?,
        identity: Some(Cow::Owned(identity.into_bytes())),
        coverage: Coverage::Pointer,
        needs_fetch: true,
        gateway_type,
        subject: None,
        ..facts::event(STATUSES, kind.as_deref().unwrap_or_default(), "", facts)
    }])
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "a payment changed",
        Unrecognized,
        None,
        r#"{"action":"payment.updated","api_version":"v1","data":{"id":"1001"},"id":1,"live_mode":false,"type":"payment"}"#,
    ),
    Sample::new(
        "a merchant order changed",
        Unrecognized,
        None,
        r#"{"action":"update","api_version":"v1","data":{"id":"2001"},"id":2,"live_mode":false,"type":"topic_merchant_order_wh"}"#,
    ),
];
