//! Every vector of every gateway at the core, and every accepted one again with bits flipped.

use payhook::{
    gateway::GATEWAYS,
    verify::{
        Verifier,
        scheme::{Assurance, Part, Source},
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
    let (mut flipped, mut accepted) = (0, Vec::new());
    for gateway in GATEWAYS {
        for case in cases::cases(gateway.name) {
            if case.expect["verdict"] != "verified" || case.expect.get("challenge_reply").is_some()
            {
                continue;
            }
            let verifier = cases::verifier(&case);
            for (what, mutant) in mutants(&case, &verifier) {
                flipped += 1;
                let outcome = cases::outcome(&mutant, &verifier);
                // An unreadable payload is a refusal too, but only a broken signature is what
                // a flipped bit must lead to.
                if outcome["verdict"] == "verified" {
                    accepted.push(format!("{}: {what}", case.id));
                }
            }
        }
    }
    assert!(flipped > 10_000, "only {flipped} mutants were run");
    assert!(accepted.is_empty(), "{} of {flipped}:\n{}", accepted.len(), accepted.join("\n"));
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
    if let Source::Header(name) | Source::HeaderAny(name) = &scheme.source {
        for step in 0..64 {
            let mut mutant = case.clone();
            for (header, value) in &mut mutant.request.headers {
                if header.eq_ignore_ascii_case(name) {
                    *value = flip_tokens(value, step);
                }
            }
            if mutant.request.headers != case.request.headers {
                found.push((format!("signature character {step}"), mutant));
            }
        }
    }
    found
}

/// Flips one bit of one character in every token that is long enough to be a signature, so that
/// the one that matched is among them whichever it is.
fn flip_tokens(value: &str, step: usize) -> String {
    let separators = [',', ';', '=', ' ', '|'];
    let flip = |token: &str| -> String {
        let signature = token.len() >= 20;
        let mut at = 0;
        token
            .chars()
            .map(|character| {
                let here = signature && at == step % token.len().max(1);
                at += 1;
                match character {
                    '0'..='9' | 'a'..='f' | 'A'..='F' if here => {
                        let digit = character.to_digit(16).expect("a hexadecimal digit") ^ 1;
                        std::char::from_digit(digit, 16).expect("below 16")
                    }
                    'g'..='y' | 'G'..='Y' if here => {
                        char::from_u32(u32::from(character) ^ 1).expect("a letter")
                    }
                    'z' if here => 'y',
                    'Z' if here => 'Y',
                    '+' if here => '/',
                    '/' if here => '+',
                    other => other,
                }
            })
            .collect()
    };
    let mut text = String::new();
    let mut token = String::new();
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
