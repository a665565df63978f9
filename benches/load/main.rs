//! Load, faults and attacks against the real binary: `cargo bench --bench load -- <scenario>`.
//! docs/load.md says what each scenario measures and how.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

mod client;
mod histogram;
mod hpack;
mod server;
mod webhooks;
mod wire;

use std::time::Duration;

fn main() {
    histogram::check();
    let shop = webhooks::Shop::stripes("", 10);
    let calls: Vec<_> = shop.webhooks().iter().map(webhooks::Webhook::call).collect();
    let server = server::Server::start(&shop.config);
    let target = server.target();
    println!("ready after {:?}, rss {} KiB", server.ready_after, server.rss());
    for (connections, streams) in [(1, 1), (1, 50), (4, 50), (16, 100)] {
        let plan = client::Plan {
            connections,
            streams,
            time: Duration::from_secs(2),
            ..client::Plan::new(&target, &calls)
        };
        let cpu = server.cpu();
        let found = plan.run();
        println!(
            "{connections}x{streams}: {:.0}/s, p50 {:?}, p99 {:?}, {}, cpu/call {:?}, rss {}",
            found.goodput(),
            found.latency.p50(),
            found.latency.p99(),
            found.summary(),
            (server.cpu() - cpu) / found.answered() as u32,
            server.rss(),
        );
    }
    let plan = client::Plan {
        connections: 4,
        streams: 100,
        rate: Some(10_000.0),
        time: Duration::from_secs(2),
        ..client::Plan::new(&target, &calls)
    };
    let found = plan.run();
    println!(
        "10000/s: {:.0}/s p50 {:?} p99 {:?} late p99 {:?} {}",
        found.goodput(),
        found.latency.p50(),
        found.latency.p99(),
        found.lateness.p99(),
        found.summary()
    );
}
