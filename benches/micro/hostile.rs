//! A signed body of 5 MB whose XML is made to cost: it must be refused at once, in little memory.

use std::time::Instant;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use payhook::verify::{CheckTime, Draft, Header, Request, Step, Unverified};

use crate::{
    rows::Rows,
    signed::{NOW, Webhook},
};

/// Prints how long the slowest of the hostile documents took, and what it asked for.
pub fn run(short: bool, rows: &mut Rows) {
    let (mut slowest, mut most) = (0.0_f64, 0);
    for (name, document) in documents() {
        let (milliseconds, bytes) = refuse(document.as_bytes(), if short { 3 } else { 15 });
        println!("{name:20} {:8} B refused after {milliseconds:.2} ms", document.len());
        slowest = slowest.max(milliseconds);
        most = most.max(bytes);
    }
    let what = "hostile XML of 5 MB refused, the slowest of four";
    rows.figure("xml time", slowest, "ms", what, Some(20.0));
    rows.figure("xml wire", most as f64 / 1e6, "MB", "its body on the wire", None);
}

/// Entities that double, a deep nest, many nodes, many attributes.
fn documents() -> [(&'static str, String); 4] {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE n [<!ENTITY a0 \"lol\">");
    for at in 1..64 {
        bomb.push_str(&format!("<!ENTITY a{at} \"&a{};&a{};\">", at - 1, at - 1));
    }
    bomb.push_str("]><notification><kind>&a63;</kind>");
    bomb.push_str(&"<x>&a63;</x>".repeat((SIZE - bomb.len()) / 12));
    let deep = "<a>".repeat(SIZE / 3);
    let many = format!("<notification>{}</notification>", "<a/>".repeat(SIZE / 4));
    let attributes: String = (0..SIZE / 12).map(|at| format!(" a{at}=\"\"")).collect();
    let attributes = format!("<notification{attributes}/>");
    [("entities", bomb), ("deep", deep), ("many", many), ("attributes", attributes)]
}

fn refuse(document: &[u8], rounds: usize) -> (f64, usize) {
    let braintree = payhook::gateway::find("braintree").expect("a gateway");
    let genuine = Webhook::new("hostile", braintree, b"<notification/>");
    let draft = Draft { url: "", headers: &[], payload: document };
    let signed = genuine.verifier.sign(draft, NOW).expect("signed with its own key");
    let headers: Vec<Header<'_>> = Vec::new();
    let request =
        Request { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    // The signature and the base64 that carries it are paid for by every body of this size: what
    // counts is what reading it adds.
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..rounds {
        let check = match Unverified::new(request).check_with(&genuine.verifier) {
            Ok(Step::Ready(check)) => check,
            other => panic!("{other:?}"),
        };
        let verified = check.run(CheckTime::now(NOW)).expect("signed above");
        let started = Instant::now();
        let refused = (braintree.parse)(&verified);
        times.push(started.elapsed().as_secs_f64() * 1e3);
        assert!(refused.is_err(), "a hostile document was read");
    }
    times.sort_by(f64::total_cmp);
    assert!(signed.body.len() > STANDARD.encode(document).len());
    (times[times.len() / 2], signed.body.len())
}

const SIZE: usize = 5_000_000;
