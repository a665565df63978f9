//! Goal 2: what a webhook costs as a multiple of the HMAC that no implementation can avoid.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{calls, calls::Calls, ratio::Ratio, rows::Rows, signed::Webhook};

/// Prints the ratios at both sizes, and those of every gateway to the HMAC of its own bytes.
pub fn run(short: bool, rows: &mut Rows) {
    let rounds = if short { 11 } else { 101 };
    println!("ratios to the bare HMAC-SHA-256 of the same body, {rounds} rounds in turns");
    let goals = [(Webhook::e3(), 3.2), (Webhook::e30(), 2.3)];
    for (webhook, reply_max) in &goals {
        let [null, verify, parse, reply, wire] = arms(webhook, rounds);
        let size = webhook.name.rsplit(' ').next().unwrap_or_default();
        rows.row(&format!("2 {size} null"), null, "the HMAC against itself", None);
        rows.row(&format!("2 {size} verify"), verify, "verify / HMAC", Some((1.05, "<=")));
        rows.row(&format!("2 {size} parse"), parse, "verify + parse / HMAC", None);
        let told = "the service, from message to message / HMAC";
        rows.row(&format!("2 {size} reply"), reply, told, Some((*reply_max, "<=")));
        let told = "with protobuf, from bytes to bytes / HMAC";
        rows.row(&format!("2 {size} wire"), wire, told, None);
    }
    for webhook in &Webhook::all()[2..] {
        let [null, verify, parse, reply, _] = arms(webhook, rounds / 4 + 7);
        println!(
            "{:20} {:6} B  null {:.2}  verify {:.2}  + parse {:.2}  + reply {:.2}",
            webhook.name,
            webhook.signed.body.len(),
            null.middle,
            verify.middle,
            parse.middle,
            reply.middle
        );
    }
}

/// HMAC again, verify, verify + parse, with the reply, and that with protobuf both ways: each to
/// the HMAC of the same round.
fn arms(webhook: &Webhook, rounds: usize) -> [Ratio; 5] {
    let headers = webhook.headers();
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
    let body = webhook.signed.body.as_slice();
    let hmac = || {
        let mut running = keyed.clone();
        running.update(black_box(body));
        black_box(running.finalize());
    };
    let verify = || drop(black_box(webhook.verify(black_box(&headers))));
    let parse = || {
        let verified = webhook.verify(black_box(&headers));
        black_box(webhook.parse(&verified));
    };
    // Where the gateway itself is asked there is no answer without a network.
    let calls =
        (!webhook.asks_outside()).then(|| Calls::new(std::slice::from_ref(webhook)).warm(webhook));
    let request = calls::request(webhook);
    let reply = |repeats| match &calls {
        Some(calls) => reply_time(calls, &request, repeats),
        None => time(&parse, repeats),
    };
    let wire = || match &calls {
        Some(calls) => drop(black_box(calls.verify_and_parse(black_box(&request)))),
        None => parse(),
    };
    let all: [&dyn Fn(u32) -> Duration; 6] = [
        &|repeats| time(&hmac, repeats),
        &|repeats| time(&hmac, repeats),
        &|repeats| time(&verify, repeats),
        &|repeats| time(&parse, repeats),
        &reply,
        &|repeats| time(&wire, repeats),
    ];
    let repeats = all.map(|arm| {
        let one = arm(64).max(Duration::from_nanos(64)) / 64;
        (SLICE.as_nanos() / one.as_nanos().max(1)).clamp(1, 10_000) as u32
    });
    let mut found: Vec<[f64; 6]> = Vec::new();
    for round in 0..rounds {
        let mut row = [0.0; 6];
        for step in 0..6 {
            // Each round begins with another one: no arm always follows the same pause.
            let at = (step + round) % 6;
            row[at] = all[at](repeats[at]).as_nanos() as f64 / f64::from(repeats[at]);
        }
        found.push(row);
    }
    [1, 2, 3, 4, 5].map(|at| Ratio::of(found.iter().map(|row| (row[at], row[0]))))
}

fn time(arm: &dyn Fn(), repeats: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..repeats {
        arm();
    }
    started.elapsed()
}

/// The requests are there before the clock starts, as they are when the service is called.
fn reply_time(calls: &Calls, request: &bytes::Bytes, repeats: u32) -> Duration {
    let requests: Vec<_> = (0..repeats).map(|_| calls::decode(request)).collect();
    let started = Instant::now();
    for request in requests {
        black_box(calls.answer(black_box(request)));
    }
    started.elapsed()
}

/// How long one arm runs in one round: shorter than a scheduler's slice, longer than its clock.
const SLICE: Duration = Duration::from_micros(500);
