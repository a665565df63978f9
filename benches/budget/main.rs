//! One verification, and one with reading, of every gateway, for valgrind to count the
//! instructions of: `benches/budget/run.sh`. On its own it only prints the names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

#[path = "../shared/events.rs"]
mod events;
#[path = "../shared/signed.rs"]
mod signed;

use std::hint::black_box;

use signed::Webhook;

fn main() {
    for webhook in Webhook::all() {
        let headers = webhook.headers();
        let verify = || drop(black_box(webhook.verify(black_box(&headers))));
        let parse = || {
            let verified = webhook.verify(black_box(&headers));
            black_box(webhook.parse(&verified));
        };
        let name = webhook.name.replace(' ', "_");
        for (kind, arm) in [("verify", &verify as &dyn Fn()), ("verify+parse", &parse)] {
            // What is set up once per process is not what a webhook costs.
            arm();
            payhook_budget_once(arm);
            println!("{name} {kind}");
        }
    }
}

/// The script collects inside of this function alone, and dumps when it returns.
#[inline(never)]
fn payhook_budget_once(arm: &dyn Fn()) {
    arm();
    black_box(());
}
