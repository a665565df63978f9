//! Paddle Billing.

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
            DisputeFundsReinstated, DisputeFundsWithdrawn, DisputeInquiry, InvoiceIssued,
            InvoicePaid, InvoicePaymentFailed, InvoiceVoided, PaymentCancelled, PaymentCaptured,
            PaymentCreated, PaymentFailed, PaymentProcessing, PayoutCreated, PayoutPaid,
            RefundFailed, RefundPending, RefundSucceeded, SubscriptionCreated, SubscriptionEnded,
            SubscriptionPastDue, SubscriptionPaused, SubscriptionUpdated,
        },
        PaymentStatus::{Cancelled, Confirmed, Refunded, Rejected, Waiting},
        SubjectKind::{Dispute, Invoice, Payment, Payout, Refund, Subscription},
    },
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Blanks, Encoding, Freshness, Grammar, KeyForm, Part,
            PayloadCodec, Source, Template, TimeSource, TimeUnit,
        },
    },
};

/// Paddle's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "paddle",
    title: "Paddle Billing",
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
        "Paddle documentation, \"Verify webhook signatures\"",
        "@paddle/paddle-node-sdk, webhooks validator (5 seconds, one-sided; here on both sides)",
    ],
};

/// While a secret is rolled, the header carries one `h1` for each: any may match.
static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("paddle-h1-hmac-sha256"),
    assurance: Assurance::BodySigned,
    headers: Cow::Borrowed(&[]),
    source: Source::Header(Cow::Borrowed("Paddle-Signature")),
    grammar: Grammar::KeyValues {
        separator: b';',
        signature: Cow::Borrowed("h1"),
        timestamp: Some(Cow::Borrowed("ts")),
        blanks: Blanks::Kept,
    },
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: Some(TimeSource { header: None, unit: TimeUnit::Seconds }),
    freshness: Freshness::Window { seconds: 5 },
    payload: PayloadCodec::Body,
    challenge: None,
};

const SIGNED: Template =
    Cow::Borrowed(&[Part::Timestamp, Part::Literal(Cow::Borrowed(":")), Part::Body]);

/// The state of a transaction is `data.status`; a recurring charge of a subscription is looked up
/// as `recurring.` and its type. The state of an adjustment is its action, its status and, where
/// Paddle says so, that it is full.
static STATUSES: &[StatusRow] = &[
    row("transaction.payment_failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("transaction.*", "draft", Payment, PaymentCreated, Some(Waiting)),
    row("transaction.*", "ready", Payment, PaymentCreated, Some(Waiting)),
    row("transaction.*", "billed", Payment, PaymentCreated, Some(Waiting)),
    row("transaction.*", "past_due", Payment, PaymentProcessing, Some(Waiting)),
    row("transaction.*", "paid", Payment, PaymentCaptured, Some(Confirmed)),
    row("transaction.*", "completed", Payment, PaymentCaptured, Some(Confirmed)),
    row("transaction.*", "canceled", Payment, PaymentCancelled, Some(Cancelled)),
    row("recurring.transaction.payment_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("recurring.*", "draft", Invoice, InvoiceIssued, Some(Waiting)),
    row("recurring.*", "ready", Invoice, InvoiceIssued, Some(Waiting)),
    row("recurring.*", "billed", Invoice, InvoiceIssued, Some(Waiting)),
    row("recurring.*", "past_due", Invoice, InvoicePaymentFailed, Some(Waiting)),
    row("recurring.*", "paid", Invoice, InvoicePaid, Some(Confirmed)),
    row("recurring.*", "completed", Invoice, InvoicePaid, Some(Confirmed)),
    row("recurring.*", "canceled", Invoice, InvoiceVoided, Some(Cancelled)),
    row("adjustment.*", "refund pending_approval", Refund, RefundPending, None),
    row("adjustment.*", "refund approved full", Refund, RefundSucceeded, Some(Refunded)),
    row("adjustment.*", "refund approved", Refund, RefundSucceeded, None),
    row("adjustment.*", "refund rejected", Refund, RefundFailed, Some(Confirmed)),
    row("adjustment.*", "chargeback approved full", Dispute, DisputeFundsWithdrawn, Some(Refunded)),
    row("adjustment.*", "chargeback approved", Dispute, DisputeFundsWithdrawn, None),
    row("adjustment.*", "chargeback_reverse approved", Dispute, DisputeFundsReinstated, None),
    row("adjustment.*", "chargeback_warning approved", Dispute, DisputeInquiry, None),
    row("subscription.created", "*", Subscription, SubscriptionCreated, None),
    row("subscription.activated", "*", Subscription, SubscriptionCreated, None),
    row("subscription.trialing", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.updated", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.resumed", "*", Subscription, SubscriptionUpdated, None),
    row("subscription.past_due", "*", Subscription, SubscriptionPastDue, None),
    row("subscription.paused", "*", Subscription, SubscriptionPaused, None),
    row("subscription.canceled", "*", Subscription, SubscriptionEnded, None),
    row("payout.created", "*", Payout, PayoutCreated, None),
    row("payout.paid", "*", Payout, PayoutPaid, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("event_type")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let data = root.object("data")?;
    let event = match kind.split('.').next().unwrap_or_default() {
        "transaction" => transaction(kind, &data)?,
        "adjustment" => adjustment(kind, &data)?,
        _ => {
            let id = data.id("data.id")?;
            let facts = Facts {
                object_id: id.clone(),
                own_id: id,
                gateway_status: data.text("data.status")?,
                merchant_reference: data.object("data.custom_data")?.id("order_id")?,
                customer_id: data.text("data.customer_id")?,
                ..Facts::default()
            };
            facts::event(STATUSES, kind, "", facts)
        }
    };
    Ok(vec![Event {
        id: root.text("event_id")?,
        occurred_at: root.time("occurred_at")?,
        gateway_type: gateway_type.clone(),
        ..event
    }])
}

/// Paddle writes amounts as texts of digits in the currency's smallest unit.
fn transaction<'a>(kind: &str, data: &Doc<'a>) -> Result<Event<'a>, ParseError> {
    let totals = data.object("data.details")?.object("details.totals")?;
    let currency = totals.currency("totals.currency_code")?;
    let currency = currency.or(data.currency("data.currency_code")?);
    let amount = totals.minor("data.details.totals.grand_total", currency)?;
    let status = data.word("data.status")?;
    let state = status.clone().unwrap_or_default();
    let payments = data.list("data.payments")?.unwrap_or_default();
    let failure = match payments.first().filter(|_| kind == "transaction.payment_failed") {
        Some(payment) => facts::failure(payment.text("payments.error_code")?, None),
        None => None,
    };
    let id = data.id("data.id")?;
    let facts = Facts {
        object_id: id.clone(),
        own_id: id.clone(),
        payment_id: id,
        customer_id: data.text("data.customer_id")?,
        subscription_id: data.text("data.subscription_id")?,
        merchant_reference: data.object("data.custom_data")?.id("custom_data.order_id")?,
        metadata: data.metadata("data.custom_data")?,
        gateway_status: status,
        amount,
        total: amount,
        captured: amount.filter(|_| matches!(state.as_ref(), "paid" | "completed")),
        failure,
        ..Facts::default()
    };
    let recurring = data.text("data.origin")?.as_deref() == Some("subscription_recurring");
    if recurring {
        return Ok(facts::event(STATUSES, &format!("recurring.{kind}"), &state, facts));
    }
    Ok(facts::event(STATUSES, kind, &state, facts))
}

fn adjustment<'a>(kind: &str, data: &Doc<'a>) -> Result<Event<'a>, ParseError> {
    let totals = data.object("data.totals")?;
    let currency = totals.currency("totals.currency_code")?;
    let currency = currency.or(data.currency("data.currency_code")?);
    let (action, status) = (data.word("data.action")?, data.word("data.status")?);
    let mut state =
        format!("{} {}", action.unwrap_or_default(), status.as_deref().unwrap_or_default());
    if data.text("data.type")?.as_deref() == Some("full") {
        state.push_str(" full");
    }
    let transaction_id = data.id("data.transaction_id")?;
    let facts = Facts {
        object_id: transaction_id.clone(),
        payment_id: transaction_id,
        own_id: data.id("data.id")?,
        customer_id: data.text("data.customer_id")?,
        merchant_reference: data.object("data.custom_data")?.id("custom_data.order_id")?,
        gateway_status: status,
        amount: totals.minor("data.totals.total", currency)?,
        reason: data.text("data.reason")?,
        ..Facts::default()
    };
    let known = STATUSES.iter().any(|row| row.state == state);
    let state = if known { state.as_str() } else { state.trim_end_matches(" full") };
    Ok(facts::event(STATUSES, kind, state, facts))
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "transaction completed",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"event_id":"evt_demo_1","event_type":"transaction.completed","occurred_at":"2026-09-21T13:46:40Z",
"data":{"id":"txn_demo_1","status":"completed","currency_code":"USD","custom_data":{"order_id":"order-1001"},
"details":{"totals":{"grand_total":"3000","currency_code":"USD"}}}}"#,
    ),
    Sample::new(
        "payment failed",
        PaymentFailed,
        Some(Rejected),
        r#"{"event_id":"evt_demo_2","event_type":"transaction.payment_failed","occurred_at":"2026-09-21T13:46:40Z",
"data":{"id":"txn_demo_1","status":"ready","currency_code":"USD","custom_data":{"order_id":"order-1001"},
"details":{"totals":{"grand_total":"3000","currency_code":"USD"}},"payments":[{"error_code":"declined"}]}}"#,
    ),
    Sample::new(
        "refund approved",
        RefundSucceeded,
        None,
        r#"{"event_id":"evt_demo_3","event_type":"adjustment.updated","occurred_at":"2026-09-21T13:46:40Z",
"data":{"id":"adj_demo_1","action":"refund","status":"approved","transaction_id":"txn_demo_1","currency_code":"USD",
"totals":{"total":"1000","currency_code":"USD"}}}"#,
    ),
];
