//! `PayPal`'s objects as typed subjects.

use std::borrow::Cow;

use super::{
    event::{amount, disputed_total, sum, units},
    failure::{failure, fraud_status},
    object::Resource,
};
use crate::{
    gateway::{ParseError, StatusRow, json::Field},
    model::{
        Checkout, Dispute, EventType, Invoice, Money, Payment, PaymentStatus, Payout, References,
        Refund, Subject, SubjectKind, Subscription, Timestamp,
    },
};

/// The amounts of a resource, exact.
#[derive(Default)]
pub(super) struct Facts {
    /// The amount this event is about.
    pub(super) amount: Option<Money>,
    disputed_total: Option<Money>,
    due: Option<Money>,
    paid: Option<Money>,
    refunded_total: Option<Money>,
}

impl Facts {
    /// Reads the amounts that a subject of this kind has, and no others: a resource of another
    /// kind may use their names for something else.
    pub(super) fn read(row: &StatusRow, resource: &Resource<'_>) -> Result<Self, ParseError> {
        let mut facts = Self::default();
        match row.subject {
            SubjectKind::Checkout => {
                let path = "resource.purchase_units.amount";
                let amounts = units(resource).map(|unit| amount(&unit.amount, path));
                facts.amount = sum(amounts.collect::<Result<Vec<_>, _>>()?);
            }
            SubjectKind::Payment | SubjectKind::Refund => {
                facts.amount = amount(&resource.amount, "resource.amount")?;
                facts.refunded_total = refunded_total(resource)?;
            }
            SubjectKind::Dispute => {
                facts.amount = amount(&resource.dispute_amount, "resource.dispute_amount")?;
                facts.disputed_total = disputed_total(resource)?;
            }
            SubjectKind::Invoice => facts.read_invoice(resource)?,
            SubjectKind::Payout => facts.amount = payout_amount(resource)?,
            SubjectKind::Mandate | SubjectKind::Other | SubjectKind::Subscription => {}
        }
        Ok(facts)
    }

    fn read_invoice(&mut self, resource: &Resource<'_>) -> Result<(), ParseError> {
        let billing = resource.billing_info.object();
        if let Some(failed) = billing.and_then(|it| it.last_failed_payment.object()) {
            let path = "resource.billing_info.last_failed_payment.amount";
            self.amount = amount(&failed.amount, path)?;
            return Ok(());
        }
        let Some(invoice) = resource.invoice.object() else {
            self.amount = amount(&resource.amount, "resource.amount")?;
            return Ok(());
        };
        let total = amount(&invoice.amount, "resource.invoice.amount")?;
        let older = amount(&invoice.total_amount, "resource.invoice.total_amount")?;
        self.amount = total.or(older);
        self.due = amount(&invoice.due_amount, "resource.invoice.due_amount")?;
        if let Some(payments) = invoice.payments.object() {
            self.paid = amount(&payments.paid_amount, "resource.invoice.payments.paid_amount")?;
        }
        Ok(())
    }
}

/// The cumulative total: never this refund's own amount, and never to be added up.
fn refunded_total(resource: &Resource<'_>) -> Result<Option<Money>, ParseError> {
    let breakdown = resource.seller_payable_breakdown.object();
    let path = "resource.seller_payable_breakdown.total_refunded_amount";
    let total = match breakdown {
        Some(breakdown) => amount(&breakdown.total_refunded_amount, path)?,
        None => None,
    };
    let older = amount(&resource.total_refunded_amount, "resource.total_refunded_amount")?;
    Ok(total.or(older))
}

fn payout_amount(resource: &Resource<'_>) -> Result<Option<Money>, ParseError> {
    if let Some(item) = resource.payout_item.object() {
        return amount(&item.amount, "resource.payout_item.amount");
    }
    if let Some(batch) = resource.batch_header.object() {
        return amount(&batch.amount, "resource.batch_header.amount");
    }
    let referenced = amount(&resource.payout_amount, "resource.payout_amount")?;
    Ok(referenced.or(amount(&resource.amount, "resource.amount")?))
}

/// The typed subject of an event.
pub(super) fn subject<'v>(
    row: &StatusRow,
    state: &str,
    resource: &Resource<'v>,
    facts: &Facts,
    merchant_reference: Option<Cow<'v, str>>,
) -> Option<Subject<'v>> {
    let references = references(row, resource, merchant_reference);
    let gateway_status = resource.status.text().or_else(|| resource.state.text());
    let id = resource.id.text();
    Some(match row.subject {
        SubjectKind::Checkout => Subject::Checkout(Box::new(Checkout {
            references,
            gateway_checkout_id: id.or_else(|| resource.order_id.text()),
            gateway_status,
            amount: facts.amount,
            paid: state == "captured",
            failure: failure(resource).filter(|_| row.status == Some(PaymentStatus::Rejected)),
        })),
        SubjectKind::Payment => {
            Subject::Payment(Box::new(payment(row, resource, facts, references)))
        }
        SubjectKind::Refund => Subject::Refund(Box::new(Refund {
            references,
            gateway_refund_id: id,
            gateway_status,
            amount: facts.amount,
            payment_refunded_total: facts.refunded_total,
            full: false,
            failure: failure(resource),
            reason: resource.reason_code.text().or_else(|| resource.reason.text()),
        })),
        SubjectKind::Dispute => Subject::Dispute(Box::new(Dispute {
            references,
            gateway_dispute_id: resource.dispute_id.text().or(id),
            gateway_status,
            amount: facts.amount,
            reason: resource.reason.text().map(|it| Cow::Owned(it.to_ascii_lowercase())),
            evidence_due_at: time(resource.seller_response_due_date.text()),
            payment_total: facts.disputed_total,
        })),
        SubjectKind::Invoice => {
            Subject::Invoice(Box::new(invoice(row, resource, facts, references)))
        }
        SubjectKind::Subscription => {
            let billing = resource.billing_info.object();
            Subject::Subscription(Box::new(Subscription {
                references,
                gateway_subscription_id: id,
                gateway_status,
                current_period_end: time(billing.and_then(|it| it.next_billing_time.text())),
                cancel_at_period_end: false,
            }))
        }
        SubjectKind::Payout => {
            let batch = resource.batch_header.object();
            let gateway_payout_id = resource
                .payout_item_id
                .text()
                .or_else(|| batch.and_then(|batch| batch.payout_batch_id.text()))
                .or_else(|| resource.item_id.text());
            let batch_status = batch.and_then(|batch| batch.status.text());
            Subject::Payout(Box::new(Payout {
                gateway_payout_id,
                gateway_status: resource.transaction_status.text().or(batch_status),
                amount: facts.amount,
                arrives_at: None,
                failure: failure(resource),
                merchant_reference: references.merchant_reference,
            }))
        }
        SubjectKind::Mandate | SubjectKind::Other => return None,
    })
}

fn payment<'v>(
    row: &StatusRow,
    resource: &Resource<'v>,
    facts: &Facts,
    references: References<'v>,
) -> Payment<'v> {
    let whole = !several_captures(resource);
    let amount_where = |wanted: bool| facts.amount.filter(|_| wanted);
    let confirmed = row.event_type == EventType::PaymentCaptured;
    let reversed = row.event_type == EventType::DisputeFundsWithdrawn;
    let authorized = row.event_type == EventType::PaymentAuthorized;
    Payment {
        references,
        gateway_status: resource.status.text().or_else(|| resource.state.text()),
        requested: amount_where(authorized),
        capturable: amount_where(authorized),
        captured: amount_where(confirmed && whole),
        refunded: facts
            .refunded_total
            .or_else(|| amount_where(reversed && row.status == Some(PaymentStatus::Refunded))),
        failure: failure(resource).filter(|_| row.status == Some(PaymentStatus::Rejected)),
        fraud_status: fraud_status(resource),
    }
}

/// An authorization can be captured in parts, and no capture says how much the others took: only
/// an order's own capture, or a sale, is the cumulative total.
fn several_captures(resource: &Resource<'_>) -> bool {
    let related = resource.supplementary_data.object().and_then(|it| it.related_ids.object());
    let authorized = related.is_some_and(|related| related.authorization_id.text().is_some());
    authorized || up(resource, "/authorizations/").is_some()
}

fn invoice<'v>(
    row: &StatusRow,
    resource: &Resource<'v>,
    facts: &Facts,
    references: References<'v>,
) -> Invoice<'v> {
    let invoice = resource.invoice.object();
    let paid = facts.amount.filter(|_| row.event_type == EventType::InvoicePaid);
    let of_subscription = row.event_type == EventType::InvoicePaymentFailed;
    Invoice {
        references,
        gateway_invoice_id: invoice.and_then(|invoice| invoice.id.text()),
        gateway_subscription_id: resource.id.text().filter(|_| of_subscription),
        amount_due: facts.amount.or(facts.due),
        amount_paid: facts.paid.or(paid),
    }
}

fn references<'v>(
    row: &StatusRow,
    resource: &Resource<'v>,
    merchant_reference: Option<Cow<'v, str>>,
) -> References<'v> {
    let own = resource.id.text();
    let related = resource.supplementary_data.object().and_then(|it| it.related_ids.object());
    let disputed = resource.disputed_transactions.iter().find_map(Field::object);
    let order = related
        .and_then(|related| related.order_id.text())
        .or_else(|| resource.parent_payment.text())
        .or_else(|| resource.order_id.text());
    let charge = match row.subject {
        SubjectKind::Payment => own.clone(),
        SubjectKind::Refund => related
            .and_then(|related| related.capture_id.text())
            .or_else(|| resource.sale_id.text())
            .or_else(|| up(resource, "/captures/"))
            .or_else(|| up(resource, "/sale/")),
        SubjectKind::Dispute => disputed.and_then(|it| it.seller_transaction_id.text()),
        SubjectKind::Checkout => first_capture(resource),
        SubjectKind::Invoice
        | SubjectKind::Mandate
        | SubjectKind::Other
        | SubjectKind::Payout
        | SubjectKind::Subscription => None,
    };
    let payer = resource.payer.object().or_else(|| resource.subscriber.object());
    let payer_info = payer.and_then(|payer| payer.payer_info.object());
    References {
        merchant_reference,
        gateway_payment_id: match row.subject {
            SubjectKind::Checkout => own.or(order),
            SubjectKind::Dispute
            | SubjectKind::Invoice
            | SubjectKind::Mandate
            | SubjectKind::Other
            | SubjectKind::Payment
            | SubjectKind::Payout
            | SubjectKind::Refund
            | SubjectKind::Subscription => order,
        },
        gateway_charge_id: charge,
        gateway_customer_id: payer
            .and_then(|payer| payer.payer_id.text())
            .or_else(|| payer_info.and_then(|info| info.payer_id.text())),
        metadata: agreement(resource),
    }
}

/// A sale that renews a subscription names it: the contract has no field of its own for that.
fn agreement<'v>(resource: &Resource<'v>) -> Vec<(Cow<'v, str>, Cow<'v, str>)> {
    let id = resource.billing_agreement_id.text();
    id.into_iter().map(|id| (Cow::Borrowed("billing_agreement_id"), id)).collect()
}

fn first_capture<'v>(resource: &Resource<'v>) -> Option<Cow<'v, str>> {
    let payments = units(resource).filter_map(|unit| unit.payments.object());
    let lists = payments.flat_map(|it| it.captures.iter().chain(it.authorizations.iter()));
    lists.filter_map(Field::object).find_map(|movement| movement.id.text())
}

/// The id at the end of the link to the object above, where its path holds this segment.
fn up<'v>(resource: &Resource<'v>, segment: &str) -> Option<Cow<'v, str>> {
    let links = resource.links.iter().filter_map(Field::object);
    let mut above = links.filter(|link| link.rel.text().as_deref() == Some("up"));
    above.find_map(|link| {
        let href = link.href.text()?;
        let (_, id) = href.rsplit_once(segment)?;
        (!id.is_empty() && !id.contains(['/', '?'])).then(|| Cow::Owned(id.to_owned()))
    })
}

fn time(text: Option<Cow<'_, str>>) -> Option<Timestamp> {
    Timestamp::from_rfc3339(&text?)
}
