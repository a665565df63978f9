//! kill -9 and start again: how soon it serves, and that it never serves by halves.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{drains::same_port, ms};
use crate::{
    client::{Plan, once},
    histogram::Histogram,
    report::Report,
    server::Server,
    webhooks::{HEALTH, Shop, Webhook},
    wire::{Call, Outcome, Target},
};

pub fn run(report: &mut Report) {
    let rounds = report.length.pick(10, 100);
    let shop = Shop::stripes("", VARIANTS);
    let calls: Vec<_> = shop.one_each().iter().map(Webhook::call).collect();
    let mut server = Server::start(&shop.config);
    same_port(&shop, &server);
    let (target, admin) = (server.target(), Target::Tcp(server.admin));
    let over = AtomicBool::new(false);
    let (mut serving, mut said, mut whole) = (Histogram::default(), Histogram::default(), 0);
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
            let admin = &admin;
            let asked = scope.spawn(move || until_serving(admin, began));
            server = Server::start(&shop.config);
            said.note(server.ready_after);
            serving.note(asked.join().expect("the prober ran"));
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
    report.should(&goal, measured, serving.max() <= Duration::from_millis(50));
    report.tell("exec to its line that it serves", format!("p50 {}", ms(said.p50())));
    let goal = "after each start all variants answer at once";
    report.must(goal, format!("{whole} of {rounds}"), whole == rounds);
    let fine = found.lost == 0 && found.refused_for_good() == 0 && found.ok() > 0;
    report.must("retrying clients lose nothing", found.summary(), fine);
}

/// Asks until health says SERVING.
fn until_serving(admin: &Target, began: Instant) -> Duration {
    let check = Call::new(HEALTH, &[]);
    loop {
        if matches!(once(admin, &check), Ok(Outcome::Answered { code: 0 })) {
            return began.elapsed();
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it never served");
        std::thread::sleep(Duration::from_micros(500));
    }
}

const VARIANTS: usize = 100;
