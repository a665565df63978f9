//! Reads `PayPal`'s events.

use std::borrow::Cow;

use super::{
    object::{Amount, Envelope, Resource, Unit},
    state::{self, Extent},
    status::STATUSES,
    subject::{Facts, subject},
};
use crate::{
    gateway::{
        ParseError,
        json::{self, Field},
        status_table,
    },
    model::{Coverage, Currency, Event, Money, PaymentStatus, SubjectKind, Timestamp},
    verify::{Options, Verified},
};

/// Objects that can be read as `PayPal`'s API returns them.
pub(super) const POLLED_TYPES: &[&str] =
    &["authorization", "capture", "dispute", "order", "refund", "sale"];

/// Reads the one event of a verified body.
pub(super) fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let envelope: Envelope<'v> = json::read(verified.payload())?;
    let id = envelope.id.required("id")?;
    let gateway_type = envelope.event_type.required("event_type")?;
    let resource = envelope.resource.required_object("resource")?;
    let event = describe(gateway_type, resource)?;
    let created = envelope.create_time.text();
    Ok(vec![Event {
        id: Some(id.clone()),
        gateway_type: Some(gateway_type.clone()),
        occurred_at: created.as_deref().and_then(Timestamp::from_rfc3339),
        environment: verified.evidence().environment,
        gateway_api_version: envelope.resource_version.text().or(envelope.event_version.text()),
        ..event
    }])
}

/// Reads an object as the API returned it.
pub(super) fn object<'o>(
    object_type: &str,
    payload: &'o [u8],
    _: &Options,
) -> Result<Event<'o>, ParseError> {
    if !POLLED_TYPES.contains(&object_type) {
        return Err(ParseError::FieldWrong {
            path: "object_type",
            expected: "a type that is read",
        });
    }
    let resource: Resource<'o> = json::read(payload)?;
    describe(object_type, &resource)
}

/// Maps a bare status word; words that need another field beside them are none of them.
pub(super) fn bare_status(object_type: &str, status: &str) -> Option<PaymentStatus> {
    let object_type = POLLED_TYPES.iter().find(|name| **name == object_type)?;
    // Words of ours are in lower case and stand for more than one field.
    let word = status.to_ascii_uppercase();
    status_table::find(STATUSES, object_type, &word).and_then(|row| row.status)
}

/// What the type and the resource say together.
fn describe<'v>(gateway_type: &str, resource: &Resource<'v>) -> Result<Event<'v>, ParseError> {
    let object_id = object_id(resource);
    let dispute = gateway_type.contains("DISPUTE.") || gateway_type == "dispute";
    let extent = if dispute {
        Extent::of(amount(&resource.dispute_amount, DISPUTED)?, disputed_total(resource)?)
    } else {
        Extent::Unknown
    };
    let state = state::state(gateway_type, resource, extent)?;
    let Some(row) = status_table::find(STATUSES, gateway_type, &state) else {
        return Ok(Event { object_id, ..Event::envelope() });
    };
    let facts = Facts::read(row, resource)?;
    let merchant_reference = merchant_reference(resource);
    let subject = subject(row, &state, resource, &facts, merchant_reference.clone());
    let coverage = if subject.is_some() { Coverage::Typed } else { Coverage::Envelope };
    Ok(Event {
        event_type: row.event_type,
        coverage,
        status: row.status,
        subject_kind: row.subject,
        object_id,
        account: merchant(resource),
        merchant_reference,
        amount: facts.amount.filter(|_| row.subject != SubjectKind::Subscription),
        subject,
        ..Event::envelope()
    })
}

fn object_id<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let invoice = resource.invoice.object();
    let batch = resource.batch_header.object();
    resource
        .id
        .text()
        .or_else(|| resource.dispute_id.text())
        .or_else(|| invoice.and_then(|invoice| invoice.id.text()))
        .or_else(|| resource.payout_item_id.text())
        .or_else(|| batch.and_then(|batch| batch.payout_batch_id.text()))
        .or_else(|| resource.item_id.text())
        .or_else(|| resource.order_id.text())
}

/// The merchant's own words, the most specific first; an empty text is none.
fn merchant_reference<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let own =
        [&resource.custom_id, &resource.custom, &resource.invoice_id, &resource.invoice_number];
    let disputed = resource.disputed_transactions.iter().find_map(Field::object);
    let disputed = disputed.and_then(|it| it.custom.text().or_else(|| it.invoice_number.text()));
    own.into_iter()
        .find_map(Field::text)
        .or_else(|| units(resource).next().and_then(unit_reference))
        .or(disputed)
        .or_else(|| invoice_reference(resource))
        .or_else(|| payout_reference(resource))
}

fn unit_reference<'v>(unit: &Unit<'v>) -> Option<Cow<'v, str>> {
    let own = [&unit.custom_id, &unit.custom, &unit.invoice_id, &unit.invoice_number];
    // PayPal names the only unit of an order `default`.
    let named = || unit.reference_id.text().filter(|name| name != "default");
    own.into_iter().find_map(Field::text).or_else(named)
}

fn invoice_reference<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let invoice = resource.invoice.object()?;
    let detail = invoice.detail.object();
    detail
        .and_then(|detail| detail.reference.text())
        .or_else(|| detail.and_then(|detail| detail.invoice_number.text()))
        .or_else(|| invoice.number.text())
}

fn payout_reference<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let item = resource.payout_item.object().and_then(|item| item.sender_item_id.text());
    let batch = resource.batch_header.object();
    let batch = batch.and_then(|batch| batch.sender_batch_header.object());
    item.or_else(|| batch.and_then(|batch| batch.sender_batch_id.text()))
}

fn merchant<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let payee = resource.payee.object().and_then(|payee| payee.merchant_id.text());
    let unit = || units(resource).next()?.payee.object()?.merchant_id.text();
    let seller = || {
        let disputed = resource.disputed_transactions.iter().find_map(Field::object)?;
        disputed.seller.object()?.merchant_id.text()
    };
    payee.or_else(unit).or_else(seller)
}

/// The purchase units of an order, or the transactions of an older payment.
pub(super) fn units<'r, 'v>(resource: &'r Resource<'v>) -> impl Iterator<Item = &'r Unit<'v>> {
    let lists = resource.purchase_units.iter().chain(resource.transactions.iter());
    lists.filter_map(Field::object)
}

/// The total of the payments that are disputed, where every one of them tells its own.
pub(super) fn disputed_total(resource: &Resource<'_>) -> Result<Option<Money>, ParseError> {
    let path = "resource.disputed_transactions.gross_amount";
    let transactions = resource.disputed_transactions.iter().filter_map(Field::object);
    let totals = transactions.map(|it| amount(&it.gross_amount, path));
    Ok(sum(totals.collect::<Result<Vec<_>, _>>()?))
}

/// The sum of amounts in one currency; none where one is missing or in another.
pub(super) fn sum(amounts: Vec<Option<Money>>) -> Option<Money> {
    let mut amounts = amounts.into_iter();
    let first = amounts.next()??;
    amounts.try_fold(first, |total, next| total.checked_add(next?))
}

/// An amount of either shape; none without a known currency.
pub(super) fn amount(
    field: &Field<'_, Amount<'_>>,
    path: &'static str,
) -> Result<Option<Money>, ParseError> {
    let amount = match field {
        Field::Absent => return Ok(None),
        Field::Object(amount) => amount,
        Field::Text(_) | Field::Other => {
            return Err(ParseError::FieldWrong { path, expected: "an object" });
        }
    };
    let number = amount.value.filter(present).or_else(|| amount.total.filter(present));
    let Some(text) = number.map(|raw| decimal(raw, path)).transpose()? else { return Ok(None) };
    let code = amount.currency_code.text().or_else(|| amount.currency.text());
    let inexact = |_| ParseError::AmountInexact { path };
    if let Some(currency) = code.and_then(|code| Currency::new(&code)) {
        return Money::from_decimal(&text, currency).map(Some).map_err(inexact);
    }
    Money::check_decimal(&text).map(|()| None).map_err(inexact)
}

fn present(raw: &&serde_json::value::RawValue) -> bool {
    raw.get() != "null"
}

/// The digits: `PayPal` writes amounts as texts; a plain number is read by its own digits.
fn decimal<'r>(
    raw: &'r serde_json::value::RawValue,
    path: &'static str,
) -> Result<Cow<'r, str>, ParseError> {
    let text = raw.get();
    if !text.starts_with('"') {
        return Ok(Cow::Borrowed(text));
    }
    let text: Result<json::Text<'r>, _> = serde_json::from_str(text);
    match text {
        Ok(Field::Text(text)) => Ok(text),
        Ok(Field::Absent | Field::Object(_) | Field::Other) | Err(_) => {
            Err(ParseError::AmountInexact { path })
        }
    }
}

const DISPUTED: &str = "resource.dispute_amount";
