//! Adyen's standard notifications. Each item of the batch carries its own signature over eight of
//! its fields; nothing else in it may be used for a decision, so that nothing else is read.

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
            DisputeFundsReinstated, DisputeFundsWithdrawn, DisputeInquiry, DisputeLost,
            DisputeOpened, DisputeUpdated, DisputeWon, MandateActive, PaymentAuthorized,
            PaymentCancelled, PaymentCaptured, PaymentExpired, PaymentFailed, PaymentProcessing,
            PaymentReviewClosed, PayoutFailed, PayoutPaid, RefundFailed, RefundSucceeded,
            Unrecognized,
        },
        PaymentStatus::{Cancelled, Confirmed, Error, Preauth, Rejected, Waiting},
        SubjectKind::{Dispute, Mandate, Payment, Payout, Refund},
    },
    verify::{
        Scheme, Verified,
        scheme::{
            Algorithm, Assurance, Class, Encoding, Freshness, Grammar, HeaderGrammar, HeaderRule,
            JsonItems, KeyForm, Part, PayloadCodec, Shape, Source, Template,
        },
    },
};

/// Adyen's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "adyen",
    title: "Adyen",
    scheme: SchemeOf::Fixed(&SCHEME),
    // 32 bytes as hexadecimal text.
    keys: &[KeyField::secret("hmac_key", 64)],
    options: &[
        OptionField {
            name: "username",
            kind: OptionKind::Text,
            about: "name of the basic authentication, required beside the signature",
        },
        OptionField {
            name: "password",
            kind: OptionKind::Secret,
            about: "password of the basic authentication",
        },
        OptionField {
            name: "auto_capture",
            kind: OptionKind::Flag,
            about: "whether the account captures at once (default): an authorisation is then a \
                    capture",
        },
        OptionField {
            name: "merchant_account",
            kind: OptionKind::Text,
            about: "the only merchant account accepted: a company's accounts may share a key",
        },
    ],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::text("[accepted]"),
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Adyen documentation, \"Verify HMAC signatures\", \"Webhook types\" and \"Currency codes\"",
        "Adyen (Python) and @adyen/api-library (Node), HMAC validators",
    ],
};

static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("adyen-item-hmac-sha256"),
    assurance: Assurance::FieldsSigned,
    headers: Cow::Borrowed(&[HeaderRule {
        name: Cow::Borrowed("Authorization"),
        grammar: HeaderGrammar::BasicOptions { username: "username", password: "password" },
    }]),
    source: Source::JsonItems(JsonItems {
        list: "notificationItems",
        item: "NotificationRequestItem",
        signature: &["additionalData", "hmacSignature"],
    }),
    grammar: Grammar::Plain,
    encoding: Encoding::Base64,
    algorithm: Algorithm::HmacSha256,
    key_form: KeyForm::Hex,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Body,
    challenge: None,
};

/// Eight fields joined by colons, none escaped. Only the merchant's reference may hold a colon:
/// the three fields before it and the four behind it have shapes that keep it in its place.
const SIGNED: Template = Cow::Borrowed(&[
    Part::ItemField { path: &["pspReference"], shape: &[Class::Alphanumeric.times(1, 64)] },
    COLON,
    Part::ItemField { path: &["originalReference"], shape: &[Class::Alphanumeric.times(0, 64)] },
    COLON,
    Part::ItemField { path: &["merchantAccountCode"], shape: &[NO_COLON.times(1, 256)] },
    COLON,
    Part::ItemField { path: &["merchantReference"], shape: &[Class::Any.times(0, 4096)] },
    COLON,
    Part::ItemField { path: &["amount", "value"], shape: AMOUNT },
    COLON,
    Part::ItemField { path: &["amount", "currency"], shape: CURRENCY },
    COLON,
    Part::ItemField { path: &["eventCode"], shape: &[NO_COLON.times(1, 128)] },
    COLON,
    Part::ItemField { path: &["success"], shape: &[NO_COLON.times(1, 8)] },
]);

const COLON: Part = Part::Literal(Cow::Borrowed(":"));
const NO_COLON: Class = Class::Except(b':');
/// Reports come without an amount.
const AMOUNT: Shape = &[Class::Only(b'-').times(0, 1), Class::Digit.times(0, 18)];
const CURRENCY: Shape = &[Class::Capital.times(0, 3)];

/// The state is `success`; of an authorisation that is captured later, `authorised`.
static STATUSES: &[StatusRow] = &[
    row("AUTHORISATION", "true", Payment, PaymentCaptured, Some(Confirmed)),
    row("AUTHORISATION", "authorised", Payment, PaymentAuthorized, Some(Preauth)),
    row("AUTHORISATION", "false", Payment, PaymentFailed, Some(Rejected)),
    row("AUTHORISATION_ADJUSTMENT", "*", Payment, Unrecognized, None),
    row("PENDING", "true", Payment, PaymentProcessing, Some(Waiting)),
    row("CAPTURE", "true", Payment, PaymentCaptured, Some(Confirmed)),
    row("CAPTURE", "false", Payment, PaymentFailed, Some(Error)),
    row("CAPTURE_FAILED", "*", Payment, PaymentFailed, Some(Error)),
    row("CANCELLATION", "true", Payment, PaymentCancelled, Some(Cancelled)),
    row("CANCELLATION", "*", Payment, Unrecognized, None),
    row("TECHNICAL_CANCEL", "true", Payment, PaymentCancelled, Some(Cancelled)),
    row("TECHNICAL_CANCEL", "*", Payment, Unrecognized, None),
    // Whether it cancelled or refunded is said in a field that is not signed.
    row("CANCEL_OR_REFUND", "*", Payment, Unrecognized, None),
    row("OFFER_CLOSED", "true", Payment, PaymentExpired, Some(Cancelled)),
    row("EXPIRE", "true", Payment, PaymentExpired, Some(Cancelled)),
    row("MANUAL_REVIEW_ACCEPT", "*", Payment, PaymentReviewClosed, None),
    row("MANUAL_REVIEW_REJECT", "*", Payment, PaymentReviewClosed, None),
    row("REFUND", "true", Refund, RefundSucceeded, None),
    row("REFUND", "false", Refund, RefundFailed, Some(Confirmed)),
    row("REFUND_WITH_DATA", "true", Refund, RefundSucceeded, None),
    row("REFUND_WITH_DATA", "false", Refund, RefundFailed, Some(Confirmed)),
    row("REFUND_FAILED", "*", Refund, RefundFailed, Some(Confirmed)),
    row("REFUNDED_REVERSED", "*", Refund, RefundFailed, Some(Confirmed)),
    row("REQUEST_FOR_INFORMATION", "*", Dispute, DisputeInquiry, None),
    row("NOTIFICATION_OF_CHARGEBACK", "*", Dispute, DisputeOpened, None),
    row("CHARGEBACK", "*", Dispute, DisputeFundsWithdrawn, None),
    row("CHARGEBACK_REVERSED", "*", Dispute, DisputeFundsReinstated, None),
    row("SECOND_CHARGEBACK", "*", Dispute, DisputeLost, None),
    row("PREARBITRATION_WON", "*", Dispute, DisputeWon, Some(Confirmed)),
    row("PREARBITRATION_LOST", "*", Dispute, DisputeLost, None),
    row("DISPUTE_DEFENSE_PERIOD_ENDED", "*", Dispute, DisputeUpdated, None),
    row("INFORMATION_SUPPLIED", "*", Dispute, DisputeUpdated, None),
    row("RECURRING_CONTRACT", "true", Mandate, MandateActive, None),
    row("PAYOUT_THIRDPARTY", "true", Payout, PayoutPaid, None),
    row("PAYOUT_THIRDPARTY", "false", Payout, PayoutFailed, None),
    row("PAYOUT_DECLINE", "*", Payout, PayoutFailed, None),
    row("PAIDOUT_REVERSED", "*", Payout, PayoutFailed, None),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let root = Doc::read(verified.payload())?;
    let items = root.list("notificationItems")?.unwrap_or_default();
    let auto_capture = verified.options().flag("auto_capture").unwrap_or(true);
    let account = verified.options().text("merchant_account");
    items
        .iter()
        .map(|element| {
            let item = element.object("NotificationRequestItem")?;
            event(&item, auto_capture, account)
        })
        .collect()
}

fn event<'a>(
    item: &Doc<'a>,
    auto_capture: bool,
    only: Option<&str>,
) -> Result<Event<'a>, ParseError> {
    let text = |path| signed(item, path);
    let account = text("merchantAccountCode")?;
    if only.is_some_and(|only| account.as_deref() != Some(only)) {
        let expected = "the configured merchant account";
        return Err(ParseError::FieldWrong { path: "merchantAccountCode", expected });
    }
    let kind = text("eventCode")?;
    let kind = kind.ok_or(ParseError::FieldMissing { path: "eventCode" })?;
    let state = match text("success")?.as_deref() {
        Some("true") if kind == "AUTHORISATION" && !auto_capture => "authorised",
        Some("true") => "true",
        Some("false") => "false",
        Some(_) | None => {
            return Err(ParseError::FieldWrong { path: "success", expected: "true or false" });
        }
    };
    let money = item.object("amount")?;
    let amount = money.scaled("amount.value", money.currency("currency")?, exponent)?;
    let (psp, original) = (text("pspReference")?, text("originalReference")?);
    let reference = text("merchantReference")?;
    let parts = [&psp, &original, &account, &reference, &Some(kind.clone())];
    let parts: Vec<_> = parts.iter().map(|part| part.as_deref().unwrap_or_default()).collect();
    let minor = amount.map_or(0, crate::model::Money::minor_units);
    let identity = format!("{}:{minor}:{state}", parts.join(":"));
    let first = original.is_none();
    let facts = Facts {
        object_id: original.clone().or_else(|| psp.clone()),
        payment_id: original.or_else(|| psp.clone()),
        own_id: psp.clone(),
        charge_id: psp,
        merchant_reference: reference,
        amount,
        // Captures may be partial, and each has an amount of its own.
        total: amount.filter(|_| first),
        captured: amount.filter(|_| kind == "AUTHORISATION" && state == "true"),
        ..Facts::default()
    };
    Ok(Event {
        identity: Some(Cow::Owned(identity.into_bytes())),
        gateway_type: Some(kind.clone()),
        account,
        ..facts::event(STATUSES, &kind, state, facts)
    })
}

/// A signed field as the text that was signed; blank counts as absent.
fn signed<'a>(item: &Doc<'a>, path: &'static str) -> Result<Option<Cow<'a, str>>, ParseError> {
    let value = item.at(path)?.and_then(crate::verify::json::Value::scalar);
    Ok(value.filter(|text| !text.is_empty()))
}

/// How many decimals Adyen's integers have: those of ISO 4217 but for the four currencies that its
/// "Currency codes" page marks as differing from the standard.
fn exponent(currency: Currency) -> u32 {
    match currency.as_str() {
        "CLP" | "ISK" => 2,
        "CVE" | "IDR" => 0,
        _ => currency.exponent(),
    }
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "authorised and captured",
        PaymentCaptured,
        Some(Confirmed),
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":3000},"eventCode":"AUTHORISATION",
"merchantAccountCode":"DemoMerchant","merchantReference":"order-1001","pspReference":"DEMO000000000001","success":"true"}}]}"#,
    ),
    Sample::new(
        "refused",
        PaymentFailed,
        Some(Rejected),
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":3000},"eventCode":"AUTHORISATION",
"merchantAccountCode":"DemoMerchant","merchantReference":"order-1001","pspReference":"DEMO000000000002","success":"false"}}]}"#,
    ),
    Sample::new(
        "cancelled",
        PaymentCancelled,
        Some(Cancelled),
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":3000},"eventCode":"CANCELLATION",
"merchantAccountCode":"DemoMerchant","merchantReference":"order-1001","originalReference":"DEMO000000000001","pspReference":"DEMO000000000003","success":"true"}}]}"#,
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"amount":{"currency":"EUR","value":1000},"eventCode":"REFUND",
"merchantAccountCode":"DemoMerchant","merchantReference":"order-1001","originalReference":"DEMO000000000001","pspReference":"DEMO000000000004","success":"true"}}]}"#,
    ),
];
