//! Stripe's objects as typed subjects.

use std::borrow::Cow;

use super::{event::exponent, object::Object};
use crate::{
    gateway::{
        ParseError, StatusRow,
        json::{self, Number},
    },
    model::{
        Checkout, Currency, Dispute, Failure, FraudStatus, Invoice, Mandate, Money, Payment,
        PaymentStatus, Payout, References, Refund, Subject, SubjectKind, Subscription, Timestamp,
    },
};

/// The amounts of an object, exact.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) amount: Option<Money>,
    pub(super) capturable: Option<Money>,
    pub(super) captured: Option<Money>,
    pub(super) due: Option<Money>,
    pub(super) invoice_paid: bool,
    pub(super) paid: Option<Money>,
    pub(super) refunded: Option<Money>,
    pub(super) requested: Option<Money>,
    pub(super) total: Option<Money>,
}

impl Facts {
    /// Reads the amounts that a subject of this kind has, and no others: an object of another kind
    /// may use their names for something else.
    pub(super) fn read(kind: SubjectKind, object: &Object<'_>) -> Result<Self, ParseError> {
        let currency = object.currency.text().and_then(|code| Currency::new(&code));
        let amount =
            |number: Number<'_>, path| json::scaled_amount(number, currency, exponent, path);
        let mut facts = Self::default();
        match kind {
            SubjectKind::Checkout => {
                facts.total = amount(object.amount_total, "data.object.amount_total")?;
            }
            SubjectKind::Payment => {
                facts.amount = amount(object.amount, "data.object.amount")?;
                facts.capturable =
                    amount(object.amount_capturable, "data.object.amount_capturable")?;
                let received = amount(object.amount_received, "data.object.amount_received")?;
                let captured = amount(object.amount_captured, "data.object.amount_captured")?;
                facts.captured = received.or(captured);
                facts.refunded = amount(object.amount_refunded, "data.object.amount_refunded")?;
            }
            SubjectKind::Invoice => {
                facts.due = amount(object.amount_due, "data.object.amount_due")?;
                facts.paid = amount(object.amount_paid, "data.object.amount_paid")?;
                facts.requested = amount(object.amount_requested, "data.object.amount_requested")?;
                facts.invoice_paid = object.status.text().as_deref() == Some("paid");
            }
            SubjectKind::Dispute
            | SubjectKind::Other
            | SubjectKind::Payout
            | SubjectKind::Refund => {
                facts.amount = amount(object.amount, "data.object.amount")?;
            }
            SubjectKind::Mandate | SubjectKind::Subscription => {}
        }
        Ok(facts)
    }
}

/// The typed subject; none for subjects of kind `other`.
pub(super) fn subject<'v>(
    row: &StatusRow,
    object: &Object<'v>,
    facts: &Facts,
    merchant_reference: Option<Cow<'v, str>>,
) -> Result<Option<Subject<'v>>, ParseError> {
    let gateway_status = object.status.text();
    let id = object.id.text();
    if row.subject == SubjectKind::Payout {
        return payout(object, facts, merchant_reference).map(Some);
    }
    let references = references(row.subject, object, merchant_reference);
    Ok(match row.subject {
        SubjectKind::Checkout => Some(Subject::Checkout(Box::new(Checkout {
            references,
            gateway_checkout_id: id,
            gateway_status,
            amount: facts.total,
            paid: object.payment_status.text().as_deref() == Some("paid"),
            failure: None,
        }))),
        SubjectKind::Payment => {
            Some(Subject::Payment(Box::new(payment(row, object, facts, references))))
        }
        SubjectKind::Refund => Some(Subject::Refund(Box::new(Refund {
            references,
            gateway_refund_id: id,
            gateway_status,
            amount: facts.amount,
            payment_refunded_total: None,
            full: false,
            failure: failure(None, object.failure_reason.text(), None),
            reason: object.reason.text(),
        }))),
        SubjectKind::Dispute => {
            let due_by = object.evidence_details.object().and_then(|evidence| evidence.due_by);
            let due_by = json::integer(due_by, "data.object.evidence_details.due_by")?;
            Some(Subject::Dispute(Box::new(Dispute {
                references,
                gateway_dispute_id: id,
                gateway_status,
                amount: facts.amount,
                reason: object.reason.text(),
                evidence_due_at: due_by.map(Timestamp::from_seconds),
                payment_total: None,
            })))
        }
        SubjectKind::Invoice => {
            Some(Subject::Invoice(Box::new(invoice(object, facts, references))))
        }
        SubjectKind::Subscription => Some(Subject::Subscription(Box::new(Subscription {
            references,
            gateway_subscription_id: id,
            gateway_status,
            current_period_end: period_end(object)?,
            cancel_at_period_end: json::flag(
                object.cancel_at_period_end,
                "data.object.cancel_at_period_end",
            )?
            .unwrap_or(false),
        }))),
        SubjectKind::Mandate => Some(Subject::Mandate(Box::new(Mandate {
            references,
            gateway_mandate_id: id,
            gateway_status,
        }))),
        SubjectKind::Other | SubjectKind::Payout => None,
    })
}

fn references<'v>(
    kind: SubjectKind,
    object: &Object<'v>,
    merchant_reference: Option<Cow<'v, str>>,
) -> References<'v> {
    let paid_by = object.payment.object();
    let own = object.id.text();
    let own_is = |prefix: &str| own.clone().filter(|id| id.starts_with(prefix));
    let payment = object
        .payment_intent
        .id()
        .or_else(|| paid_by.and_then(|payment| payment.payment_intent.id()))
        .or_else(|| own_is("pi_"));
    let charge = object
        .charge
        .id()
        .or_else(|| object.latest_charge.id())
        .or_else(|| paid_by.and_then(|payment| payment.charge.id()))
        .or_else(|| own_is("ch_").or_else(|| own_is("py_")))
        .filter(|_| kind != SubjectKind::Subscription);
    References {
        merchant_reference,
        gateway_payment_id: payment,
        gateway_charge_id: charge,
        gateway_customer_id: object.customer.id(),
        metadata: object.metadata.object().map(json::Metadata::bounded).unwrap_or_default(),
    }
}

fn payment<'v>(
    row: &StatusRow,
    object: &Object<'v>,
    facts: &Facts,
    references: References<'v>,
) -> Payment<'v> {
    let error = object.last_payment_error.object();
    let failed = row.status == Some(PaymentStatus::Rejected);
    let failure = if let Some(error) = error.filter(|_| failed) {
        failure(error.decline_code.text(), error.code.text(), error.message.text())
    } else {
        let reason = object.outcome.object().and_then(|outcome| outcome.reason.text());
        let reason = reason.filter(|_| failed);
        failure(reason, object.failure_code.text(), object.failure_message.text())
    };
    // A charge that is authorized and not captured can still be captured whole.
    let held = row.status == Some(PaymentStatus::Preauth);
    let blocked = object.outcome.object().and_then(|outcome| outcome.kind.text());
    let blocked = blocked.is_some_and(|kind| kind == "blocked");
    Payment {
        references,
        gateway_status: object.status.text(),
        requested: facts.amount,
        capturable: facts.capturable.or(facts.amount.filter(|_| held)),
        captured: facts.captured,
        refunded: facts.refunded,
        failure,
        fraud_status: blocked.then_some(FraudStatus::Reject),
    }
}

fn invoice<'v>(object: &Object<'v>, facts: &Facts, references: References<'v>) -> Invoice<'v> {
    let own = object.invoice.id().or_else(|| object.id.text());
    let subscription = object.details().and_then(|details| details.subscription.id());
    Invoice {
        references,
        gateway_invoice_id: own,
        gateway_subscription_id: subscription.or_else(|| object.subscription.id()),
        amount_due: facts.due.or(facts.requested),
        amount_paid: facts.paid,
    }
}

fn payout<'v>(
    object: &Object<'v>,
    facts: &Facts,
    merchant_reference: Option<Cow<'v, str>>,
) -> Result<Subject<'v>, ParseError> {
    let arrives_at = json::integer(object.arrival_date, "data.object.arrival_date")?;
    Ok(Subject::Payout(Box::new(Payout {
        gateway_payout_id: object.id.text(),
        gateway_status: object.status.text(),
        amount: facts.amount,
        arrives_at: arrives_at.map(Timestamp::from_seconds),
        failure: failure(None, object.failure_code.text(), object.failure_message.text()),
        merchant_reference,
    })))
}

/// The period moved from the subscription to its items in 2025: both are read.
fn period_end(object: &Object<'_>) -> Result<Option<Timestamp>, ParseError> {
    let item = object.items.object().and_then(|items| items.data.0.as_ref());
    let item = item.and_then(|item| item.current_period_end);
    let seconds =
        json::integer(item.or(object.current_period_end), "data.object.current_period_end")?;
    Ok(seconds.map(Timestamp::from_seconds))
}

/// A failure where there is a code; Stripe's codes are lower snake case already.
fn failure<'v>(
    decline_code: Option<Cow<'v, str>>,
    code: Option<Cow<'v, str>>,
    message: Option<Cow<'v, str>>,
) -> Option<Failure<'v>> {
    let neutral = decline_code.or_else(|| code.clone());
    if neutral.is_none() && message.is_none() {
        return None;
    }
    Some(Failure { code: neutral.clone(), gateway_code: neutral.or(code), message })
}
