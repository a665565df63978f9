//! From what a payload says to an event: the status table decides, the subject is typed after it.

use std::borrow::Cow;

use super::{ParseError, StatusRow, status_table};
use crate::model::{
    Checkout, Coverage, Dispute, Environment, Event, EventType, Failure, Invoice, Mandate, Money,
    Payment, PaymentStatus, Payout, References, Refund, Subject, SubjectKind, Subscription,
    Timestamp,
};

/// What a payload says about one object, in the words of the contract.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts<'a> {
    /// The object the event is about.
    pub(crate) object_id: Option<Cow<'a, str>>,
    /// The id of the subject itself, where that is no payment: a refund's, a dispute's.
    pub(crate) own_id: Option<Cow<'a, str>>,
    /// The payment's id.
    pub(crate) payment_id: Option<Cow<'a, str>>,
    /// The id of the charge, capture or transaction.
    pub(crate) charge_id: Option<Cow<'a, str>>,
    /// The customer's id.
    pub(crate) customer_id: Option<Cow<'a, str>>,
    /// The application's own reference.
    pub(crate) merchant_reference: Option<Cow<'a, str>>,
    /// What the merchant attached.
    pub(crate) metadata: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The gateway's status, verbatim.
    pub(crate) gateway_status: Option<Cow<'a, str>>,
    /// The amount the event is about.
    pub(crate) amount: Option<Money>,
    /// The whole payment's amount. An event about a part of it, such as one of several captures,
    /// leaves it open.
    pub(crate) total: Option<Money>,
    /// Cumulative amount captured.
    pub(crate) captured: Option<Money>,
    /// Cumulative amount refunded on the payment.
    pub(crate) refunded: Option<Money>,
    /// Why it failed.
    pub(crate) failure: Option<Failure<'a>>,
    /// Why a refund or dispute was made, verbatim.
    pub(crate) reason: Option<Cow<'a, str>>,
    /// End of a subscription's period, arrival of a payout, or last moment for evidence.
    pub(crate) due_at: Option<Timestamp>,
    /// The subscription of an invoice.
    pub(crate) subscription_id: Option<Cow<'a, str>>,
}

/// The event that a type and a state mean by the table; without a row, one of which only the
/// envelope is known.
pub(crate) fn event<'a>(
    table: &[StatusRow],
    gateway_type: &str,
    state: &str,
    facts: Facts<'a>,
) -> Event<'a> {
    let base = Event {
        object_id: facts.object_id.clone(),
        merchant_reference: facts.merchant_reference.clone(),
        amount: facts.amount,
        ..Event::envelope()
    };
    let Some(row) = status_table::find(table, gateway_type, state) else { return base };
    let subject = subject(row, facts);
    Event {
        event_type: row.event_type,
        coverage: if subject.is_some() { Coverage::Typed } else { Coverage::Envelope },
        status: row.status,
        subject_kind: row.subject,
        subject,
        ..base
    }
}

/// An amount as it was read. A type that the table does not know may use the field for something
/// else: there, what is no amount counts as absent.
pub(crate) fn amount(
    table: &[StatusRow],
    gateway_type: &str,
    read: Result<Option<Money>, ParseError>,
) -> Result<Option<Money>, ParseError> {
    match read {
        Err(ParseError::AmountInexact { .. }) if !status_table::knows(table, gateway_type) => {
            Ok(None)
        }
        other => other,
    }
}

/// Whether refunds of a payment add up to all of it, part of it, or cannot be told: a single
/// refund below the total proves nothing, others may have gone before.
pub(crate) fn extent(
    refund: Option<Money>,
    cumulative: Option<Money>,
    total: Option<Money>,
) -> &'static str {
    let reaches = |part: Option<Money>| {
        let (part, total) = part.zip(total)?;
        let comparable = part.currency() == total.currency() && total.minor_units() > 0;
        comparable.then(|| part.minor_units() >= total.minor_units())
    };
    match (reaches(refund), reaches(cumulative)) {
        (Some(true), _) | (_, Some(true)) => "full",
        (_, Some(false)) => "partial",
        (_, None) => "unknown",
    }
}

/// Live or test, where the payload says whether it is a test.
pub(crate) fn environment(test: Option<bool>) -> Option<Environment> {
    test.map(|test| if test { Environment::Test } else { Environment::Live })
}

/// A failure with the gateway's own code and message; none where it gives neither.
pub(crate) fn failure<'a>(
    gateway_code: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
) -> Option<Failure<'a>> {
    let said = gateway_code.is_some() || message.is_some();
    said.then_some(Failure { code: None, gateway_code, message })
}

fn subject<'a>(row: &StatusRow, facts: Facts<'a>) -> Option<Subject<'a>> {
    let references = References {
        merchant_reference: facts.merchant_reference.clone(),
        gateway_payment_id: facts.payment_id.clone(),
        gateway_charge_id: facts.charge_id.clone(),
        gateway_customer_id: facts.customer_id.clone(),
        metadata: facts.metadata.clone(),
    };
    Some(match row.subject {
        SubjectKind::Payment => Subject::Payment(Box::new(payment(row, facts, references))),
        SubjectKind::Refund => Subject::Refund(Box::new(Refund {
            references,
            gateway_refund_id: facts.own_id,
            gateway_status: facts.gateway_status,
            amount: facts.amount,
            payment_refunded_total: facts.refunded,
            full: row.status == Some(PaymentStatus::Refunded),
            failure: facts.failure,
            reason: facts.reason,
        })),
        SubjectKind::Dispute => Subject::Dispute(Box::new(Dispute {
            references,
            gateway_dispute_id: facts.own_id,
            gateway_status: facts.gateway_status,
            amount: facts.amount,
            reason: facts.reason,
            evidence_due_at: facts.due_at,
            payment_total: facts.total,
        })),
        SubjectKind::Checkout => Subject::Checkout(Box::new(Checkout {
            references,
            gateway_checkout_id: facts.own_id,
            gateway_status: facts.gateway_status,
            amount: facts.amount,
            paid: row.status == Some(PaymentStatus::Confirmed),
            failure: facts.failure,
        })),
        SubjectKind::Invoice => Subject::Invoice(Box::new(Invoice {
            references,
            gateway_invoice_id: facts.own_id,
            gateway_subscription_id: facts.subscription_id,
            amount_due: facts.total.or(facts.amount),
            amount_paid: facts.captured,
        })),
        SubjectKind::Subscription => Subject::Subscription(Box::new(Subscription {
            references,
            gateway_subscription_id: facts.own_id,
            gateway_status: facts.gateway_status,
            current_period_end: facts.due_at,
            cancel_at_period_end: false,
        })),
        SubjectKind::Payout => Subject::Payout(Box::new(Payout {
            gateway_payout_id: facts.own_id,
            gateway_status: facts.gateway_status,
            amount: facts.amount,
            arrives_at: facts.due_at,
            failure: facts.failure,
            merchant_reference: facts.merchant_reference,
        })),
        SubjectKind::Mandate => Subject::Mandate(Box::new(Mandate {
            references,
            gateway_mandate_id: facts.own_id,
            gateway_status: facts.gateway_status,
        })),
        SubjectKind::Other => return None,
    })
}

fn payment<'a>(row: &StatusRow, facts: Facts<'a>, references: References<'a>) -> Payment<'a> {
    let authorized = row.event_type == EventType::PaymentAuthorized;
    Payment {
        references,
        gateway_status: facts.gateway_status,
        requested: facts.total,
        capturable: facts.amount.filter(|_| authorized),
        captured: facts.captured,
        refunded: facts.refunded,
        failure: facts.failure,
        fraud_status: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Currency;

    #[test]
    fn only_totals_prove_how_much_was_refunded() {
        let money = |minor| {
            let euro = Currency::new("EUR").expect("a code");
            Some(Money::from_minor(minor, euro).expect("small"))
        };
        assert_eq!(extent(money(100), None, money(100)), "full");
        assert_eq!(extent(money(40), money(100), money(100)), "full");
        assert_eq!(extent(money(40), money(40), money(100)), "partial");
        assert_eq!(extent(money(40), None, money(100)), "unknown");
        assert_eq!(extent(money(40), money(40), None), "unknown");
        assert_eq!(extent(money(0), None, money(0)), "unknown");
    }
}
