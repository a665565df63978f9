//! kill -9 and start again: how soon it serves, and that it never serves by halves.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{drains::same_port, ms};
use crate::{
    client::{Plan, once},
    histogram::Histogram,
    report::Report,
    server::{Server, get},
    webhooks::{HEALTH, Shop, Webhook},
    wire::{Call, Outcome, Target},
};

pub fn run(report: &mut Report) {
    let rounds = report.length.pick(10, 100);
    let shop = Shop::stripes("", VARIANTS);
    let calls: Vec<_> = shop.one_each().iter().map(Webhook::call).collect();
    let mut server = Server::start(&shop.config);
    same_port(&shop, &server);
    let (target, admin) = (server.target(), server.admin);
    let over = AtomicBool::new(false);
    let (mut serving, mut ready, mut said) = <[Histogram; 3]>::default().into();
    let mut whole = 0;
    let found = std::thread::scope(|scope| {
        let load = Plan {
            connections: 2,
            streams: 10,
            rate: Some(200.0),
            over: Some(&over),
            retry: true,
            ..Plan::new(&target, &calls)
        };
        let load = scope.spawn(move || load.run());
        for _ in 0..rounds {
            server.signal(Signal::KILL);
            server.ended(Duration::from_secs(5)).expect("nothing survives that");
            let began = Instant::now();
            let asked = scope.spawn(move || until_serving(admin, began));
            server = Server::start(&shop.config);
            said.note(server.ready_after);
            let (served, loaded) = asked.join().expect("the prober ran");
            serving.note(served);
            ready.note(loaded);
            // Each variant at once: whoever is served first finds all of them.
            let plan = Plan {
                streams: 50,
                count: VARIANTS as u64,
                retry: true,
                ..Plan::new(&target, &calls)
            };
            let found = plan.run();
            whole += usize::from(found.ok() == VARIANTS as u64 && found.refused_for_good() == 0);
        }
        over.store(true, Ordering::Relaxed);
        load.join().expect("the load ran")
    });
    let goal = format!("{rounds} x kill -9: exec to SERVING <= 50 ms with {VARIANTS} variants");
    let measured = format!(
        "p50 {}, p99 {}, at most {}",
        ms(serving.p50()),
        ms(serving.p99()),
        ms(serving.max())
    );
    report.should(&goal, measured, serving.max() <= SOON);
    let measured = format!("p50 {}, at most {}", ms(ready.p50()), ms(ready.max()));
    report.should("exec to ready, secrets read: <= 50 ms", measured, ready.max() <= SOON);
    report.tell("exec to its line that it serves", format!("p50 {}", ms(said.p50())));
    let goal = "after each start all variants answer at once";
    report.must(goal, format!("{whole} of {rounds}"), whole == rounds);
    let fine = found.lost == 0 && found.refused_for_good() == 0 && found.ok() > 0;
    report.must("retrying clients lose nothing", found.summary(), fine);
}

/// Asks until health says SERVING, then until the server is ready: it is when secrets were read.
fn until_serving(admin: SocketAddr, began: Instant) -> (Duration, Duration) {
    let (check, target) = (Call::new(HEALTH, &[]), Target::Tcp(admin));
    let serves = || matches!(once(&target, &check), Ok(Outcome::Answered { code: 0 }));
    let ready = || get(admin, "/readyz").is_some_and(|(status, _)| status == 200);
    let serving = until(began, &serves);
    (serving, until(began, &ready))
}

fn until(began: Instant, fine: &dyn Fn() -> bool) -> Duration {
    loop {
        if fine() {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it never served");
        std::thread::sleep(Duration::from_micros(500));
    }
}

const SOON: Duration = Duration::from_millis(50);

const VARIANTS: usize = 100;
