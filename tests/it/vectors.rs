//! Every vector of every gateway at the core, and every accepted one again with bits flipped.

use std::sync::atomic::{AtomicUsize, Ordering};

use payhook::{
    gateway::GATEWAYS,
    verify::{
        Verifier,
        scheme::{Assurance, Encoding, Part},
    },
};
use serde_json::Value;

use crate::cases::{self, Case};

#[test]
fn every_vector_comes_to_what_it_expects() {
    let (mut run, mut wrong) = (0, Vec::new());
    for gateway in GATEWAYS {
        for case in cases::cases(gateway.name) {
            run += 1;
            let outcome = cases::outcome(&case, &cases::verifier(&case));
            let expected = cases::expected(&case);
            if outcome != expected {
                wrong.push(format!("{}\n  expected {expected}\n  came to  {outcome}", case.id));
            }
        }
    }
    assert!(run >= 174, "only {run} vectors were found");
    assert!(wrong.is_empty(), "{} of {run} vectors:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_flipped_bit_is_accepted() {
    let verified = |case: &Case| {
        case.expect["verdict"] == "verified" && case.expect.get("challenge_reply").is_none()
    };
    let cases: Vec<Case> =
        GATEWAYS.iter().flat_map(|it| cases::cases(it.name)).filter(verified).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        let (mut flipped, mut accepted) = (0, Vec::new());
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (count, wrong) = flips_of(case);
            flipped += count;
            accepted.extend(wrong);
        }
        (flipped, accepted)
    };
    let (mut flipped, mut accepted) = (0, Vec::new());
    std::thread::scope(|scope| {
        let workers = [(); 4].map(|()| scope.spawn(worker));
        for (count, wrong) in workers.map(|it| it.join().expect("the worker ends")) {
            flipped += count;
            accepted.extend(wrong);
        }
    });
    assert!(flipped > 200_000, "only {flipped} mutants were run");
    assert!(accepted.is_empty(), "{} of {flipped}:\n{}", accepted.len(), accepted.join("\n"));
}

/// How many mutants of an accepted vector were run, and which were accepted too.
fn flips_of(case: &Case) -> (usize, Vec<String>) {
    let verifier = cases::verifier(case);
    let mutants = mutants(case, &verifier);
    // An unreadable payload is a refusal too, but only a broken signature is what a flipped bit
    // must lead to.
    let accepted = mutants
        .iter()
        .filter(|(_, mutant)| cases::outcome(mutant, &verifier)["verdict"] == "verified")
        .map(|(what, _)| format!("{}: {what}", case.id));
    (mutants.len(), accepted.collect())
}

/// The case with bits flipped in the signature's text and in the signed bytes.
fn mutants(case: &Case, verifier: &Verifier) -> Vec<(String, Case)> {
    let scheme = verifier.scheme();
    let mut found = Vec::new();
    let signs_body = scheme.assurance == Assurance::BodySigned
        && scheme.signed.iter().all(|template| template.contains(&Part::Body));
    if signs_body {
        let body = case.request.body();
        for (byte, bit) in positions(body.len()) {
            let mut changed = body.clone();
            changed[byte] ^= 1 << bit;
            let mut mutant = case.clone();
            mutant.request.set_body(&changed);
            found.push((format!("body byte {byte} bit {bit}"), mutant));
        }
    }
    for name in scheme.carriers() {
        let own = |header: &String| header.eq_ignore_ascii_case(name);
        let values = case.request.headers.iter().filter(|(header, _)| own(header));
        let longest = values.map(|(_, value)| value.len()).max().unwrap_or_default();
        for (character, bit) in (0..longest).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut mutant = case.clone();
            for (_, value) in mutant.request.headers.iter_mut().filter(|(header, _)| own(header)) {
                *value = flip_tokens(value, scheme.encoding, character, bit);
            }
            if mutant.request.headers != case.request.headers {
                found.push((format!("{name}: character {character} bit {bit}"), mutant));
            }
        }
    }
    found
}

/// Flips one bit in every token that can be a signature or a time, so that the one that counts is
/// among them whichever it is: of what a character of a signature encodes, and of a digit.
fn flip_tokens(value: &str, encoding: Encoding, character: usize, bit: u32) -> String {
    let separators = [',', ';', '=', ' ', '|'];
    let alphabet = match encoding {
        Encoding::Base64 => BASE64,
        Encoding::CipherHex | Encoding::Hex | Encoding::LowerHexText => HEX,
    };
    let flip = |token: &str| -> String {
        let digits = token.bytes().all(|byte| byte.is_ascii_digit());
        let alphabet = match token.len() {
            20.. => alphabet,
            9..=13 if digits => "0123456789",
            _ => return token.to_owned(),
        };
        let flipped = |(at, old): (usize, char)| {
            let lower = if alphabet == HEX { old.to_ascii_lowercase() } else { old };
            let index = alphabet.find(lower).filter(|_| at == character % token.len());
            let index = index.map(|index| index ^ (1 << bit));
            index.and_then(|index| alphabet.chars().nth(index)).unwrap_or(old)
        };
        token.chars().enumerate().map(flipped).collect()
    };
    let (mut text, mut token) = (String::new(), String::new());
    for character in value.chars() {
        if separators.contains(&character) {
            text.push_str(&flip(&token));
            token.clear();
            text.push(character);
        } else {
            token.push(character);
        }
    }
    text.push_str(&flip(&token));
    text
}

#[test]
fn the_flips_reach_signatures_and_times() {
    let flip = |value, at, bit| flip_tokens(value, Encoding::LowerHexText, at, bit);
    let tag = "0123456789abcdef0123456789abcdef";
    let header = format!("t=1700000000,v1={tag}");
    assert_eq!(flip(&header, 0, 0), format!("t=0700000000,v1=1{}", &tag[1..]));
    assert_eq!(flip(&header, 1, 3), format!("t=1700000000,v1=0{}{}", 9, &tag[2..]));
    assert_eq!(flip(&header, 9, 0), format!("t=1700000001,v1={}8{}", &tag[..9], &tag[10..]));
    assert_eq!(flip("v1=short", 0, 0), "v1=short");
    let encoded = "AAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(flip_tokens(encoded, Encoding::Base64, 0, 5), format!("g{}", &encoded[1..]));
}

const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &str = "0123456789abcdef";

/// Every bit up to 1 KiB, else 512 spread positions and both ends.
fn positions(length: usize) -> Vec<(usize, u32)> {
    if length <= 1024 {
        return (0..length).flat_map(|byte| (0..8).map(move |bit| (byte, bit))).collect();
    }
    let spread = (0..512).map(|step| (step * length / 512, (step % 8) as u32));
    let ends = [0, 1, length - 2, length - 1].into_iter().map(|byte| (byte, 0));
    spread.chain(ends).collect()
}

/// The 1,000,000-byte body that is too large to be stored as a vector.
#[test]
fn a_body_of_a_million_bytes_is_verified_and_read() {
    let mut case = cases::cases("stripe")
        .into_iter()
        .find(|case| case.id == "stripe/body/unknown-fields")
        .expect("the row exists");
    let verifier = cases::verifier(&case);
    let body = case.request.body();
    let text = String::from_utf8(body).expect("the row is UTF-8");
    let at = text.find('{').expect("an object") + 1;
    let filler = 1_000_000 - text.len() - r#""filler":"","#.len();
    let body = format!("{}\"filler\":\"{}\",{}", &text[..at], "x".repeat(filler), &text[at..]);
    assert_eq!(body.len(), 1_000_000);
    case.request.set_body(body.as_bytes());
    let refused = cases::outcome(&case, &verifier);
    assert_eq!(refused["reason"], "SIGNATURE_MISMATCH");
    case.request.headers = sign_stripe(&case, body.as_bytes());
    let outcome = cases::outcome(&case, &verifier);
    assert_eq!(outcome["verdict"], Value::from("verified"), "{outcome}");
    assert_eq!(outcome["events"], cases::expected(&case)["events"]);
}

fn sign_stripe(case: &Case, body: &[u8]) -> Vec<(String, String)> {
    use hmac::{KeyInit as _, Mac as _};
    let secret = case.variant.keys[0]["endpoint_secret"].as_str().expect("a text").trim();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{}.", case.now).as_bytes());
    mac.update(body);
    let tag: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    vec![("Stripe-Signature".to_owned(), format!("t={},v1={tag}", case.now))]
}
