//! The source of secrets is down: who was served is served, who was not hears so soon, and the
//! source is not asked more often for it.

use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::ms;
use crate::{
    client::{Plan, once},
    histogram::Histogram,
    report::Report,
    server::Server,
    webhooks::{Shop, Webhook},
    wire::{Call, Outcome, Target},
};

pub fn run(report: &mut Report) {
    let down = Duration::from_secs(report.length.pick(5, 60));
    let shop = Shop::stripes("cache: {ttl_seconds: 1}\n", HELD + 1);
    let webhooks = shop.one_each();
    let (cold, held) = webhooks.split_last().expect("some");
    let calls: Vec<_> = held.iter().map(Webhook::call).collect();
    let cold = (cold.call(), cold.0.variant.clone());
    // The cold one's secret is away from the start, and was never read.
    let (here, away) = (shop.secrets(), shop.folder.0.join("away"));
    let secret = format!("{}.endpoint_secret", cold.1);
    let waits = shop.folder.0.join("waits");
    fs::rename(here.join(&secret), &waits).expect("the folder is writable");
    let server = Server::start(&shop.config);
    let (target, over) = (server.target(), AtomicBool::new(false));
    let (found, seen) = std::thread::scope(|scope| {
        let load = Plan {
            connections: 2,
            // Below the bound of calls: what piles up while a machine stands still waits here.
            streams: 24,
            rate: Some(1000.0),
            over: Some(&over),
            ..Plan::new(&target, &calls)
        };
        let load = scope.spawn(move || load.run());
        // Past the first ttl.
        std::thread::sleep(Duration::from_millis(1500));
        fs::rename(&here, &away).expect("the folder is writable");
        let mut seen = watch(&server, &target, &cold.0, down);
        fs::rename(&waits, away.join(&secret)).expect("the folder is writable");
        let began = Instant::now();
        fs::rename(&away, &here).expect("the folder is writable");
        while answer(&target, &cold.0) != OK && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        seen.recovered = began.elapsed();
        std::thread::sleep(Duration::from_millis(500));
        over.store(true, Ordering::Relaxed);
        (load.join().expect("the load ran"), seen)
    });
    tell(report, &server, down, &found, &seen);
}

struct Seen {
    /// How long the cold one took to be refused.
    refused: Histogram,
    unavailable: u64,
    reads: f64,
    stale: f64,
    recovered: Duration,
}

/// Calls the cold variant while the source is down.
fn watch(server: &Server, target: &Target, cold: &Call, down: Duration) -> Seen {
    let began = Instant::now();
    let (reads, mut refused, mut unavailable) = (server.metric(READS), Histogram::default(), 0);
    while began.elapsed() < down {
        let asked = Instant::now();
        unavailable += u64::from(answer(target, cold) == UNAVAILABLE);
        refused.note(asked.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    let reads = server.metric(READS) - reads;
    let (stale, recovered) = (server.metric(STALE), Duration::ZERO);
    Seen { refused, unavailable, reads, stale, recovered }
}

fn tell(
    report: &mut Report,
    server: &Server,
    down: Duration,
    found: &crate::client::Found,
    seen: &Seen,
) {
    let seconds = down.as_secs();
    let fine = found.ok() == found.answered() && found.lost == 0;
    let goal = format!("source down for {seconds} s, ttl 1 s: 0 errors for {HELD} held variants");
    report.must(&goal, found.summary(), fine && found.ok() > seconds * 900);
    report.must("expired secrets were served", format!("{} calls", seen.stale), seen.stale > 0.0);
    let (asked, most) = (seen.refused.count(), seen.refused.max());
    let measured = format!("{} of {asked}, at most {}", seen.unavailable, ms(most));
    let fine = seen.unavailable == asked && most <= Duration::from_secs(2);
    report.must("a cold one is UNAVAILABLE within 2 s", measured, fine);
    let goal = "it recovers within 1 s of the source";
    report.must(goal, ms(seen.recovered), seen.recovered <= Duration::from_secs(1));
    let bound = HELD as f64 * steps(down, 30_000) + steps(down, 800);
    let measured = format!("{} reads, {bound} steps", seen.reads);
    let goal = "at most one read per variant and back-off step";
    report.must(goal, measured, seen.reads >= 1.0 && seen.reads <= bound);
    let again = server.metric(READS);
    std::thread::sleep(Duration::from_secs(2));
    let later = server.metric(READS) - again;
    report.tell("reads in two seconds after it returned, without calls", format!("{later}"));
}

/// Attempts in this time, where pauses double from 100 ms up to a longest one; and one more that
/// was under way when it began.
fn steps(down: Duration, longest_ms: u64) -> f64 {
    let (mut steps, mut at, mut pause) = (2.0, 0, 100);
    while at + pause <= down.as_millis() as u64 {
        at += pause;
        pause = (pause * 2).min(longest_ms);
        steps += 1.0;
    }
    steps
}

fn answer(target: &Target, call: &Call) -> Outcome {
    once(target, call).expect("an answer")
}

const HELD: usize = 10;
const OK: Outcome = Outcome::Answered { code: 0 };
const UNAVAILABLE: Outcome = Outcome::Answered { code: 14 };
const READS: &str = "payhook_secret_reads_total";
const STALE: &str = "payhook_secrets_served_stale_total";
const PATIENCE: Duration = Duration::from_secs(10);
