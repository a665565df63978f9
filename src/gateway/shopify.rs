//! Shopify.
//!
//! The topic comes in a header that the signature does not cover: what a body describes is told by
//! its own fields, the topic is only passed on.

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
            DisputeClosed, DisputeLost, DisputeOpened, DisputeUpdated, DisputeWon,
            PaymentAuthorized, PaymentCancelled, PaymentCaptured, PaymentExpired,
            PaymentPartiallyCaptured, PaymentProcessing, RefundFailed, RefundPending,
            RefundSucceeded,
        },
        Money,
        PaymentStatus::{Cancelled, Confirmed, Preauth, Refunded, Waiting},
        SubjectKind::{Dispute, Payment, Refund},
        UnsignedField,
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Encoding, Grammar, Source},
    },
};

/// Shopify's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "shopify",
    title: "Shopify",
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
        "Shopify documentation, \"Verify webhook deliveries\" and the Order, Refund and Dispute resources",
        "@shopify/shopify-api, webhook validation",
    ],
};

static SCHEME: Scheme = Scheme::over_body(
    "shopify-hmac-sha256",
    Source::Header(Cow::Borrowed("X-Shopify-Hmac-Sha256")),
    Grammar::Plain,
    Algorithm::HmacSha256,
    Encoding::Base64,
);

/// The type is the resource that the body is; the state is an order's `financial_status`, what
/// became of a refund's transactions, or a dispute's `status`.
static STATUSES: &[StatusRow] = &[
    row("order", "pending", Payment, PaymentProcessing, Some(Waiting)),
    row("order", "partially_paid", Payment, PaymentPartiallyCaptured, Some(Waiting)),
    row("order", "authorized", Payment, PaymentAuthorized, Some(Preauth)),
    row("order", "paid", Payment, PaymentCaptured, Some(Confirmed)),
    row("order", "partially_refunded", Payment, RefundSucceeded, Some(Confirmed)),
    row("order", "refunded", Payment, RefundSucceeded, Some(Refunded)),
    row("order", "voided", Payment, PaymentCancelled, Some(Cancelled)),
    row("order", "expired", Payment, PaymentExpired, Some(Cancelled)),
    row("refund", "success", Refund, RefundSucceeded, None),
    row("refund", "pending", Refund, RefundPending, None),
    row("refund", "failure", Refund, RefundFailed, Some(Confirmed)),
    row("dispute", "needs_response", Dispute, DisputeOpened, None),
    row("dispute", "under_review", Dispute, DisputeUpdated, None),
    row("dispute", "won", Dispute, DisputeWon, Some(Confirmed)),
    row("dispute", "lost", Dispute, DisputeLost, None),
    row("dispute", "accepted", Dispute, DisputeLost, None),
    row("dispute", "charge_refunded", Dispute, DisputeClosed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let id = verified.unsigned_header("X-Shopify-Webhook-Id").map(Cow::Borrowed);
    let topic = verified.unsigned_header("X-Shopify-Topic").map(Cow::Borrowed);
    let unsigned_fields: &'static [UnsignedField] = match (&id, &topic) {
        (Some(_), Some(_)) => &[UnsignedField::Id, UnsignedField::GatewayType],
        (Some(_), None) => &[UnsignedField::Id],
        (None, Some(_)) => &[UnsignedField::GatewayType],
        (None, None) => &[],
    };
    let event = if let Some(status) = root.word("financial_status")? {
        order(&root, &status)?
    } else if let Some(transactions) = refund_transactions(&root)? {
        refund(&root, &transactions)?
    } else if root.text("network_reason_code")?.is_some() || root.text("evidence_due_by")?.is_some()
    {
        dispute(&root)?
    } else {
        Event::envelope()
    };
    let occurred_at = root.time("updated_at")?.or(root.time("created_at")?);
    let environment = facts::environment(root.flag("test")?);
    Ok(vec![Event { id, gateway_type: topic, unsigned_fields, occurred_at, environment, ..event }])
}

/// A refund is the one resource that has both an order and a list of transactions.
fn refund_transactions<'a>(root: &Doc<'a>) -> Result<Option<Vec<Doc<'a>>>, ParseError> {
    if root.id("order_id")?.is_none() {
        return Ok(None);
    }
    root.list("transactions")
}

fn order<'a>(root: &Doc<'a>, status: &Cow<'a, str>) -> Result<Event<'a>, ParseError> {
    let id = root.id("id")?;
    let amount = root.decimal("total_price", root.currency("currency")?)?;
    let paid = matches!(status.as_ref(), "paid" | "partially_refunded" | "refunded");
    let facts = Facts {
        object_id: id.clone(),
        payment_id: id,
        customer_id: root.object("customer")?.id("customer.id")?,
        merchant_reference: root.text("name")?,
        gateway_status: Some(status.clone()),
        amount,
        total: amount,
        captured: amount.filter(|_| paid),
        refunded: amount.filter(|_| status.as_ref() == "refunded"),
        ..Facts::default()
    };
    Ok(facts::event(STATUSES, "order", status, facts))
}

/// A refund's amount is the sum of its successful refund transactions.
fn refund<'a>(root: &Doc<'a>, transactions: &[Doc<'a>]) -> Result<Event<'a>, ParseError> {
    let (mut sum, mut state): (Option<Money>, _) = (None, "none");
    for transaction in transactions {
        let refund = transaction.word("transactions.kind")?.as_deref() == Some("refund");
        let status = transaction.word("transactions.status")?.unwrap_or_default();
        match status.as_ref() {
            "success" if refund => state = "success",
            "pending" if refund && state != "success" => state = "pending",
            "failure" | "error" if refund && state == "none" => state = "failure",
            _ => {}
        }
        let currency = transaction.currency("transactions.currency")?;
        let amount = transaction.decimal("transactions.amount", currency)?;
        if let Some(amount) = amount.filter(|_| refund && status == "success") {
            let path = "transactions.amount";
            sum = Some(match sum {
                Some(sum) => sum.checked_add(amount).ok_or(ParseError::AmountInexact { path })?,
                None => amount,
            });
        }
    }
    let order_id = root.id("order_id")?;
    let facts = Facts {
        object_id: order_id.clone(),
        payment_id: order_id,
        own_id: root.id("id")?,
        amount: sum,
        reason: root.text("note")?,
        ..Facts::default()
    };
    Ok(facts::event(STATUSES, "refund", state, facts))
}

fn dispute<'a>(root: &Doc<'a>) -> Result<Event<'a>, ParseError> {
    let status = root.word("status")?;
    let (own_id, order_id) = (root.id("id")?, root.id("order_id")?);
    let facts = Facts {
        object_id: order_id.clone().or_else(|| own_id.clone()),
        payment_id: order_id,
        own_id,
        gateway_status: status.clone(),
        amount: root.decimal("amount", root.currency("currency")?)?,
        reason: root.text("reason")?,
        due_at: root.time("evidence_due_by")?,
        ..Facts::default()
    };
    Ok(facts::event(STATUSES, "dispute", status.as_deref().unwrap_or_default(), facts))
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "order paid",
        PaymentCaptured,
        Some(Confirmed),
        r##"{"id":1001,"name":"#1001","currency":"USD","total_price":"30.00","financial_status":"paid","updated_at":"2026-09-21T13:46:40Z"}"##,
    ),
    Sample::new(
        "order authorized",
        PaymentAuthorized,
        Some(Preauth),
        r##"{"id":1001,"name":"#1001","currency":"USD","total_price":"30.00","financial_status":"authorized","updated_at":"2026-09-21T13:46:40Z"}"##,
    ),
    Sample::new(
        "refund of one item",
        RefundSucceeded,
        None,
        r#"{"id":2001,"order_id":1001,"created_at":"2026-09-21T13:46:40Z",
"transactions":[{"id":1,"kind":"refund","status":"success","amount":"10.00","currency":"USD"}]}"#,
    ),
];
