//! One verification, and one with reading, of every gateway, for valgrind to count the
//! instructions of: `benches/budget/run.sh`. Without arguments it prints what there is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

#[path = "../common/events.rs"]
mod events;
#[path = "../common/signed.rs"]
mod signed;

use std::hint::black_box;

use signed::Webhook;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match &arguments[..] {
        [_, name, kind] if KINDS.contains(&kind.as_str()) => once(name, kind),
        _ => {
            for name in Webhook::names() {
                for kind in KINDS {
                    println!("{name}:{kind}");
                }
            }
        }
    }
}

fn once(name: &str, kind: &str) {
    let webhook = Webhook::named(name);
    let headers = webhook.headers();
    let verify = || drop(black_box(webhook.verify(black_box(&headers))));
    let parse = || {
        let verified = webhook.verify(black_box(&headers));
        black_box(webhook.parse(&verified));
    };
    let arm: &dyn Fn() = if kind == KINDS[0] { &verify } else { &parse };
    // What is set up once per process is not what a webhook costs.
    arm();
    payhook_budget_once(arm);
}

const KINDS: [&str; 2] = ["verify", "verify+parse"];

/// The script collects inside of this function alone.
#[inline(never)]
fn payhook_budget_once(arm: &dyn Fn()) {
    arm();
    black_box(());
}
