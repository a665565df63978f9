//! Millions of calls of every kind, good and bad: memory stays where it is.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use payhook::proto;

use super::{MEMORY_KIB, mb};
use crate::{
    client::{Found, Plan},
    report::Report,
    server::Server,
    webhooks::{LIST, Shop, VERIFY, Webhook},
    wire::Call,
};

/// Calls with the code that each must be answered with.
#[derive(Default)]
struct Mix {
    calls: Vec<Call>,
    codes: BTreeMap<u8, u64>,
}

impl Mix {
    fn add(&mut self, code: u8, call: Call) {
        self.calls.push(call);
        *self.codes.entry(code).or_default() += 1;
    }
}

pub fn run(report: &mut Report) {
    // More different deliveries than are remembered, so that nothing is left to grow.
    let (total, distinct) = report.length.pick((400_000, 2_000), (10_000_000, 120_000));
    let remembered = report.length.pick("repeats: {entries_max: 1000}\n", "");
    let shop = Shop::all(remembered);
    let gateways = shop.one_each().len();
    let mix = mix(&shop, distinct);
    let server = Server::start(&shop.config);
    let target = server.target();
    let load = |count: u64| {
        Plan { connections: 4, streams: 12, count, ..Plan::new(&target, &mix.calls) }.run()
    };
    // Each call once, and once more, before anything is counted.
    let size = mix.calls.len() as u64;
    let mut found = load(size * report.length.pick(4, 2));
    let over = AtomicBool::new(false);
    let points = std::thread::scope(|scope| {
        let watched = scope.spawn(|| watch(&server, &over));
        while found.answered() < total {
            found = std::mem::take(&mut found).merge(&load(size * (200_000 / size).max(1)));
        }
        over.store(true, Ordering::Relaxed);
        watched.join().expect("the watcher ran")
    });
    tell(report, &server, &mix, &found, &points, gateways);
}

/// How many calls were counted, and how much memory there was then.
type Point = (f64, f64);

fn watch(server: &Server, over: &AtomicBool) -> Vec<Point> {
    let mut points = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let calls = server.metric("payhook_verifications_total");
        points.push((calls / 1e6, server.rss() as f64 / 1024.0));
        std::thread::sleep(Duration::from_millis(250));
    }
    points
}

/// Megabytes a million calls, by least squares.
fn slope(points: &[Point]) -> f64 {
    let count = points.len() as f64;
    let mean = |of: fn(&Point) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let over: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let under: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    over / under
}

fn tell(
    report: &mut Report,
    server: &Server,
    mix: &Mix,
    found: &Found,
    points: &[Point],
    gateways: usize,
) {
    let total = found.answered();
    let size = mix.calls.len() as u64;
    // Closed loops end a few calls late: each kind comes as often as its share, within those.
    let off = mix.codes.iter().map(|(code, share)| {
        let wanted = total as f64 * *share as f64 / size as f64;
        (found.code(*code) as f64 - wanted).abs()
    });
    let off = off.fold(0.0, f64::max);
    let codes: u64 = mix.codes.keys().map(|code| found.code(*code)).sum();
    let goal = format!("{total} calls of {gateways} gateways: each is answered as it must be");
    let fine = found.lost == 0 && codes == total && off <= total as f64 * 0.002;
    report.must(&goal, found.summary(), fine);
    let rss = server.rss_peak();
    report.must("memory <= 48 MB", mb(rss), rss <= MEMORY_KIB);
    let slope = slope(points);
    let measured = format!("{slope:+.3} MB per million, {} readings", points.len());
    let goal = "memory's slope <= 0.1 MB per million";
    if report.length == crate::report::Length::Full {
        report.must(goal, measured, slope <= 0.1);
    } else {
        // A million calls are not made in seconds: the allocator's own steps would decide.
        let (first, last) = (points.first(), points.last());
        let more = last.zip(first).map_or(f64::MAX, |(last, first)| last.1 - first.1);
        report.tell(goal, measured);
        report.must("memory after warming up: + < 2 MB", format!("{more:+.2} MB"), more < 2.0);
    }
    let panics = server.metric("payhook_panics_total");
    report.must("panics", format!("{panics}"), panics == 0.0);
    let (rate, seconds) = (found.answered() as f64 / found.elapsed.as_secs_f64(), found.elapsed);
    report.tell("calls a second", format!("{rate:.0} in the last {seconds:.1?}"));
}

/// Good, forged, stale, unknown and malformed, of all gateways, mixed.
fn mix(shop: &Shop, distinct: usize) -> Mix {
    let good = shop.webhooks();
    let mut mix = Mix::default();
    let many = shop.distinct("stripe", distinct);
    let (stale, unreadable) = (shop.stale().call(), shop.unreadable().call());
    // Seven of ten are good; the rest is spread evenly between them.
    for (at, call) in many.iter().enumerate() {
        mix.add(0, call.call());
        if at % 2 == 0 {
            mix.add(0, good[at / 2 % good.len()].call());
        }
        if at % 2 == 1 {
            let (code, call) = bad(&good, &stale, &unreadable, at / 2);
            mix.add(code, call);
        }
    }
    mix
}

/// One of the bad kinds.
fn bad(good: &[Webhook], stale: &Call, unreadable: &Call, at: usize) -> (u8, Call) {
    let webhook = &good[at / KINDS % good.len()];
    match at % KINDS {
        0 => (UNAUTHENTICATED, forged(webhook)),
        1 => (UNAUTHENTICATED, stale.clone()),
        2 => {
            let mut unknown = webhook.clone();
            unknown.0.variant = format!("nobody-{at}");
            (NOT_FOUND, unknown.call())
        }
        3 => (INVALID_ARGUMENT, unreadable.clone()),
        4 => {
            let mut broken = webhook.clone();
            let value = "a\r\nb".to_owned();
            broken.0.headers.push(proto::HttpHeader { name: "x-broken".to_owned(), value });
            (INVALID_ARGUMENT, broken.call())
        }
        5 => (INTERNAL, Call::new(VERIFY, &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])),
        6 => (UNIMPLEMENTED, Call::new("/payhook.v1.PaymentWebhookService/Nothing", &[])),
        7 => {
            let mut naked = webhook.clone();
            naked.0.headers.clear();
            naked.0.variant = "stripe".to_owned();
            (UNAUTHENTICATED, naked.call())
        }
        8 => {
            let mut large = webhook.clone();
            large.0.body = vec![b' '; 60_000].into();
            large.0.variant = "stripe".to_owned();
            (UNAUTHENTICATED, large.call())
        }
        _ => (0, Call::new(LIST, &[])),
    }
}

/// The same webhook with another body.
fn forged(webhook: &Webhook) -> Call {
    let mut forged = webhook.clone();
    forged.0.variant = "stripe".to_owned();
    let signature = format!("t={},v1={}", 1_700_000_000, "0".repeat(64));
    let name = "Stripe-Signature".to_owned();
    forged.0.headers = vec![proto::HttpHeader { name, value: signature }];
    forged.call()
}

const KINDS: usize = 10;
const INVALID_ARGUMENT: u8 = 3;
const NOT_FOUND: u8 = 5;
const UNIMPLEMENTED: u8 = 12;
const INTERNAL: u8 = 13;
const UNAUTHENTICATED: u8 = 16;
