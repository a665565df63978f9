//! Mollie's next-generation webhooks. The classic ones carry an id and no signature: they are
//! refused, because nothing in them can be verified.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Environment, Event,
        EventType::{
            CheckoutCompleted, CheckoutExpired, CheckoutFailed, DisputeFundsReinstated,
            DisputeFundsWithdrawn, PaymentAuthorized, PaymentCancelled, PaymentCaptured,
            PaymentCreated, PaymentExpired, PaymentFailed, PaymentProcessing, RefundCancelled,
            RefundFailed, RefundPending, RefundSucceeded,
        },
        PaymentStatus::{Cancelled, Confirmed, Error, Preauth, Rejected, Waiting},
        SubjectKind::{Checkout, Dispute, Payment, Refund},
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Case, Encoding, Grammar, Presence, Source},
    },
};

/// Mollie's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "mollie",
    title: "Mollie",
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
        "Mollie documentation, \"Webhooks\" of the next generation and its changelog",
        "mollie-api-py and mollie-api-php, webhook signature validators and event types",
    ],
};

/// While a secret is rolled, the header appears once for each: any may match.
static SCHEME: Scheme = Scheme::over_body(
    "mollie-hmac-sha256",
    Source::HeaderAny(Cow::Borrowed("X-Mollie-Signature")),
    Grammar::Prefixed {
        prefix: Cow::Borrowed("sha256="),
        // As both of Mollie's validators read it.
        case: Case::Exact,
        required: Presence::Optional,
    },
    Algorithm::HmacSha256,
    Encoding::Hex,
);

/// The type alone says the state. Sales invoices and payouts to the merchant have no row.
static STATUSES: &[StatusRow] = &[
    row("payment.created", "*", Payment, PaymentCreated, Some(Waiting)),
    row("payment.pending", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payment.authorized", "*", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment.paid", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment.failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payment.canceled", "*", Payment, PaymentCancelled, Some(Cancelled)),
    row("payment.expired", "*", Payment, PaymentExpired, Some(Cancelled)),
    row("payment-link.paid", "*", Checkout, CheckoutCompleted, Some(Confirmed)),
    row("payment-link.failed", "*", Checkout, CheckoutFailed, Some(Rejected)),
    row("payment-link.canceled", "*", Checkout, CheckoutExpired, Some(Cancelled)),
    row("payment-link.expired", "*", Checkout, CheckoutExpired, Some(Cancelled)),
    row("capture.succeeded", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("capture.failed", "*", Payment, PaymentFailed, Some(Error)),
    row("refund.queued", "*", Refund, RefundPending, None),
    row("refund.pending", "*", Refund, RefundPending, None),
    row("refund.processing", "*", Refund, RefundPending, None),
    row("refund.refunded", "*", Refund, RefundSucceeded, None),
    row("refund.failed", "*", Refund, RefundFailed, Some(Confirmed)),
    row("refund.canceled", "*", Refund, RefundCancelled, Some(Confirmed)),
    row("chargeback.received", "*", Dispute, DisputeFundsWithdrawn, None),
    row("chargeback.reversed", "*", Dispute, DisputeFundsReinstated, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("type")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let entity = root.object("_embedded")?.optional("_embedded.entity")?;
    // A simple payload names the object and its new state, and holds nothing else of it.
    let needs_fetch = entity.is_none();
    let entity = entity.unwrap_or_default();
    let own_id = root.id("entityId")?.or(entity.id("entity.id")?);
    let parent = entity.id("entity.paymentId")?;
    let money = entity.object("entity.amount")?;
    let amount = money.decimal("entity.amount.value", money.currency("currency")?);
    let amount = facts::amount(STATUSES, kind, amount)?;
    let family = kind.split('.').next().unwrap_or_default();
    let payment_id = if family == "payment" { own_id.clone() } else { parent.clone() };
    let facts = Facts {
        object_id: parent.or_else(|| own_id.clone()),
        own_id,
        payment_id,
        customer_id: entity.text("entity.customerId")?,
        merchant_reference: entity.object("entity.metadata")?.id("metadata.order_id")?,
        metadata: entity.metadata("entity.metadata")?,
        gateway_status: entity.text("entity.status")?,
        amount,
        total: amount.filter(|_| family == "payment"),
        captured: amount.filter(|_| kind == "payment.paid"),
        ..Facts::default()
    };
    let environment = match entity.text("entity.mode")?.as_deref() {
        Some("live") => Some(Environment::Live),
        Some("test") => Some(Environment::Test),
        Some(_) | None => None,
    };
    Ok(vec![Event {
        id: root.text("id")?,
        occurred_at: root.time("createdAt")?,
        environment,
        needs_fetch,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, "", facts)
    }])
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment paid",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"resource":"event","id":"event_demo_1","type":"payment.paid","entityId":"tr_demo_1","createdAt":"2026-09-21T13:46:40Z",
"_embedded":{"entity":{"resource":"payment","id":"tr_demo_1","mode":"test","status":"paid",
"amount":{"currency":"EUR","value":"30.00"},"metadata":{"order_id":"order-1001"}}}}"#,
    ),
    Sample::new(
        "payment link paid",
        CheckoutCompleted,
        Some(Confirmed),
        r#"{"resource":"event","id":"event_demo_2","type":"payment-link.paid","entityId":"pl_demo_1","createdAt":"2026-09-21T13:46:40Z",
"_embedded":{"entity":{"resource":"payment-link","id":"pl_demo_1","mode":"test",
"amount":{"currency":"EUR","value":"30.00"}}}}"#,
    ),
    Sample::new(
        "payment failed, nothing but its id",
        PaymentFailed,
        Some(Rejected),
        r#"{"resource":"event","id":"event_demo_3","type":"payment.failed","entityId":"tr_demo_1","createdAt":"2026-09-21T13:46:40Z"}"#,
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        r#"{"resource":"event","id":"event_demo_4","type":"refund.refunded","entityId":"re_demo_1","createdAt":"2026-09-21T13:46:40Z",
"_embedded":{"entity":{"resource":"refund","id":"re_demo_1","mode":"test","paymentId":"tr_demo_1",
"amount":{"currency":"EUR","value":"10.00"}}}}"#,
    ),
];
