//! Goal 2: what a webhook costs as a multiple of the HMAC that no implementation can avoid.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::IgnoredAny;
use sha2::Sha256;

use crate::{calls, calls::Calls, ratio::Ratio, rows::Rows, signed::Webhook};

/// Prints the ratios at both sizes, and those of every gateway to the HMAC of its own bytes.
pub fn run(short: bool, rows: &mut Rows) {
    let rounds = if short { 11 } else { 101 };
    println!("ratios to the bare HMAC-SHA-256 of the same body, {rounds} rounds in turns");
    let goals = [(Webhook::e3(), 3.2), (Webhook::e30(), 2.3)];
    for (webhook, reply_max) in &goals {
        let Arms { null, verify, parse, reply, wire, skip, hmac } = arms(webhook, rounds);
        let size = webhook.name.rsplit(' ').next().unwrap_or_default();
        rows.row(&format!("2 {size} null"), null, "the HMAC against itself", None);
        rows.row(&format!("2 {size} verify"), verify, "verify / HMAC", Some((1.05, "<=")));
        rows.row(&format!("2 {size} parse"), parse, "verify + parse / HMAC", None);
        let told = "the service, from message to message / HMAC";
        rows.row(&format!("2 {size} reply"), reply, told, Some((*reply_max, "<=")));
        let told = "with protobuf, from bytes to bytes / HMAC";
        rows.row(&format!("2 {size} wire"), wire, told, None);
        let told = "serde_json reading the JSON over, keeping nothing / HMAC";
        rows.row(&format!("2 {size} skip"), skip, told, None);
        rows.figure(&format!("2 {size} hmac"), hmac, "us", "the HMAC", None);
    }
    for webhook in &Webhook::all()[2..] {
        let Arms { null, verify, parse, reply, .. } = arms(webhook, rounds / 4 + 7);
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

/// Each to the HMAC of the same round.
struct Arms {
    /// The HMAC again.
    null: Ratio,
    verify: Ratio,
    /// Verified and parsed.
    parse: Ratio,
    /// With the reply.
    reply: Ratio,
    /// With protobuf both ways.
    wire: Ratio,
    /// What no parser over serde_json avoids.
    skip: Ratio,
    /// The HMAC in microseconds.
    hmac: f64,
}

fn arms(webhook: &Webhook, rounds: usize) -> Arms {
    let headers = webhook.headers();
    let keyed = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("any length");
    let body = webhook.signed.body.as_slice();
    let hmac = || {
        let mut running = keyed.clone();
        running.update(black_box(body));
        black_box(running.finalize());
    };
    let verify = || {
        let verified = webhook.check(black_box(&headers));
        assert!(black_box(&verified).is_ok());
    };
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
    let skip = || drop(black_box(serde_json::from_slice::<IgnoredAny>(black_box(body))));
    let all: [&dyn Fn(u32) -> Duration; ARMS] = [
        &|repeats| time(&hmac, repeats),
        &|repeats| time(&hmac, repeats),
        &|repeats| time(&verify, repeats),
        &|repeats| time(&parse, repeats),
        &reply,
        &|repeats| time(&wire, repeats),
        &|repeats| time(&skip, repeats),
    ];
    let repeats = all.map(|arm| {
        let one = arm(64).max(Duration::from_nanos(64)) / 64;
        (SLICE.as_nanos() / one.as_nanos().max(1)).clamp(1, 10_000) as u32
    });
    let mut found: Vec<[f64; ARMS]> = Vec::new();
    for round in 0..rounds {
        let mut row = [0.0; ARMS];
        for step in 0..ARMS {
            // Each round begins with another one: no arm always follows the same pause.
            let at = (step + round) % ARMS;
            row[at] = all[at](repeats[at]).as_nanos() as f64 / f64::from(repeats[at]);
        }
        found.push(row);
    }
    let [null, verify, parse, reply, wire, skip] =
        [1, 2, 3, 4, 5, 6].map(|at| Ratio::of(found.iter().map(|row| (row[at], row[0]))));
    let mut hmacs: Vec<f64> = found.iter().map(|row| row[0]).collect();
    hmacs.sort_unstable_by(f64::total_cmp);
    let hmac = hmacs[hmacs.len() / 2] / 1e3;
    Arms { null, verify, parse, reply, wire, skip, hmac }
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

/// The HMAC twice, then what is compared with it.
const ARMS: usize = 7;

/// How long one arm runs in one round: shorter than a scheduler's slice, longer than its clock.
const SLICE: Duration = Duration::from_micros(500);
