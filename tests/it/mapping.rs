//! `MapStatus` over gRPC: transition cases, webhooks, polled objects, and what it refuses.

use std::fs;

use payhook::proto::{
    self, EventType, PaymentStatus, TransitionAdvice, map_status_request::Source,
};
use serde_json::Value;
use tonic::Code;

use crate::{cases, serving};

fn money(value: Option<&Value>) -> Option<proto::Money> {
    let value = value.filter(|value| !value.is_null())?;
    Some(proto::Money {
        currency_code: value["currency_code"].as_str()?.to_owned(),
        minor_units: value["minor_units"].as_i64()?,
        ..proto::Money::default()
    })
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn time(value: Option<&Value>) -> Option<prost_types::Timestamp> {
    let seconds = value.and_then(Value::as_i64)?;
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn status(value: Option<&Value>) -> i32 {
    let word = text(value).to_ascii_uppercase();
    let name = format!("PAYMENT_STATUS_{word}");
    PaymentStatus::from_str_name(&name).unwrap_or_default().into()
}

fn state(value: &Value) -> proto::PaymentState {
    let movements = value.get("movements").and_then(Value::as_array).cloned().unwrap_or_default();
    proto::PaymentState {
        status: status(value.get("status")),
        total: money(value.get("total")),
        captured: money(value.get("captured")),
        refunded: money(value.get("refunded")),
        last_event_at: time(value.get("last_event_at")),
        last_event_id: text(value.get("last_event_id")),
        merchant_reference: text(value.get("merchant_reference")),
        movements: movements
            .iter()
            .map(|it| proto::Movement {
                gateway_id: text(it.get("gateway_id")),
                amount: money(it.get("amount")),
            })
            .collect(),
    }
}

/// A row's event as VerifyAndParse would have returned it.
fn event(value: &Value) -> proto::PaymentEvent {
    use proto::payment_event::Subject;
    let name = format!("EVENT_TYPE_{}", text(value.get("type")));
    let amount = ["amount", "refund_amount", "dispute_amount"]
        .iter()
        .find_map(|name| money(value.get(*name)));
    let subject = match value["subject"].as_str().expect("a subject") {
        "refund" => Subject::Refund(proto::Refund {
            gateway_refund_id: text(value.get("gateway_id")),
            amount,
            payment_refunded_total: money(value.get("refunded")),
            ..proto::Refund::default()
        }),
        "dispute" => Subject::Dispute(proto::Dispute {
            gateway_dispute_id: text(value.get("gateway_id")),
            amount,
            ..proto::Dispute::default()
        }),
        _ => Subject::Payment(proto::Payment {
            requested: money(value.get("requested")),
            captured: money(value.get("captured")),
            refunded: money(value.get("refunded")),
            ..proto::Payment::default()
        }),
    };
    proto::PaymentEvent {
        id: text(value.get("id")),
        r#type: EventType::from_str_name(&name).unwrap_or_default().into(),
        status: status(value.get("status")),
        occurred_at: time(value.get("occurred_at")),
        merchant_reference: text(value.get("merchant_reference")),
        subject: Some(subject),
        ..proto::PaymentEvent::default()
    }
}

#[tokio::test]
async fn every_transition_case_comes_to_the_same_over_grpc() {
    let running = serving::start(Vec::new(), serving::frozen(0), serving::settings());
    let mut client = serving::client(&running).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/transitions.jsonl");
    let (mut run, mut wrong) = (0, Vec::new());
    for line in fs::read_to_string(path).expect("vectors").lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        if row["sequence"] == true {
            continue;
        }
        run += 1;
        let current = (!row["current"].is_null()).then(|| state(&row["current"]));
        let source = Some(Source::Event(event(&row["event"])));
        let answer = client.map_status(proto::MapStatusRequest { source, current }).await;
        let answer = answer.expect("a pure function").into_inner();
        let advice = answer.advice().as_str_name().trim_start_matches("TRANSITION_ADVICE_");
        let expect = &row["expect"];
        let mut right = expect["advice"] == advice && expect["rule"] == *answer.rule;
        if expect.get("status").is_some() {
            right &= answer.status == status(expect.get("status"));
        }
        let units = |money: &Option<proto::Money>| money.as_ref().map(|it| it.minor_units);
        if expect.get("refunded").is_some() {
            right &= units(&answer.refunded) == units(&money(expect.get("refunded")));
        }
        if expect.get("captured").is_some() {
            right &= units(&answer.captured) == units(&money(expect.get("captured")));
        }
        right &= !answer.explanation.is_empty();
        if !right {
            wrong.push(format!("{}: expected {expect}, came to {answer:?}", row["id"]));
        }
    }
    assert!(run >= 325, "only {run} rows");
    assert!(wrong.is_empty(), "{} of {run}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn a_webhook_is_verified_before_it_is_mapped() {
    let rows = cases::cases("stripe");
    let paid = rows.iter().find(|case| case.id == "stripe/body/unknown-fields").expect("the row");
    let specs = vec![serving::spec(paid, "shop")];
    let running = serving::start(specs, serving::frozen(paid.now), serving::settings());
    let mut client = serving::client(&running).await;
    let current = proto::PaymentState {
        status: PaymentStatus::Waiting.into(),
        total: money(Some(&serde_json::json!({"currency_code": "USD", "minor_units": 3000}))),
        ..proto::PaymentState::default()
    };
    let ask = |webhook| proto::MapStatusRequest {
        source: Some(Source::Webhook(webhook)),
        current: Some(current.clone()),
    };
    let answer = client.map_status(ask(serving::webhook(paid, "shop"))).await.expect("genuine");
    let answer = answer.into_inner();
    assert_eq!(answer.advice(), TransitionAdvice::Apply);
    assert_eq!(answer.status(), PaymentStatus::Confirmed);
    assert_eq!(answer.event.expect("the event").variant, "shop");
    assert_eq!(answer.reply.expect("a reply").status, 200);
    let mut forged = serving::webhook(paid, "shop");
    forged.body = b"{}".as_slice().into();
    let status = client.map_status(ask(forged)).await.expect_err("a forgery");
    assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
}

#[tokio::test]
async fn a_payment_event_with_one_amount_is_compared_with_the_total() {
    let running = serving::start(Vec::new(), serving::frozen(0), serving::settings());
    let mut client = serving::client(&running).await;
    let usd = |minor: i64| {
        money(Some(&serde_json::json!({"currency_code": "USD", "minor_units": minor})))
    };
    let payment = proto::payment_event::Subject::Payment(proto::Payment::default());
    for (subject, minor, advice) in [
        (None, 2000, TransitionAdvice::Apply),
        (None, 1, TransitionAdvice::Conflict),
        (Some(payment), 1, TransitionAdvice::Conflict),
    ] {
        let event = proto::PaymentEvent {
            status: PaymentStatus::Confirmed.into(),
            subject_kind: proto::SubjectKind::Payment.into(),
            amount: usd(minor),
            subject,
            ..proto::PaymentEvent::default()
        };
        let current = Some(proto::PaymentState {
            status: PaymentStatus::Waiting.into(),
            total: usd(2000),
            ..proto::PaymentState::default()
        });
        let source = Some(Source::Event(event));
        let answer = client.map_status(proto::MapStatusRequest { source, current }).await;
        assert_eq!(answer.expect("an answer").into_inner().advice(), advice, "{minor}");
    }
}

#[tokio::test]
async fn a_polled_object_is_read_like_a_webhook() {
    let running = serving::start(Vec::new(), serving::frozen(0), serving::settings());
    let mut client = serving::client(&running).await;
    let mut ask = async |object_type: &str, object: &str, status: &str| {
        let polled = proto::GatewayStatus {
            gateway: "stripe".to_owned(),
            object_type: object_type.to_owned(),
            object: object.as_bytes().to_vec(),
            status: status.to_owned(),
            ..proto::GatewayStatus::default()
        };
        let source = Some(Source::GatewayStatus(polled));
        client.map_status(proto::MapStatusRequest { source, current: None }).await
    };
    let charge = |rest: &str| {
        format!(r#"{{"id":"ch_1","status":"succeeded","amount":2000,"currency":"usd",{rest}}}"#)
    };
    let rows = [
        (charge(r#""captured":false,"refunded":false"#), PaymentStatus::Preauth),
        (
            charge(r#""captured":true,"refunded":false,"amount_captured":2000"#),
            PaymentStatus::Confirmed,
        ),
        (
            charge(r#""captured":true,"refunded":true,"amount_refunded":2000"#),
            PaymentStatus::Refunded,
        ),
        (charge(r#""captured":false,"refunded":true"#), PaymentStatus::Cancelled),
    ];
    for (object, expected) in rows {
        let answer = ask("charge", &object, "").await.expect("a charge").into_inner();
        assert_eq!(answer.status(), expected, "{object}");
    }
    let word = ask("charge", "", "succeeded").await.expect("a word").into_inner();
    assert_eq!(word.status(), PaymentStatus::Unspecified, "the word alone does not decide");
    let word = ask("payment_intent", "", "requires_capture").await.expect("a word").into_inner();
    assert_eq!(word.status(), PaymentStatus::Preauth);
    let refused = ask("charge", "{", "").await.expect_err("no JSON");
    assert_eq!(refused.code(), Code::InvalidArgument);
    let refused = ask("balance", "{}", "").await.expect_err("no such type");
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn what_has_no_exact_meaning_is_refused() {
    let running = serving::start(Vec::new(), serving::frozen(0), serving::settings());
    let mut client = serving::client(&running).await;
    let negative =
        proto::Money { currency_code: "USD".into(), minor_units: -1, ..Default::default() };
    let nowhere = proto::Money { currency_code: "US".into(), minor_units: 1, ..Default::default() };
    let confirmed = PaymentStatus::Confirmed.into();
    let states = [
        proto::PaymentState { status: 0, ..Default::default() },
        proto::PaymentState { status: 99, ..Default::default() },
        proto::PaymentState { status: confirmed, total: Some(negative), ..Default::default() },
        proto::PaymentState { status: confirmed, total: Some(nowhere), ..Default::default() },
        proto::PaymentState {
            status: confirmed,
            movements: vec![proto::Movement::default()],
            ..Default::default()
        },
    ];
    for current in states {
        let source = Some(Source::Event(proto::PaymentEvent::default()));
        let request = proto::MapStatusRequest { source, current: Some(current.clone()) };
        let status = client.map_status(request).await.expect_err("no meaning");
        assert_eq!(serving::reason(&status), "REQUEST_INVALID", "{current:?}");
    }
    let status =
        client.map_status(proto::MapStatusRequest::default()).await.expect_err("no source");
    assert_eq!(serving::reason(&status), "REQUEST_INVALID");
}
