//! The admin listener: health, metrics and nothing else, whoever sits on it.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use payhook::{
    accounts::{SecretRef, VariantSpec},
    server::{Running, Settings},
};

use crate::{cases, raw, raw::Raw, serving};

/// One request of HTTP/1.1 and its whole answer.
pub fn get(address: SocketAddr, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"))
}

fn ask(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket");
    socket.write_all(request.as_bytes()).expect("open");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).expect("an answer, then the end");
    answer
}

fn spec() -> VariantSpec {
    serving::spec(&cases::cases("stripe").remove(0), "shop")
}

fn start(settings: Settings) -> Running {
    serving::start(vec![spec()], serving::frozen(0), settings)
}

#[test]
fn the_admin_listener_answers_what_it_is_for_and_nothing_else() {
    let running = start(serving::settings());
    let admin = running.admin().expect("an admin listener");
    assert!(get(admin, "/healthz").starts_with("HTTP/1.1 200 "));
    becomes(admin, "HTTP/1.1 200 ");
    let metrics = get(admin, "/metrics");
    assert!(metrics.contains("application/openmetrics-text"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    for path in ["/", "/metrics/", "/debug", "/payhook.v1.PaymentWebhookService/ListVariants"] {
        assert!(get(admin, path).starts_with("HTTP/1.1 404 "), "{path}");
    }
    let posted =
        ask(admin, "POST /readyz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
    assert!(posted.starts_with("HTTP/1.1 404 "));
}

/// Waits until readiness is answered so.
fn becomes(admin: SocketAddr, answer: &str) {
    for _ in 0..500 {
        if get(admin, "/readyz").starts_with(answer) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("readiness did not become {answer}");
}

#[test]
fn a_server_is_ready_when_one_variant_can_be_used() {
    let missing = |name: &str| {
        let mut spec = spec();
        spec.variant = payhook::model::Variant::new(name).expect("a name");
        let fields = spec.keys[0].fields.values_mut();
        fields.for_each(|field| *field = SecretRef::File("/nonexistent/secret".into()));
        spec
    };
    let none = vec![missing("a"), missing("b")];
    let running = serving::start(none, serving::frozen(0), serving::settings());
    let admin = running.admin().expect("an admin listener");
    assert!(get(admin, "/readyz").starts_with("HTTP/1.1 503 "));
    let one = vec![missing("a"), spec()];
    let running = serving::start(one, serving::frozen(0), serving::settings());
    becomes(running.admin().expect("an admin listener"), "HTTP/1.1 200 ");
}

#[test]
fn readiness_ends_with_the_drain() {
    let mut settings = serving::settings();
    settings.limits.deadline_ms = 30_000;
    settings.limits.drain_seconds = 3;
    let running = start(settings);
    let admin = running.admin().expect("an admin listener");
    let _half = crate::drain::half_sent(&running, 1);
    becomes(admin, "HTTP/1.1 200 ");
    running.stop();
    becomes(admin, "HTTP/1.1 503 ");
    assert!(get(admin, "/healthz").starts_with("HTTP/1.1 200 "), "alive until the end");
}

#[test]
fn a_probe_is_answered_whoever_sits_on_the_admin_listener() {
    let mut settings = serving::settings();
    settings.timings.preface = Duration::from_secs(60);
    let running = start(settings);
    let admin = running.admin().expect("an admin listener");
    let mut held: Vec<_> = (0..100).map(|_| Raw::silent(admin)).collect();
    let mut idle: Vec<_> = (0..100).map(|_| Raw::open(admin, &[])).collect();
    assert!(get(admin, "/healthz").starts_with("HTTP/1.1 200 "));
    assert!(held.iter_mut().all(Raw::closes), "the oldest make room");
    assert!(idle[..60].iter_mut().all(Raw::closes));
    drop(running);
}

#[test]
fn a_silent_socket_on_the_admin_listener_is_cut() {
    let mut settings = serving::settings();
    settings.timings.preface = Duration::from_millis(50);
    let running = start(settings);
    let admin = running.admin().expect("an admin listener");
    let mut silent = Raw::silent(admin);
    let mut begun = Raw::silent(admin);
    begun.write(b"GET /healthz HTTP/1.1\r\n").expect("open");
    let mut half = Raw::silent(admin);
    half.write(&raw::PREFACE[..5]).expect("open");
    assert!(silent.closes() && half.closes());
    assert!(begun.closes());
}
