//! Causes over gRPC: in the diagnostics of every kind of call, in the log, and never so many that
//! honest calls wait.

use payhook::{
    accounts::CallerRule,
    limits::EXPLAINED_PER_SECOND,
    proto::{
        self, MismatchCause, map_status_request::Source, verify_and_parse_stream_response::Outcome,
    },
};
use prost::Message as _;
use tonic::Status;

use crate::{
    cases::{self, Case},
    leaks, serving,
};

fn genuine(gateway: &str) -> Case {
    let rows = cases::cases(gateway);
    rows.into_iter().find(|case| case.expect["verdict"] == "verified").expect("an accepted row")
}

/// The variant of a genuine row with another secret than the row is signed with.
fn other(case: &Case, name: &str) -> payhook::accounts::VariantSpec {
    let mut case = case.clone();
    case.variant.keys[0].insert("endpoint_secret".to_owned(), "whsec_of_another_endpoint".into());
    serving::spec(&case, name)
}

fn cause(status: &Status) -> (MismatchCause, String) {
    let diagnostics = serving::diagnostics(status);
    (diagnostics.cause(), diagnostics.hint)
}

#[tokio::test]
async fn the_cause_is_in_the_diagnostics_of_every_kind_of_call_and_in_the_log() {
    let sink = leaks::logs();
    let case = genuine("stripe");
    let specs = vec![serving::spec(&case, "explained-shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "explained-shop");
    webhook.body = [webhook.body.as_ref(), b"\n\n"].concat().into();
    let refused = client.verify_and_parse(serving::request(webhook.clone())).await;
    let status = refused.expect_err("the body is another");
    assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
    let (found, hint) = cause(&status);
    assert_eq!(found, MismatchCause::BodyNewlines, "{hint}");
    assert!(hint.contains("newlines at its end"), "{hint}");
    let details = serving::details(&status).details;
    let info = tonic_types::pb::ErrorInfo::decode(details[0].value.as_slice()).expect("ErrorInfo");
    assert_eq!(info.metadata.get("cause").map(String::as_str), Some("BODY_NEWLINES"));
    let source = Some(Source::Webhook(webhook.clone()));
    let mapped = client.map_status(proto::MapStatusRequest { source, current: None }).await;
    assert_eq!(cause(&mapped.expect_err("the same")).0, MismatchCause::BodyNewlines);
    let item = proto::VerifyAndParseStreamRequest { webhook: Some(webhook), ..Default::default() };
    let outcomes = client.verify_and_parse_stream(tokio_stream::iter([item])).await;
    let outcome = outcomes.expect("a stream").into_inner().message().await.expect("one");
    match outcome.and_then(|outcome| outcome.outcome) {
        Some(Outcome::Failure(failure)) => {
            let diagnostics = failure.diagnostics.expect("diagnostics");
            assert_eq!(diagnostics.cause(), MismatchCause::BodyNewlines);
        }
        other => panic!("{other:?}"),
    }
    let logged = leaks::text(&sink);
    let line = logged
        .lines()
        .find(|line| line.contains("Webhook refused") && line.contains("explained-shop"))
        .expect("a line");
    assert!(line.contains("BODY_NEWLINES") && line.contains("newlines at its end"), "{line}");
}

#[tokio::test]
async fn another_variant_is_named_only_to_a_caller_who_may_use_it() {
    let case = genuine("stripe");
    let mut closed = serving::spec(&case, "closed");
    closed.callers = vec![CallerRule::San("spiffe://another".to_owned())];
    for (right, expected) in [
        (serving::spec(&case, "live"), MismatchCause::OtherVariant),
        (closed, MismatchCause::Unspecified),
    ] {
        let name = right.variant.as_str().to_owned();
        let specs = vec![other(&case, "test"), right];
        let running = serving::start(specs, serving::frozen(case.now), serving::settings());
        let mut client = serving::client(&running).await;
        // In use, so that its secret is at hand.
        let _ = client.verify_and_parse(serving::request(serving::webhook(&case, &name))).await;
        let request = serving::request(serving::webhook(&case, "test"));
        let status = client.verify_and_parse(request).await.expect_err("another secret");
        let (found, hint) = cause(&status);
        assert_eq!(found, expected, "{hint}");
        assert_eq!(hint.contains(&name), expected == MismatchCause::OtherVariant, "{hint}");
    }
}

#[tokio::test]
async fn a_certificate_scheme_is_explained_with_the_chain_at_hand() {
    let mut rows = cases::cases("paypal").into_iter();
    let case = rows
        .find(|case| case.expect["verdict"] == "verified" && !case.world.certificates.is_empty())
        .expect("a row with a certificate");
    let specs = vec![serving::spec(&case, "shop")];
    let clock = serving::frozen(case.now);
    let running = serving::start_in(&case.world, specs, clock, serving::settings());
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "shop");
    webhook.body = [webhook.body.as_ref(), b"\n"].concat().into();
    let status = client.verify_and_parse(serving::request(webhook)).await.expect_err("refused");
    assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
    assert_eq!(cause(&status).0, MismatchCause::BodyNewlines);
}

#[tokio::test]
async fn a_flood_is_refused_without_explanations_and_honest_calls_pass() {
    let case = genuine("stripe");
    let specs = vec![serving::spec(&case, "shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let began = std::time::Instant::now();
    let mut explained = 0_u64;
    for _ in 0..200 {
        let mut webhook = serving::webhook(&case, "shop");
        webhook.body = [webhook.body.as_ref(), b"\n"].concat().into();
        let status = client.verify_and_parse(serving::request(webhook)).await.expect_err("forged");
        assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
        explained += u64::from(!cause(&status).1.is_empty());
        let honest = serving::request(serving::webhook(&case, "shop"));
        assert!(client.verify_and_parse(honest).await.is_ok());
    }
    // Every second that was begun has its own budget.
    let seconds = began.elapsed().as_secs() + 2;
    assert!((1..=seconds * u64::from(EXPLAINED_PER_SECOND)).contains(&explained), "{explained}");
}

#[tokio::test]
async fn nothing_is_explained_while_calls_are_many() {
    let case = genuine("stripe");
    let specs = vec![serving::spec(&case, "shop")];
    let mut settings = serving::settings();
    // One call at once: half of that is none, so that even the only call is too many.
    settings.limits.calls_max = 1;
    let running = serving::start(specs, serving::frozen(case.now), settings);
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "shop");
    webhook.body = b"{}".as_slice().into();
    let status = client.verify_and_parse(serving::request(webhook)).await.expect_err("forged");
    assert_eq!(serving::reason(&status), "SIGNATURE_MISMATCH");
    assert_eq!(cause(&status), (MismatchCause::Unspecified, String::new()));
}
