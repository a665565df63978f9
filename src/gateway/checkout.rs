//! Checkout.com.
//!
//! A key for the `Authorization` header can be set beside the signature; it is compared first and
//! replaces nothing.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, OptionField, OptionKind, ParseError, Reply, Sample, SchemeOf, StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Currency, Event,
        EventType::{
            DisputeClosed, DisputeLost, DisputeOpened, DisputeUpdated, DisputeWon,
            PaymentAuthorized, PaymentCancelled, PaymentCaptured, PaymentExpired, PaymentFailed,
            PaymentProcessing, PaymentReviewOpened, RefundFailed, RefundPending, RefundSucceeded,
            Unrecognized,
        },
        PaymentStatus::{Cancelled, Confirmed, Error, Preauth, Rejected, Waiting},
        SubjectKind::{Dispute, Payment, Refund},
    },
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Encoding, Freshness, Grammar, HeaderGrammar, HeaderRule, KeyForm,
            Part, PayloadCodec, Source, Template,
        },
    },
};

/// Checkout.com's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "checkout",
    title: "Checkout.com",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[OptionField {
        name: "authorization",
        kind: OptionKind::Secret,
        about: "the authorization header key of the workflow, required beside the signature",
    }],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Checkout.com documentation, \"Set up your webhook receiver\" and \"Format the amount value\"",
        "checkout.com WooCommerce plugin, webhook handler",
    ],
};

static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("checkout-hmac-sha256"),
    assurance: Assurance::BodySigned,
    headers: Cow::Borrowed(&[HeaderRule {
        name: Cow::Borrowed("Authorization"),
        grammar: HeaderGrammar::SecretOption("authorization"),
    }]),
    source: Source::Header(Cow::Borrowed("Cko-Signature")),
    grammar: Grammar::Plain,
    encoding: Encoding::Hex,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Body,
    challenge: None,
};

const SIGNED: Template = Cow::Borrowed(&[Part::Body]);

static STATUSES: &[StatusRow] = &[
    row("payment_pending", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payment_approved", "*", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment_capture_pending", "*", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment_captured", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment_paid", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment_declined", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payment_authentication_failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payment_capture_declined", "*", Payment, PaymentFailed, Some(Error)),
    row("payment_canceled", "*", Payment, PaymentCancelled, Some(Cancelled)),
    row("payment_voided", "*", Payment, PaymentCancelled, Some(Cancelled)),
    row("payment_expired", "*", Payment, PaymentExpired, Some(Cancelled)),
    row("payment_void_declined", "*", Payment, Unrecognized, None),
    row("payment_flagged", "*", Payment, PaymentReviewOpened, None),
    row("payment_refunded", "*", Refund, RefundSucceeded, None),
    row("payment_refund_pending", "*", Refund, RefundPending, None),
    row("payment_refund_declined", "*", Refund, RefundFailed, Some(Confirmed)),
    row("dispute_received", "*", Dispute, DisputeOpened, None),
    row("dispute_evidence_required", "*", Dispute, DisputeUpdated, None),
    row("dispute_evidence_submitted", "*", Dispute, DisputeUpdated, None),
    row("dispute_evidence_acknowledged_by_scheme", "*", Dispute, DisputeUpdated, None),
    row("dispute_won", "*", Dispute, DisputeWon, Some(Confirmed)),
    row("dispute_arbitration_won", "*", Dispute, DisputeWon, Some(Confirmed)),
    row("dispute_lost", "*", Dispute, DisputeLost, None),
    row("dispute_arbitration_lost", "*", Dispute, DisputeLost, None),
    row("dispute_accepted", "*", Dispute, DisputeLost, None),
    row("dispute_expired", "*", Dispute, DisputeLost, None),
    row("dispute_canceled", "*", Dispute, DisputeClosed, None),
    row("dispute_resolved", "*", Dispute, DisputeClosed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("type")?;
    let kind = gateway_type.as_deref().unwrap_or_default();
    let data = root.object("data")?;
    let amount = data.scaled("data.amount", data.currency("data.currency")?, exponent);
    let amount = facts::amount(STATUSES, kind, amount)?;
    let id = data.id("data.id")?;
    // In dispute events `data.id` is the dispute's.
    let payment_id = data.id("data.payment_id")?.or_else(|| id.clone());
    let failed = kind.ends_with("_declined") || kind.ends_with("_failed");
    let code = data.text("data.response_code")?.filter(|_| failed);
    let message = data.text("data.response_summary")?.filter(|_| failed);
    let facts = Facts {
        object_id: payment_id.clone(),
        payment_id,
        own_id: if kind.starts_with("dispute_") { id } else { data.id("data.action_id")? },
        charge_id: data.text("data.action_id")?,
        merchant_reference: data.text("data.reference")?,
        metadata: data.metadata("data.metadata")?,
        amount,
        // A payment may be captured in several parts, each with an amount of its own.
        total: amount.filter(|_| matches!(kind, "payment_approved" | "payment_pending")),
        failure: facts::failure(code, message),
        reason: data.text("data.reason_code")?,
        due_at: data.time("data.evidence_required_by")?,
        ..Facts::default()
    };
    Ok(vec![Event {
        id: root.text("id")?,
        occurred_at: root.time("created_on")?,
        gateway_type: gateway_type.clone(),
        ..facts::event(STATUSES, kind, "", facts)
    }])
}

/// How many decimals Checkout.com's integers have: those of ISO 4217, but two for the Chilean
/// peso, whose last two digits are always zero ("Format the amount value").
fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "CLP" => 2,
        _ => currency.exponent(),
    }
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment captured",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"id":"evt_demo_1","type":"payment_captured","created_on":"2026-09-21T13:46:40Z",
"data":{"id":"pay_demo_1","action_id":"act_demo_1","reference":"order-1001","amount":3000,"currency":"EUR"}}"#,
    ),
    Sample::new(
        "payment declined",
        PaymentFailed,
        Some(Rejected),
        r#"{"id":"evt_demo_2","type":"payment_declined","created_on":"2026-09-21T13:46:40Z",
"data":{"id":"pay_demo_1","action_id":"act_demo_2","reference":"order-1001","amount":3000,"currency":"EUR","response_code":"20005"}}"#,
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        r#"{"id":"evt_demo_3","type":"payment_refunded","created_on":"2026-09-21T13:46:40Z",
"data":{"id":"pay_demo_1","action_id":"act_demo_3","reference":"order-1001","amount":1000,"currency":"EUR"}}"#,
    ),
    Sample::new(
        "dispute received",
        DisputeOpened,
        None,
        r#"{"id":"evt_demo_4","type":"dispute_received","created_on":"2026-09-21T13:46:40Z",
"data":{"id":"dsp_demo_1","payment_id":"pay_demo_1","reference":"order-1001","amount":3000,"currency":"EUR"}}"#,
    ),
];
