//! Transactions: payments, refunds (transactions of type `credit`), local payments, reviews.

use super::{
    fields::{self, currency, money},
    status, words,
};
use crate::{
    gateway::{ParseError, StatusRow, status_table, tree::Record},
    model::{
        Coverage, Currency, Event, EventType, Failure, Money, Payment, PaymentStatus, References,
        Refund, Subject,
    },
};

/// A transaction, as the object of a notification or polled.
pub(super) fn transaction<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let amount = money(object, "amount", currency(object, default)?)?;
    let word = object.text("status")?.map(|text| words::state(&text)).unwrap_or_default();
    if kind == "refund_failed" || is_refund(object)? {
        // What the kind says outweighs the status: the notification is about that moment.
        let row = match kind {
            "refund_failed" => row("refund_failed", ""),
            "transaction_disbursed" | "transaction_settled" => row("refund", "settled"),
            "transaction_settlement_declined" => row("refund", "settlement_declined"),
            _ => row("refund", &word),
        };
        return refund(object, amount, row);
    }
    payment(object, amount, row(kind, &word), None)
}

/// A payment; `refunded` is the total of its refunds where the object tells.
pub(super) fn payment<'x>(
    object: Record<'_, 'x>,
    amount: Option<Money>,
    row: Option<&StatusRow>,
    refunded: Option<Money>,
) -> Result<Event<'x>, ParseError> {
    let references = fields::references(object)?;
    let typed = typed_payment(object, amount, row, references)?;
    let object_id = fields::id(object)?;
    Ok(event(row, object_id, Payment { refunded, ..typed }, amount))
}

/// A transaction's payment fields, under references of the caller's choice.
fn typed_payment<'x>(
    object: Record<'_, 'x>,
    amount: Option<Money>,
    row: Option<&StatusRow>,
    references: References<'x>,
) -> Result<Payment<'x>, ParseError> {
    // A transaction with a parent settles one part of it: the total lies elsewhere.
    let part = object.text("authorized_transaction_id")?.is_some();
    let (mut requested, mut capturable, mut captured) = (None, None, None);
    match row.and_then(|row| row.status) {
        Some(PaymentStatus::Confirmed | PaymentStatus::Refunded) => {
            captured = amount.filter(|_| !part);
        }
        Some(PaymentStatus::Preauth) => (requested, capturable) = (amount, amount),
        Some(
            PaymentStatus::Cancelled
            | PaymentStatus::Error
            | PaymentStatus::Input
            | PaymentStatus::Rejected
            | PaymentStatus::Waiting,
        )
        | None => requested = amount.filter(|_| !part),
    }
    let failed = row.is_some_and(|row| row.event_type == EventType::PaymentFailed);
    let decision = object.text("risk_data.decision")?;
    Ok(Payment {
        references,
        gateway_status: object.text("status")?,
        requested,
        capturable,
        captured,
        refunded: None,
        failure: if failed { Some(failure(object)?) } else { None },
        fraud_status: decision.map(|decision| words::fraud(&decision)),
    })
}

fn refund<'x>(
    object: Record<'_, 'x>,
    amount: Option<Money>,
    row: Option<&StatusRow>,
) -> Result<Event<'x>, ParseError> {
    let mut references = fields::references(object)?;
    let refund_id = fields::id(object)?;
    let refunded = match object.at("refunded_transaction")? {
        Some(payment) => fields::id(payment)?,
        None => object.text("refunded_transaction_id")?,
    };
    references.gateway_payment_id.clone_from(&refunded);
    references.gateway_charge_id = refunded;
    let failed = row.is_some_and(|row| row.event_type == EventType::RefundFailed);
    let typed = Refund {
        gateway_refund_id: refund_id.clone(),
        gateway_status: object.text("status")?,
        amount,
        payment_refunded_total: None,
        full: false,
        failure: if failed { Some(failure(object)?) } else { None },
        reason: None,
        references,
    };
    let merchant_reference = typed.references.merchant_reference.clone();
    Ok(Event {
        object_id: refund_id,
        merchant_reference,
        amount,
        subject: Some(Subject::Refund(Box::new(typed))),
        ..decided(row)
    })
}

/// A local payment: a payment method of its own, with a transaction once there is money.
pub(super) fn local_payment<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let payment_id = object.text("payment_id")?;
    let payer = object.agreed_text("payer_id")?;
    let Some(inner) = object.at("transaction")? else {
        let references = References {
            gateway_payment_id: payment_id.clone(),
            gateway_customer_id: payer,
            ..References::default()
        };
        let typed = Payment { references, ..Payment::default() };
        return Ok(event(row(kind, "no_transaction"), payment_id, typed, None));
    };
    let amount = money(inner, "amount", currency(inner, default)?)?;
    let word = inner.text("status")?.map(|text| words::state(&text)).unwrap_or_default();
    let mut references = fields::references(inner)?;
    references.gateway_payment_id.clone_from(&payment_id);
    references.gateway_customer_id = payer.or(references.gateway_customer_id);
    let row = row(kind, &word);
    let typed = typed_payment(inner, amount, row, references)?;
    Ok(event(row, payment_id, typed, amount))
}

/// A person's decision about a transaction that was held for fraud.
pub(super) fn review<'x>(kind: &str, object: Record<'_, 'x>) -> Result<Event<'x>, ParseError> {
    let id = object.text("transaction_id")?;
    let decision = object.text("decision")?;
    let references = References {
        gateway_payment_id: id.clone(),
        gateway_charge_id: id.clone(),
        ..References::default()
    };
    let fraud_status = decision.map(|decision| words::fraud(&decision));
    let typed = Payment { references, fraud_status, ..Payment::default() };
    Ok(event(row(kind, ""), id, typed, None))
}

/// The row for a kind and a state.
pub(super) fn row(kind: &str, state: &str) -> Option<&'static StatusRow> {
    status_table::find(status::TABLE, kind, state)
}

/// An event with what its row decides, typed.
pub(super) fn decided(row: Option<&StatusRow>) -> Event<'static> {
    let Some(row) = row else { return Event::envelope() };
    Event {
        event_type: row.event_type,
        status: row.status,
        subject_kind: row.subject,
        coverage: Coverage::Typed,
        ..Event::envelope()
    }
}

/// True for money that goes back: Braintree writes refunds as transactions of type `credit`;
/// GraphQL's refunds have no type and name what they refund.
pub(super) fn is_refund(object: Record<'_, '_>) -> Result<bool, ParseError> {
    let credit = object.text("type")?.is_some_and(|kind| kind.eq_ignore_ascii_case("credit"));
    Ok(credit || object.at("refunded_transaction")?.is_some())
}

fn event<'x>(
    row: Option<&StatusRow>,
    object_id: Option<std::borrow::Cow<'x, str>>,
    typed: Payment<'x>,
    amount: Option<Money>,
) -> Event<'x> {
    Event {
        object_id,
        merchant_reference: typed.references.merchant_reference.clone(),
        amount,
        subject: Some(Subject::Payment(Box::new(typed))),
        ..decided(row)
    }
}

/// Why a transaction failed: Braintree's own rejection, else the settlement's, else the
/// processor's response.
fn failure<'x>(object: Record<'_, 'x>) -> Result<Failure<'x>, ParseError> {
    if let Some(reason) = object.text("gateway_rejection_reason")? {
        let code = words::gateway_rejection(&words::state(&reason)).map(Into::into);
        return Ok(Failure { code, gateway_code: Some(reason), message: None });
    }
    let settlement = object.text("processor_settlement_response_code")?;
    let (gateway_code, message) = match settlement {
        Some(code) => (Some(code), object.text("processor_settlement_response_text")?),
        None => (object.text("processor_response_code")?, object.text("processor_response_text")?),
    };
    let code = gateway_code.as_deref().and_then(words::processor_code).map(Into::into);
    Ok(Failure { code, gateway_code, message })
}
