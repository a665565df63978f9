//! Lemon Squeezy.
//!
//! An order is the payment; its refunds are told by the order itself, cumulatively. Lemon Squeezy
//! sends no event id.

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
            InvoicePaid, InvoicePaymentFailed, PaymentCaptured, PaymentFailed, PaymentProcessing,
            RefundSucceeded, SubscriptionCreated, SubscriptionEnded, SubscriptionPastDue,
            SubscriptionPaused, SubscriptionUpdated, Unrecognized,
        },
        Money,
        PaymentStatus::{Confirmed, Error, Refunded, Rejected, Waiting},
        SubjectKind::{Invoice, Payment, Subscription},
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Encoding, Grammar, Source},
    },
};

/// Lemon Squeezy's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "lemonsqueezy",
    title: "Lemon Squeezy",
    scheme: SchemeOf::Fixed(&SCHEME),
    // "Webhooks": a secret has between 6 and 40 characters.
    keys: &[KeyField::secret("signing_secret", 6)],
    options: &[],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Lemon Squeezy documentation, \"Signing Requests\", \"Webhook Requests\" and \"Event Types\"",
        "Lemon Squeezy documentation, \"The Order Object\" and \"The Subscription Invoice Object\"",
        "lmsqueezy/laravel, webhook signature middleware",
    ],
};

/// The header `X-Event-Name` is not signed and not read.
static SCHEME: Scheme = Scheme::over_body(
    "lemonsqueezy-hmac-sha256",
    Source::Header(Cow::Borrowed("X-Signature")),
    Grammar::Plain,
    Algorithm::HmacSha256,
    Encoding::Hex,
);

/// The state is `attributes.status`; `refunded` and `partial_refund` also where the amounts say so.
static STATUSES: &[StatusRow] = &[
    row("order_*", "refunded", Payment, RefundSucceeded, Some(Refunded)),
    row("order_*", "partial_refund", Payment, RefundSucceeded, Some(Confirmed)),
    row("order_refunded", "*", Payment, RefundSucceeded, None),
    row("order_created", "pending", Payment, PaymentProcessing, Some(Waiting)),
    row("order_created", "paid", Payment, PaymentCaptured, Some(Confirmed)),
    row("order_created", "failed", Payment, PaymentFailed, Some(Rejected)),
    row("order_created", "fraudulent", Payment, PaymentFailed, Some(Error)),
    row("order_created", "*", Payment, Unrecognized, None),
    row("subscription_payment_*", "refunded", Invoice, RefundSucceeded, Some(Refunded)),
    row("subscription_payment_*", "partial_refund", Invoice, RefundSucceeded, Some(Confirmed)),
    row("subscription_payment_refunded", "*", Invoice, RefundSucceeded, None),
    row("subscription_payment_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    // The type alone is not enough: the invoice must say the same.
    row("subscription_payment_success", "paid", Invoice, InvoicePaid, Some(Confirmed)),
    row("subscription_payment_recovered", "paid", Invoice, InvoicePaid, Some(Confirmed)),
    row("subscription_payment_*", "*", Invoice, Unrecognized, None),
    row("subscription_created", "*", Subscription, SubscriptionCreated, None),
    // It runs on until the end of the period and may be resumed.
    row("subscription_cancelled", "*", Subscription, SubscriptionUpdated, None),
    row("subscription_resumed", "*", Subscription, SubscriptionUpdated, None),
    row("subscription_unpaused", "*", Subscription, SubscriptionUpdated, None),
    row("subscription_paused", "*", Subscription, SubscriptionPaused, None),
    row("subscription_expired", "*", Subscription, SubscriptionEnded, None),
    row("subscription_updated", "past_due", Subscription, SubscriptionPastDue, None),
    row("subscription_updated", "unpaid", Subscription, SubscriptionPastDue, None),
    row("subscription_updated", "paused", Subscription, SubscriptionPaused, None),
    row("subscription_updated", "expired", Subscription, SubscriptionEnded, None),
    row("subscription_updated", "*", Subscription, SubscriptionUpdated, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let meta = root.object("meta")?;
    let gateway_type = meta.word("meta.event_name")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let data = root.object("data")?;
    let attributes = data.object("data.attributes")?;
    let (state, facts) = read(kind, &meta, &data, &attributes)?;
    let created_at = attributes.time("attributes.created_at")?;
    Ok(vec![Event {
        occurred_at: attributes.time("attributes.updated_at")?.or(created_at),
        environment: facts::environment(attributes.flag("attributes.test_mode")?),
        account: attributes.id("attributes.store_id")?,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, &state, facts)
    }])
}

fn read<'a>(
    kind: &str,
    meta: &Doc<'a>,
    data: &Doc<'a>,
    attributes: &Doc<'a>,
) -> Result<(Cow<'a, str>, Facts<'a>), ParseError> {
    let currency = attributes.currency("attributes.currency")?;
    let amount = |path| facts::amount(STATUSES, kind, attributes.minor(path, currency));
    let total = amount("attributes.total")?;
    let refunded = amount("attributes.refunded_amount")?;
    let status = attributes.word("attributes.status")?;
    let state = state(status.clone().unwrap_or_default(), refunded, total);
    let id = data.id("data.id")?;
    let order = kind.starts_with("order_");
    let reference = meta.object("meta.custom_data")?.id("custom_data.order_id")?;
    let identifier = attributes.id("attributes.identifier")?;
    let paid = matches!(state.as_ref(), "paid" | "partial_refund" | "refunded");
    let facts = Facts {
        object_id: id.clone(),
        own_id: id.clone(),
        payment_id: id.filter(|_| order),
        customer_id: attributes.id("attributes.customer_id")?,
        merchant_reference: reference.or(identifier),
        metadata: meta.metadata("meta.custom_data")?,
        gateway_status: status,
        amount: total,
        total,
        captured: total.filter(|_| paid),
        refunded,
        subscription_id: attributes.id("attributes.subscription_id")?,
        ..Facts::default()
    };
    Ok((state, facts))
}

/// The status of an order stays `paid` after a partial refund in the documentation's own example:
/// the cumulative amount tells.
fn state(status: Cow<'_, str>, refunded: Option<Money>, total: Option<Money>) -> Cow<'_, str> {
    let refunded = refunded.filter(|refunded| refunded.minor_units() > 0);
    match facts::extent(None, refunded, total) {
        "full" => Cow::Borrowed("refunded"),
        "partial" if status != "refunded" => Cow::Borrowed("partial_refund"),
        _ => status,
    }
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "order paid",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"meta":{"event_name":"order_created","custom_data":{"order_id":"order-1001"}},
"data":{"type":"orders","id":"1","attributes":{"store_id":1,"currency":"USD","total":3000,"refunded_amount":0,"status":"paid"}}}"#,
    ),
    Sample::new(
        "refunded in part",
        RefundSucceeded,
        Some(Confirmed),
        r#"{"meta":{"event_name":"order_refunded","custom_data":{"order_id":"order-1001"}},
"data":{"type":"orders","id":"1","attributes":{"store_id":1,"currency":"USD","total":3000,"refunded_amount":1000,"status":"partial_refund"}}}"#,
    ),
    Sample::new(
        "renewal failed",
        InvoicePaymentFailed,
        Some(Rejected),
        r#"{"meta":{"event_name":"subscription_payment_failed"},
"data":{"type":"subscription-invoices","id":"501","attributes":{"store_id":1,"subscription_id":31,"currency":"USD","total":3000,"status":"pending"}}}"#,
    ),
];
