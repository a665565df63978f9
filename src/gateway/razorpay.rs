//! Razorpay.
//!
//! The event id comes in a header that the signature does not cover; type, state and amounts are
//! in the signed body.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Event,
        EventType::{
            CheckoutCompleted, CheckoutExpired, DisputeClosed, DisputeLost, DisputeOpened,
            DisputeUpdated, DisputeWon, InvoicePaid, InvoiceVoided, PaymentAuthorized,
            PaymentCaptured, PaymentFailed, PaymentProcessing, PayoutCreated, PayoutFailed,
            PayoutPaid, RefundFailed, RefundPending, RefundSucceeded, SubscriptionCreated,
            SubscriptionEnded, SubscriptionPastDue, SubscriptionPaused, SubscriptionUpdated,
        },
        PaymentStatus::{Cancelled, Confirmed, Preauth, Refunded, Rejected, Waiting},
        SubjectKind::{Checkout, Dispute, Invoice, Payment, Payout, Refund, Subscription},
        Timestamp, UnsignedField,
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Encoding, Grammar, Source},
    },
};

/// Razorpay's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "razorpay",
    title: "Razorpay",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Razorpay documentation, \"Validate and test webhooks\" and \"Webhook payloads\"",
        "razorpay (Python) and razorpay (Node) webhook signature utilities",
    ],
};

static SCHEME: Scheme = Scheme::over_body(
    "razorpay-hmac-sha256",
    Source::Header(Cow::Borrowed("X-Razorpay-Signature")),
    Grammar::Plain,
    Algorithm::HmacSha256,
    Encoding::Hex,
);

/// The state of refunds and disputes is how much of the payment they prove.
static STATUSES: &[StatusRow] = &[
    row("payment.authorized", "*", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment.captured", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment.failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payment.pending", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("order.paid", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment_link.paid", "*", Checkout, CheckoutCompleted, Some(Confirmed)),
    row("payment_link.cancelled", "*", Checkout, CheckoutExpired, Some(Cancelled)),
    row("payment_link.expired", "*", Checkout, CheckoutExpired, Some(Cancelled)),
    row("refund.created", "*", Refund, RefundPending, None),
    row("refund.speed_changed", "*", Refund, RefundPending, None),
    row("refund.processed", "full", Refund, RefundSucceeded, Some(Refunded)),
    row("refund.processed", "partial", Refund, RefundSucceeded, Some(Confirmed)),
    row("refund.processed", "*", Refund, RefundSucceeded, None),
    row("refund.failed", "*", Refund, RefundFailed, Some(Confirmed)),
    row("payment.dispute.created", "*", Dispute, DisputeOpened, None),
    row("payment.dispute.under_review", "*", Dispute, DisputeUpdated, None),
    row("payment.dispute.action_required", "*", Dispute, DisputeUpdated, None),
    row("payment.dispute.won", "*", Dispute, DisputeWon, Some(Confirmed)),
    row("payment.dispute.lost", "full", Dispute, DisputeLost, Some(Refunded)),
    row("payment.dispute.lost", "partial", Dispute, DisputeLost, Some(Confirmed)),
    row("payment.dispute.lost", "*", Dispute, DisputeLost, None),
    row("payment.dispute.closed", "*", Dispute, DisputeClosed, None),
    row("invoice.paid", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice.expired", "*", Invoice, InvoiceVoided, Some(Cancelled)),
    row("subscription.charged", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("subscription.activated", "*", Subscription, SubscriptionCreated, None),
    row("subscription.authenticated", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.updated", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.resumed", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.pending", "*", Subscription, SubscriptionPastDue, None),
    row("subscription.halted", "*", Subscription, SubscriptionPastDue, None),
    row("subscription.paused", "*", Subscription, SubscriptionPaused, None),
    row("subscription.cancelled", "*", Subscription, SubscriptionEnded, None),
    row("subscription.completed", "*", Subscription, SubscriptionEnded, None),
    row("payout.initiated", "*", Payout, PayoutCreated, None),
    row("payout.pending", "*", Payout, PayoutCreated, None),
    row("payout.queued", "*", Payout, PayoutCreated, None),
    row("payout.processed", "*", Payout, PayoutPaid, None),
    row("payout.failed", "*", Payout, PayoutFailed, None),
    row("payout.rejected", "*", Payout, PayoutFailed, None),
    row("payout.reversed", "*", Payout, PayoutFailed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("event")?;
    let id = verified.unsigned_header("X-Razorpay-Event-Id").map(Cow::Borrowed);
    let kind = gateway_type.as_deref().unwrap_or_default();
    let (state, facts) = read(kind, &root.object("payload")?)?;
    Ok(vec![Event {
        unsigned_fields: if id.is_some() { &[UnsignedField::Id] } else { &[] },
        id,
        occurred_at: root.integer("created_at")?.map(Timestamp::from_seconds),
        account: root.text("account_id")?,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, state, facts)
    }])
}

/// The object that the type names, and the payment beside it.
fn read<'a>(kind: &str, payload: &Doc<'a>) -> Result<(&'static str, Facts<'a>), ParseError> {
    let entity = |name| payload.object(name)?.object("entity");
    let (payment, order) = (entity("payload.payment")?, entity("payload.order")?);
    let currency = payment.currency("payment.currency")?;
    let total = facts::amount(STATUSES, kind, payment.minor("payment.amount", currency))?;
    let payment_id = payment.id("payment.id")?;
    let receipt = order.text("order.receipt")?;
    let mut facts = Facts {
        object_id: payment_id.clone(),
        payment_id,
        customer_id: payment.text("payment.customer_id")?,
        metadata: payment.metadata("payment.notes")?,
        gateway_status: payment.text("payment.status")?,
        merchant_reference: receipt.clone().or(payment.text("payment.order_id")?),
        amount: total,
        total,
        failure: facts::failure(
            payment.text("payment.error_code")?,
            payment.text("payment.error_description")?,
        ),
        ..Facts::default()
    };
    let family = kind.split('.').next().unwrap_or_default();
    match family {
        "refund" => {
            let refund = entity("payload.refund")?;
            let currency = refund.currency("refund.currency")?.or(currency);
            facts.own_id = refund.id("refund.id")?;
            facts.object_id = refund.id("refund.payment_id")?.or(facts.object_id);
            facts.payment_id.clone_from(&facts.object_id);
            facts.amount = refund.minor("refund.amount", currency)?;
            facts.refunded = payment.minor("payment.amount_refunded", currency)?;
            facts.gateway_status = refund.text("refund.status")?;
            facts.merchant_reference = receipt;
            let full = payment.text("payment.refund_status")?.as_deref() == Some("full");
            let extent = facts::extent(facts.amount, facts.refunded, total);
            return Ok((if full { "full" } else { extent }, facts));
        }
        "payment" if kind.starts_with("payment.dispute.") => {
            let Some(dispute) = payload.object("payload.dispute")?.optional("entity")? else {
                return Ok(("unknown", facts));
            };
            let currency = dispute.currency("dispute.currency")?.or(currency);
            facts.own_id = dispute.id("dispute.id")?;
            facts.object_id = dispute.id("dispute.payment_id")?.or(facts.object_id);
            facts.payment_id.clone_from(&facts.object_id);
            facts.amount = dispute.minor("dispute.amount", currency)?;
            facts.gateway_status = dispute.text("dispute.status")?;
            facts.reason = dispute.text("dispute.reason_code")?;
            let due = dispute.integer("dispute.respond_by")?;
            facts.due_at = due.map(Timestamp::from_seconds);
            return Ok((facts::extent(facts.amount, facts.amount, total), facts));
        }
        "payment_link" => own(&mut facts, &entity("payload.payment_link")?)?,
        "invoice" => own(&mut facts, &entity("payload.invoice")?)?,
        "subscription" => {
            facts.subscription_id = entity("payload.subscription")?.id("subscription.id")?;
            own(&mut facts, &entity("payload.subscription")?)?;
        }
        "payout" => {
            let payout = entity("payload.payout")?;
            own(&mut facts, &payout)?;
            facts.amount = payout.minor("payout.amount", payout.currency("payout.currency")?)?;
            facts.merchant_reference = payout.text("payout.reference_id")?;
        }
        _ => {}
    }
    let taken = ["payment.captured", "order.paid", "invoice.paid", "subscription.charged"];
    facts.captured = facts.amount.filter(|_| taken.contains(&kind));
    Ok(("", facts))
}

/// An object beside the payment: its id, and its reference where the payment has none.
fn own<'a>(facts: &mut Facts<'a>, object: &Doc<'a>) -> Result<(), ParseError> {
    facts.own_id = object.id("id")?;
    facts.gateway_status = object.text("status")?;
    facts.object_id = facts.object_id.take().or_else(|| facts.own_id.clone());
    let reference = object.text("reference_id")?.or(object.text("receipt")?);
    facts.merchant_reference = reference.or(facts.merchant_reference.take());
    Ok(())
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment captured",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"entity":"event","account_id":"acc_demo","event":"payment.captured","contains":["payment"],
"payload":{"payment":{"entity":{"id":"pay_demo_1","amount":3000,"currency":"INR","status":"captured","order_id":"order_demo_1"}}},
"created_at":1790000000}"#,
    ),
    Sample::new(
        "payment failed",
        PaymentFailed,
        Some(Rejected),
        r#"{"entity":"event","account_id":"acc_demo","event":"payment.failed","contains":["payment"],
"payload":{"payment":{"entity":{"id":"pay_demo_1","amount":3000,"currency":"INR","status":"failed","error_code":"BAD_REQUEST_ERROR"}}},
"created_at":1790000000}"#,
    ),
    Sample::new(
        "refunded in full",
        RefundSucceeded,
        Some(Refunded),
        r#"{"entity":"event","account_id":"acc_demo","event":"refund.processed","contains":["refund","payment"],
"payload":{"payment":{"entity":{"id":"pay_demo_1","amount":3000,"currency":"INR","amount_refunded":3000,"refund_status":"full"}},
"refund":{"entity":{"id":"rfnd_demo_1","payment_id":"pay_demo_1","amount":3000,"currency":"INR","status":"processed"}}},
"created_at":1790000000}"#,
    ),
    Sample::new(
        "dispute opened",
        DisputeOpened,
        None,
        r#"{"entity":"event","account_id":"acc_demo","event":"payment.dispute.created","contains":["payment","dispute"],
"payload":{"payment":{"entity":{"id":"pay_demo_1","amount":3000,"currency":"INR"}},
"dispute":{"entity":{"id":"disp_demo_1","payment_id":"pay_demo_1","amount":3000,"currency":"INR","status":"open"}}},
"created_at":1790000000}"#,
    ),
];
