//! The bounds of calls and bytes: who is over them hears so, who has nothing is served.

use std::time::Duration;

use payhook::{
    proto,
    server::{Running, Settings},
};
use tonic::Code;

use crate::{
    drain::half_sent,
    raw,
    raw::Raw,
    serving::{self, Client},
};

fn start(change: impl FnOnce(&mut Settings)) -> Running {
    let mut settings = serving::settings();
    settings.limits.deadline_ms = 30_000;
    change(&mut settings);
    serving::start(Vec::new(), serving::frozen(0), settings)
}

async fn lists(client: &mut Client) -> Result<(), tonic::Status> {
    client.list_variants(proto::ListVariantsRequest {}).await.map(drop)
}

/// A call that stays on this client's connection for as long as what is returned.
async fn stays(client: &mut Client) -> Held {
    let (stays, items) = tokio::sync::mpsc::channel::<proto::VerifyAndParseStreamRequest>(1);
    let items = tokio_stream::wrappers::ReceiverStream::new(items);
    let answers = client.verify_and_parse_stream(items).await.expect("a stream").into_inner();
    Held { _items: stays, _answers: answers }
}

struct Held {
    _items: tokio::sync::mpsc::Sender<proto::VerifyAndParseStreamRequest>,
    _answers: tonic::Streaming<proto::VerifyAndParseStreamResponse>,
}

#[tokio::test]
async fn over_the_limit_of_calls_an_answer_says_so() {
    let running = start(|settings| settings.limits.calls_max = 1);
    let mut client = serving::client(&running).await;
    lists(&mut client).await.expect("within the limit");
    let held = stays(&mut client).await;
    overloaded(&lists(&mut client).await.expect_err("over the limit"));
    let admin = running.admin().expect("an admin listener");
    for place in [admin, running.address().expect("TCP")] {
        let channel = serving::channel(place).await;
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
        let checked = health.check(tonic_health::pb::HealthCheckRequest::default()).await;
        assert_eq!(checked.expect("health is never shed").get_ref().status, 1);
    }
    drop(held);
    let mut left = 500;
    while lists(&mut client).await.is_err() {
        left -= 1;
        assert!(left > 0, "the permit did not come back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_peer_that_has_nothing_gets_one_call_whatever_others_hold() {
    let running = start(|settings| settings.limits.calls_max = 2);
    let _held = [half_sent(&running, 1), half_sent(&running, 1)];
    let mut client = serving::client(&running).await;
    for _ in 0..20 {
        lists(&mut client).await.expect("one at a time");
    }
    let mut other = half_sent(&running, 1);
    other.call(3, raw::VERIFY).expect("open");
    let refused = other.until(raw::HEADERS).expect("an answer");
    assert_eq!(refused.flags & raw::END_STREAM, raw::END_STREAM, "a second one is refused");
    assert_eq!(crate::attacks::metric(&running, "payhook_calls_shed_total").await, 1);
    assert_eq!(crate::attacks::metric(&running, "payhook_calls_in_flight").await, 3);
}

#[tokio::test]
async fn over_the_limit_of_bytes_an_answer_says_so() {
    let running = start(|settings| settings.limits.in_flight_bytes_max = 30_000);
    let held = half_sent(&running, 10_000);
    let mut client = serving::client(&running).await;
    let fits = client.verify_and_parse(body(10_000)).await;
    assert_eq!(fits.expect_err("no such variant").code(), Code::NotFound);
    overloaded(&client.verify_and_parse(body(25_000)).await.expect_err("over the limit"));
    drop(held);
}

#[tokio::test]
async fn a_webhook_fits_whatever_bytes_others_hold() {
    let running = start(|settings| {
        settings.limits.in_flight_bytes_max = 40_000;
        settings.limits.connections_max = 4;
    });
    // 2,500 bytes are each connection's own; these take 29,500 of the 30,000 that all share.
    let _held = [14_000, 16_000, 7_000].map(|bytes| half_sent(&running, bytes));
    let mut client = serving::client(&running).await;
    let fits = client.verify_and_parse(body(2_000)).await;
    assert_eq!(fits.expect_err("no such variant").code(), Code::NotFound);
    overloaded(&client.verify_and_parse(body(4_000)).await.expect_err("over the limit"));
    let fits = client.verify_and_parse(body(2_000)).await;
    assert_eq!(fits.expect_err("no such variant").code(), Code::NotFound, "all came back");
}

#[tokio::test]
async fn headers_of_a_call_fit_into_8_kib() {
    let running = start(|_| {});
    let places = [running.address().expect("TCP"), running.admin().expect("an admin listener")];
    for (place, path) in places.into_iter().zip([raw::LIST, "/grpc.health.v1.Health/Check"]) {
        let answered = tokio::task::spawn_blocking(move || {
            [7_000, 8_500].map(|bytes| {
                let mut block = raw::call_headers(path);
                block.extend(raw::long("x-large", &"a".repeat(bytes)));
                let mut raw = Raw::open(place, &[]);
                raw.frame(raw::HEADERS, raw::END_HEADERS, 1, &block).expect("open");
                let whole = raw::message(0, &[]);
                raw.frame(raw::DATA, raw::END_STREAM, 1, &whole).expect("open");
                // The first field of an answer: 0x88 is `:status: 200`, whatever gRPC says then.
                raw.until(raw::HEADERS).expect("an answer").payload[0] == 0x88
            })
        });
        assert_eq!(answered.await.expect("asked"), [true, false], "{path}");
    }
}

/// A webhook of so many bytes, for nobody.
fn body(bytes: usize) -> proto::VerifyAndParseRequest {
    let mut webhook = proto::WebhookRequest { variant: "none".to_owned(), ..Default::default() };
    webhook.body = vec![0; bytes].into();
    serving::request(webhook)
}

fn overloaded(status: &tonic::Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let trailer = |name: &str| status.metadata().get(name).map(|value| value.as_encoded_bytes());
    assert_eq!(trailer("x-payhook-reason"), Some(&b"OVERLOADED"[..]));
    assert_eq!(trailer("x-payhook-http-status"), Some(&b"503"[..]));
    assert!(trailer("grpc-retry-pushback-ms").is_some());
}
