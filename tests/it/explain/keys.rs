//! Keys that are not the ones that signed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use payhook::{
    gateway,
    model::UnixSeconds,
    verify::{Verifier, explain::Cause},
};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use super::{
    NOW, SECRET, Sent, assert_cause, explained, explained_among, key, stripe, verifier_of,
};

const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"a.b","data":{"object":{}}}"#;

fn braintree(public: &str) -> Verifier {
    let fields =
        [("public_key", public.as_bytes()), ("private_key", b"private_key_of_tests".as_slice())];
    verifier_of("braintree", vec![key(&fields)], &Value::Null)
}

#[test]
fn another_variants_key_is_named_only_where_it_is_handed_in() {
    let (shop, live) = (stripe(SECRET.as_bytes()), stripe(b"whsec_live_secret_0002"));
    let sent = Sent::by(&live, BODY);
    let others = [("archive", &shop), ("live", &live)];
    let found = explained_among(&sent, &shop, &others, None);
    assert_cause(&found, Cause::OtherVariant, "the key of variant live matches");
    let alone = explained(&sent, &shop);
    assert_eq!(alone.cause, None);
    assert!(alone.hint.contains("another endpoint's"), "{alone:?}");
}

#[test]
fn a_retired_key_is_named() {
    let mut old = key(&[("endpoint_secret", b"whsec_retired_secret_0000")]);
    old.label = Some("2022".to_owned());
    old.expires_at = Some(UnixSeconds::new(NOW));
    let new = key(&[("endpoint_secret", SECRET.as_bytes())]);
    let verifier = verifier_of("stripe", vec![new, old], &Value::Null);
    let sent = Sent::by(&stripe(b"whsec_retired_secret_0000"), BODY);
    assert_cause(
        &explained(&sent, &verifier),
        Cause::ExpiredKey,
        "2022 matches, and it has expired",
    );
}

#[test]
fn an_api_key_is_named_unless_it_is_what_signs() {
    let sent = Sent::by(&stripe(SECRET.as_bytes()), BODY);
    for configured in ["sk_live_0123456789abcdef", "rk_test_0123456789", "pk_live_0123456789abcdef"]
    {
        let found = explained(&sent, &stripe(configured.as_bytes()));
        assert_cause(&found, Cause::SecretIsApiKey, "looks like an API key");
        assert!(!found.hint.contains("0123456789"), "{found:?}");
    }
    // Paystack signs with the secret key of its API.
    let paystack = |secret: &[u8]| {
        verifier_of("paystack", vec![key(&[("signing_secret", secret)])], &Value::Null)
    };
    let sent = Sent::by(&paystack(b"sk_live_another_0123456789"), BODY);
    let found = explained(&sent, &paystack(b"sk_live_0123456789abcdef"));
    assert_eq!(found.cause, None);
    let found = explained(&sent, &paystack(b"pk_live_0123456789abcdef"));
    assert_cause(&found, Cause::SecretIsApiKey, "looks like an API key");
}

#[test]
fn a_secret_without_its_prefix_or_decoded_is_named() {
    let bytes: Vec<u8> = (100..132).collect();
    let secret = format!("whsec_{}", STANDARD.encode(&bytes));
    let sent = Sent::by(&stripe(secret.as_bytes()), BODY);
    let stripped = secret.strip_prefix("whsec_").unwrap();
    let found = explained(&sent, &stripe(stripped.as_bytes()));
    assert_cause(&found, Cause::SecretPrefix, "whsec_ before the configured secret");
    let found = explained(&sent, &stripe(&bytes));
    assert_cause(&found, Cause::SecretPrefix, "base64 again");
    // The other way round: the prefix belongs to another sender's secrets.
    let sent = Sent::by(&stripe(stripped.as_bytes()), BODY);
    let found = explained(&sent, &stripe(secret.as_bytes()));
    assert_cause(&found, Cause::SecretPrefix, "without the prefix");
    // Standard Webhooks decodes its secret, some senders do not.
    let options: Value =
        serde_json::from_str(gateway::find("standard_webhooks").unwrap().example_options).unwrap();
    let standard = verifier_of(
        "standard_webhooks",
        vec![key(&[("signing_secret", secret.as_bytes())])],
        &options,
    );
    let mut sent = Sent::by(&standard, BODY);
    let value = |name: &str| {
        let mut headers = sent.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        headers.next().expect("the header").1.clone()
    };
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{}.{}.", value("webhook-id"), value("webhook-timestamp")).as_bytes());
    mac.update(BODY);
    let tag = STANDARD.encode(mac.finalize().into_bytes());
    let own = sent.headers.iter_mut().find(|(name, _)| name == "webhook-signature").unwrap();
    own.1 = format!("v1,{tag}");
    assert_cause(&explained(&sent, &standard), Cause::SecretPrefix, "text itself as the key");
}

#[test]
fn quotes_and_blanks_inside_a_secret_are_named_and_those_around_it_do_not_matter() {
    let sent = Sent::by(&stripe(SECRET.as_bytes()), BODY);
    let around = stripe(format!(" {SECRET}\r\n").as_bytes());
    assert_eq!(sent.refused(&around, None), None, "trimmed when it is loaded");
    let (head, tail) = SECRET.split_at(12);
    let stray = [
        format!("\"{SECRET}\""),
        format!("'{SECRET}'"),
        format!("{head}\n{tail}"),
        format!("\u{feff}{SECRET}"),
        format!("{SECRET}\u{200b}"),
    ];
    for configured in stray {
        let found = explained(&sent, &stripe(configured.as_bytes()));
        assert_cause(&found, Cause::SecretStray, "write the secret again");
    }
}

#[test]
fn another_public_key_is_named() {
    let sent = Sent::by(&braintree("sandbox_public_key"), b"<notification/>");
    let found = explained(&sent, &braintree("live_public_key"));
    assert_cause(&found, Cause::PublicKeyOther, "names sandbox_public_key");
    assert_eq!(found.cost.macs, 0, "no key of ours is named: nothing is compared");
}

#[test]
fn a_form_that_was_decoded_twice_is_named() {
    let verifier = braintree("public_key");
    // Each three of these bytes are `++++` in base64.
    let sent = Sent::by(&verifier, b"\xfb\xef\xbe\xfb\xef\xbe");
    assert_eq!(sent.refused(&verifier, None), None);
    let once: Vec<u8> = percent_encoding::percent_decode(&sent.body).collect();
    assert!(once.contains(&b'+'));
    let found = explained(&sent.clone().with_body(once.clone()), &verifier);
    assert_cause(&found, Cause::FormDecodedTwice, "plus signs where blanks are");
    let twice: Vec<u8> = once.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let found = explained(&sent.with_body(twice), &verifier);
    assert_cause(&found, Cause::FormDecodedTwice, "plus signs where blanks are");
}

#[test]
fn converted_line_endings_inside_a_form_are_named() {
    // Written as the gateway writes it: base64 in lines of 60, each with a line feed.
    let text = STANDARD.encode([b'x'; 100]);
    let lines: String =
        text.as_bytes().chunks(60).map(|l| format!("{}\n", str::from_utf8(l).unwrap())).collect();
    let key = Sha1::digest(b"private_key_of_tests");
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(lines.as_bytes());
    let tag: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let body =
        |lines: &str| format!("bt_signature=public_key%7C{tag}&bt_payload={}", encoded(lines));
    let verifier = braintree("public_key");
    let sent = Sent::by(&verifier, b"").with_body(body(&lines));
    assert_eq!(sent.refused(&verifier, None), None, "genuine");
    let found = explained(&sent.with_body(body(&lines.replace('\n', "\r\n"))), &verifier);
    assert_cause(&found, Cause::BodyNewlines, "line endings");
}
