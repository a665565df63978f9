//! Paystack.
//!
//! The key of the signature is the API's secret key. Paystack sends no event id.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, KeyPart, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Event,
        EventType::{
            DisputeClosed, DisputeLost, DisputeOpened, DisputeUpdated, DisputeWon, InvoiceIssued,
            InvoicePaid, InvoicePaymentFailed, PaymentCaptured, PaymentFailed, PayoutFailed,
            PayoutPaid, RefundFailed, RefundPending, RefundSucceeded, SubscriptionCreated,
            SubscriptionEnded, SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{Confirmed, Refunded, Rejected, Waiting},
        SubjectKind::{Dispute, Invoice, Payment, Payout, Refund, Subscription},
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Encoding, Grammar, Source},
    },
};

/// Paystack's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "paystack",
    title: "Paystack",
    scheme: SchemeOf::Fixed(&SCHEME),
    // The secret key of the API signs webhooks too.
    keys: &[KeyField { part: KeyPart::ApiSecret, ..KeyField::secret("signing_secret", 0) }],
    options: &[],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Paystack documentation, \"Webhooks\"",
        "PaystackHQ/plugin-woocommerce, webhook handler",
    ],
};

static SCHEME: Scheme = Scheme::over_body(
    "paystack-hmac-sha512",
    Source::Header(Cow::Borrowed("x-paystack-signature")),
    Grammar::Plain,
    Algorithm::HmacSha512,
    Encoding::Hex,
);

/// The state is `data.status`; of a settled dispute, who won and how much.
static STATUSES: &[StatusRow] = &[
    // The type alone is not enough: `data.status` must say the same.
    row("charge.success", "success", Payment, PaymentCaptured, Some(Confirmed)),
    row("charge.success", "*", Payment, Unrecognized, None),
    row("charge.failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("refund.pending", "*", Refund, RefundPending, None),
    row("refund.processing", "*", Refund, RefundPending, None),
    row("refund.processed", "*", Refund, RefundSucceeded, None),
    row("refund.failed", "*", Refund, RefundFailed, Some(Confirmed)),
    row("charge.dispute.create", "*", Dispute, DisputeOpened, None),
    row("charge.dispute.remind", "*", Dispute, DisputeUpdated, None),
    row("charge.dispute.resolve", "won", Dispute, DisputeWon, Some(Confirmed)),
    row("charge.dispute.resolve", "lost_full", Dispute, DisputeLost, Some(Refunded)),
    row("charge.dispute.resolve", "lost_partial", Dispute, DisputeLost, Some(Confirmed)),
    row("charge.dispute.resolve", "lost_unknown", Dispute, DisputeLost, None),
    row("charge.dispute.resolve", "*", Dispute, DisputeClosed, None),
    row("invoice.create", "*", Invoice, InvoiceIssued, Some(Waiting)),
    row("invoice.payment_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("invoice.update", "success", Invoice, InvoicePaid, Some(Confirmed)),
    row("subscription.create", "*", Subscription, SubscriptionCreated, None),
    row("subscription.disable", "*", Subscription, SubscriptionEnded, None),
    row("subscription.not_renew", "*", Subscription, SubscriptionUpdated, None),
    row("transfer.success", "*", Payout, PayoutPaid, None),
    row("transfer.failed", "*", Payout, PayoutFailed, None),
    row("transfer.reversed", "*", Payout, PayoutFailed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("event")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let data = root.object("data")?;
    let occurred_at = data.time("data.paid_at")?.or(data.time("data.created_at")?);
    let (state, facts) = read(kind, &data)?;
    Ok(vec![Event {
        occurred_at,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, &state, facts)
    }])
}

fn read<'a>(kind: &str, data: &Doc<'a>) -> Result<(Cow<'a, str>, Facts<'a>), ParseError> {
    let id = data.id("data.id")?;
    let amount = data.minor("data.amount", data.currency("data.currency")?);
    let amount = facts::amount(STATUSES, kind, amount)?;
    let status = data.word("data.status")?;
    let mut facts = Facts {
        object_id: id.clone(),
        own_id: id.clone(),
        merchant_reference: data.text("data.reference")?,
        metadata: data.metadata("data.metadata")?,
        gateway_status: status.clone(),
        amount,
        ..Facts::default()
    };
    let state = status.unwrap_or_default();
    if kind.starts_with("charge.dispute.") {
        return dispute(data, state, facts);
    }
    match kind.split('.').next().unwrap_or_default() {
        "refund" => {
            facts.own_id = data.id("data.refund_reference")?.or(id);
            let reference = data.text("data.transaction_reference")?;
            facts.merchant_reference = reference.or(facts.merchant_reference);
        }
        "charge" => {
            facts.payment_id = id;
            facts.total = amount;
            facts.captured = amount.filter(|_| kind == "charge.success" && state == "success");
            let message = data.text("data.gateway_response")?.filter(|_| kind == "charge.failed");
            facts.failure = facts::failure(None, message);
        }
        "invoice" => facts.captured = amount.filter(|_| state == "success"),
        "subscription" => facts.own_id = data.id("data.subscription_code")?.or(id),
        "transfer" => facts.own_id = data.id("data.transfer_code")?.or(id),
        _ => {}
    }
    Ok((state, facts))
}

/// A dispute names the transaction, whose amount is the payment's total.
fn dispute<'a>(
    data: &Doc<'a>,
    status: Cow<'a, str>,
    mut facts: Facts<'a>,
) -> Result<(Cow<'a, str>, Facts<'a>), ParseError> {
    let transaction = data.object("data.transaction")?;
    let currency = data.currency("data.currency")?;
    let currency = currency.or(transaction.currency("transaction.currency")?);
    facts.total = transaction.minor("transaction.amount", currency)?;
    let taken = data.minor("data.refund_amount", currency)?;
    facts.amount = facts.amount.or(taken).or(facts.total);
    facts.payment_id = transaction.id("transaction.id")?;
    facts.object_id = facts.payment_id.clone().or(facts.object_id);
    let reference = transaction.text("transaction.reference")?;
    facts.merchant_reference = reference.or(facts.merchant_reference);
    facts.reason = data.text("data.category")?;
    facts.due_at = data.time("data.due_at")?.or(data.time("data.dueAt")?);
    let state = match data.text("data.resolution")?.as_deref() {
        Some("declined") => Cow::Borrowed("won"),
        Some("merchant-accepted") => match facts::extent(taken, taken, facts.total) {
            "full" => Cow::Borrowed("lost_full"),
            "partial" => Cow::Borrowed("lost_partial"),
            _ => Cow::Borrowed("lost_unknown"),
        },
        Some(_) | None => status,
    };
    Ok((state, facts))
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "charge succeeded",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"event":"charge.success","data":{"id":1001,"status":"success","reference":"order-1001","amount":300000,"currency":"NGN"}}"#,
    ),
    Sample::new(
        "charge failed",
        PaymentFailed,
        Some(Rejected),
        r#"{"event":"charge.failed","data":{"id":1001,"status":"failed","reference":"order-1001","amount":300000,"currency":"NGN"}}"#,
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        r#"{"event":"refund.processed","data":{"status":"processed","refund_reference":"TRF_demo","transaction_reference":"order-1001","amount":"100000","currency":"NGN"}}"#,
    ),
];
