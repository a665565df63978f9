//! Attacks on the port, frame by frame, while an honest client keeps being served.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use payhook::{
    model::UnixSeconds,
    proto,
    server::{Running, Settings},
};
use tonic::Code;

use crate::{
    cases,
    drain::half_sent,
    raw,
    raw::Raw,
    serving::{self, Client},
};

fn start(change: impl FnOnce(&mut Settings)) -> Running {
    let mut settings = serving::settings();
    change(&mut settings);
    serving::start(Vec::new(), serving::frozen(0), settings)
}

async fn lists(client: &mut Client) -> Result<(), tonic::Status> {
    client.list_variants(proto::ListVariantsRequest {}).await.map(drop)
}

/// Runs an attack while another client calls; that one never notices.
async fn while_served<T: Send + 'static>(
    running: &Running,
    attack: impl FnOnce(std::net::SocketAddr) -> T + Send + 'static,
) -> T {
    let mut client = serving::client(running).await;
    lists(&mut client).await.expect("served before");
    let (address, over) = (running.address().expect("TCP"), Arc::new(AtomicBool::new(false)));
    let ended = Arc::clone(&over);
    let attack = tokio::task::spawn_blocking(move || {
        let found = attack(address);
        ended.store(true, Ordering::Relaxed);
        found
    });
    while !over.load(Ordering::Relaxed) && !attack.is_finished() {
        let call = tokio::time::timeout(Duration::from_secs(5), lists(&mut client)).await;
        call.expect("in time").expect("served throughout");
        tokio::task::yield_now().await;
    }
    lists(&mut client).await.expect("served afterwards");
    attack.await.expect("the attack ran")
}

#[tokio::test]
async fn a_silent_socket_is_gone_after_the_deadline_of_the_preface() {
    let running = start(|settings| settings.timings.preface = Duration::from_millis(50));
    let closed = while_served(&running, |address| {
        let mut silent: Vec<_> = (0..30).map(|_| Raw::silent(address)).collect();
        let mut half = Raw::silent(address);
        half.write(&raw::PREFACE[..10]).expect("open");
        silent.iter_mut().all(Raw::closes) && half.closes()
    });
    assert!(closed.await);
}

#[tokio::test]
async fn another_protocol_is_cut_at_once() {
    let running = start(|settings| settings.timings.preface = Duration::from_secs(60));
    let closed = while_served(&running, |address| {
        let mut raw = Raw::silent(address);
        raw.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("open");
        raw.closes()
    });
    assert!(closed.await);
}

#[tokio::test]
async fn more_connections_than_allowed_wait_for_a_place() {
    let running = start(|settings| settings.limits.connections_max = 3);
    let address = running.address().expect("TCP");
    let mut held: Vec<_> = (0..3).map(|_| Raw::open(address, &[])).collect();
    for raw in &mut held {
        raw.until(raw::SETTINGS).expect("served");
    }
    let mut waits = Raw::open(address, &[]);
    waits.patience(Duration::from_millis(100));
    assert!(waits.next().is_none(), "a fourth is not served");
    held.pop();
    waits.patience(Duration::from_secs(10));
    assert!(waits.until(raw::SETTINGS).is_some(), "it takes the place of the one that left");
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let running = start(|_| {});
    let calm = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        for call in 0..20_000 {
            let stream = call * 2 + 1;
            let sent = raw
                .call(stream, raw::LIST)
                .and_then(|()| raw.frame(raw::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
            if sent.is_err() {
                break;
            }
        }
        raw::goes_away(&mut raw, raw::CALM)
    });
    assert!(calm.await);
}

#[tokio::test]
async fn resets_that_the_server_is_made_to_send_end_the_connection() {
    let running = start(|_| {});
    let ended = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        // A field of HTTP/1 makes a request malformed: the server resets each of them itself.
        let malformed = raw::fields(&[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", raw::LIST),
            ("connection", "close"),
        ]);
        let flags = raw::END_HEADERS | raw::END_STREAM;
        let mut sent = (0..20_000).map(|call| call * 2 + 1);
        sent.all(|stream| raw.frame(raw::HEADERS, flags, stream, &malformed).is_ok());
        raw::goes_away(&mut raw, raw::CALM)
    });
    assert!(ended.await);
}

#[tokio::test]
async fn headers_that_never_end_end_the_connection() {
    let running = start(|_| {});
    let closed = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        raw.frame(raw::HEADERS, 0, 1, &raw::call_headers(raw::LIST)).expect("open");
        let more = raw::fields(&[("x-more", "0123456789abcdef0123456789abcdef")]);
        let sends = |raw: &mut Raw| raw.frame(raw::CONTINUATION, 0, 1, &more);
        let sent = (0..100_000).take_while(|_| sends(&mut raw).is_ok()).count();
        (raw.closes(), sent)
    });
    let (closed, sent) = closed.await;
    assert!(closed && sent < 100_000, "{sent} frames were taken");
}

#[tokio::test]
async fn empty_data_frames_end_the_connection_or_the_call() {
    let running = start(|settings| settings.limits.deadline_ms = 30_000);
    let closed = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        raw.call(1, raw::VERIFY).expect("open");
        let empty = raw::frame(raw::DATA, 0, 1, &[]).repeat(1000);
        let sent = (0..1000).take_while(|_| raw.write(&empty).is_ok()).count();
        (raw.closes(), sent)
    });
    let (closed, sent) = closed.await;
    assert!(closed && sent < 1000, "{sent} thousand frames were taken");
}

#[tokio::test]
async fn half_sent_bodies_are_answered_at_the_deadline() {
    let running = start(|settings| settings.limits.deadline_ms = 100);
    let answered = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        raw.until(raw::WINDOW_UPDATE).expect("room for more than 64 KiB");
        for call in 0..20 {
            raw.call(call * 2 + 1, raw::VERIFY).expect("open");
            let half = raw::message(500_000, &[0; 10_000]);
            raw.frame(raw::DATA, 0, call * 2 + 1, &half).expect("open");
        }
        (0..20).filter(|_| raw.until(raw::HEADERS).is_some()).count()
    });
    assert_eq!(answered.await, 20);
    let mut client = serving::client(&running).await;
    lists(&mut client).await.expect("every permit came back");
    assert_eq!(metric(&running, "payhook_calls_timed_out_total").await, 20);
    assert_eq!(metric(&running, "payhook_calls_in_flight").await, 0);
}

#[tokio::test]
async fn a_length_prefix_beyond_the_limit_is_refused_before_any_of_it_arrives() {
    let running = start(|settings| settings.limits.deadline_ms = 30_000);
    let refused = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        let lengths = [1 << 22, 1 << 24, 1 << 30, 1 << 31, u32::MAX];
        for (call, length) in (0..).zip(lengths) {
            raw.call(call * 2 + 1, raw::VERIFY).expect("open");
            let prefix = raw::message(length, &[0; 16]);
            raw.frame(raw::DATA, 0, call * 2 + 1, &prefix).expect("open");
        }
        lengths.iter().filter(|_| raw.until(raw::HEADERS).is_some()).count()
    });
    assert_eq!(refused.await, 5);
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answers_is_reset() {
    let running = start(|settings| settings.timings.stall = Duration::from_millis(100));
    let reset = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[(4, 0)]);
        for call in 0..50 {
            raw.call(call * 2 + 1, raw::LIST).expect("open");
            let whole = raw::message(0, &[]);
            raw.frame(raw::DATA, raw::END_STREAM, call * 2 + 1, &whole).expect("open");
        }
        (0..50).filter(|_| raw.until(raw::RST_STREAM).is_some()).count()
    });
    assert_eq!(reset.await, 50);
}

#[tokio::test]
async fn streams_that_send_nothing_leave_permits_to_others_and_are_reset() {
    let running = start(|settings| {
        settings.limits.calls_max = 4;
        settings.timings.stall = Duration::from_millis(300);
    });
    let reset = while_served(&running, |address| {
        let mut raw = Raw::open(address, &[]);
        for call in 0..20 {
            raw.call(call * 2 + 1, raw::STREAM).expect("open");
        }
        let mut reset = 0;
        while reset < 2 {
            let frame = raw.until(raw::RST_STREAM).expect("a reset");
            reset += usize::from(frame.payload != 0_u32.to_be_bytes());
        }
        reset
    });
    assert_eq!(reset.await, 2, "half of the permits were streams'");
    assert_eq!(metric(&running, "payhook_calls_shed_total").await, 18);
}

#[tokio::test]
async fn a_call_that_is_not_done_in_time_says_so() {
    let running = start(|settings| settings.limits.deadline_ms = 50);
    let mut client = serving::client(&running).await;
    // A body that never ends, from a client of good manners.
    let stuck = tokio_stream::pending::<proto::VerifyAndParseStreamRequest>();
    let mut stream = client.verify_and_parse_stream(stuck).await.expect("a stream").into_inner();
    let item = tokio::time::timeout(Duration::from_millis(500), stream.message()).await;
    assert!(item.is_err(), "a stream lives longer than a call's deadline");
    drop(stream);
    let mut raw = half_sent(&running, 1);
    let head = raw.until(raw::HEADERS).expect("an answer");
    assert_eq!(head.flags & raw::END_STREAM, raw::END_STREAM, "trailers only");
    assert_eq!(metric(&running, "payhook_calls_timed_out_total").await, 1);
}

#[tokio::test]
async fn a_panic_is_one_failed_call() {
    let case = cases::cases("stripe").remove(0);
    let armed = Arc::new(AtomicBool::new(false));
    let (now, trigger) = (case.now, Arc::clone(&armed));
    let clock: payhook::accounts::Clock = Arc::new(move || {
        let on_worker = std::thread::current().name() == Some("payhook-1");
        let panics = on_worker && trigger.swap(false, Ordering::Relaxed);
        assert!(!panics, "a panic on purpose");
        UnixSeconds::new(now)
    });
    let spec = serving::spec(&case, "shop");
    let running = serving::start(vec![spec], clock, serving::settings());
    let mut client = serving::client(&running).await;
    let request = serving::request(serving::webhook(&case, "shop"));
    client.verify_and_parse(request.clone()).await.expect("the account is loaded");
    armed.store(true, Ordering::Relaxed);
    let status = client.verify_and_parse(request.clone()).await.expect_err("the clock panicked");
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("purpose"), "{status:?}");
    client.verify_and_parse(request).await.expect("the next call is as any other");
    assert_eq!(metric(&running, "payhook_panics_total").await, 1);
    assert_eq!(metric(&running, "payhook_calls_in_flight").await, 0);
}

/// A metric without labels, as it is scraped.
pub async fn metric(running: &Running, name: &str) -> i64 {
    let admin = running.admin().expect("an admin listener");
    let text = tokio::task::spawn_blocking(move || crate::admin::get(admin, "/metrics"));
    let text = text.await.expect("scraped");
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
    line.rsplit(' ').next().expect("a value").parse().expect("a number")
}
