//! `GoCardless`. One body holds a batch of events; an empty batch is a valid body.

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
            DisputeFundsReinstated, DisputeFundsWithdrawn, MandateActive, MandateInactive,
            PaymentCancelled, PaymentCaptured, PaymentCreated, PaymentFailed, PaymentProcessing,
            PayoutPaid, RefundFailed, RefundPending, RefundSucceeded, SubscriptionCreated,
            SubscriptionEnded, SubscriptionPaused, SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{Cancelled, Confirmed, Refunded, Rejected, Waiting},
        SubjectKind::{Mandate, Payment, Payout, Refund, Subscription},
    },
    verify::{
        Scheme, Verified,
        scheme::{Algorithm, Encoding, Grammar, Source},
    },
};

/// `GoCardless`'s description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "gocardless",
    title: "GoCardless",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[],
    parse,
    polled: None,
    statuses: STATUSES,
    // "Staying up-to-date with webhooks": 498 Token Invalid for a wrong signature.
    reply: Reply { refused: 498, ..Reply::OK },
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "GoCardless documentation, \"Staying up-to-date with webhooks\" and \"Events\"",
        "gocardless_pro (Python) and gocardless-nodejs, webhooks module",
    ],
};

static SCHEME: Scheme = Scheme::over_body(
    "gocardless-hmac-sha256",
    Source::Header(Cow::Borrowed("Webhook-Signature")),
    Grammar::Plain,
    Algorithm::HmacSha256,
    Encoding::Hex,
);

/// The type is `resource_type.action`. A charge back takes the whole payment.
static STATUSES: &[StatusRow] = &[
    row("payments.created", "*", Payment, PaymentCreated, Some(Waiting)),
    row("payments.customer_approval_granted", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payments.submitted", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payments.resubmission_requested", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payments.confirmed", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payments.paid_out", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payments.failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payments.customer_approval_denied", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payments.cancelled", "*", Payment, PaymentCancelled, Some(Cancelled)),
    row("payments.charged_back", "*", Payment, DisputeFundsWithdrawn, Some(Refunded)),
    row("payments.chargeback_cancelled", "*", Payment, DisputeFundsReinstated, Some(Confirmed)),
    row("payments.*", "*", Payment, Unrecognized, None),
    row("refunds.created", "*", Refund, RefundPending, None),
    row("refunds.paid", "*", Refund, RefundSucceeded, None),
    row("refunds.failed", "*", Refund, RefundFailed, Some(Confirmed)),
    row("refunds.bounced", "*", Refund, RefundFailed, Some(Confirmed)),
    row("refunds.funds_returned", "*", Refund, RefundFailed, Some(Confirmed)),
    row("refunds.*", "*", Refund, Unrecognized, None),
    row("mandates.active", "*", Mandate, MandateActive, None),
    row("mandates.reinstated", "*", Mandate, MandateActive, None),
    row("mandates.cancelled", "*", Mandate, MandateInactive, None),
    row("mandates.failed", "*", Mandate, MandateInactive, None),
    row("mandates.expired", "*", Mandate, MandateInactive, None),
    row("mandates.consumed", "*", Mandate, MandateInactive, None),
    row("mandates.blocked", "*", Mandate, MandateInactive, None),
    row("mandates.suspended_by_payer", "*", Mandate, MandateInactive, None),
    row("mandates.*", "*", Mandate, Unrecognized, None),
    row("subscriptions.created", "*", Subscription, SubscriptionCreated, None),
    row("subscriptions.amended", "*", Subscription, SubscriptionUpdated, None),
    row("subscriptions.payment_created", "*", Subscription, SubscriptionUpdated, None),
    row("subscriptions.customer_approval_granted", "*", Subscription, SubscriptionUpdated, None),
    row("subscriptions.resumed", "*", Subscription, SubscriptionUpdated, None),
    row("subscriptions.paused", "*", Subscription, SubscriptionPaused, None),
    row("subscriptions.cancelled", "*", Subscription, SubscriptionEnded, None),
    row("subscriptions.finished", "*", Subscription, SubscriptionEnded, None),
    row("subscriptions.customer_approval_denied", "*", Subscription, SubscriptionEnded, None),
    row("payouts.paid", "*", Payout, PayoutPaid, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let events = root.list("events")?.ok_or(ParseError::FieldMissing { path: "events" })?;
    events.iter().map(event).collect()
}

fn event<'a>(event: &Doc<'a>) -> Result<Event<'a>, ParseError> {
    let resource = event.word("events.resource_type")?;
    let action = event.word("events.action")?;
    let gateway_type = resource.as_deref().zip(action.as_deref());
    let gateway_type = gateway_type.map(|(resource, action)| format!("{resource}.{action}"));
    let kind = gateway_type.as_deref().unwrap_or_default();
    let links = event.object("events.links")?;
    let payment_id = links.id("events.links.payment")?;
    // A link is named after its resource in the singular.
    let singular = resource.as_deref().map(|name| name.strip_suffix('s').unwrap_or(name));
    let own_id = match singular {
        Some(name) => links.at(name)?.and_then(super::doc::identifier),
        None => None,
    };
    let details = event.object("events.details")?;
    let failed = matches!(action.as_deref(), Some("failed" | "customer_approval_denied"));
    let cause = details.text("events.details.cause")?.filter(|_| failed);
    let description = details.text("events.details.description")?.filter(|_| failed);
    let facts = Facts {
        object_id: payment_id.clone().or_else(|| own_id.clone()),
        own_id,
        payment_id,
        customer_id: links.id("events.links.customer")?,
        merchant_reference: event.object("events.resource_metadata")?.id("order_id")?,
        metadata: event.metadata("events.resource_metadata")?,
        gateway_status: action,
        failure: facts::failure(cause, description),
        ..Facts::default()
    };
    Ok(Event {
        id: event.text("events.id")?,
        occurred_at: event.time("events.created_at")?,
        gateway_type: gateway_type.clone().map(Cow::Owned),
        ..facts::event(STATUSES, kind, "", facts)
    })
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment confirmed",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"events":[{"id":"EV1","created_at":"2026-09-21T13:46:40.000Z","resource_type":"payments","action":"confirmed",
"links":{"payment":"PM1"},"resource_metadata":{"order_id":"order-1001"}}],"meta":{"webhook_id":"WB1"}}"#,
    ),
    Sample::new(
        "payment failed",
        PaymentFailed,
        Some(Rejected),
        r#"{"events":[{"id":"EV2","created_at":"2026-09-21T13:46:40.000Z","resource_type":"payments","action":"failed",
"links":{"payment":"PM1"},"details":{"cause":"insufficient_funds"}}],"meta":{"webhook_id":"WB2"}}"#,
    ),
    Sample::new(
        "payment charged back",
        DisputeFundsWithdrawn,
        Some(Refunded),
        r#"{"events":[{"id":"EV3","created_at":"2026-09-21T13:46:40.000Z","resource_type":"payments","action":"charged_back",
"links":{"payment":"PM1"}}],"meta":{"webhook_id":"WB3"}}"#,
    ),
    Sample::new(
        "mandate active",
        MandateActive,
        None,
        r#"{"events":[{"id":"EV4","created_at":"2026-09-21T13:46:40.000Z","resource_type":"mandates","action":"active",
"links":{"mandate":"MD1"}}],"meta":{"webhook_id":"WB4"}}"#,
    ),
];
