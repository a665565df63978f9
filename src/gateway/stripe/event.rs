//! Reads Stripe's snapshot and thin events.

use std::borrow::Cow;

use super::{
    object::{Envelope, Object},
    status::{OTHER_WITH_AMOUNT, STATUSES},
    subject::{Facts, subject},
};
use crate::{
    gateway::{
        ParseError, json,
        status_table::{self},
    },
    model::{Coverage, Currency, Environment, Event, Money, SubjectKind, Timestamp},
    verify::{Options, Verified},
};

/// Reads the one event of a verified body.
pub(super) fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let envelope: Envelope<'v> = json::read(verified.payload())?;
    let event = match envelope.object.required("object")?.as_ref() {
        "event" => snapshot(&envelope, verified.options())?,
        "v2.core.event" => thin(&envelope)?,
        _ => {
            let expected = "`event` or `v2.core.event`";
            return Err(ParseError::FieldWrong { path: "object", expected });
        }
    };
    Ok(vec![event])
}

fn snapshot<'v>(envelope: &Envelope<'v>, options: &Options) -> Result<Event<'v>, ParseError> {
    let id = envelope.id.required("id")?;
    let gateway_type = envelope.kind.required("type")?;
    let data = envelope.data.required_object("data")?;
    let object = data.object.required_object("data.object")?;
    let event = describe(gateway_type, object, options)?;
    Ok(Event {
        id: Some(id.clone()),
        gateway_type: Some(gateway_type.clone()),
        occurred_at: json::integer(envelope.created, "created")?.map(Timestamp::from_seconds),
        environment: environment(json::flag(envelope.livemode, "livemode")?),
        account: envelope.account.text().or_else(|| envelope.context.text()),
        gateway_api_version: envelope.api_version.text(),
        ..event
    })
}

/// A thin event points at an object: no amount, no state. The application reads it from the API.
fn thin<'v>(envelope: &Envelope<'v>) -> Result<Event<'v>, ParseError> {
    let created = envelope.created.map(|raw| raw.get().trim_matches('"'));
    let created = created.filter(|text| *text != "null");
    let wrong = ParseError::FieldWrong { path: "created", expected: "an RFC 3339 time" };
    let occurred_at = match created {
        Some(text) => Some(Timestamp::from_rfc3339(text).ok_or(wrong)?),
        None => None,
    };
    let related = envelope.related_object.object();
    Ok(Event {
        id: Some(envelope.id.required("id")?.clone()),
        gateway_type: Some(envelope.kind.required("type")?.clone()),
        occurred_at,
        environment: environment(json::flag(envelope.livemode, "livemode")?),
        account: envelope.account.text().or_else(|| envelope.context.text()),
        coverage: Coverage::Pointer,
        needs_fetch: related.is_some(),
        object_id: related.and_then(|related| related.id.text()),
        ..Event::envelope()
    })
}

/// Reads an object as the API returns it.
pub(super) fn object<'o>(
    object_type: &str,
    payload: &'o [u8],
    options: &Options,
) -> Result<Event<'o>, ParseError> {
    let object: Object<'o> = json::read(payload)?;
    let pseudo_type = POLLED.iter().find(|(name, _)| *name == object_type);
    let (_, pseudo_type) = pseudo_type
        .ok_or(ParseError::FieldWrong { path: "object_type", expected: "a type that is read" })?;
    let event = describe(pseudo_type, &object, options)?;
    let environment = environment(json::flag(object.livemode, "livemode")?);
    Ok(Event { environment, ..event })
}

/// What the type and the object say together.
fn describe<'v>(
    gateway_type: &str,
    object: &Object<'v>,
    options: &Options,
) -> Result<Event<'v>, ParseError> {
    let state = state(gateway_type, object)?;
    let object_id = object.id.text();
    let Some(row) = status_table::find(STATUSES, gateway_type, state) else {
        return Ok(Event { object_id, ..Event::envelope() });
    };
    let facts = Facts::read(row.subject, object)?;
    let amount = amount(row.subject, gateway_type, state, &facts);
    let merchant_reference = merchant_reference(row.subject, object, options);
    let subject = subject(row, object, &facts, merchant_reference.clone())?;
    let coverage = if subject.is_some() { Coverage::Typed } else { Coverage::Envelope };
    Ok(Event {
        event_type: row.event_type,
        coverage,
        status: row.status,
        subject_kind: row.subject,
        object_id,
        merchant_reference,
        amount,
        subject,
        ..Event::envelope()
    })
}

/// The state the table knows: a status word, or a word of ours where several fields decide.
fn state<'o>(gateway_type: &str, object: &'o Object<'_>) -> Result<&'o str, ParseError> {
    let status = object.status.decisive("data.object.status")?.unwrap_or_default();
    if gateway_type.starts_with("checkout.session") {
        if status == "expired" {
            return Ok(status);
        }
        if object.mode.decisive("data.object.mode")? == Some("setup") {
            return Ok("setup");
        }
        let paid = object.payment_status.decisive("data.object.payment_status")?;
        return Ok(paid.unwrap_or_default());
    }
    if gateway_type.starts_with("payment_intent.") && status == "succeeded" {
        let asked = json::integer(object.amount, "data.object.amount")?;
        let received = json::integer(object.amount_received, "data.object.amount_received")?;
        let partial = asked.zip(received).is_some_and(|(asked, received)| received < asked);
        return Ok(if partial { "succeeded_in_part" } else { status });
    }
    let refunds = ["charge.dispute.", "charge.refund."];
    let charge = gateway_type.starts_with("charge.")
        && !refunds.iter().any(|prefix| gateway_type.starts_with(prefix));
    if charge && status == "succeeded" { charge_state(object) } else { Ok(status) }
}

fn charge_state(object: &Object<'_>) -> Result<&'static str, ParseError> {
    let captured = json::flag(object.captured, "data.object.captured")?.unwrap_or(false);
    let refunded = json::flag(object.refunded, "data.object.refunded")?.unwrap_or(false);
    let asked = json::integer(object.amount, "data.object.amount")?;
    let taken = json::integer(object.amount_captured, "data.object.amount_captured")?;
    let partial = asked.zip(taken).is_some_and(|(asked, taken)| taken < asked);
    Ok(match (captured, refunded) {
        (true, true) => "refunded",
        (false, true) => "released",
        (true, false) if partial => "captured_in_part",
        (true, false) => "captured",
        (false, false) => "authorized",
    })
}

/// The amount the event is about.
fn amount(subject: SubjectKind, gateway_type: &str, state: &str, facts: &Facts) -> Option<Money> {
    match subject {
        SubjectKind::Checkout => facts.total,
        SubjectKind::Payment if gateway_type.starts_with("payment_intent.") => match state {
            "succeeded" | "succeeded_in_part" => facts.captured.or(facts.amount),
            "requires_capture" => facts.capturable.or(facts.amount),
            _ => facts.amount,
        },
        SubjectKind::Payment => match gateway_type {
            "charge.refunded" => facts.refunded.or(facts.amount),
            "charge.captured" => facts.captured.or(facts.amount),
            _ => facts.amount,
        },
        SubjectKind::Invoice if gateway_type.starts_with("invoice_payment.") => {
            facts.paid.or(facts.requested)
        }
        SubjectKind::Invoice if facts.invoice_paid => facts.paid,
        SubjectKind::Invoice => facts.due,
        SubjectKind::Dispute | SubjectKind::Payout | SubjectKind::Refund => facts.amount,
        SubjectKind::Other => {
            let moves = OTHER_WITH_AMOUNT.iter().any(|prefix| gateway_type.starts_with(prefix));
            facts.amount.filter(|_| moves)
        }
        SubjectKind::Mandate | SubjectKind::Subscription => None,
    }
}

/// `client_reference_id`, else the metadata keys in order, else those of the subscription.
fn merchant_reference<'v>(
    subject: SubjectKind,
    object: &Object<'v>,
    options: &Options,
) -> Option<Cow<'v, str>> {
    if subject == SubjectKind::Other {
        return None;
    }
    let configured = options.value("reference_metadata_keys").and_then(|keys| keys.as_array());
    let find = |metadata: &json::Metadata<'v>| match configured {
        Some(keys) => {
            keys.iter().filter_map(|key| key.as_str()).find_map(|key| metadata.value(key))
        }
        None => REFERENCE_KEYS.iter().find_map(|key| metadata.value(key)),
    };
    let details = object.details();
    object
        .client_reference_id
        .text()
        .or_else(|| object.metadata.object().and_then(find))
        .or_else(|| details.and_then(|details| details.metadata.object()).and_then(find))
}

const fn environment(livemode: Option<bool>) -> Option<Environment> {
    match livemode {
        Some(true) => Some(Environment::Live),
        Some(false) => Some(Environment::Test),
        None => None,
    }
}

/// How many decimals Stripe's integers have: its zero- and three-decimal lists, else hundredths
/// (ISK and UGX too, which are worth no decimals).
/// Stripe: "Supported currencies", zero-decimal and three-decimal currencies, special cases.
pub(super) fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "MGA" | "PYG" | "RWF" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "JOD" | "KWD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A status word that means the same whatever else the object says. `None` where other fields
/// decide: a succeeded charge may be authorized, captured or refunded.
pub(super) fn bare_status(object_type: &str, status: &str) -> Option<crate::model::PaymentStatus> {
    let alone: &[(&str, &[&str])] = &[
        (
            "payment_intent",
            &[
                "requires_payment_method",
                "requires_confirmation",
                "processing",
                "requires_action",
                "requires_capture",
                "canceled",
            ],
        ),
        ("charge", &["failed", "pending"]),
        ("checkout.session", &["expired"]),
        ("refund", &["failed", "canceled"]),
        ("dispute", &["won", "warning_closed", "prevented"]),
        ("invoice", &["draft", "open", "void", "uncollectible"]),
    ];
    let (name, words) = alone.iter().find(|(name, _)| *name == object_type)?;
    let (_, pseudo_type) = POLLED.iter().find(|(object_type, _)| object_type == name)?;
    let word = words.iter().find(|word| **word == status)?;
    status_table::find(STATUSES, pseudo_type, word).and_then(|row| row.status)
}

/// Object types of the API, and the event type whose rows read them.
const POLLED: [(&str, &str); 6] = [
    ("charge", "charge.updated"),
    ("checkout.session", "checkout.session"),
    ("dispute", "charge.dispute.updated"),
    ("invoice", "invoice.updated"),
    ("payment_intent", "payment_intent.updated"),
    ("refund", "refund.updated"),
];

/// Object types of the API that are read.
pub(super) const POLLED_TYPES: &[&str] =
    &["charge", "checkout.session", "dispute", "invoice", "payment_intent", "refund"];

/// Metadata keys that hold the application's reference, first match wins.
const REFERENCE_KEYS: [&str; 2] = ["payment_token", "order_id"];

const _: () = assert!(POLLED.len() == POLLED_TYPES.len());
