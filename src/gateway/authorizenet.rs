//! Authorize.Net.
//!
//! Amounts come without a currency: the option `default_currency` says which one the account has.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, OptionError, OptionField, OptionKind, ParseError, Reply, Sample, SchemeOf,
    StatusRow,
    doc::Doc,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Currency, Event,
        EventType::{
            PaymentAuthorized, PaymentCancelled, PaymentCaptured, PaymentFailed,
            PaymentReviewClosed, PaymentReviewOpened, RefundFailed, RefundPending, RefundSucceeded,
            SubscriptionCreated, SubscriptionEnded, SubscriptionPastDue, SubscriptionPaused,
            SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{Cancelled, Confirmed, Error, Preauth, Rejected, Waiting},
        SubjectKind::{Payment, Refund, Subscription},
    },
    verify::{
        Options, Scheme, Verified,
        scheme::{Algorithm, Case, Encoding, Grammar, KeyForm, Presence, Source},
    },
};

/// Authorize.Net's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "authorizenet",
    title: "Authorize.Net",
    scheme: SchemeOf::Configured(scheme),
    keys: &[KeyField::secret("signing_secret", 0)],
    options: &[
        OptionField {
            name: "default_currency",
            kind: OptionKind::Text,
            about: "the account's currency, such as USD; without it events have no amount",
        },
        OptionField {
            name: "key_encoding",
            kind: OptionKind::OneOf(&["text", "hex"]),
            about: "how the signature key is used; text (default) is what real deliveries show",
        },
    ],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::OK,
    example_options: r#"{"default_currency":"USD"}"#,
    samples: SAMPLES,
    sources: &[
        "Authorize.Net documentation, \"Webhooks\"",
        "Cybersource developer community, threads 57162 and 57201: the key is used as text",
        "academe/Omnipay-AuthorizeNetApi, AcceptNotification",
    ],
};

static SCHEME: Scheme = Scheme::over_body(
    "authorizenet-hmac-sha512",
    Source::Header(Cow::Borrowed("X-ANET-Signature")),
    Grammar::Prefixed {
        prefix: Cow::Borrowed("sha512="),
        case: Case::Any,
        required: Presence::Required,
    },
    Algorithm::HmacSha512,
    Encoding::Hex,
);

fn scheme(options: &Options) -> Result<Scheme, OptionError> {
    let currency = options.text("default_currency");
    if currency.is_some_and(|code| Currency::new(code).is_none()) {
        let problem = "expected a currency code of three letters".to_owned();
        return Err(OptionError { option: "default_currency", problem });
    }
    let key_form = match options.text("key_encoding") {
        Some("hex") => KeyForm::Hex,
        Some(_) | None => KeyForm::Text,
    };
    Ok(Scheme { key_form, ..SCHEME.clone() })
}

/// The state is `payload.responseCode`: 1 approved, 2 declined, 3 error, 4 held for review.
static STATUSES: &[StatusRow] = &[
    row(
        "net.authorize.payment.authorization.created",
        "1",
        Payment,
        PaymentAuthorized,
        Some(Preauth),
    ),
    row(
        "net.authorize.payment.authcapture.created",
        "1",
        Payment,
        PaymentCaptured,
        Some(Confirmed),
    ),
    row("net.authorize.payment.capture.created", "1", Payment, PaymentCaptured, Some(Confirmed)),
    row(
        "net.authorize.payment.priorAuthCapture.created",
        "1",
        Payment,
        PaymentCaptured,
        Some(Confirmed),
    ),
    row("net.authorize.payment.fraud.held", "*", Payment, PaymentReviewOpened, Some(Waiting)),
    row("net.authorize.payment.fraud.approved", "*", Payment, PaymentReviewClosed, Some(Confirmed)),
    row("net.authorize.payment.fraud.declined", "*", Payment, PaymentReviewClosed, Some(Rejected)),
    row("net.authorize.payment.void.created", "1", Payment, PaymentCancelled, Some(Cancelled)),
    row("net.authorize.payment.void.created", "*", Payment, Unrecognized, None),
    row("net.authorize.payment.refund.created", "1", Refund, RefundSucceeded, None),
    row("net.authorize.payment.refund.created", "4", Refund, RefundPending, None),
    row("net.authorize.payment.refund.created", "*", Refund, RefundFailed, Some(Confirmed)),
    row("net.authorize.payment.*", "2", Payment, PaymentFailed, Some(Rejected)),
    row("net.authorize.payment.*", "3", Payment, PaymentFailed, Some(Error)),
    row("net.authorize.payment.*", "4", Payment, PaymentReviewOpened, Some(Waiting)),
    row(
        "net.authorize.customer.subscription.created",
        "*",
        Subscription,
        SubscriptionCreated,
        None,
    ),
    row(
        "net.authorize.customer.subscription.updated",
        "*",
        Subscription,
        SubscriptionUpdated,
        None,
    ),
    row(
        "net.authorize.customer.subscription.expiring",
        "*",
        Subscription,
        SubscriptionUpdated,
        None,
    ),
    row("net.authorize.customer.subscription.failed", "*", Subscription, SubscriptionPastDue, None),
    row(
        "net.authorize.customer.subscription.suspended",
        "*",
        Subscription,
        SubscriptionPaused,
        None,
    ),
    row(
        "net.authorize.customer.subscription.terminated",
        "*",
        Subscription,
        SubscriptionEnded,
        None,
    ),
    row(
        "net.authorize.customer.subscription.cancelled",
        "*",
        Subscription,
        SubscriptionEnded,
        None,
    ),
    row("net.authorize.customer.subscription.expired", "*", Subscription, SubscriptionEnded, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let gateway_type = root.word("eventType")?;
    let gateway_type = gateway_type.ok_or(ParseError::FieldMissing { path: "eventType" })?;
    let payload = root.object("payload")?;
    let currency = verified.options().text("default_currency").and_then(Currency::new);
    let amount = payload.decimal("payload.authAmount", currency);
    let amount = facts::amount(STATUSES, &gateway_type, amount)?;
    let payment = gateway_type.starts_with("net.authorize.payment.");
    let code = if payment { payload.id("payload.responseCode")? } else { None };
    // Without a code nothing says otherwise than that it was approved.
    let state = code.clone().unwrap_or(Cow::Borrowed("1"));
    let id = payload.id("payload.id")?;
    let reference = payload.text("payload.merchantReferenceId")?;
    let captured = ["authcapture", "capture", "priorAuthCapture"].iter().any(|name| {
        gateway_type
            .strip_prefix("net.authorize.payment.")
            .is_some_and(|rest| rest.strip_suffix(".created") == Some(name))
    });
    let authorized = gateway_type.ends_with(".authorization.created");
    let facts = Facts {
        object_id: id.clone(),
        own_id: id.clone(),
        payment_id: id.clone().filter(|_| payment),
        charge_id: id.filter(|_| payment),
        merchant_reference: reference.or(payload.text("payload.invoiceNumber")?),
        failure: facts::failure(code.clone().filter(|code| code == "2" || code == "3"), None),
        gateway_status: code,
        amount,
        total: amount.filter(|_| authorized),
        captured: amount.filter(|_| captured && state == "1"),
        ..Facts::default()
    };
    Ok(vec![Event {
        id: root.text("notificationId")?,
        occurred_at: root.time("eventDate")?,
        gateway_type: Some(gateway_type.clone()),
        ..facts::event(STATUSES, &gateway_type, &state, facts)
    }])
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "authorized and captured",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"notificationId":"d0e8e7fe-0000-4000-8000-000000000001","eventType":"net.authorize.payment.authcapture.created","eventDate":"2026-09-21T13:46:40Z",
"payload":{"responseCode":1,"merchantReferenceId":"order-1001","authAmount":30.0,"entityName":"transaction","id":"60000000001"}}"#,
    ),
    Sample::new(
        "declined",
        PaymentFailed,
        Some(Rejected),
        r#"{"notificationId":"d0e8e7fe-0000-4000-8000-000000000002","eventType":"net.authorize.payment.authcapture.created","eventDate":"2026-09-21T13:46:40Z",
"payload":{"responseCode":2,"merchantReferenceId":"order-1001","authAmount":30.0,"entityName":"transaction","id":"60000000001"}}"#,
    ),
    Sample::new(
        "voided",
        PaymentCancelled,
        Some(Cancelled),
        r#"{"notificationId":"d0e8e7fe-0000-4000-8000-000000000003","eventType":"net.authorize.payment.void.created","eventDate":"2026-09-21T13:46:40Z",
"payload":{"responseCode":1,"merchantReferenceId":"order-1001","authAmount":30.0,"entityName":"transaction","id":"60000000001"}}"#,
    ),
];
