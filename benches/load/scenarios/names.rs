//! Names that nobody configured: a million of them leave nothing behind.

use std::time::Duration;

use super::mb;
use crate::{
    client::{Found, Plan},
    report::Report,
    server::Server,
    webhooks::{Shop, Webhook},
    wire::Call,
};

pub fn run(report: &mut Report) {
    let total = report.length.pick(100_000, 1_000_000);
    let shop = Shop::stripes("", 10);
    let webhooks = shop.one_each();
    let good: Vec<_> = webhooks.iter().map(Webhook::call).collect();
    let server = Server::start(&shop.config);
    let target = server.target();
    let plan = |calls: &[Call]| {
        let count = calls.len() as u64;
        Plan { connections: 4, streams: 12, count, ..Plan::new(&target, calls) }.run()
    };
    let mut round = 0_u64;
    let mut batch = |size: u64| {
        round += 1;
        let calls: Vec<_> = (0..size).map(|at| unknown(&webhooks[0], round, at)).collect();
        plan(&calls)
    };
    // What any load leaves behind, refused or not, is there before the names are counted.
    for _ in 0..200 {
        plan(&good.iter().cycle().take(500).cloned().collect::<Vec<_>>());
    }
    batch(BATCH);
    std::thread::sleep(Duration::from_millis(200));
    let (memory, series) = (server.rss(), server.series());
    let mut found = Found::default();
    while found.answered() < total {
        found = found.merge(&batch(BATCH));
    }
    std::thread::sleep(Duration::from_millis(200));
    let more = server.rss().saturating_sub(memory);
    let goal = format!("{total} random names: memory + < 4 MB");
    let measured = format!("+ {} on {}", mb(more), mb(memory));
    report.must(&goal, measured, more < 4 * 1024);
    let after = server.series();
    report.must("series constant", format!("{series} before, {after} after"), series == after);
    let refused = found.answers.get(&(5, "VARIANT_UNKNOWN".to_owned())).copied().unwrap_or(0);
    let fine = refused == found.answered() && found.lost == 0 && refused >= total;
    report.must("each is NOT_FOUND", found.summary(), fine);
}

/// A name of its own, of any allowed length, sometimes not even allowed.
fn unknown(like: &Webhook, round: u64, at: u64) -> Call {
    let mut bits = round << 32 | at;
    let mut text = String::new();
    for _ in 0..2 {
        // One step of SplitMix64.
        bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        text += &format!("{:016x}", mixed ^ mixed >> 31);
    }
    let length = 8 + (bits % 24) as usize;
    let mut webhook = like.clone();
    webhook.0.variant = format!("{}-{}", &text[..length], at);
    webhook.0.body = bytes::Bytes::from_static(b"{}");
    webhook.call()
}

const BATCH: u64 = 50_000;
