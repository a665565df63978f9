//! Every attack beside an honest client: that one is served throughout, and memory stays bounded.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    MEMORY_KIB,
    attackers::{self as by, Scene},
    mb, ms,
};
use crate::{
    client::{Found, Plan},
    report::Report,
    server::Server,
    webhooks::{Shop, Webhook},
    wire::{Call, Target},
};

type Attack = (&'static str, fn(Scene<'_>));

const ATTACKS: [Attack; 19] = [
    ("rapid resets", by::rapid_resets),
    ("resets by the server", by::local_resets),
    ("CONTINUATION flood", by::continuations),
    ("header bombs", by::header_bombs),
    ("big headers", by::big_headers),
    ("empty DATA flood", by::empty_data),
    ("PING and SETTINGS flood", by::pings_and_settings),
    ("half bodies, held", by::half_bodies),
    ("half bodies, endless", by::endless_half_bodies),
    ("half bodies, large", by::large_half_bodies),
    ("large bodies", by::large_bodies),
    ("huge lengths", by::huge_lengths),
    ("silent sockets", by::silence),
    ("slow prefaces", by::slow_prefaces),
    ("zero windows", by::zero_windows),
    ("never reading", by::never_reading),
    ("idle streams", by::idle_streams),
    ("connection flood", by::connections),
    ("comings and goings", by::comings_and_goings),
];

pub fn run(report: &mut Report) {
    let shop = Shop::stripes("", 10);
    let calls: Vec<_> = shop.webhooks().iter().map(Webhook::call).collect();
    for (name, attack) in ATTACKS {
        let server = Server::start(&shop.config);
        let (target, address) = (server.target(), server.address);
        one(report, name, &server, &target, &calls, &|over| attack(Scene { address, over }));
    }
    descriptors(report, &shop, &calls);
    tls(report);
}

/// An honest client alone, then beside the attack.
fn one(
    report: &mut Report,
    name: &str,
    server: &Server,
    honest: &Target,
    calls: &[Call],
    attack: &(dyn Fn(&AtomicBool) + Sync),
) {
    let time = Duration::from_millis(report.length.pick(500, 10_000));
    let plan =
        || Plan { streams: 20, rate: Some(RATE), finish: true, time, ..Plan::new(honest, calls) };
    // Secrets are loaded with the first calls.
    Plan { count: 200, ..Plan::new(honest, calls) }.run();
    let (alone, before) = (plan().run(), server.cpu());
    let over = AtomicBool::new(false);
    let found = std::thread::scope(|scope| {
        let honest = scope.spawn(|| plan().run());
        // The honest one has its place before the others come.
        std::thread::sleep(Duration::from_millis(100));
        for _ in 0..ATTACKERS {
            scope.spawn(|| attack(&over));
        }
        let found = honest.join().expect("the honest one ran");
        over.store(true, Ordering::Relaxed);
        found
    });
    let spent = (server.cpu() - before).as_secs_f64() / time.as_secs_f64();
    let (rss, series) = (server.rss_peak(), server.metric("payhook_panics_total"));
    let fine = served(&found) && rss <= MEMORY_KIB && series == 0.0;
    let ratio = found.latency.p99().as_secs_f64() / alone.latency.p99().as_secs_f64();
    let measured = format!(
        "{}, {}; p99 {ratio:.1} x null ({} : {}), CPU {spent:.2}",
        found.summary(),
        mb(rss),
        ms(found.latency.p99()),
        ms(alone.latency.p99()),
    );
    report.must(&format!("{name}: honest client served, memory <= 48 MB"), measured, fine);
}

/// Every call that was due was answered, and answered well, while the attack went on.
fn served(found: &Found) -> bool {
    let whole = found.ok() == found.answered() && found.lost == 0 && found.unsent == 0;
    whole && found.ok() > 100
}

/// More connections than there are descriptors.
fn descriptors(report: &mut Report, shop: &Shop, calls: &[Call]) {
    let text = fs::read_to_string(&shop.config).expect("it was just written");
    let text = text.replacen("variants:", "limits: {connections_max: 1000}\nvariants:", 1);
    let config = shop.folder.write("descriptors.yaml", text);
    let server = Server::start_after("ulimit -n 40", &config);
    let (target, address) = (server.target(), server.address);
    let attack = |over: &AtomicBool| by::connections(Scene { address, over });
    one(report, "descriptors run out", &server, &target, calls, &attack);
}

/// Hellos that never end, beside an honest client on the Unix socket.
fn tls(report: &mut Report) {
    let shop = Shop::stripes("", 10);
    let place = shop.folder.0.join("payhook.sock");
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).expect("a name").self_signed(&key);
    let certificate = certificate.expect("a certificate").pem();
    let certificate = shop.folder.write("tls.pem", certificate);
    let key = shop.folder.write("tls.key", key.serialize_pem());
    let text = fs::read_to_string(&shop.config).expect("it was just written");
    let listen = format!(
        "listen: [\"127.0.0.1:0\", \"unix:{}\"]\ntls: {{certificate: {{file: {}}}, private_key: {{file: {}}}}}\n",
        place.display(),
        certificate.display(),
        key.display(),
    );
    let text = text.replacen("listen: 127.0.0.1:0\n", &listen, 1);
    let config = shop.folder.write("tls.yaml", text);
    let calls: Vec<_> = shop.webhooks().iter().map(Webhook::call).collect();
    let server = Server::start(&config);
    let (target, address) = (Target::Unix(place), server.address);
    let attack = |over: &AtomicBool| by::slow_hellos(Scene { address, over });
    one(report, "slow TLS hellos (honest: Unix socket)", &server, &target, &calls, &attack);
}

/// Calls a second of the honest client.
const RATE: f64 = 1000.0;
/// Threads of the attacker, beside whom the honest client and the server need the CPU too.
const ATTACKERS: usize = 2;
