//! Contract messages and the model's types, one way and the other. Copies, never decides.

use std::borrow::Cow;

use crate::{
    accounts::Account,
    gateway::{self, Reply},
    model::{
        self, Coverage, Environment, Event, EventType, FraudStatus, Money, PaymentStatus,
        SubjectKind, Timestamp,
    },
    proto,
    verify::{Assurance, Evidence, KeyRole, Verified},
};

/// A verified event of a variant.
pub(crate) fn event(
    account: &Account,
    verified: &Verified<'_>,
    event: Event<'_>,
    position: usize,
) -> proto::PaymentEvent {
    let gateway = account.gateway().name;
    let key = gateway::idempotency_key(gateway, &event, verified.payload(), position);
    let environment = event.environment.or(account.environment());
    // Filled in where it is: an event is large, and is moved as rarely as can be.
    let mut told = bare_event(event);
    gateway.clone_into(&mut told.gateway);
    account.variant().as_str().clone_into(&mut told.variant);
    told.idempotency_key = key;
    told.environment =
        environment.map_or(proto::Environment::Unspecified, environment_proto).into();
    if let Some(payload) = verified.decoded_payload() {
        told.decoded_payload = bytes::Bytes::copy_from_slice(payload);
    }
    told
}

/// An event without what only a verified webhook has.
pub(crate) fn bare_event(event: Event<'_>) -> proto::PaymentEvent {
    proto::PaymentEvent {
        id: text(event.id),
        r#type: event_type(event.event_type).into(),
        gateway_type: text(event.gateway_type),
        occurred_at: event.occurred_at.map(timestamp),
        environment: event
            .environment
            .map_or(proto::Environment::Unspecified, environment_proto)
            .into(),
        account: text(event.account),
        gateway_api_version: text(event.gateway_api_version),
        coverage: coverage(event.coverage).into(),
        status: status(event.status).into(),
        needs_fetch: event.needs_fetch,
        subject_kind: subject_kind(event.subject_kind).into(),
        object_id: text(event.object_id),
        merchant_reference: text(event.merchant_reference),
        amount: event.amount.map(money),
        unsigned_fields: event.unsigned_fields.iter().map(|f| f.as_str().to_owned()).collect(),
        subject: event.subject.map(subject),
        ..proto::PaymentEvent::default()
    }
}

/// How a webhook was verified.
pub(crate) fn verification(evidence: Evidence<'_>) -> proto::Verification {
    proto::Verification {
        scheme: evidence.scheme.to_string(),
        key_label: evidence.key_label.to_string(),
        key_role: key_role(evidence.key_role).into(),
        signed_at: evidence.signed_at.map(|at| timestamp(at.into())),
        age: evidence.age_seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        assurance: assurance(evidence.assurance).into(),
        replay_unprotected: evidence.replay_unprotected,
    }
}

/// What to answer the gateway.
pub(crate) fn reply(reply: Reply) -> proto::HttpReply {
    proto::HttpReply {
        status: reply.status.into(),
        content_type: reply.content_type.to_owned(),
        body: reply.body.as_bytes().to_vec(),
    }
}

pub(crate) fn money(money: Money) -> proto::Money {
    proto::Money {
        currency_code: money.currency().as_str().to_owned(),
        minor_units: money.minor_units(),
        exponent: money.currency().exponent(),
        decimal: money.decimal(),
    }
}

pub(crate) const fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    // Nanoseconds are below 10^9, so that they fit.
    prost_types::Timestamp { seconds: at.seconds(), nanos: at.nanos().cast_signed() }
}

pub(crate) const fn status(status: Option<PaymentStatus>) -> proto::PaymentStatus {
    match status {
        None => proto::PaymentStatus::Unspecified,
        Some(PaymentStatus::Waiting) => proto::PaymentStatus::Waiting,
        Some(PaymentStatus::Preauth) => proto::PaymentStatus::Preauth,
        Some(PaymentStatus::Confirmed) => proto::PaymentStatus::Confirmed,
        Some(PaymentStatus::Rejected) => proto::PaymentStatus::Rejected,
        Some(PaymentStatus::Refunded) => proto::PaymentStatus::Refunded,
        Some(PaymentStatus::Error) => proto::PaymentStatus::Error,
        Some(PaymentStatus::Input) => proto::PaymentStatus::Input,
        Some(PaymentStatus::Cancelled) => proto::PaymentStatus::Cancelled,
    }
}

pub(crate) const fn fraud_status(status: Option<FraudStatus>) -> proto::FraudStatus {
    match status {
        None => proto::FraudStatus::Unspecified,
        Some(FraudStatus::Unknown) => proto::FraudStatus::Unknown,
        Some(FraudStatus::Accept) => proto::FraudStatus::Accept,
        Some(FraudStatus::Reject) => proto::FraudStatus::Reject,
        Some(FraudStatus::Review) => proto::FraudStatus::Review,
    }
}

pub(crate) const fn environment_proto(environment: Environment) -> proto::Environment {
    match environment {
        Environment::Live => proto::Environment::Live,
        Environment::Test => proto::Environment::Test,
    }
}

pub(crate) const fn key_role(role: KeyRole) -> proto::KeyRole {
    match role {
        KeyRole::Current => proto::KeyRole::Current,
        KeyRole::Next => proto::KeyRole::Next,
        KeyRole::Previous => proto::KeyRole::Previous,
    }
}

pub(crate) const fn assurance(assurance: Assurance) -> proto::Assurance {
    match assurance {
        Assurance::BodySigned => proto::Assurance::BodySigned,
        Assurance::FieldsSigned => proto::Assurance::FieldsSigned,
        Assurance::ConfirmedByGateway => proto::Assurance::ConfirmedByGateway,
        Assurance::ChecksumSigned => proto::Assurance::ChecksumSigned,
        Assurance::SenderOnly => proto::Assurance::SenderOnly,
        Assurance::EncryptedOnly => proto::Assurance::EncryptedOnly,
    }
}

const fn coverage(coverage: Coverage) -> proto::Coverage {
    match coverage {
        Coverage::Envelope => proto::Coverage::Envelope,
        Coverage::Pointer => proto::Coverage::Pointer,
        Coverage::Typed => proto::Coverage::Typed,
    }
}

const fn subject_kind(kind: SubjectKind) -> proto::SubjectKind {
    match kind {
        SubjectKind::Checkout => proto::SubjectKind::Checkout,
        SubjectKind::Dispute => proto::SubjectKind::Dispute,
        SubjectKind::Invoice => proto::SubjectKind::Invoice,
        SubjectKind::Mandate => proto::SubjectKind::Mandate,
        SubjectKind::Other => proto::SubjectKind::Other,
        SubjectKind::Payment => proto::SubjectKind::Payment,
        SubjectKind::Payout => proto::SubjectKind::Payout,
        SubjectKind::Refund => proto::SubjectKind::Refund,
        SubjectKind::Subscription => proto::SubjectKind::Subscription,
    }
}

fn subject(subject: model::Subject<'_>) -> proto::payment_event::Subject {
    use proto::payment_event::Subject as S;
    match subject {
        model::Subject::Checkout(it) => S::Checkout(checkout(*it)),
        model::Subject::Dispute(it) => S::Dispute(dispute(*it)),
        model::Subject::Invoice(it) => S::Invoice(invoice(*it)),
        model::Subject::Mandate(it) => S::Mandate(mandate(*it)),
        model::Subject::Payment(it) => S::Payment(payment(*it)),
        model::Subject::Payout(it) => S::Payout(payout(*it)),
        model::Subject::Refund(it) => S::Refund(refund(*it)),
        model::Subject::Subscription(it) => S::Subscription(subscription(*it)),
    }
}

fn checkout(it: model::Checkout<'_>) -> proto::Checkout {
    proto::Checkout {
        references: Some(references(it.references)),
        gateway_checkout_id: text(it.gateway_checkout_id),
        gateway_status: text(it.gateway_status),
        amount: it.amount.map(money),
        paid: it.paid,
        failure: it.failure.map(failure),
    }
}

fn dispute(it: model::Dispute<'_>) -> proto::Dispute {
    proto::Dispute {
        references: Some(references(it.references)),
        gateway_dispute_id: text(it.gateway_dispute_id),
        gateway_status: text(it.gateway_status),
        amount: it.amount.map(money),
        reason: text(it.reason),
        evidence_due_at: it.evidence_due_at.map(timestamp),
        payment_total: it.payment_total.map(money),
    }
}

fn invoice(it: model::Invoice<'_>) -> proto::Invoice {
    proto::Invoice {
        references: Some(references(it.references)),
        gateway_invoice_id: text(it.gateway_invoice_id),
        gateway_subscription_id: text(it.gateway_subscription_id),
        amount_due: it.amount_due.map(money),
        amount_paid: it.amount_paid.map(money),
    }
}

fn mandate(it: model::Mandate<'_>) -> proto::Mandate {
    proto::Mandate {
        references: Some(references(it.references)),
        gateway_mandate_id: text(it.gateway_mandate_id),
        gateway_status: text(it.gateway_status),
    }
}

fn payment(it: model::Payment<'_>) -> proto::Payment {
    proto::Payment {
        references: Some(references(it.references)),
        gateway_status: text(it.gateway_status),
        requested: it.requested.map(money),
        capturable: it.capturable.map(money),
        captured: it.captured.map(money),
        refunded: it.refunded.map(money),
        failure: it.failure.map(failure),
        fraud_status: fraud_status(it.fraud_status).into(),
    }
}

fn payout(it: model::Payout<'_>) -> proto::Payout {
    proto::Payout {
        gateway_payout_id: text(it.gateway_payout_id),
        gateway_status: text(it.gateway_status),
        amount: it.amount.map(money),
        arrives_at: it.arrives_at.map(timestamp),
        failure: it.failure.map(failure),
        merchant_reference: text(it.merchant_reference),
    }
}

fn refund(it: model::Refund<'_>) -> proto::Refund {
    proto::Refund {
        references: Some(references(it.references)),
        gateway_refund_id: text(it.gateway_refund_id),
        gateway_status: text(it.gateway_status),
        amount: it.amount.map(money),
        payment_refunded_total: it.payment_refunded_total.map(money),
        full: it.full,
        failure: it.failure.map(failure),
        reason: text(it.reason),
    }
}

fn subscription(it: model::Subscription<'_>) -> proto::Subscription {
    proto::Subscription {
        references: Some(references(it.references)),
        gateway_subscription_id: text(it.gateway_subscription_id),
        gateway_status: text(it.gateway_status),
        current_period_end: it.current_period_end.map(timestamp),
        cancel_at_period_end: it.cancel_at_period_end,
    }
}

fn references(it: model::References<'_>) -> proto::References {
    proto::References {
        merchant_reference: text(it.merchant_reference),
        gateway_payment_id: text(it.gateway_payment_id),
        gateway_charge_id: text(it.gateway_charge_id),
        gateway_customer_id: text(it.gateway_customer_id),
        metadata: it
            .metadata
            .into_iter()
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect(),
    }
}

fn failure(it: model::Failure<'_>) -> proto::Failure {
    proto::Failure {
        code: text(it.code),
        gateway_code: text(it.gateway_code),
        message: text(it.message),
    }
}

fn text(text: Option<Cow<'_, str>>) -> String {
    text.map(Cow::into_owned).unwrap_or_default()
}

/// The model's type, by its name in the contract: both enums have the same names, which a test
/// walks.
pub(crate) fn event_type(kind: EventType) -> proto::EventType {
    macro_rules! same {
        ($($name:ident),+ $(,)?) => {
            match kind { $(EventType::$name => proto::EventType::$name),+ }
        };
    }
    same!(
        Unrecognized,
        EndpointChallenge,
        PaymentCreated,
        PaymentActionRequired,
        PaymentProcessing,
        PaymentAuthorized,
        PaymentPartiallyCaptured,
        PaymentCaptured,
        PaymentFailed,
        PaymentCancelled,
        PaymentExpired,
        PaymentReviewOpened,
        PaymentReviewClosed,
        RefundPending,
        RefundSucceeded,
        RefundFailed,
        RefundCancelled,
        DisputeInquiry,
        DisputeOpened,
        DisputeUpdated,
        DisputeFundsWithdrawn,
        DisputeFundsReinstated,
        DisputeWon,
        DisputeLost,
        DisputeClosed,
        CheckoutCompleted,
        CheckoutPaid,
        CheckoutFailed,
        CheckoutExpired,
        CheckoutApproved,
        SubscriptionCreated,
        SubscriptionUpdated,
        SubscriptionPastDue,
        SubscriptionPaused,
        SubscriptionEnded,
        SubscriptionTrialEnding,
        InvoiceIssued,
        InvoicePaid,
        InvoicePaymentFailed,
        InvoiceVoided,
        PayoutCreated,
        PayoutPaid,
        PayoutFailed,
        PayoutCancelled,
        MandateActive,
        MandateInactive,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_enums_of_event_types_have_the_same_names() {
        for kind in EventType::ALL {
            let name = event_type(kind).as_str_name();
            assert_eq!(name.strip_prefix("EVENT_TYPE_"), Some(kind.as_str()));
        }
    }
}
