//! Square.
//!
//! The signature covers the notification URL as it is registered and the body: behind a proxy the
//! option `notification_url` says what Square calls.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, OptionField, OptionKind, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Event,
        EventType::{
            DisputeClosed, DisputeInquiry, DisputeLost, DisputeOpened, DisputeUpdated, DisputeWon,
            PaymentAuthorized, PaymentCancelled, PaymentCaptured, PaymentFailed, PaymentProcessing,
            PayoutCreated, PayoutFailed, PayoutPaid, RefundFailed, RefundPending, RefundSucceeded,
        },
        Money,
        PaymentStatus::{Cancelled, Confirmed, Preauth, Refunded, Rejected, Waiting},
        SubjectKind::{Dispute, Payment, Payout, Refund},
    },
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Encoding, Freshness, Grammar, KeyForm, Part, PayloadCodec,
            Source, Template,
        },
    },
};

/// Square's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "square",
    title: "Square",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[OptionField {
        name: "notification_url",
        kind: OptionKind::Text,
        about: "the URL registered at Square, where the application sees another one; default: \
                the request's",
    }],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Square documentation, \"Verify and validate an event notification\"",
        "squareup (Python) and square (Node) webhook helpers",
    ],
};

static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("square-url-body-hmac-sha256"),
    assurance: Assurance::BodySigned,
    headers: Cow::Borrowed(&[]),
    source: Source::Header(Cow::Borrowed("x-square-hmacsha256-signature")),
    grammar: Grammar::Plain,
    encoding: Encoding::Base64,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Body,
    challenge: None,
};

const SIGNED: Template = Cow::Borrowed(&[Part::Url, Part::Body]);

/// A completed payment's state is `refunded` or `refunded_in_part` where its refunds say so.
static STATUSES: &[StatusRow] = &[
    row("payment.*", "APPROVED", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment.*", "PENDING", Payment, PaymentProcessing, Some(Waiting)),
    row("payment.*", "COMPLETED", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment.*", "refunded", Payment, RefundSucceeded, Some(Refunded)),
    row("payment.*", "refunded_in_part", Payment, RefundSucceeded, Some(Confirmed)),
    row("payment.*", "CANCELED", Payment, PaymentCancelled, Some(Cancelled)),
    row("payment.*", "FAILED", Payment, PaymentFailed, Some(Rejected)),
    row("refund.*", "PENDING", Refund, RefundPending, None),
    row("refund.*", "COMPLETED", Refund, RefundSucceeded, None),
    row("refund.*", "REJECTED", Refund, RefundFailed, Some(Confirmed)),
    row("refund.*", "FAILED", Refund, RefundFailed, Some(Confirmed)),
    row("dispute.*", "INQUIRY_EVIDENCE_REQUIRED", Dispute, DisputeInquiry, None),
    row("dispute.*", "INQUIRY_PROCESSING", Dispute, DisputeInquiry, None),
    row("dispute.*", "INQUIRY_CLOSED", Dispute, DisputeClosed, None),
    row("dispute.*", "EVIDENCE_REQUIRED", Dispute, DisputeOpened, None),
    row("dispute.*", "PROCESSING", Dispute, DisputeUpdated, None),
    row("dispute.*", "WON", Dispute, DisputeWon, Some(Confirmed)),
    row("dispute.*", "LOST", Dispute, DisputeLost, None),
    row("dispute.*", "ACCEPTED", Dispute, DisputeLost, None),
    row("payout.*", "SENT", Payout, PayoutCreated, None),
    row("payout.*", "PAID", Payout, PayoutPaid, None),
    row("payout.*", "FAILED", Payout, PayoutFailed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("type")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let object = root.object("data")?.object("data.object")?;
    let (state, facts) = match kind.split('.').next().unwrap_or_default() {
        "payment" => payment(&object.object("payment")?)?,
        "refund" => refund(&object.object("refund")?)?,
        "dispute" => dispute(&object.object("dispute")?)?,
        "payout" => payout(&object.object("payout")?)?,
        _ => (Cow::Borrowed(""), Facts::default()),
    };
    Ok(vec![Event {
        id: root.text("event_id")?,
        occurred_at: root.time("created_at")?,
        account: root.text("merchant_id")?,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, &state, facts)
    }])
}

type Read<'a> = Result<(Cow<'a, str>, Facts<'a>), ParseError>;

/// Square writes amounts in the currency's smallest unit.
fn money(object: &Doc<'_>, path: &'static str) -> Result<Option<Money>, ParseError> {
    let money = object.object(path)?;
    money.minor("amount", money.currency("currency")?)
}

fn payment<'a>(object: &Doc<'a>) -> Read<'a> {
    let status = object.word("status")?;
    let amount = money(object, "amount_money")?;
    let total = money(object, "total_money")?.or(amount);
    let refunded = money(object, "refunded_money")?.filter(|money| money.minor_units() > 0);
    let completed = status.as_deref() == Some("COMPLETED");
    let state = match facts::extent(None, refunded.filter(|_| completed), total) {
        "full" => Cow::Borrowed("refunded"),
        "partial" => Cow::Borrowed("refunded_in_part"),
        _ => status.clone().unwrap_or_default(),
    };
    let id = object.id("payment.id")?;
    let facts = Facts {
        object_id: id.clone(),
        payment_id: id,
        customer_id: object.text("payment.customer_id")?,
        merchant_reference: object.text("payment.reference_id")?,
        gateway_status: status,
        amount,
        total: amount,
        captured: amount.filter(|_| completed),
        refunded,
        ..Facts::default()
    };
    Ok((state, facts))
}

fn refund<'a>(object: &Doc<'a>) -> Read<'a> {
    let status = object.word("status")?;
    let payment_id = object.id("refund.payment_id")?;
    let facts = Facts {
        object_id: payment_id.clone(),
        payment_id,
        own_id: object.id("refund.id")?,
        gateway_status: status.clone(),
        amount: money(object, "amount_money")?,
        reason: object.text("refund.reason")?,
        ..Facts::default()
    };
    Ok((status.unwrap_or_default(), facts))
}

fn dispute<'a>(object: &Doc<'a>) -> Read<'a> {
    let state = object.word("state")?;
    let own_id = object.id("dispute.id")?.or(object.id("dispute.dispute_id")?);
    let payment_id = object.object("disputed_payment")?.id("disputed_payment.payment_id")?;
    let facts = Facts {
        object_id: payment_id.clone().or_else(|| own_id.clone()),
        payment_id,
        own_id,
        gateway_status: state.clone(),
        amount: money(object, "amount_money")?,
        reason: object.text("dispute.reason")?,
        due_at: object.time("dispute.due_at")?,
        ..Facts::default()
    };
    Ok((state.unwrap_or_default(), facts))
}

fn payout<'a>(object: &Doc<'a>) -> Read<'a> {
    let status = object.word("status")?;
    let own_id = object.id("payout.id")?;
    let facts = Facts {
        object_id: own_id.clone(),
        own_id,
        gateway_status: status.clone(),
        amount: money(object, "amount_money")?,
        ..Facts::default()
    };
    Ok((status.unwrap_or_default(), facts))
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment completed",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"merchant_id":"MERCHANT1","type":"payment.updated","event_id":"6a8f5f28-0000-4000-8000-000000000001","created_at":"2026-09-21T13:46:40Z",
"data":{"type":"payment","id":"PAYMENT1","object":{"payment":{"id":"PAYMENT1","status":"COMPLETED",
"amount_money":{"amount":3000,"currency":"USD"},"reference_id":"order-1001"}}}}"#,
    ),
    Sample::new(
        "payment approved, capture open",
        PaymentAuthorized,
        Some(Preauth),
        r#"{"merchant_id":"MERCHANT1","type":"payment.created","event_id":"6a8f5f28-0000-4000-8000-000000000002","created_at":"2026-09-21T13:46:40Z",
"data":{"type":"payment","id":"PAYMENT1","object":{"payment":{"id":"PAYMENT1","status":"APPROVED",
"amount_money":{"amount":3000,"currency":"USD"},"reference_id":"order-1001"}}}}"#,
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        r#"{"merchant_id":"MERCHANT1","type":"refund.updated","event_id":"6a8f5f28-0000-4000-8000-000000000003","created_at":"2026-09-21T13:46:40Z",
"data":{"type":"refund","id":"REFUND1","object":{"refund":{"id":"REFUND1","payment_id":"PAYMENT1","status":"COMPLETED",
"amount_money":{"amount":1000,"currency":"USD"}}}}}"#,
    ),
];
