//! A server that is stopped: health says so at once, calls under way finish, and nobody who is
//! attached can hold it up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use payhook::{model::UnixSeconds, proto, server::Running};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    cases, raw,
    raw::Raw,
    serving::{self, Client},
};

async fn lists(client: &mut Client) -> Result<(), tonic::Status> {
    client.list_variants(proto::ListVariantsRequest {}).await.map(drop)
}

/// Stops it and waits; how long that took, and whether all calls had finished.
async fn stopped(running: Running) -> (Duration, bool) {
    let began = Instant::now();
    running.stop();
    let whole = running.drained().await;
    (began.elapsed(), whole)
}

#[tokio::test]
async fn hostile_peers_do_not_hold_up_a_drain() {
    let mut settings = serving::settings();
    settings.limits.connections_max = 400;
    // Longer than the test may take: what ends them is the drain.
    settings.timings.preface = Duration::from_secs(60);
    settings.limits.drain_seconds = 30;
    let running = serving::start(Vec::new(), serving::frozen(0), settings);
    let address = running.address().expect("TCP");
    let mut silent: Vec<_> = (0..100).map(|_| Raw::silent(address)).collect();
    let mut idle: Vec<_> = (0..100).map(|_| Raw::open(address, &[])).collect();
    for peer in &mut idle {
        peer.until(raw::SETTINGS).expect("the server's settings");
    }
    // No window at all: the answer's body cannot be sent.
    let mut stuck: Vec<_> = (0..10).map(|_| Raw::open(address, &[(4, 0)])).collect();
    for peer in &mut stuck {
        peer.call(1, raw::LIST).expect("open");
        peer.frame(raw::DATA, raw::END_STREAM, 1, &raw::message(0, &[])).expect("open");
        peer.until(raw::HEADERS).expect("the answer's head");
    }
    let mut client = serving::client(&running).await;
    lists(&mut client).await.expect("an honest call");
    let (took, whole) = stopped(running).await;
    assert!(whole, "no call was under way");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(silent.iter_mut().chain(&mut idle).chain(&mut stuck).all(Raw::closes));
}

#[tokio::test]
async fn a_call_that_never_ends_is_cut_at_the_deadline() {
    let mut settings = serving::settings();
    settings.limits.deadline_ms = 30_000;
    settings.limits.drain_seconds = 1;
    let running = serving::start(Vec::new(), serving::frozen(0), settings);
    let mut half = half_sent(&running, 1);
    let (took, whole) = stopped(running).await;
    assert!(!whole, "a call was under way");
    // Cut a little before the second is over, so that the process ends within it.
    assert!(took >= Duration::from_millis(700) && took < Duration::from_secs(5), "{took:?}");
    assert!(half.closes());
}

#[tokio::test]
async fn a_call_under_way_finishes_and_the_peer_is_told_to_go() {
    let (case, gate) = (cases::cases("stripe").remove(0), Gate::default());
    let clock = gate.clock(case.now);
    let running = serving::start(vec![serving::spec(&case, "shop")], clock, serving::settings());
    let address = running.address().expect("TCP");
    let mut client = serving::client(&running).await;
    let mut idle = Raw::open(address, &[]);
    idle.until(raw::SETTINGS).expect("the server's settings");
    let request = serving::request(serving::webhook(&case, "shop"));
    let call = tokio::spawn(async move { client.verify_and_parse(request).await });
    let gate = tokio::task::spawn_blocking(move || {
        gate.entered();
        gate
    });
    let gate = gate.await.expect("the call reached the clock");
    running.stop();
    // The worker is held by the call, so the thread that drains has to let it go on.
    gate.open();
    let drained = running.drained();
    let (answered, whole) = tokio::join!(call, drained);
    assert!(answered.expect("no panic").is_ok(), "the call finished");
    assert!(whole);
    assert!(idle.until(raw::GOAWAY).is_some());
    let refused = std::net::TcpStream::connect(address);
    assert!(refused.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn health_is_not_serving_from_the_first_moment_of_a_drain() {
    let mut settings = serving::settings();
    settings.limits.deadline_ms = 30_000;
    settings.limits.drain_seconds = 3;
    let running = serving::start(Vec::new(), serving::frozen(0), settings);
    let admin = running.admin().expect("an admin listener");
    let mut health = HealthClient::new(serving::channel(admin).await);
    let request = HealthCheckRequest { service: String::new() };
    let watched = health.watch(request).await.expect("a watch");
    let mut watched = watched.into_inner();
    let serving = ServingStatus::Serving as i32;
    assert_eq!(watched.message().await.expect("open").expect("a status").status, serving);
    // Something to wait for, so that the drain lasts.
    let _half = half_sent(&running, 1);
    let began = Instant::now();
    running.stop();
    let told = watched.message().await.expect("open").expect("a status");
    assert_eq!(told.status, ServingStatus::NotServing as i32);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    for service in ["", "payhook.v1.PaymentWebhookService", "readiness"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let checked = health.check(request).await.expect("health is answered until the end");
        assert_eq!(checked.get_ref().status, ServingStatus::NotServing as i32, "{service}");
    }
}

#[tokio::test]
async fn retrying_clients_lose_nothing_over_a_restart() {
    let running = serving::start(Vec::new(), serving::frozen(0), serving::settings());
    let address = running.address().expect("TCP");
    let mut settings = serving::settings();
    settings.listen = vec![payhook::config::Listen::Tcp(address)];
    let done = Arc::new(AtomicBool::new(false));
    let calls = (0..8).map(|_| {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            let channel = tonic::transport::Channel::from_shared(format!("http://{address}"));
            let mut client = Client::new(channel.expect("a URL").connect_lazy());
            let mut answered = 0_u32;
            while !done.load(Ordering::Relaxed) {
                let mut left = 200;
                while let Err(status) = lists(&mut client).await {
                    assert!(may_be_repeated(&status), "{status:?}");
                    left -= 1;
                    assert!(left > 0, "unavailable for too long");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                answered += 1;
            }
            answered
        })
    });
    let calls: Vec<_> = calls.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (_, whole) = stopped(running).await;
    assert!(whole);
    let again = serving::start(Vec::new(), serving::frozen(0), settings);
    tokio::time::sleep(Duration::from_millis(100)).await;
    done.store(true, Ordering::Relaxed);
    for call in calls {
        assert!(call.await.expect("every call was answered in the end") > 0);
    }
    drop(again);
}

#[tokio::test]
async fn connections_are_spread_over_the_workers() {
    let mut settings = serving::settings();
    settings.workers = 3;
    let (case, names) = (cases::cases("stripe").remove(0), Arc::default());
    let (seen, now) = (Arc::<std::sync::Mutex<Vec<String>>>::clone(&names), case.now);
    let clock: payhook::accounts::Clock = Arc::new(move || {
        let name = std::thread::current().name().unwrap_or_default().to_owned();
        seen.lock().expect("whole").push(name);
        UnixSeconds::new(now)
    });
    let running = serving::start(vec![serving::spec(&case, "shop")], clock, settings);
    let mut clients = Vec::new();
    for _ in 0..6 {
        // Held open, so that the next one goes elsewhere.
        let mut client = serving::client(&running).await;
        let request = serving::request(serving::webhook(&case, "shop"));
        client.verify_and_parse(request).await.expect("genuine");
        clients.push(client);
    }
    for worker in ["payhook-1", "payhook-2", "payhook-3"] {
        assert!(names.lock().expect("whole").iter().any(|name| name == worker), "{worker}");
    }
}

/// Whether a call ended with its connection, unanswered. gRPC's own clients say UNAVAILABLE; this
/// one has four words for it, depending on how far the connection had come.
fn may_be_repeated(status: &tonic::Status) -> bool {
    let words = ["transport error", "operation was canceled"];
    let told_to_go = format!("{status:?}").contains("GoAway(b\"\", NO_ERROR, Remote)");
    status.code() == Code::Unavailable || words.contains(&status.message()) || told_to_go
}

/// A call whose body never comes whole.
pub fn half_sent(running: &Running, bytes: u32) -> Raw {
    let mut raw = Raw::open(running.address().expect("TCP"), &[]);
    raw.call(1, raw::VERIFY).expect("open");
    let half = raw::message(bytes * 2, &vec![0; bytes as usize]);
    raw.frame(raw::DATA, 0, 1, &half).expect("open");
    // Answered in order: whatever was sent before has been read by then.
    raw.frame(6, 0, 0, &[0; 8]).expect("open");
    loop {
        let frame = raw.next().expect("a pong");
        if (frame.kind, frame.flags) == (6, 1) {
            return raw;
        }
    }
}

/// A clock that stands where a test wants it to.
#[derive(Clone)]
struct Gate {
    entered: Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
    enter: mpsc::Sender<()>,
    opened: Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
    open: mpsc::Sender<()>,
}

impl Default for Gate {
    fn default() -> Self {
        let ((enter, entered), (open, opened)) = (mpsc::channel(), mpsc::channel());
        let shared = |receiver| Arc::new(std::sync::Mutex::new(receiver));
        Self { entered: shared(entered), enter, opened: shared(opened), open }
    }
}

impl Gate {
    fn clock(&self, now: i64) -> payhook::accounts::Clock {
        let (enter, opened) = (self.enter.clone(), Arc::clone(&self.opened));
        let held = AtomicBool::new(false);
        Arc::new(move || {
            if std::thread::current().name() == Some("payhook-1")
                && !held.swap(true, Ordering::Relaxed)
            {
                enter.send(()).expect("the test waits");
                opened.lock().expect("one waits").recv().expect("the test opens");
            }
            UnixSeconds::new(now)
        })
    }

    fn entered(&self) {
        self.entered.lock().expect("one waits").recv().expect("a call");
    }

    fn open(&self) {
        self.open.send(()).expect("a call waits");
    }
}
