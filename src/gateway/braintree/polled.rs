//! Objects and statuses polled from Braintree's API, through the notification's parsers.

use super::{
    fields::{self, currency, money},
    json, objects, status as rows,
    transaction::{self, is_refund, row},
    words,
};
use crate::{
    gateway::{ParseError, status_table, tree::Record, xml},
    model::{Currency, Event, EventType, Money, PaymentStatus},
    verify::Options,
};

/// What can be read.
pub(super) const OBJECT_TYPES: &[&str] = &[DISPUTE, SUBSCRIPTION, TRANSACTION];

/// Reads an object: XML as the API returns it, or JSON as the SDKs and GraphQL do.
pub(super) fn object<'o>(
    object_type: &str,
    bytes: &'o [u8],
    options: &Options,
) -> Result<Event<'o>, ParseError> {
    let known = OBJECT_TYPES.iter().find(|known| **known == object_type);
    let wrong = ParseError::FieldWrong { path: "object_type", expected: "a type that is read" };
    let object_type = *known.ok_or(wrong)?;
    let tree = if bytes.trim_ascii_start().starts_with(b"<") {
        xml::read(bytes)?
    } else {
        let source = std::str::from_utf8(bytes);
        let source =
            source.map_err(|_| ParseError::Unreadable { format: "JSON", line: 0, column: 0 })?;
        json::read(source, object_type)?
    };
    let record = unwrap(tree.root(), object_type)?;
    let default = fields::default_currency(options);
    let mut event = match object_type {
        DISPUTE => {
            let state = record.text("status")?.map(|text| words::state(&text)).unwrap_or_default();
            objects::dispute(dispute_kind(&state), record, default)?
        }
        SUBSCRIPTION => objects::subscription(object_type, record, default)?,
        _ => polled_transaction(record, default)?,
    };
    event.gateway_type = Some(object_type.into());
    Ok(event)
}

/// A status word decides only for a transaction: a dispute's meaning hangs on its kind and
/// extent, and a subscription is no payment.
pub(super) fn status(object_type: &str, word: &str) -> Option<PaymentStatus> {
    let native = words::state(word);
    // Words of the table's own are no statuses of the gateway.
    let own = native.starts_with("refunded_");
    let row = status_table::find(rows::TABLE, object_type, &native);
    row.filter(|_| object_type == TRANSACTION && !own).and_then(|row| row.status)
}

/// A transaction as it is now. Braintree leaves a refunded payment `settled`: its refunds tell.
fn polled_transaction<'x>(
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let event = transaction::transaction(TRANSACTION, object, default)?;
    if is_refund(object)? || event.status != Some(PaymentStatus::Confirmed) {
        return Ok(event);
    }
    let currency = currency(object, default)?;
    let amount = money(object, "amount", currency)?;
    let refunds = object.items("refunds")?;
    if refunds.is_empty() {
        let named = object.text("refund_id")?.is_some() || !object.items("refund_ids")?.is_empty();
        if !named {
            return Ok(event);
        }
        return transaction::payment(object, amount, row(TRANSACTION, UNKNOWN), None);
    }
    let mut total = currency.map(|currency| Money::from_minor(0, currency)).transpose();
    for refund in refunds {
        let word = refund.text("status")?.map(|text| words::state(&text)).unwrap_or_default();
        let done =
            row("refund", &word).is_some_and(|row| row.event_type == EventType::RefundSucceeded);
        if done {
            let part = money(refund, "amount", fields::currency(refund, currency)?)?;
            let sum = total.ok().flatten().zip(part).and_then(|(sum, part)| sum.checked_add(part));
            total = Ok(sum);
        }
    }
    let total = total.ok().flatten();
    let state = match (total, amount) {
        (Some(total), Some(amount)) if total.minor_units() == 0 => {
            debug_assert_eq!(total.currency(), amount.currency(), "both are the transaction's");
            return Ok(event);
        }
        (Some(total), Some(amount)) if total.minor_units() >= amount.minor_units() => WHOLE,
        (Some(_), Some(_)) => PART,
        (None, _) | (_, None) => UNKNOWN,
    };
    transaction::payment(object, amount, row(TRANSACTION, state), total)
}

/// Steps into the wrappers of GraphQL (`data`, `node`) and of the API (the type's name).
fn unwrap<'t, 'x>(
    root: Record<'t, 'x>,
    object_type: &'static str,
) -> Result<Record<'t, 'x>, ParseError> {
    let mut record = root;
    for wrapper in ["data", "node", object_type] {
        // A dispute holds a transaction, never one of its own name: an `id` ends the search.
        if fields::id(record)?.is_none() {
            record = record.at(wrapper)?.unwrap_or(record);
        }
    }
    let named = root.is_named(object_type) && fields::id(record)?.is_some();
    if named { Ok(record) } else { Err(ParseError::FieldMissing { path: "id" }) }
}

/// The notification that a dispute's status would have caused.
fn dispute_kind(state: &str) -> &'static str {
    match state {
        "accepted" => "dispute_accepted",
        "auto_accepted" => "dispute_auto_accepted",
        "disputed" => "dispute_disputed",
        "expired" => "dispute_expired",
        "lost" => "dispute_lost",
        "open" => "dispute_opened",
        "under_review" => "dispute_under_review",
        "won" => "dispute_won",
        _ => DISPUTE,
    }
}

const DISPUTE: &str = "dispute";
const SUBSCRIPTION: &str = "subscription";
const TRANSACTION: &str = "transaction";

const PART: &str = "refunded_in_part";
const UNKNOWN: &str = "refunded_to_unknown_extent";
const WHOLE: &str = "refunded_in_full";
