//! Reads a notification that `PayPal` has confirmed.

use std::borrow::Cow;

use super::{status::STATUSES, text};
use crate::{
    gateway::{ParseError, StatusRow, status_table},
    model::{
        Coverage, Currency, Dispute, Environment, Event, EventType, Failure, FraudStatus, Invoice,
        Money, Payment, PaymentStatus, Payout, References, Refund, Subject, SubjectKind,
        Subscription,
    },
    verify::{Verified, form::Form},
};

/// Reads the one event of a confirmed body.
pub(super) fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let unreadable = |_| ParseError::Unreadable { format: "form data", line: 0, column: 0 };
    let fields = Fields(Form::read(verified.payload()).map_err(unreadable)?);
    let status = fields.text("payment_status")?;
    let kind = fields.text("txn_type")?;
    let word = status.clone().or_else(|| kind.clone());
    let gateway_type = word.map(|word| format!("ipn:{word}"));
    let masspay = kind.as_deref() == Some("masspay");
    let reason = fields.text("pending_reason")?;
    let state = if masspay { "masspay" } else { reason.as_deref().unwrap_or_default() };
    let row = gateway_type.as_deref().and_then(|it| status_table::find(STATUSES, it, state));
    let event = match row {
        Some(row) => described(row, &fields)?,
        None => Event { object_id: fields.text("txn_id")?.map(Cow::Owned), ..Event::envelope() },
    };
    let tested = fields.text("test_ipn")?.as_deref() == Some("1");
    let date = fields.text("payment_date")?;
    Ok(vec![Event {
        identity: identity(&fields)?,
        gateway_type: gateway_type.map(Cow::Owned),
        occurred_at: date.as_deref().and_then(text::time),
        environment: if tested { Some(Environment::Test) } else { verified.evidence().environment },
        account: fields.text("receiver_id")?.map(Cow::Owned),
        ..event
    }])
}

/// What stays the same when `PayPal` sends a notification again: the transaction and its state.
fn identity(fields: &Fields<'_>) -> Result<Option<Cow<'static, [u8]>>, ParseError> {
    let Some(id) = fields.text("txn_id")? else { return Ok(None) };
    let mut identity = id.into_bytes();
    for name in ["payment_status", "pending_reason", "txn_type"] {
        identity.push(0);
        identity.extend_from_slice(fields.text(name)?.unwrap_or_default().as_bytes());
    }
    Ok(Some(Cow::Owned(identity)))
}

fn described(row: &StatusRow, fields: &Fields<'_>) -> Result<Event<'static>, ParseError> {
    let amount = fields.amount()?;
    let reference = merchant_reference(fields)?;
    let object_id = match row.subject {
        SubjectKind::Subscription | SubjectKind::Invoice => subscription_id(fields)?,
        SubjectKind::Dispute => fields.text("case_id")?,
        SubjectKind::Payout => fields.text("masspay_txn_id")?,
        SubjectKind::Checkout
        | SubjectKind::Mandate
        | SubjectKind::Other
        | SubjectKind::Payment
        | SubjectKind::Refund => None,
    };
    let object_id = match object_id {
        Some(id) => Some(id),
        None => fields.text("txn_id")?,
    };
    let references = References {
        merchant_reference: reference.clone(),
        gateway_payment_id: fields.text("auth_id")?.map(Cow::Owned),
        gateway_charge_id: charge_id(row, fields)?,
        gateway_customer_id: fields.text("payer_id")?.map(Cow::Owned),
        metadata: Vec::new(),
    };
    let subject = subject(row, fields, amount, references, object_id.clone())?;
    Ok(Event {
        event_type: row.event_type,
        coverage: if subject.is_some() { Coverage::Typed } else { Coverage::Envelope },
        status: row.status,
        subject_kind: row.subject,
        object_id: object_id.map(Cow::Owned),
        merchant_reference: reference,
        amount: amount.filter(|_| row.subject != SubjectKind::Subscription),
        subject,
        ..Event::envelope()
    })
}

fn subject(
    row: &StatusRow,
    fields: &Fields<'_>,
    amount: Option<Money>,
    references: References<'static>,
    object_id: Option<String>,
) -> Result<Option<Subject<'static>>, ParseError> {
    let id = object_id.map(Cow::Owned);
    let gateway_status = fields.text("payment_status")?.map(Cow::Owned);
    Ok(Some(match row.subject {
        SubjectKind::Payment => {
            Subject::Payment(Box::new(payment(row, fields, amount, references, gateway_status)?))
        }
        SubjectKind::Refund => Subject::Refund(Box::new(Refund {
            references,
            gateway_refund_id: id,
            gateway_status,
            amount,
            payment_refunded_total: None,
            full: false,
            failure: None,
            reason: fields.text("reason_code")?.map(Cow::Owned),
        })),
        SubjectKind::Dispute => Subject::Dispute(Box::new(Dispute {
            references,
            gateway_dispute_id: id,
            gateway_status: fields.text("case_type")?.map(Cow::Owned),
            amount,
            reason: fields.text("reason_code")?.map(|it| Cow::Owned(it.to_ascii_lowercase())),
            evidence_due_at: None,
            payment_total: None,
        })),
        SubjectKind::Subscription => Subject::Subscription(Box::new(Subscription {
            references,
            gateway_subscription_id: id,
            gateway_status: fields.text("profile_status")?.map(Cow::Owned),
            current_period_end: None,
            cancel_at_period_end: false,
        })),
        SubjectKind::Invoice => Subject::Invoice(Box::new(Invoice {
            references,
            gateway_invoice_id: None,
            gateway_subscription_id: id,
            amount_due: amount,
            amount_paid: None,
        })),
        SubjectKind::Payout => Subject::Payout(Box::new(Payout {
            gateway_payout_id: id,
            gateway_status,
            amount,
            arrives_at: None,
            failure: None,
            merchant_reference: references.merchant_reference,
        })),
        SubjectKind::Checkout | SubjectKind::Mandate | SubjectKind::Other => return Ok(None),
    }))
}

fn payment(
    row: &StatusRow,
    fields: &Fields<'_>,
    amount: Option<Money>,
    references: References<'static>,
    gateway_status: Option<Cow<'static, str>>,
) -> Result<Payment<'static>, ParseError> {
    let review = fields.text("pending_reason")?.as_deref() == Some("paymentreview");
    let reason = fields.text("reason_code")?;
    let rejected = row.status == Some(PaymentStatus::Rejected);
    let authorized = row.event_type == EventType::PaymentAuthorized;
    // A capture of an authorization may be one of several.
    let whole = fields.text("auth_id")?.is_none();
    let captured = row.event_type == EventType::PaymentCaptured && whole;
    Ok(Payment {
        references,
        gateway_status,
        requested: amount.filter(|_| authorized),
        capturable: amount.filter(|_| authorized),
        captured: amount.filter(|_| captured),
        refunded: None,
        failure: reason.filter(|_| rejected).map(|reason| Failure {
            code: Some(Cow::Owned(reason.to_ascii_lowercase())),
            gateway_code: Some(Cow::Owned(reason)),
            message: None,
        }),
        fraud_status: review.then_some(FraudStatus::Review),
    })
}

/// The transaction that took the money: a refund or reversal names it as its parent.
fn charge_id(
    row: &StatusRow,
    fields: &Fields<'_>,
) -> Result<Option<Cow<'static, str>>, ParseError> {
    let parent = fields.text("parent_txn_id")?;
    let own = if row.subject == SubjectKind::Payment { fields.text("txn_id")? } else { None };
    Ok(parent.or(own).map(Cow::Owned))
}

fn subscription_id(fields: &Fields<'_>) -> Result<Option<String>, ParseError> {
    match fields.text("subscr_id")? {
        Some(id) => Ok(Some(id)),
        None => fields.text("recurring_payment_id"),
    }
}

fn merchant_reference(fields: &Fields<'_>) -> Result<Option<Cow<'static, str>>, ParseError> {
    for name in ["custom", "invoice", "rp_invoice_id"] {
        if let Some(text) = fields.text(name)? {
            return Ok(Some(Cow::Owned(text)));
        }
    }
    Ok(None)
}

/// The fields of a notification.
struct Fields<'f>(Form<'f>);

impl Fields<'_> {
    /// A field that is there once and not blank.
    fn text(&self, name: &'static str) -> Result<Option<String>, ParseError> {
        let twice = |_| ParseError::FieldWrong { path: name, expected: "there once" };
        let bytes = self.0.field(name).map_err(twice)?.unwrap_or_default();
        let charset = self.0.field("charset");
        let charset = charset
            .map_err(|_| ParseError::FieldWrong { path: "charset", expected: "there once" })?;
        let text = text::decode(bytes, charset.unwrap_or_default());
        let expected = "text in windows-1252 or UTF-8";
        let text = text.ok_or(ParseError::FieldWrong { path: name, expected })?;
        Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
    }

    /// What the notification is about; refunds and reversals are negative.
    fn amount(&self) -> Result<Option<Money>, ParseError> {
        const PATH: &str = "mc_gross";
        let Some(text) = self.text(PATH)? else { return Ok(None) };
        let currency = self.text("mc_currency")?.and_then(|code| Currency::new(&code));
        let inexact = |_| ParseError::AmountInexact { path: PATH };
        if let Some(currency) = currency {
            return Money::from_decimal(&text, currency).map(Some).map_err(inexact);
        }
        Money::check_decimal(&text).map(|()| None).map_err(inexact)
    }
}
