//! What verifying, reading and answering cost in process: `just bench`.
//!
//! First the ratios to the bare HMAC of the same bytes, measured in turns within one run; then a
//! table of times and allocations. `-- --ratios` leaves the table out, `-- --short` also measures fewer
//! rounds.

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
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

#[path = "../common/calls.rs"]
mod calls;
#[path = "../common/events.rs"]
mod events;
mod hostile;
#[path = "../common/ratio.rs"]
mod ratio;
mod ratios;
#[path = "../common/rows.rs"]
mod rows;
#[path = "../common/signed.rs"]
mod signed;

use divan::{AllocProfiler, Bencher, black_box, counter::BytesCount};
use signed::Webhook;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    ratio::check();
    // Cargo itself adds `--bench`; the rest is ours, and divan's is left at what it is.
    let short = std::env::args().any(|argument| argument == "--short");
    let mut rows = rows::Rows::new("micro");
    ratios::run(short, &mut rows);
    hostile::run(short, &mut rows);
    rows.write();
    let ratios_only = std::env::args().any(|argument| argument == "--ratios");
    if !short && !ratios_only {
        divan::Divan::default().run_benches();
    }
}

#[divan::bench(args = Webhook::names())]
fn verify(bencher: Bencher<'_, '_>, name: &str) {
    let webhook = Webhook::named(name);
    let headers = webhook.headers();
    let bytes = BytesCount::new(webhook.signed.body.len());
    bencher.counter(bytes).bench_local(|| webhook.verify(black_box(&headers)));
}

#[divan::bench(args = Webhook::names())]
fn verify_and_parse(bencher: Bencher<'_, '_>, name: &str) {
    let webhook = Webhook::named(name);
    let headers = webhook.headers();
    let bytes = BytesCount::new(webhook.signed.body.len());
    bencher.counter(bytes).bench_local(|| {
        let verified = webhook.verify(black_box(&headers));
        webhook.parse(&verified).len()
    });
}

#[divan::bench(args = Webhook::names())]
fn answer(bencher: Bencher<'_, '_>, name: &str) {
    let webhook = Webhook::named(name);
    if webhook.asks_outside() {
        return;
    }
    let request = calls::request(&webhook);
    let calls = calls::Calls::new(std::slice::from_ref(&webhook)).warm(&webhook);
    bencher.bench_local(|| calls.verify_and_parse(black_box(&request)));
}

#[divan::bench]
fn map_status(bencher: Bencher<'_, '_>) {
    let (calls, request) = (calls::Calls::new(&[Webhook::e3()]), calls::map_request());
    bencher.bench_local(|| calls.map_status(black_box(&request)));
}
