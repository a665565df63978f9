//! Disputes, subscriptions and their charges, disbursements.

use super::{
    fields::{self, currency, decimal, money, plain_decimal},
    transaction::{decided, row},
    words,
};
use crate::{
    gateway::{ParseError, tree::Record},
    model::{
        Currency, Dispute, Event, EventType, Failure, Invoice, Money, Payout, References, Subject,
        Subscription,
    },
};

/// A dispute. Its own `kind` is another element than the notification's.
pub(super) fn dispute<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let payment = object.at("transaction")?;
    let payments_currency = match payment {
        Some(payment) => currency(payment, default)?,
        None => default,
    };
    let own_currency = currency(object, payments_currency)?;
    let disputed = match decimal(object, "amount_disputed")? {
        Some(_) => "amount_disputed",
        None => "amount",
    };
    // Both are read: one that is no amount makes the other doubtful, and fails the SDKs too.
    let whole = money(object, "amount", own_currency)?;
    let amount = money(object, "amount_disputed", own_currency)?.or(whole);
    let payment_total = match payment {
        Some(payment) => money(payment, "amount", currency(payment, own_currency)?)?,
        None => None,
    };
    let row = row(kind, extent(object, payment, disputed, amount, payment_total)?);
    let references = match payment {
        Some(payment) => fields::references(payment)?,
        None => References::default(),
    };
    let id = fields::id(object)?;
    let typed = Dispute {
        gateway_dispute_id: id.clone(),
        gateway_status: object.text("status")?,
        amount,
        reason: object.text("reason")?.map(words::dispute_reason),
        // A date without a zone: the start of that day in UTC is the safe reading.
        evidence_due_at: object.time("reply_by_date")?,
        payment_total,
        references,
    };
    Ok(Event {
        object_id: id,
        merchant_reference: typed.references.merchant_reference.clone(),
        amount,
        subject: Some(Subject::Dispute(Box::new(typed))),
        ..decided(row)
    })
}

/// How much of the payment is disputed, in the status table's words.
fn extent(
    object: Record<'_, '_>,
    payment: Option<Record<'_, '_>>,
    disputed: &'static str,
    amount: Option<Money>,
    payment_total: Option<Money>,
) -> Result<&'static str, ParseError> {
    let kind = match object.text("kind")? {
        Some(kind) => Some(kind),
        None => object.text("type")?,
    };
    if kind.is_some_and(|kind| words::state(&kind) == "retrieval") {
        return Ok("retrieval");
    }
    if let (Some(amount), Some(total)) = (amount, payment_total) {
        return Ok(match amount.currency() == total.currency() {
            true if amount.minor_units() < total.minor_units() => "part",
            true => "whole",
            false => "unknown",
        });
    }
    // Without a currency both are still amounts of one payment.
    let total = payment.map(|payment| decimal(payment, "amount")).transpose()?.flatten();
    let (Some(amount), Some(total)) = (decimal(object, disputed)?, total) else {
        return Ok("unknown");
    };
    let read = |text: &str| plain_decimal(text).ok();
    Ok(match (read(amount.trim_start_matches('-')), read(total.trim_start_matches('-'))) {
        (Some(amount), Some(total)) if amount < total => "part",
        (Some(_), Some(_)) => "whole",
        (None, _) | (_, None) => "unknown",
    })
}

/// A subscription.
pub(super) fn subscription<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let state = object.text("status")?.map(|text| words::state(&text)).unwrap_or_default();
    let charged = charged(object, default)?;
    let id = fields::id(object)?;
    let typed = Subscription {
        gateway_subscription_id: id.clone(),
        gateway_status: object.text("status")?,
        current_period_end: object.time("billing_period_end_date")?,
        cancel_at_period_end: false,
        references: charged.references,
    };
    Ok(Event {
        object_id: id,
        merchant_reference: typed.references.merchant_reference.clone(),
        amount: charged.amount,
        subject: Some(Subject::Subscription(Box::new(typed))),
        ..decided(row(kind, &state))
    })
}

/// A charge for a subscription's period.
pub(super) fn charge<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let row = row(kind, "");
    let paid = row.is_some_and(|row| row.event_type == EventType::InvoicePaid);
    let Charged { references, amount } = charged(object, default)?;
    let id = fields::id(object)?;
    let typed = Invoice {
        gateway_invoice_id: references.gateway_charge_id.clone(),
        gateway_subscription_id: id.clone(),
        amount_due: amount,
        amount_paid: amount.filter(|_| paid),
        references,
    };
    Ok(Event {
        object_id: id,
        merchant_reference: typed.references.merchant_reference.clone(),
        amount,
        subject: Some(Subject::Invoice(Box::new(typed))),
        ..decided(row)
    })
}

/// What a subscription's newest transaction says; Braintree lists the newest first.
#[derive(Debug, Default)]
struct Charged<'x> {
    references: References<'x>,
    amount: Option<Money>,
}

fn charged<'x>(
    subscription: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Charged<'x>, ParseError> {
    let Some(newest) = subscription.items("transactions")?.into_iter().next() else {
        return Ok(Charged::default());
    };
    let amount = money(newest, "amount", currency(newest, default)?)?;
    Ok(Charged { references: fields::references(newest)?, amount })
}

/// A payout to the merchant's bank account.
pub(super) fn disbursement<'x>(
    kind: &str,
    object: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let account = object.at("merchant_account")?;
    let currency = match account {
        Some(account) => currency(account, default)?,
        None => default,
    };
    let amount = money(object, "amount", currency)?;
    let succeeded = object.flag("success")? == Some(true);
    let (code, action) = (object.text("exception_message")?, object.text("follow_up_action")?);
    let id = fields::id(object)?;
    let typed = Payout {
        gateway_payout_id: id.clone(),
        gateway_status: object.text("success")?,
        amount,
        arrives_at: object.time("disbursement_date")?,
        failure: (!succeeded).then(|| Failure {
            code: code.clone(),
            gateway_code: code,
            message: action,
        }),
        merchant_reference: None,
    };
    Ok(Event {
        object_id: id,
        amount,
        subject: Some(Subject::Payout(Box::new(typed))),
        ..decided(row(kind, if succeeded { "true" } else { "false" }))
    })
}
