//! Readers that every shape shares: ids, amounts, references.

use std::borrow::Cow;

use crate::{
    gateway::{ParseError, tree::Record},
    limits::{METADATA_BYTES_MAX, METADATA_ENTRIES_MAX},
    model::{Currency, Money, MoneyError, References},
    verify::Options,
};

/// The currency of amounts that come without one, where the variant sets it.
pub(super) fn default_currency(options: &Options) -> Option<Currency> {
    options.text("default_currency").and_then(Currency::new)
}

/// The currency of an object's amounts: its own, else the one inside its amount (GraphQL), else
/// the default. A code that is none leaves the amounts unset.
pub(super) fn currency(
    object: Record<'_, '_>,
    default: Option<Currency>,
) -> Result<Option<Currency>, ParseError> {
    let own = match object.text("currency_iso_code")? {
        Some(code) => Some(code),
        None => match object.text("amount.currency_code")? {
            Some(code) => Some(code),
            None => object.text("amount_disputed.currency_code")?,
        },
    };
    Ok(own.map_or(default, |code| Currency::new(&code)))
}

/// The decimal text at a path: the text itself, or its `value` (GraphQL).
pub(super) fn decimal<'x>(
    object: Record<'_, 'x>,
    path: &'static str,
) -> Result<Option<Cow<'x, str>>, ParseError> {
    let Some(found) = object.at(path)? else { return Ok(None) };
    match found.at("value")? {
        Some(value) => value.own_text(path),
        None => found.own_text(path),
    }
}

/// The amount at a path; `None` where it or its currency is absent. One that is no decimal number
/// is refused either way.
pub(super) fn money(
    object: Record<'_, '_>,
    path: &'static str,
    currency: Option<Currency>,
) -> Result<Option<Money>, ParseError> {
    let Some(text) = decimal(object, path)? else { return Ok(None) };
    let inexact = |_| ParseError::AmountInexact { path };
    match currency {
        Some(currency) => Money::from_decimal(&text, currency).map(Some).map_err(inexact),
        None => Money::check_decimal(&text).map(|()| None).map_err(inexact),
    }
}

/// Reads an amount of no known currency, only to compare it with its like: three decimals hold
/// every currency's amounts.
pub(super) fn plain_decimal(text: &str) -> Result<i64, MoneyError> {
    let finest = Currency::new("KWD").ok_or(MoneyError::NotDecimal)?;
    Ok(Money::from_decimal(text, finest)?.minor_units())
}

/// An object's id as webhooks write it: GraphQL's `legacyId`, else `id`.
pub(super) fn id<'x>(object: Record<'_, 'x>) -> Result<Option<Cow<'x, str>>, ParseError> {
    match object.text("legacy_id")? {
        Some(id) => Ok(Some(id)),
        None => object.text("id"),
    }
}

/// The references of a transaction.
pub(super) fn references<'x>(transaction: Record<'_, 'x>) -> Result<References<'x>, ParseError> {
    let customer = match transaction.at("customer")? {
        Some(customer) => Some(customer),
        None => transaction.at("customer_details")?,
    };
    let id_of_transaction = id(transaction)?;
    Ok(References {
        merchant_reference: transaction.text("order_id")?,
        gateway_payment_id: id_of_transaction.clone(),
        gateway_charge_id: id_of_transaction,
        gateway_customer_id: customer.map(id).transpose()?.flatten(),
        metadata: metadata(transaction)?,
    })
}

type Entry<'x> = (Cow<'x, str>, Cow<'x, str>);

/// Custom fields, by name or as GraphQL's list of names and values.
fn metadata<'x>(transaction: Record<'_, 'x>) -> Result<Vec<Entry<'x>>, ParseError> {
    let mut bytes = 0_usize;
    let mut metadata: Vec<Entry<'x>> = Vec::new();
    for field in transaction.items("custom_fields")?.into_iter().take(METADATA_ENTRIES_MAX) {
        let (name, value) = match field.text("name")? {
            Some(name) => (name, field.text("value")?),
            None => (Cow::Owned(field.name()), field.own_text("custom_fields")?),
        };
        let value = value.unwrap_or_default();
        bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
        if bytes > METADATA_BYTES_MAX {
            break;
        }
        if metadata.iter().any(|(known, _)| *known == name) {
            return Err(ParseError::FieldWrong { path: "custom_fields", expected: "unambiguous" });
        }
        metadata.push((name, value));
    }
    Ok(metadata)
}
