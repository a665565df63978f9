//! Broken configurations under load: the last good one is served as if nothing had happened.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::ms;
use crate::{
    broken::broken,
    client::{Plan, once},
    histogram::Histogram,
    report::Report,
    server::Server,
    webhooks::{Shop, Webhook},
    wire::Outcome,
};

pub fn run(report: &mut Report) {
    let count = report.length.pick(15, 60);
    let contents = broken();
    // Spread over all kinds where not all are taken.
    let broken: Vec<_> = (0..count).map(|at| &contents[at * contents.len() / count]).collect();
    let shop = Shop::stripes("", 11);
    let whole = fs::read_to_string(&shop.config).expect("it was just written");
    let webhooks = shop.one_each();
    let (last, first) = webhooks.split_last().expect("eleven");
    let calls: Vec<_> = first.iter().map(Webhook::call).collect();
    let added = last.call();
    // One of them is not configured at first.
    let at = whole.find(&format!("  {}:\n", last.0.variant)).expect("it is there");
    let rest = whole[at + 3..].find("\n  shop-").map_or(whole.len(), |next| at + 4 + next);
    let good = format!("{}{}", &whole[..at], &whole[rest..]);
    replace(&shop.config, good.as_bytes());
    let server = Server::start(&shop.config);
    std::thread::sleep(Duration::from_millis(200));
    let (target, over) = (server.target(), AtomicBool::new(false));
    let (mut counted, mut taken) = (0, Histogram::default());
    let (found, usable) = std::thread::scope(|scope| {
        let load = Plan {
            connections: 4,
            // Below the bound of calls: what piles up while a machine stands still waits here.
            streams: 12,
            rate: Some(1000.0),
            over: Some(&over),
            ..Plan::new(&target, &calls)
        };
        let load = scope.spawn(move || load.run());
        for content in &broken {
            let before = server.metric(FAILED);
            let began = Instant::now();
            replace(&shop.config, content);
            while server.metric(FAILED) < before + 1.0 && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
            taken.note(began.elapsed());
            counted += usize::from(server.metric(FAILED) == before + 1.0);
        }
        let refused = once(&target, &added).expect("an answer");
        assert_eq!(refused, Outcome::Answered { code: 5 }, "it is not configured yet");
        let began = Instant::now();
        replace(&shop.config, whole.as_bytes());
        while once(&target, &added).expect("an answer") != (Outcome::Answered { code: 0 })
            && began.elapsed() < PATIENCE
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        let usable = began.elapsed();
        over.store(true, Ordering::Relaxed);
        (load.join().expect("the load ran"), usable)
    });
    let fine = found.lost == 0 && found.ok() == found.answered() && found.ok() > 100;
    let goal = format!("{count} broken configurations under 1,000 calls/s: 0 failed calls");
    report.must(&goal, found.summary(), fine);
    let goal = "each is counted once, the last good one stays";
    report.must(goal, format!("{counted} of {count}"), counted == count);
    report.tell("until one was refused", format!("at most {}", ms(taken.max())));
    let goal = "a whole one with a new variant: usable within 1 s";
    report.should(goal, ms(usable), usable <= Duration::from_secs(1));
    report.must("and it is taken", ms(usable), usable < PATIENCE);
    report.tell("p99 of the calls", ms(found.latency.p99()));
}

/// In one step, as every careful writer does.
pub fn replace(file: &Path, content: &[u8]) {
    let beside = file.with_extension("new");
    fs::write(&beside, content).expect("the folder is writable");
    fs::rename(&beside, file).expect("the folder is writable");
}

const FAILED: &str = "payhook_reloads_failed_total";
const PATIENCE: Duration = Duration::from_secs(10);
