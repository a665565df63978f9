//! The contract over gRPC: every vector, every reason, the trailers and details of refusals.

use std::collections::BTreeMap;

use payhook::{
    gateway::GATEWAYS,
    model::Environment,
    proto::{self, verify_and_parse_stream_response::Outcome},
};
use serde_json::{Value, json};
use tonic::Code;

use crate::{
    cases::{self, Case},
    serving,
};

#[tokio::test]
async fn every_vector_comes_to_the_same_over_grpc() {
    let mut by_world: BTreeMap<_, Vec<Case>> = BTreeMap::new();
    for gateway in GATEWAYS {
        for case in cases::cases(gateway.name) {
            by_world.entry((case.now, case.world.clone())).or_default().push(case);
        }
    }
    let (mut run, mut wrong) = (0, Vec::new());
    for ((now, world), rows) in by_world {
        let named = |position: usize| format!("row-{position}");
        let specs = rows.iter().enumerate().map(|(at, case)| serving::spec(case, &named(at)));
        let clock = serving::frozen(now);
        let running = serving::start_in(&world, specs.collect(), clock, serving::settings());
        let mut client = serving::client(&running).await;
        for (position, case) in rows.iter().enumerate() {
            run += 1;
            let request = serving::request(serving::webhook(case, &named(position)));
            let outcome = match client.verify_and_parse(request).await {
                Ok(response) => response_json(response.get_ref()),
                Err(status) => {
                    json!({ "verdict": "rejected", "reason": serving::reason(&status) })
                }
            };
            let expected = cases::expected(case);
            if outcome != expected {
                wrong.push(format!("{}\n  expected {expected}\n  came to  {outcome}", case.id));
            }
        }
    }
    assert!(run >= 174, "only {run} vectors were found");
    assert!(wrong.is_empty(), "{} of {run}:\n{}", wrong.len(), wrong.join("\n"));
}

fn response_json(response: &proto::VerifyAndParseResponse) -> Value {
    let events: Vec<_> = response.events.iter().map(event_json).collect();
    let mut outcome = json!({ "verdict": "verified", "events": events });
    if response.challenge {
        let reply = response.reply.as_ref().expect("a challenge has a reply");
        outcome["challenge_reply"] = String::from_utf8_lossy(&reply.body).into();
    }
    outcome
}

fn event_json(event: &proto::PaymentEvent) -> Value {
    assert!(!event.idempotency_key.is_empty(), "every event has a key");
    let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
    let amount = event.amount.as_ref().map(
        |money| json!({ "currency_code": money.currency_code, "minor_units": money.minor_units }),
    );
    let status = event.status().as_str_name().trim_start_matches("PAYMENT_STATUS_");
    let status = (status != "UNSPECIFIED").then(|| status.to_ascii_lowercase());
    let subject = event.subject_kind().as_str_name().trim_start_matches("SUBJECT_KIND_");
    let mut object = json!({
        "id": text(&event.id),
        "gateway_type": text(&event.gateway_type),
        "type": event.r#type().as_str_name().trim_start_matches("EVENT_TYPE_"),
        "subject": subject.to_ascii_lowercase(),
        "object_id": text(&event.object_id),
        "merchant_reference": text(&event.merchant_reference),
        "amount": amount,
        "status": status,
    });
    if !event.unsigned_fields.is_empty() {
        let mut names = event.unsigned_fields.clone();
        names.sort();
        object["unsigned"] = json!(names);
    }
    object
}

/// A genuine row to change.
fn genuine() -> Case {
    let rows = cases::cases("stripe");
    rows.into_iter().find(|case| case.id == "stripe/body/unknown-fields").expect("the row")
}

#[tokio::test]
async fn a_refusal_carries_its_reason_in_details_and_trailers() {
    let case = genuine();
    let specs = vec![serving::spec(&case, "shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "shop");
    webhook.body = b"{}".as_slice().into();
    let refused = client.verify_and_parse(serving::request(webhook)).await;
    let status = refused.expect_err("the body is another");
    assert_eq!(status.code(), Code::Unauthenticated);
    assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
    assert_eq!(status.metadata().get("x-payhook-http-status").unwrap(), "400");
    let details = serving::details(&status);
    let kinds: Vec<_> = details.details.iter().map(|any| any.type_url.clone()).collect();
    assert_eq!(
        kinds,
        [
            "type.googleapis.com/google.rpc.ErrorInfo",
            "type.googleapis.com/payhook.v1.ErrorDiagnostics"
        ]
    );
    let diagnostics = serving::diagnostics(&status);
    assert_eq!(diagnostics.variant, "shop");
    assert_eq!(diagnostics.gateway, "stripe");
    assert_eq!(diagnostics.key_labels_tried, ["key-1"]);
    assert_eq!(diagnostics.body_bytes, 2);
    assert!(!diagnostics.verified);
    assert!(!diagnostics.redelivery_may_succeed);
    assert_eq!(diagnostics.reply.expect("a reply").status, 400);
    let digest = [0x44, 0x13, 0x6f, 0xa3];
    assert_eq!(diagnostics.body_sha256.get(..4), Some(digest.as_slice()));
}

#[tokio::test]
async fn every_reason_that_a_request_can_cause_has_its_row() {
    let case = genuine();
    let mut other = serving::spec(&case, "pinned-live");
    other.environment = Some(Environment::Live);
    let mut listed = serving::spec(&case, "listed");
    listed.accounts = vec!["acct_other".to_owned()];
    let mut unusable = serving::spec(&case, "unusable");
    let blank = payhook::model::Secret::new(b" \n".to_vec());
    let blank = payhook::accounts::SecretRef::Inline(blank);
    unusable.keys[0].fields.insert("endpoint_secret".to_owned(), blank);
    let mut closed = serving::spec(&case, "closed");
    closed.callers = vec![payhook::accounts::CallerRule::Uid(7)];
    let specs = vec![serving::spec(&case, "shop"), other, listed, unusable, closed];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    type Change = fn(&mut proto::WebhookRequest);
    let header = |name: &str, value: &str| proto::HttpHeader {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let _ = header;
    let rows: [(&str, Change, Code, &str, &str); 15] = [
        ("nobody", |_| {}, Code::NotFound, "VARIANT_UNKNOWN", "404"),
        ("", |_| {}, Code::InvalidArgument, "REQUEST_INVALID", "400"),
        ("a/b", |_| {}, Code::InvalidArgument, "REQUEST_INVALID", "400"),
        ("closed", |_| {}, Code::PermissionDenied, "CALLER_NOT_ALLOWED", "500"),
        ("unusable", |_| {}, Code::Unavailable, "SECRET_UNAVAILABLE", "503"),
        ("pinned-live", |_| {}, Code::PermissionDenied, "ENVIRONMENT_MISMATCH", "200"),
        ("shop", |it| it.headers.clear(), Code::Unauthenticated, "SIGNATURE_MISSING", "400"),
        (
            "shop",
            |it| it.headers.iter_mut().for_each(|h| h.value = "nonsense".to_owned()),
            Code::Unauthenticated,
            "SIGNATURE_MALFORMED",
            "400",
        ),
        (
            "shop",
            |it| it.body = vec![b'x'; 5].into(),
            Code::Unauthenticated,
            "SIGNATURE_MISMATCH",
            "400",
        ),
        (
            "shop",
            |it| it.body = vec![b'x'; 1024 * 1024 + 1].into(),
            Code::InvalidArgument,
            "BODY_TOO_LARGE",
            "413",
        ),
        (
            "shop",
            |it| {
                it.headers = (0..129)
                    .map(|n| proto::HttpHeader { name: format!("x-{n}"), value: String::new() })
                    .collect();
            },
            Code::InvalidArgument,
            "REQUEST_INVALID",
            "400",
        ),
        (
            "shop",
            |it| it.headers.iter_mut().for_each(|h| h.value.push('\n')),
            Code::InvalidArgument,
            "REQUEST_INVALID",
            "400",
        ),
        (
            "shop",
            |it| it.headers.iter_mut().for_each(|h| h.name.push('\0')),
            Code::InvalidArgument,
            "REQUEST_INVALID",
            "400",
        ),
        (
            "shop",
            |it| it.received_at = Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            Code::InvalidArgument,
            "REQUEST_INVALID",
            "400",
        ),
        ("shop", |it| it.url = "x".repeat(9000), Code::InvalidArgument, "REQUEST_INVALID", "400"),
    ];
    for (variant, change, code, reason, http_status) in rows {
        let mut webhook = serving::webhook(&case, variant);
        change(&mut webhook);
        let status = client.verify_and_parse(serving::request(webhook)).await;
        let status = status.expect_err(reason);
        assert_eq!((status.code(), serving::reason(&status).as_str()), (code, reason), "{variant}");
        assert_eq!(status.metadata().get("x-payhook-http-status").unwrap(), http_status);
        let retry = serving::details(&status)
            .details
            .iter()
            .any(|any| any.type_url == "type.googleapis.com/google.rpc.RetryInfo");
        assert_eq!(retry, code == Code::Unavailable, "RetryInfo only where repeating may help");
    }
    let verified =
        client.verify_and_parse(serving::request(serving::webhook(&case, "listed"))).await;
    assert!(verified.is_ok(), "an event without an account is the configured account's own");
}

#[tokio::test]
async fn a_failing_item_never_ends_the_stream() {
    let case = genuine();
    let specs = vec![serving::spec(&case, "shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let items: Vec<_> = (1..=40)
        .map(|correlation_id| {
            let variant = if correlation_id % 3 == 0 { "nobody" } else { "shop" };
            let webhook = Some(serving::webhook(&case, variant));
            proto::VerifyAndParseStreamRequest { correlation_id, webhook }
        })
        .collect();
    let answers = client.verify_and_parse_stream(tokio_stream::iter(items)).await;
    let mut answers = answers.expect("a stream").into_inner();
    let mut seen = 0;
    while let Some(answer) = answers.message().await.expect("no item ends the stream") {
        seen += 1;
        match answer.outcome.expect("an outcome") {
            Outcome::Success(response) => {
                assert_ne!(answer.correlation_id % 3, 0);
                assert_eq!(response.events.len(), 1);
            }
            Outcome::Failure(failure) => {
                assert_eq!(answer.correlation_id % 3, 0);
                assert_eq!(failure.code, i32::from(Code::NotFound));
                assert_eq!(failure.reason(), proto::ErrorReason::VariantUnknown);
            }
        }
    }
    assert_eq!(seen, 40);
}

#[tokio::test]
async fn variants_are_listed_without_secrets() {
    let case = genuine();
    let specs = vec![serving::spec(&case, "shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let webhook = serving::request(serving::webhook(&case, "shop"));
    client.verify_and_parse(webhook).await.expect("genuine");
    let listed = client.list_variants(proto::ListVariantsRequest {}).await.expect("listed");
    let listed = listed.into_inner();
    assert_eq!(listed.config_revision, "test");
    let [shop] = &listed.variants[..] else { panic!("one variant") };
    assert_eq!((shop.name.as_str(), shop.gateway.as_str()), ("shop", "stripe"));
    let [key] = &shop.keys[..] else { panic!("one key") };
    assert_eq!(key.last_used_at.as_ref().map(|at| at.seconds), Some(case.now));
    assert!(!format!("{listed:?}").contains("whsec_"));
}

#[tokio::test]
async fn a_repeat_is_said_and_never_refused() {
    let case = genuine();
    let specs = vec![serving::spec(&case, "shop"), serving::spec(&case, "other")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let mut seen = Vec::new();
    for variant in ["shop", "shop", "other", "shop"] {
        let request = serving::request(serving::webhook(&case, variant));
        let response = client.verify_and_parse(request).await.expect("genuine").into_inner();
        let delivery = response.delivery.expect("delivery");
        seen.push((delivery.state(), delivery.count, delivery.first_seen_at.is_some()));
    }
    use proto::DeliveryState::{FirstSeen, Repeated};
    let expected =
        [(FirstSeen, 1, false), (Repeated, 2, true), (FirstSeen, 1, false), (Repeated, 3, true)];
    assert_eq!(seen, expected);
    let mut forged = serving::webhook(&case, "shop");
    forged.body = b"{}".as_slice().into();
    client.verify_and_parse(serving::request(forged)).await.expect_err("a forgery counts nothing");
    let request = serving::request(serving::webhook(&case, "shop"));
    let response = client.verify_and_parse(request).await.expect("genuine").into_inner();
    assert_eq!(response.delivery.expect("delivery").count, 4);
}

#[tokio::test]
async fn a_gateway_that_expects_its_own_status_for_a_refusal_gets_it() {
    for (gateway, expected) in [("gocardless", "498"), ("stripe", "400")] {
        let rows = cases::cases(gateway);
        let case = rows.into_iter().find(|case| case.expect["verdict"] == "verified");
        let case = case.expect("an accepted row");
        let specs = vec![serving::spec(&case, "shop")];
        let running = serving::start(specs, serving::frozen(case.now), serving::settings());
        let mut client = serving::client(&running).await;
        let mut forged = serving::webhook(&case, "shop");
        forged.body = b"{}".as_slice().into();
        let status = client.verify_and_parse(serving::request(forged)).await;
        let status = status.expect_err("a forgery");
        assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
        assert_eq!(status.metadata().get("x-payhook-http-status").unwrap(), expected);
        let reply = serving::diagnostics(&status).reply.expect("a reply");
        assert_eq!(reply.status.to_string(), expected);
        // Who asks for another variant is told the same whatever the gateway.
        let unknown = serving::request(serving::webhook(&case, "nobody"));
        let status = client.verify_and_parse(unknown).await.expect_err("no such variant");
        assert_eq!(status.metadata().get("x-payhook-http-status").unwrap(), "404");
    }
}
