//! Dotpay (URLC notifications), as django-payments supports it.
//!
//! The signature is a digest of the PIN and 26 form fields without anything between them: each
//! field around the ones that decide must have a shape of its own, or characters could move from
//! one to the next. Where `control` ends and `description` begins only the option
//! `expected_control` can tell.

use std::borrow::Cow;

use super::{
    Gateway, KeyField, OptionField, OptionKind, ParseError, Reply, Sample, SchemeOf, StatusRow,
    facts::{self, Facts},
    status_table::row,
};
use crate::{
    model::{
        Currency, Event,
        EventType::{
            PaymentCaptured, PaymentCreated, PaymentFailed, PaymentProcessing, RefundFailed,
            RefundPending, RefundSucceeded,
        },
        Money,
        PaymentStatus::{Confirmed, Rejected, Waiting},
        SubjectKind::{Payment, Refund},
    },
    verify::{
        Scheme, Verified,
        form::Form,
        scheme::{
            Algorithm, Assurance, Binding, Class, Encoding, Freshness, Grammar, KeyForm, Part,
            PayloadCodec, Presence, Shape, Source, Template,
        },
    },
};

/// Dotpay's description.
pub(super) static GATEWAY: Gateway = Gateway {
    name: "dotpay",
    title: "Dotpay",
    scheme: SchemeOf::Fixed(&SCHEME),
    keys: &[KeyField::secret("pin", 0)],
    options: &[OptionField {
        name: "expected_control",
        kind: OptionKind::Text,
        about: "the only `control` accepted, for a variant that serves one payment",
    }],
    parse,
    polled: None,
    statuses: STATUSES,
    reply: Reply::text("OK"),
    example_options: "",
    samples: SAMPLES,
    sources: &[
        "Dotpay technical manual, chapter on URLC notifications",
        "django-payments, dotpay provider",
    ],
};

static SCHEME: Scheme = Scheme {
    name: Cow::Borrowed("dotpay-fields-sha256"),
    assurance: Assurance::FieldsSigned,
    headers: Cow::Borrowed(&[]),
    source: Source::FormField(Cow::Borrowed("signature")),
    grammar: Grammar::Plain,
    encoding: Encoding::LowerHexText,
    algorithm: Algorithm::Sha256,
    key_form: KeyForm::Text,
    signed: Cow::Borrowed(&[SIGNED]),
    timestamp: None,
    freshness: Freshness::NotSigned,
    payload: PayloadCodec::Bound(&[
        shaped("id", NUMBER, Presence::Optional),
        shaped("operation_number", OPERATION, Presence::Required),
        shaped("operation_amount", PRICE, Presence::Required),
        shaped("operation_currency", CURRENCY, Presence::Required),
        shaped("operation_withdrawal_amount", PRICE, Presence::Optional),
        shaped("operation_commission_amount", SIGNED_PRICE, Presence::Optional),
        shaped("operation_original_amount", PRICE, Presence::Optional),
        shaped("operation_original_currency", CURRENCY, Presence::Optional),
        shaped("operation_datetime", TIME, Presence::Optional),
        shaped("operation_related_number", OPERATION, Presence::Optional),
        shaped("control", NUMBER, Presence::Required),
        Binding::FormOption { field: "control", option: "expected_control" },
    ]),
    challenge: None,
};

const fn shaped(field: &'static str, shape: Shape, required: Presence) -> Binding {
    Binding::FormShape { field, shape, required }
}

const NUMBER: Shape = &[Class::Digit.times(1, 64)];
const OPERATION: Shape = &[
    Class::Only(b'M').once(),
    Class::Digit.times(1, 16),
    Class::Only(b'-').once(),
    Class::Digit.times(1, 16),
];
const PRICE: Shape =
    &[Class::Digit.times(1, 15), Class::Only(b'.').once(), Class::Digit.times(2, 2)];
const SIGNED_PRICE: Shape = &[
    Class::Only(b'-').times(0, 1),
    Class::Digit.times(1, 15),
    Class::Only(b'.').once(),
    Class::Digit.times(2, 2),
];
const CURRENCY: Shape = &[Class::Capital.times(3, 3)];
const TIME: Shape = &[
    Class::Digit.times(4, 4),
    Class::Only(b'-').once(),
    Class::Digit.times(2, 2),
    Class::Only(b'-').once(),
    Class::Digit.times(2, 2),
    Class::Only(b' ').once(),
    Class::Digit.times(2, 2),
    Class::Only(b':').once(),
    Class::Digit.times(2, 2),
    Class::Only(b':').once(),
    Class::Digit.times(2, 2),
];

const fn field(name: &'static str) -> Part {
    Part::FormField(Cow::Borrowed(name))
}

const SIGNED: Template = Cow::Borrowed(&[
    Part::Key,
    field("id"),
    field("operation_number"),
    field("operation_type"),
    field("operation_status"),
    field("operation_amount"),
    field("operation_currency"),
    field("operation_withdrawal_amount"),
    field("operation_commission_amount"),
    field("is_completed"),
    field("operation_original_amount"),
    field("operation_original_currency"),
    field("operation_datetime"),
    field("operation_related_number"),
    field("control"),
    field("description"),
    field("email"),
    field("p_info"),
    field("p_email"),
    field("credit_card_issuer_identification_number"),
    field("credit_card_masked_number"),
    field("credit_card_brand_codename"),
    field("credit_card_brand_code"),
    field("credit_card_id"),
    field("channel"),
    field("channel_country"),
    field("geoip_country"),
]);

/// The type is `operation_type:operation_status`.
static STATUSES: &[StatusRow] = &[
    row("payment:new", "*", Payment, PaymentCreated, Some(Waiting)),
    row("payment:processing", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payment:processing_realization", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payment:processing_realization_waiting", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("payment:completed", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("payment:rejected", "*", Payment, PaymentFailed, Some(Rejected)),
    row("refund:new", "*", Refund, RefundPending, None),
    row("refund:processing", "*", Refund, RefundPending, None),
    row("refund:processing_realization", "*", Refund, RefundPending, None),
    row("refund:processing_realization_waiting", "*", Refund, RefundPending, None),
    row("refund:completed", "*", Refund, RefundSucceeded, None),
    row("refund:rejected", "*", Refund, RefundFailed, Some(Confirmed)),
];

fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let wrong = ParseError::Unreadable { format: "form data", line: 0, column: 0 };
    let form = Form::read(verified.payload()).map_err(|_| wrong)?;
    let text = |name| {
        let value = form.field(name).map_err(|_| wrong)?.unwrap_or_default();
        let text = std::str::from_utf8(value).map_err(|_| wrong)?;
        Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
    };
    let (operation, status) = (text("operation_type")?, text("operation_status")?);
    let gateway_type = operation.as_deref().zip(status.as_deref());
    let gateway_type = gateway_type.map(|(operation, status)| format!("{operation}:{status}"));
    let kind = gateway_type.as_deref().unwrap_or_default();
    let currency = text("operation_currency")?.and_then(|code| Currency::new(&code));
    let path = "operation_amount";
    let amount = match (text(path)?, currency) {
        (Some(amount), Some(currency)) => {
            let money = Money::from_decimal(&amount, currency);
            Some(money.map_err(|_| ParseError::AmountInexact { path })?)
        }
        (_, None) | (None, _) => None,
    };
    let number = text("operation_number")?.map(Cow::Owned);
    let related = text("operation_related_number")?.map(Cow::Owned);
    let refund = operation.as_deref() == Some("refund");
    let facts = Facts {
        object_id: number.clone(),
        own_id: number.clone(),
        payment_id: if refund { related } else { number },
        merchant_reference: text("control")?.map(Cow::Owned),
        gateway_status: status.map(Cow::Owned),
        amount,
        total: amount.filter(|_| !refund),
        captured: amount.filter(|_| kind == "payment:completed"),
        ..Facts::default()
    };
    Ok(vec![Event {
        gateway_type: gateway_type.clone().map(Cow::Owned),
        ..facts::event(STATUSES, kind, "", facts)
    }])
}

static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment completed",
        PaymentCaptured,
        Some(Confirmed),
        "id=1001&operation_number=M1001-1&operation_type=payment&operation_status=completed&\
         operation_amount=30.00&operation_currency=PLN&operation_datetime=2026-09-21+13%3A46%3A40&\
         control=1001&description=Order",
    ),
    Sample::new(
        "payment rejected",
        PaymentFailed,
        Some(Rejected),
        "id=1001&operation_number=M1001-2&operation_type=payment&operation_status=rejected&\
         operation_amount=30.00&operation_currency=PLN&operation_datetime=2026-09-21+13%3A46%3A40&\
         control=1001&description=Order",
    ),
    Sample::new(
        "refund done",
        RefundSucceeded,
        None,
        "id=1001&operation_number=M1001-3&operation_type=refund&operation_status=completed&\
         operation_amount=10.00&operation_currency=PLN&operation_datetime=2026-09-21+13%3A46%3A40&\
         operation_related_number=M1001-1&control=1001&description=Order",
    ),
];
