//! Gateways whose payloads are described in configuration: where the fields are and what the types
//! mean. `generic_hmac` describes the signature too, `standard_webhooks` has a fixed one.

pub(super) mod hmac;
pub(super) mod standard;
mod template;

use std::borrow::Cow;

use super::{
    OptionError, OptionField, OptionKind, ParseError,
    doc::{self, Doc},
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{Currency, Event, EventType, PaymentStatus, SubjectKind},
    verify::Options,
};

/// Where the fields are, by dotted path.
const PATHS: OptionField = OptionField {
    name: "paths",
    kind: OptionKind::Nested,
    about: "dotted paths into the JSON body: id, type, object_id, merchant_reference, amount, \
            currency",
};

/// What the types mean.
const STATUS_MAP: OptionField = OptionField {
    name: "status_map",
    kind: OptionKind::Nested,
    about: "the status that each type proves, in the application's eight words",
};

/// How amounts are written.
const AMOUNT_UNIT: OptionField = OptionField {
    name: "amount_unit",
    kind: OptionKind::OneOf(&["minor", "major"]),
    about: "whether amounts count the currency's smallest unit (default) or are decimals",
};

/// Fields that a path can lead to.
const FIELDS: [&str; 6] = ["id", "type", "object_id", "merchant_reference", "amount", "currency"];

/// Checks the options that describe the payload.
fn check(options: &Options) -> Result<(), OptionError> {
    let wrong = |option, problem: String| Err(OptionError { option, problem });
    for (name, path) in entries(options, PATHS.name)? {
        let known = FIELDS.contains(&name);
        let path = path.as_str().unwrap_or_default();
        if !known || path.split('.').any(str::is_empty) {
            let fields = FIELDS.join(", ");
            return wrong(PATHS.name, format!("expected dotted paths for some of {fields}"));
        }
    }
    for (_, status) in entries(options, STATUS_MAP.name)? {
        if status.as_str().and_then(PaymentStatus::from_name).is_none() {
            let words = PaymentStatus::ALL.map(PaymentStatus::as_str).join(", ");
            return wrong(STATUS_MAP.name, format!("expected types mapped to one of {words}"));
        }
    }
    Ok(())
}

/// The entries of a nested option.
fn entries<'o>(
    options: &'o Options,
    option: &'static str,
) -> Result<Vec<(&'o str, &'o serde_json::Value)>, OptionError> {
    match options.value(option) {
        None | Some(serde_json::Value::Null) => Ok(Vec::new()),
        Some(serde_json::Value::Object(entries)) => {
            Ok(entries.iter().map(|(name, value)| (name.as_str(), value)).collect())
        }
        Some(_) => Err(OptionError { option, problem: "expected a table".to_owned() }),
    }
}

/// Reads the event that the options describe; `type_path` is where the type is unless they say.
fn read<'v>(
    payload: &'v [u8],
    options: &Options,
    type_path: Option<&str>,
) -> Result<Event<'v>, ParseError> {
    let root = Doc::read(payload)?;
    let paths = options.value(PATHS.name);
    let path = |name: &str| paths.and_then(|paths| paths.get(name)).and_then(|path| path.as_str());
    let value = |path: Option<&str>| path.map_or(Ok(None), |path| root.at(path));
    let text = |name| Ok(value(path(name))?.and_then(doc::identifier));
    let gateway_type = value(path("type").or(type_path))?.and_then(doc::identifier);
    let kind = gateway_type.as_deref().unwrap_or_default();
    let status = options.value(STATUS_MAP.name).and_then(|map| map.get(kind));
    let status = status.and_then(|word| word.as_str()).and_then(PaymentStatus::from_name);
    let currency = text("currency")?.and_then(|code| Currency::new(&code));
    let major = options.text(AMOUNT_UNIT.name) == Some("major");
    let amount = match value(path("amount"))? {
        None => Ok(None),
        Some(amount) if major => doc::decimal(&amount, currency, "paths.amount"),
        Some(amount) => doc::scaled(&amount, currency, Currency::exponent, "paths.amount"),
    };
    // A type without a meaning may use the path for something else.
    let amount = if status.is_some() { amount? } else { amount.unwrap_or_default() };
    let object_id = text("object_id")?;
    let facts = Facts {
        payment_id: object_id.clone(),
        object_id,
        merchant_reference: text("merchant_reference")?,
        gateway_status: gateway_type.clone(),
        amount,
        captured: amount.filter(|_| status == Some(PaymentStatus::Confirmed)),
        ..Facts::default()
    };
    let table = status.map(|status| {
        let (subject, event_type) = meaning(status);
        row("*", "*", subject, event_type, Some(status))
    });
    let event = facts::event(table.as_slice(), kind, "", facts);
    Ok(Event { id: text("id")?, gateway_type: gateway_type.clone(), ..event })
}

/// The neutral type follows the mapped status.
const fn meaning(status: PaymentStatus) -> (SubjectKind, EventType) {
    match status {
        PaymentStatus::Waiting => (SubjectKind::Payment, EventType::PaymentProcessing),
        PaymentStatus::Input => (SubjectKind::Payment, EventType::PaymentActionRequired),
        PaymentStatus::Preauth => (SubjectKind::Payment, EventType::PaymentAuthorized),
        PaymentStatus::Confirmed => (SubjectKind::Payment, EventType::PaymentCaptured),
        PaymentStatus::Rejected | PaymentStatus::Error => {
            (SubjectKind::Payment, EventType::PaymentFailed)
        }
        PaymentStatus::Cancelled => (SubjectKind::Payment, EventType::PaymentCancelled),
        PaymentStatus::Refunded => (SubjectKind::Refund, EventType::RefundSucceeded),
    }
}

/// A text option inside a nested one.
fn text_in<'o>(table: &'o serde_json::Value, name: &str) -> Option<Cow<'o, str>> {
    table.get(name).and_then(|value| value.as_str()).map(Cow::Borrowed)
}
