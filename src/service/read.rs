//! Contract messages that callers write, as the model's types. Refuses what has no exact meaning.

use super::status::Refusal;
use crate::{
    model::{
        Currency, EventType, Facts, FraudStatus, Money, PaymentState, PaymentStatus, SubjectKind,
        Timestamp,
        transition::{MOVEMENTS_MAX, Movement},
    },
    proto::{self, payment_event::Subject},
};

/// The facts of an event that `VerifyAndParse` returned before.
pub(super) fn facts(event: &proto::PaymentEvent) -> Result<Facts, Refusal> {
    let mut facts = Facts {
        id: text(&event.id),
        event_type: event_type(event.r#type)?,
        status: status(event.status)?,
        occurred_at: event.occurred_at.as_ref().map(timestamp).transpose()?,
        merchant_reference: text(&event.merchant_reference),
        ..Facts::default()
    };
    match &event.subject {
        Some(Subject::Payment(payment)) => {
            facts.requested = money(payment.requested.as_ref())?;
            facts.captured = money(payment.captured.as_ref())?;
            facts.refunded = money(payment.refunded.as_ref())?;
            facts.fraud_status = fraud_status(payment.fraud_status)?;
        }
        Some(Subject::Refund(refund)) => {
            facts.gateway_id = text(&refund.gateway_refund_id);
            facts.amount = money(refund.amount.as_ref())?;
            facts.refunded = money(refund.payment_refunded_total.as_ref())?;
            if refund.full {
                facts.status = facts.status.or(Some(PaymentStatus::Refunded));
            }
        }
        Some(Subject::Dispute(dispute)) => {
            facts.gateway_id = text(&dispute.gateway_dispute_id);
            facts.amount = money(dispute.amount.as_ref())?;
            facts.payment_total = money(dispute.payment_total.as_ref())?;
        }
        Some(Subject::Checkout(checkout)) => {
            facts.requested = money(checkout.amount.as_ref())?;
            facts.captured = facts.requested.filter(|_| checkout.paid);
        }
        Some(Subject::Invoice(invoice)) => {
            facts.requested = money(invoice.amount_due.as_ref())?;
            let paid = money(invoice.amount_paid.as_ref())?;
            facts.captured = paid.filter(|_| facts.is_confirmed());
        }
        Some(Subject::Mandate(_) | Subject::Payout(_) | Subject::Subscription(_)) | None => {}
    }
    let amount = money(event.amount.as_ref())?;
    Ok(match subject_kind(event) {
        Some(kind) => facts.asks_for(kind, amount),
        None => facts,
    })
}

/// What the event is about, where its one amount may be what was asked for.
fn subject_kind(event: &proto::PaymentEvent) -> Option<SubjectKind> {
    match &event.subject {
        Some(Subject::Payment(_)) => Some(SubjectKind::Payment),
        Some(Subject::Checkout(_)) => Some(SubjectKind::Checkout),
        Some(Subject::Invoice(_)) => Some(SubjectKind::Invoice),
        Some(
            Subject::Refund(_)
            | Subject::Dispute(_)
            | Subject::Mandate(_)
            | Subject::Payout(_)
            | Subject::Subscription(_),
        ) => None,
        None => [
            (proto::SubjectKind::Payment, SubjectKind::Payment),
            (proto::SubjectKind::Checkout, SubjectKind::Checkout),
            (proto::SubjectKind::Invoice, SubjectKind::Invoice),
        ]
        .into_iter()
        .find_map(|(kind, ours)| (event.subject_kind == i32::from(kind)).then_some(ours)),
    }
}

/// The application's view of its payment.
pub(super) fn state(state: &proto::PaymentState) -> Result<PaymentState, Refusal> {
    let status = status(state.status)?;
    if status.is_none() {
        return refuse("current.status is required where current is given");
    }
    if state.movements.len() > MOVEMENTS_MAX {
        return refuse("current.movements holds more than one payment has");
    }
    let movements = state.movements.iter().map(|it| {
        let amount = money(it.amount.as_ref())?;
        match amount {
            Some(amount) if !it.gateway_id.is_empty() => {
                Ok(Movement { gateway_id: it.gateway_id.clone(), amount })
            }
            Some(_) | None => refuse("a movement has an id and an amount"),
        }
    });
    Ok(PaymentState {
        status,
        total: money(state.total.as_ref())?,
        captured: money(state.captured.as_ref())?,
        refunded: money(state.refunded.as_ref())?,
        last_event_at: state.last_event_at.as_ref().map(timestamp).transpose()?,
        last_event_id: text(&state.last_event_id),
        merchant_reference: text(&state.merchant_reference),
        movements: movements.collect::<Result<_, _>>()?,
    })
}

/// A time with its nanoseconds in range.
pub(super) fn timestamp(at: &prost_types::Timestamp) -> Result<Timestamp, Refusal> {
    let at = Timestamp::from_parts(at.seconds, at.nanos);
    at.ok_or(Refusal::Request { problem: "a timestamp's nanoseconds are out of range" })
}

fn money(money: Option<&proto::Money>) -> Result<Option<Money>, Refusal> {
    let Some(money) = money else { return Ok(None) };
    let Some(currency) = Currency::new(&money.currency_code) else {
        return refuse("a currency code has three letters");
    };
    if money.minor_units < 0 {
        return refuse("an amount is never negative");
    }
    let read = Money::from_minor(money.minor_units, currency);
    read.map(Some).or_else(|_| refuse("an amount is too large"))
}

fn status(number: i32) -> Result<Option<PaymentStatus>, Refusal> {
    match proto::PaymentStatus::try_from(number) {
        Ok(proto::PaymentStatus::Unspecified) => Ok(None),
        Ok(status) => {
            let name = status.as_str_name().trim_start_matches("PAYMENT_STATUS_");
            Ok(PaymentStatus::from_name(&name.to_ascii_lowercase()))
        }
        Err(_) => refuse("no such payment status"),
    }
}

fn event_type(number: i32) -> Result<Option<EventType>, Refusal> {
    let kind = proto::EventType::try_from(number);
    let kind = kind.or_else(|_| refuse("no such event type"))?;
    Ok(EventType::from_name(kind.as_str_name().trim_start_matches("EVENT_TYPE_")))
}

fn fraud_status(number: i32) -> Result<Option<FraudStatus>, Refusal> {
    match proto::FraudStatus::try_from(number) {
        Ok(proto::FraudStatus::Unspecified) => Ok(None),
        Ok(proto::FraudStatus::Unknown) => Ok(Some(FraudStatus::Unknown)),
        Ok(proto::FraudStatus::Accept) => Ok(Some(FraudStatus::Accept)),
        Ok(proto::FraudStatus::Reject) => Ok(Some(FraudStatus::Reject)),
        Ok(proto::FraudStatus::Review) => Ok(Some(FraudStatus::Review)),
        Err(_) => refuse("no such fraud status"),
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn refuse<T>(problem: &'static str) -> Result<T, Refusal> {
    Err(Refusal::Request { problem })
}
