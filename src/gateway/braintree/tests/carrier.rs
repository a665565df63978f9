//! The form, the list of signatures and the challenge: what is signed, and what is not.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha1::{Digest, Sha1};

use super::{PUBLIC, form, key, outcome, percent, post, signed, verifier, verifier_of};
use crate::{
    gateway::{KeyFields, braintree::GATEWAY},
    model::Secret,
    verify::{KeyRole, Options},
};

#[test]
fn no_flipped_bit_of_payload_or_signature_is_accepted() {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, XML);
    assert!(post(&verifier, &form(&signature, payload.as_bytes())).is_ok());
    let mut run = 0;
    for at in 0..payload.len() {
        for bit in 0..8 {
            let mut bytes = payload.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            assert!(post(&verifier, &form(&signature, &bytes)).is_err(), "payload {at}.{bit}");
            run += 1;
        }
    }
    let (name, hex) = signature.split_once('|').expect("a pair");
    for at in 0..hex.len() {
        for bit in 0..7 {
            let mut bytes = hex.as_bytes().to_vec();
            bytes[at] ^= 1 << bit;
            let text = format!("{name}|{}", String::from_utf8(bytes).expect("ASCII"));
            assert!(post(&verifier, &form(&text, payload.as_bytes())).is_err(), "hex {at}.{bit}");
            run += 1;
        }
    }
    assert!(run > 1000, "{run}");
}

#[test]
fn the_payload_may_have_lost_one_line_feed_and_nothing_else() {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, XML);
    assert!(post(&verifier, &form(&signature, format!("{payload}\n").as_bytes())).is_err());
    // Signed with a line feed at the end, as Braintree does; a framework takes it off.
    let mime = mime_signature(&payload);
    assert!(post(&verifier, &form(&mime, format!("{payload}\n").as_bytes())).is_ok());
    assert!(post(&verifier, &form(&mime, payload.as_bytes())).is_ok());
    assert!(post(&verifier, &form(&mime, format!("{payload}\n\n").as_bytes())).is_err());
    for changed in ["\r\n", "\n\n", " ", "=", "\t"] {
        let text = format!("{payload}{changed}");
        assert!(post(&verifier, &form(&signature, text.as_bytes())).is_err(), "{changed:?}");
    }
}

#[test]
fn only_the_first_pair_of_our_own_key_counts() {
    let verifier = verifier();
    let (ours, payload) = signed(&verifier, XML);
    let hex = ours.split_once('|').expect("a pair").1.to_owned();
    let zeros = "0".repeat(40);
    let many = format!("other|{zeros}&").repeat(200);
    let upper = hex.to_ascii_uppercase();
    let accepted = [
        ours.clone(),
        format!("other|{zeros}&{ours}"),
        format!("{ours}&other|{zeros}"),
        format!("{ours}&{PUBLIC}|{zeros}"),
        format!("&&{ours}&&"),
        format!("no-pair&{ours}"),
        format!("|{zeros}&{ours}"),
        format!("{many}{ours}"),
    ];
    for list in accepted {
        assert!(post(&verifier, &form(&list, payload.as_bytes())).is_ok(), "{list}");
    }
    let mismatch = [
        format!("{PUBLIC}|{zeros}&{ours}"),
        format!("{PUBLIC}|&{ours}"),
        format!("other|{hex}"),
        format!("|{hex}"),
        format!("{PUBLIC} |{hex}"),
        format!(" {PUBLIC}|{hex}"),
        format!("{PUBLIC}|{hex} "),
        format!("{PUBLIC}|{upper}"),
        format!("{PUBLIC}|{hex}00"),
        format!("{}|{hex}", PUBLIC.to_ascii_uppercase()),
        format!("{PUBLIC}\0|{hex}"),
        format!("x{PUBLIC}|{hex}"),
        format!("{PUBLIC}|"),
        format!("other|{hex}&another|{hex}"),
    ];
    for list in mismatch {
        let refused = post(&verifier, &form(&list, payload.as_bytes())).expect_err("refused");
        assert_eq!(refused.label(), "SIGNATURE_MISMATCH", "{list}");
    }
    let malformed = [
        format!("{ours}|x"),
        format!("{ours}&a|b|c"),
        format!("{PUBLIC}||{hex}"),
        "&&&".to_owned(),
        hex.clone(),
        PUBLIC.to_owned(),
    ];
    for list in malformed {
        let refused = post(&verifier, &form(&list, payload.as_bytes())).expect_err("refused");
        assert_eq!(refused.label(), "SIGNATURE_MALFORMED", "{list}");
    }
}

#[test]
fn an_empty_public_key_is_no_key() {
    let field = |text: &str| Secret::new(text.into());
    let keys = KeyFields {
        label: None,
        role: KeyRole::Current,
        expires_at: None,
        fields: BTreeMap::from([
            ("public_key".to_owned(), field(" \n")),
            ("private_key".to_owned(), field("fake-private-key-0001")),
        ]),
    };
    assert!(GATEWAY.verifier(vec![keys], Options::default()).is_err());
}

#[test]
fn a_polluted_form_is_refused_whichever_copy_is_valid() {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, XML);
    let (s, p) = (percent(signature.as_bytes()), percent(payload.as_bytes()));
    let other = percent(b"PGE+");
    let refused = [
        ("twice, valid first", format!("bt_signature={s}&bt_payload={p}&bt_payload={other}")),
        ("twice, valid last", format!("bt_signature={s}&bt_payload={other}&bt_payload={p}")),
        ("twice, equal", format!("bt_signature={s}&bt_payload={p}&bt_payload={p}")),
        ("escaped name", format!("bt_signature={s}&bt_payload={p}&bt%5Fpayload={other}")),
        ("two signatures", format!("bt_signature={s}&bt_signature={s}&bt_payload={p}")),
        ("two signatures, one bad", format!("bt_signature=x&bt_signature={s}&bt_payload={p}")),
        ("one blank", format!("bt_signature=&bt_signature={s}&bt_payload={p}")),
        ("NUL in the payload", format!("bt_signature={s}&bt_payload={p}%00")),
        ("NUL in the name", format!("bt_signature={s}&bt_payload%00={p}")),
        ("semicolons", format!("bt_signature={s};bt_payload={p}")),
        ("upper-case names", format!("BT_SIGNATURE={s}&BT_PAYLOAD={p}")),
        ("list names", format!("bt_signature[]={s}&bt_payload[]={p}")),
        ("list name of the payload", format!("bt_signature={s}&bt_payload[]={p}")),
        ("blank before the name", format!("bt_signature={s}&+bt_payload={p}")),
        ("bad escape", format!("bt_signature={s}&bt_payload={p}%zz")),
        ("cut escape", format!("bt_signature={s}&bt_payload={p}%2")),
        ("encoded twice", format!("bt_signature={s}&bt_payload={}", percent(p.as_bytes()))),
        ("no payload", format!("bt_signature={s}")),
        ("blank payload", format!("bt_signature={s}&bt_payload=%0A")),
        ("too many fields", format!("bt_signature={s}&bt_payload={p}{}", "&a=b".repeat(600))),
    ];
    for (name, body) in refused {
        assert!(post(&verifier, body.as_bytes()).is_err(), "{name}");
    }
    let accepted = [
        ("other fields", format!("a=b&bt_signature={s}&c&bt_payload={p}&d=e")),
        ("near names", format!("bt_payload[]=x&BT_PAYLOAD=y&bt_signature={s}&bt_payload={p}")),
    ];
    for (name, body) in accepted {
        assert!(post(&verifier, body.as_bytes()).is_ok(), "{name}");
    }
}

#[test]
fn a_challenge_is_answered_only_where_it_cannot_be_a_payload() {
    let verifier = verifier();
    let get = |url: &str| outcome(&verifier, "GET", url, b"");
    let ask = |value: &str| get(&format!("https://shop.example/hook/?bt_challenge={value}"));
    for length in 20..=32 {
        let answer = ask(&"a".repeat(length)).expect("answered");
        assert!(answer.starts_with("fakepublickey0001|") && answer.len() == 58, "{answer}");
    }
    let hex = "c4e0ac929cccfa189025";
    let refused = [
        hex.strip_suffix('5').expect("its last digit"),
        &"a".repeat(33),
        &format!("{hex}%0A"),
        &format!("%0A{hex}"),
        &format!("{hex}%00"),
        &format!("{hex}+"),
        &format!("{hex}G"),
        &hex.to_ascii_uppercase(),
        &format!("{hex}&bt_challenge={hex}"),
        "PG5vdGlmaWNhdGlvbj48a2luZD4=",
        "%D9%A0%D9%A1%D9%A2%D9%A3%D9%A4%D9%A5%D9%A6%D9%A7%D9%A8%D9%A9",
        "",
    ];
    for value in refused {
        let reason = ask(value).expect_err("refused").label();
        assert_eq!(reason, "PAYLOAD_MALFORMED", "{value}");
    }
    assert!(get("https://shop.example/hook/").is_err());
    let url = format!("https://shop.example/hook/?bt_challenge={hex}");
    for method in ["get", "gET"] {
        assert!(outcome(&verifier, method, &url, b"").is_ok(), "{method:?}");
    }
    for method in ["", "POST", "PUT", "HEAD", "GETS", " GET"] {
        assert!(outcome(&verifier, method, &url, b"").is_err(), "{method:?}");
    }
}

#[test]
fn a_challenge_is_answered_under_the_current_key() {
    let keys = vec![
        key(KeyRole::Next, "fakenext", "fake-private-key-0002"),
        key(KeyRole::Current, PUBLIC, "fake-private-key-0001"),
    ];
    let url = "https://shop.example/?bt_challenge=c4e0ac929cccfa189025";
    let answer = outcome(&verifier_of(keys), "GET", url, b"");
    assert_eq!(answer, outcome(&verifier(), "GET", url, b""));
}

/// The signature of a payload that ends in a line feed, made without the engine.
fn mime_signature(payload: &str) -> String {
    let key = Sha1::digest(b"fake-private-key-0001");
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("any length");
    mac.update(payload.as_bytes());
    mac.update(b"\n");
    let tag = mac.finalize().into_bytes();
    let hex = tag.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    format!("{PUBLIC}|{hex}")
}

const XML: &str = "<notification><kind>check</kind><subject><check/></subject></notification>";
