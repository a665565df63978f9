//! SIGTERM under load with hostile peers attached: no call is lost, and nobody holds up the end.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::ms;
use crate::{
    client::{Found, Plan},
    raw::{self, Raw},
    report::Report,
    server::Server,
    webhooks::{Shop, Webhook},
    wire::Target,
};

pub fn run(report: &mut Report) {
    let rounds = report.length.pick(2, 20);
    let shop = Shop::stripes("", 10);
    let calls: Vec<_> = shop.webhooks().iter().map(Webhook::call).collect();
    let server = Server::start(&shop.config);
    same_port(&shop, &server);
    let (target, over) = (server.target(), AtomicBool::new(false));
    let (found, ends) = std::thread::scope(|scope| {
        let load = Plan {
            connections: 8,
            streams: 20,
            rate: Some(RATE),
            over: Some(&over),
            retry: true,
            ..Plan::new(&target, &calls)
        };
        let load = scope.spawn(move || load.run());
        let (ends, last) = all_rounds(&shop, server, rounds);
        std::thread::sleep(Duration::from_millis(500));
        over.store(true, Ordering::Relaxed);
        let found = load.join().expect("the load ran");
        drop(last);
        (found, ends)
    });
    tell(report, rounds, &found, &ends);
}

/// From now on it listens where it listens now: its clients find it again.
pub fn same_port(shop: &Shop, server: &Server) {
    let text = fs::read_to_string(&shop.config).expect("it was just written");
    let text = text.replacen("127.0.0.1:0", &server.address.to_string(), 1);
    let text = text.replacen("127.0.0.1:0", &server.admin.to_string(), 1);
    fs::write(&shop.config, text).expect("the folder is writable");
}

struct End {
    took: Duration,
    code: Option<i32>,
    /// From SIGTERM until health said NOT_SERVING or nobody answered any more.
    told: Duration,
}

fn all_rounds(shop: &Shop, mut server: Server, rounds: usize) -> (Vec<End>, Server) {
    let mut ends = Vec::new();
    for _ in 0..rounds {
        let hostile = Hostile::attach(&server.target());
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        server.signal(Signal::TERM);
        let told = loop {
            let ready = server.get("/readyz").is_some_and(|(status, _)| status == 200);
            if !ready || began.elapsed() > Duration::from_secs(5) {
                break began.elapsed();
            }
        };
        let status = server.ended(Duration::from_secs(20));
        ends.push(End { took: began.elapsed(), code: status.and_then(|s| s.code()), told });
        drop(hostile);
        server = Server::start(&shop.config);
    }
    (ends, server)
}

/// Peers that would like to stay. Fewer than connections are allowed: honest ones need places.
struct Hostile {
    _peers: Vec<Raw>,
}

impl Hostile {
    fn attach(target: &Target) -> Self {
        let Target::Tcp(address) = target else { return Self { _peers: Vec::new() } };
        let mut peers = Vec::new();
        for at in 0..10 {
            peers.push(Raw::silent(*address));
            let mut slow = Raw::silent(*address);
            slow.write(&raw::PREFACE[..=at]).expect("open");
            peers.push(slow);
            let mut idle = Raw::open(*address, &[]);
            idle.until(raw::SETTINGS).expect("served");
            peers.push(idle);
        }
        for at in 0..10 {
            let mut half = Raw::open(*address, &[(4, 0)]);
            half.until(raw::SETTINGS).expect("served");
            // A body that never comes, a stream without an item, an answer that is not read.
            let path = if at % 2 == 0 { raw::VERIFY } else { raw::STREAM };
            half.call(1, path).expect("open");
            half.call(3, raw::LIST).expect("open");
            half.frame(raw::DATA, raw::END_STREAM, 3, &raw::message(0, &[])).expect("open");
            peers.push(half);
        }
        Self { _peers: peers }
    }
}

fn tell(report: &mut Report, rounds: usize, found: &Found, ends: &[End]) {
    let wanted = report.length.pick(1_000, 10_000);
    let measured = format!("{} lost; {}", found.lost, found.summary());
    let all = found.ok() >= wanted && found.refused_for_good() == 0 && found.lost == 0;
    let goal = format!("{rounds} drains: of >= {wanted} calls of retrying clients 0 are lost");
    report.must(&goal, measured, all);
    let codes = ends.iter().all(|end| end.code == Some(0));
    let measured: Vec<_> = ends.iter().map(|end| end.code).collect();
    report.must("exit code 0 each time", list(&measured), codes);
    let most = ends.iter().map(|end| end.took).max().unwrap_or_default();
    let goal = "exit <= 5 s each time, with silent, slow, idle and stuck peers attached";
    report.must(goal, format!("at most {:.2} s", most.as_secs_f64()), most <= LIMIT);
    let told = ends.iter().map(|end| end.told).max().unwrap_or_default();
    report.tell("until /readyz said no", format!("at most {}", ms(told)));
    report.tell("connections that the clients opened", format!("{}", found.connected));
}

fn list(codes: &[Option<i32>]) -> String {
    let count = codes.iter().filter(|code| **code == Some(0)).count();
    format!("{count} of {}", codes.len())
}

const RATE: f64 = 1000.0;
const LIMIT: Duration = Duration::from_secs(5);
