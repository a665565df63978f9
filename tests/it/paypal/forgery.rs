//! Forged deliveries: flipped bits, exchanged parts, and bodies with the same checksum.

use payhook::verify::Verifier;
use serde_json::json;

use super::{
    Authority, BODY, LIVE_URL, NOW, WEBHOOK_ID, delivery, judge, root, signed_delivery,
    try_verifier, verifier,
};

fn shop(root: &Authority) -> Verifier {
    verifier(json!({ "trust_anchors": root.pem }))
}

fn label(verifier: &Verifier, headers: &[(String, String)], body: &[u8], chain: &str) -> String {
    match judge(verifier, headers, body, chain, NOW, |_| ()) {
        Ok(()) => "accepted".to_owned(),
        Err(rejection) => rejection.label().to_owned(),
    }
}

#[test]
fn every_flipped_bit_of_body_headers_and_signature_is_refused() {
    let root = root(|_| {});
    let (shop, chain) = (shop(&root), root.leaf(|_| {}));
    let genuine = delivery("3f2a-11ee", LIVE_URL, BODY.as_bytes());
    assert_eq!(label(&shop, &genuine, BODY.as_bytes(), &chain), "accepted");
    let mut flipped = 0;
    for (byte, bit) in (0..BODY.len()).flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
        let mut body = BODY.as_bytes().to_vec();
        body[byte] ^= 1 << bit;
        assert_eq!(label(&shop, &genuine, &body, &chain), "SIGNATURE_MISMATCH", "{byte}.{bit}");
        flipped += 1;
    }
    for position in 0..genuine.len() {
        // Which certificate signed is settled by the certificate itself.
        if genuine[position].0 == "PAYPAL-CERT-URL" {
            continue;
        }
        for byte in 0..genuine[position].1.len() {
            for bit in 0..7 {
                let mut headers = genuine.clone();
                let mut value = headers[position].1.clone().into_bytes();
                value[byte] ^= 1 << bit;
                headers[position].1 = String::from_utf8(value).unwrap();
                let verdict = label(&shop, &headers, BODY.as_bytes(), &chain);
                assert_ne!(verdict, "accepted", "{} byte {byte} bit {bit}", headers[position].0);
                flipped += 1;
            }
        }
    }
    assert!(flipped > 3_000, "{flipped}");
}

#[test]
fn the_signed_text_has_one_form() {
    let root = root(|_| {});
    let (shop, chain) = (shop(&root), root.leaf(|_| {}));
    // A checksum of ten digits, which is negative where it is taken for a signed number.
    let padded = (0..).map(|blanks| format!("{BODY}{}", " ".repeat(blanks)));
    let body = { padded }.find(|body| crc32fast::hash(body.as_bytes()) > 2_500_000_000).unwrap();
    let (id, time, crc) = ("id-1", "2023-11-14T22:13:17Z", crc32fast::hash(body.as_bytes()));
    let signed = |message: String| {
        let headers = signed_delivery(id, time, LIVE_URL, message.as_bytes());
        label(&shop, &headers, body.as_bytes(), &chain)
    };
    assert_eq!(signed(format!("{id}|{time}|{WEBHOOK_ID}|{crc}")), "accepted");
    for wrong in [
        format!("{id}|{time}|{WEBHOOK_ID}|{crc:x}"),
        format!("{id}|{time}|{WEBHOOK_ID}|{crc:011}"),
        format!("{id}|{time}|{WEBHOOK_ID}|{}", crc.cast_signed()),
        format!("{id}|{time}|{WEBHOOK_ID}|{crc}\n"),
        format!("{id}|{time}|WEBHOOK_ID|{crc}"),
        format!("{time}|{id}|{WEBHOOK_ID}|{crc}"),
        format!("{id}{time}{WEBHOOK_ID}{crc}"),
    ] {
        assert_eq!(signed(wrong.clone()), "SIGNATURE_MISMATCH", "{wrong}");
    }
}

#[test]
fn headers_that_shift_their_neighbours_are_malformed() {
    let root = root(|_| {});
    let (shop, chain) = (shop(&root), root.leaf(|_| {}));
    let rows = [
        ("PAYPAL-TRANSMISSION-ID", "a|b"),
        ("PAYPAL-TRANSMISSION-ID", "a b"),
        ("PAYPAL-TRANSMISSION-ID", "ä"),
        ("PAYPAL-TRANSMISSION-TIME", "2023-11-14T22:13:17Z|x"),
        ("PAYPAL-TRANSMISSION-TIME", "1700000000"),
        ("PAYPAL-TRANSMISSION-TIME", "yesterday"),
        ("PAYPAL-TRANSMISSION-SIG", "AAA"),
        ("PAYPAL-TRANSMISSION-SIG", "AA-_"),
        ("PAYPAL-AUTH-ALGO", "SHA1withRSA"),
        ("PAYPAL-AUTH-ALGO", "sha256withrsa"),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA, none"),
    ];
    for (name, value) in rows {
        let mut headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
        headers.retain(|(other, _)| other != name);
        assert_eq!(label(&shop, &headers, BODY.as_bytes(), &chain), "SIGNATURE_MISSING", "{name}");
        headers.push((name.to_owned(), value.to_owned()));
        let verdict = label(&shop, &headers, BODY.as_bytes(), &chain);
        assert_eq!(verdict, "SIGNATURE_MALFORMED", "{name}: {value}");
    }
    let long = "a".repeat(51);
    let headers = delivery(&long, LIVE_URL, BODY.as_bytes());
    assert_eq!(label(&shop, &headers, BODY.as_bytes(), &chain), "SIGNATURE_MALFORMED");
    // Another length of the signature is a mismatch, not a broken form.
    let mut headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    headers[2].1 = "AAAA".to_owned();
    assert_eq!(label(&shop, &headers, BODY.as_bytes(), &chain), "SIGNATURE_MISMATCH");
    let mut twice = delivery("id-1", LIVE_URL, BODY.as_bytes());
    twice.push((twice[3].0.clone(), "https://api.paypal.com/v1/notifications/certs/X".to_owned()));
    assert_eq!(label(&shop, &twice, BODY.as_bytes(), &chain), "SIGNATURE_MALFORMED");
}

#[test]
fn the_simulator_is_a_test_of_a_variant_that_is_pinned_to_test() {
    let root = root(|_| {});
    let chain = root.leaf(|_| {});
    let crc = crc32fast::hash(BODY.as_bytes());
    let message = format!("id-1|2023-11-14T22:13:17Z|WEBHOOK_ID|{crc}");
    let headers = signed_delivery("id-1", "2023-11-14T22:13:17Z", LIVE_URL, message.as_bytes());
    for (allowed, environment, accepted) in [
        (json!(true), json!("test"), true),
        (json!(false), json!("test"), false),
        (json!(true), json!("live"), false),
        (json!(true), json!(null), false),
    ] {
        let options = json!({
            "trust_anchors": root.pem, "allow_simulator": allowed, "environment": environment,
        });
        let judged =
            judge(&verifier(options), &headers, BODY.as_bytes(), &chain, NOW, |verified| {
                assert_eq!(verified.evidence().key_label, "simulator");
                verified.evidence().environment
            });
        match judged {
            Ok(environment) => {
                assert!(accepted);
                assert_eq!(environment, Some(payhook::model::Environment::Test));
            }
            Err(rejection) => {
                assert!(!accepted);
                assert_eq!(rejection.label(), "SIGNATURE_MISMATCH");
            }
        }
    }
}

/// Other bodies of the same length and checksum: letters of a padding field change their case
/// until the checksum fits, which is a matter of linear algebra.
pub(crate) fn collisions(genuine: &str, count: usize) -> (String, Vec<String>) {
    let padded = |amount: &str, nonce: &str| {
        let body = genuine.replace("1.00", amount);
        let pad = "abcdefghijklmnopqrst".repeat(4);
        format!("{},\"pad\":\"{pad}{nonce}\"}}", &body[..body.len() - 1])
    };
    let target_body = padded("1.00", "00000");
    let target = crc32fast::hash(target_body.as_bytes());
    let forged = (0..count).map(|number| {
        let mut body = padded("9.00", &format!("{number:05}")).into_bytes();
        let first = body.len() - 87;
        assert_eq!(body[first], b'a');
        let now = crc32fast::hash(&body);
        // One basis vector per bit that it is the highest of, with the letters that make it.
        let mut basis: Vec<(u32, u128)> = Vec::new();
        let reduce = |basis: &[(u32, u128)], mut value: u32, mut letters: u128| {
            for (vector, theirs) in basis {
                if value ^ vector < value {
                    value ^= vector;
                    letters ^= theirs;
                }
            }
            (value, letters)
        };
        for letter in 0..80 {
            body[first + letter] ^= 0x20;
            let change = crc32fast::hash(&body) ^ now;
            body[first + letter] ^= 0x20;
            let (value, letters) = reduce(&basis, change, 1 << letter);
            if value != 0 {
                basis.push((value, letters));
                basis.sort_by_key(|(vector, _)| std::cmp::Reverse(*vector));
            }
        }
        let (rest, letters) = reduce(&basis, now ^ target, 0);
        assert_eq!(rest, 0, "80 letters span all 32 bits");
        for letter in (0..80).filter(|letter| letters >> letter & 1 == 1) {
            body[first + letter] ^= 0x20;
        }
        assert_eq!(crc32fast::hash(&body), target);
        String::from_utf8(body).unwrap()
    });
    let forged = forged.collect();
    (target_body, forged)
}

#[test]
fn a_body_with_the_same_checksum_verifies_and_is_told_apart_by_the_signed_id() {
    let root = root(|_| {});
    let (shop, chain) = (shop(&root), root.leaf(|_| {}));
    let (genuine, forged) = collisions(BODY, 10);
    let headers = delivery("id-7", LIVE_URL, genuine.as_bytes());
    for body in [genuine].iter().chain(&forged) {
        let signed = judge(&shop, &headers, body.as_bytes(), &chain, NOW, |verified| {
            assert!(verified.evidence().replay_unprotected);
            verified.signed_id().map(str::to_owned)
        });
        assert_eq!(signed, Ok(Some("id-7".to_owned())), "only a checksum of the body is signed");
    }
}

#[test]
fn options_that_cannot_be_used_are_named() {
    let root = root(|_| {});
    let rows = [
        (json!({ "trust_anchors": "no pem" }), "trust_anchors"),
        (json!({ "trust_anchors": "" }), "trust_anchors"),
        (json!({ "verify": "api" }), "api"),
        (json!({ "certificates": {} }), "certificates"),
        (json!({ "certificates": { "fixed": {} } }), "certificates"),
        (json!({ "certificates": { "fixed": { LIVE_URL: "x" } } }), "certificates"),
        (json!({ "certificates": { "files": {} } }), "certificates"),
    ];
    for (options, option) in rows {
        let error = try_verifier(options.clone()).expect_err("refused").to_string();
        assert!(error.contains(option), "{options}: {error}");
    }
    let fixed = json!({ "certificates": { "fixed": { LIVE_URL: root.leaf(|_| {}) } } });
    assert!(try_verifier(fixed).is_ok());
    let api = json!({ "verify": "api", "api": { "client_id": "shop" } });
    assert!(try_verifier(api).is_ok());
}
