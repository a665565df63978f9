//! Headers, times, methods; certificates.

use std::sync::Arc;

use payhook::{
    gateway,
    verify::{CertificateChain, Verifier, explain::Cause},
};
use serde_json::{Value, json};

use super::{
    NOW, SECRET, Sent, assert_cause, explained, explained_among, key, stripe, verifier_of,
};
use crate::paypal::{self, BODY as PAYPAL_BODY, LIVE_URL, WEBHOOK_ID};

const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"a.b","data":{"object":{}}}"#;

#[test]
fn a_renamed_header_is_named() {
    let verifier = stripe(SECRET.as_bytes());
    for name in [
        "HTTP_STRIPE_SIGNATURE",
        "X-Stripe-Signature",
        "stripe_signature",
        "X-Forwarded-Stripe-Signature",
    ] {
        let sent = Sent::by(&verifier, BODY).renaming("Stripe-Signature", name);
        let found = explained(&sent, &verifier);
        assert_cause(&found, Cause::HeaderRenamed, &format!("Stripe-Signature arrives as {name}"));
    }
    // No name like it: nothing is said.
    let gone = Sent::by(&verifier, BODY).renaming("Stripe-Signature", "X-Request-Id");
    assert_eq!(explained(&gone, &verifier).cause, None);
}

#[test]
fn three_headers_of_another_name_are_named_where_the_signature_holds() {
    let example = gateway::find("standard_webhooks").unwrap().example_options;
    let options: Value = serde_json::from_str(example).unwrap();
    let secret: &[u8] = b"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let verifier =
        verifier_of("standard_webhooks", vec![key(&[("signing_secret", secret)])], &options);
    let mut sent = Sent::by(&verifier, BODY);
    for end in ["id", "timestamp", "signature"] {
        sent = sent.renaming(&format!("webhook-{end}"), &format!("svix-{end}"));
    }
    let found = explained(&sent, &verifier);
    assert_cause(&found, Cause::HeaderRenamed, "arrives as svix-");
    // The same names over another body say nothing.
    let forged = explained(&sent.with_body(b"{}".as_slice()), &verifier);
    assert_eq!(forged.cause, None);
}

#[test]
fn an_outdated_signature_is_named() {
    let verifier = stripe(SECRET.as_bytes());
    let mut sent = Sent::by(&verifier, BODY);
    sent.headers[0].1 = sent.headers[0].1.replace("v1=", "v0=");
    let found = explained(&sent, &verifier);
    assert_cause(&found, Cause::SchemeOutdated, "holds v0 and no v1");
    let options: Value =
        serde_json::from_str(gateway::find("standard_webhooks").unwrap().example_options).unwrap();
    let keys = vec![key(&[("signing_secret", b"whsec_MDEyMzQ1Njc4OWFiY2RlZg==".as_slice())])];
    let verifier = verifier_of("standard_webhooks", keys, &options);
    let mut sent = Sent::by(&verifier, BODY);
    for (_, value) in &mut sent.headers {
        *value = value.replace("v1,", "v0,");
    }
    assert_cause(&explained(&sent, &verifier), Cause::SchemeOutdated, "holds v0 and no v1");
}

#[test]
fn times_are_explained_by_how_far_and_how_round_they_are() {
    let verifier = stripe(SECRET.as_bytes());
    let found = |signed_at: i64| explained(&Sent::at(&verifier, BODY, signed_at), &verifier);
    assert_cause(&found(NOW * 1000), Cause::TimestampUnit, "milliseconds and is read as seconds");
    assert_cause(&found(NOW / 1000), Cause::TimestampUnit, "seconds and is read as milliseconds");
    assert_cause(
        &found(NOW + 400),
        Cause::ClockSkew,
        "400 s ahead: the clock of this machine is behind",
    );
    assert_cause(
        &found(NOW - 400),
        Cause::ClockSkew,
        "400 s ago: the clock of this machine is ahead",
    );
    assert_cause(&found(NOW - 7200), Cause::ClockSkew, "time zone");
    let replayed = found(NOW - 3 * 86_400 - 500);
    assert_eq!(replayed.cause, None);
    assert!(replayed.hint.contains("held back or replayed"), "{replayed:?}");
    assert_eq!(replayed.cost.macs, 0, "the signature held already");
}

#[test]
fn a_time_that_was_rewritten_on_the_way_is_named() {
    let verifier = stripe(SECRET.as_bytes());
    let mut sent = Sent::by(&verifier, BODY);
    let (seconds, milliseconds) = (format!("t={NOW},"), format!("t={NOW}000,"));
    sent.headers[0].1 = sent.headers[0].1.replace(&seconds, &milliseconds);
    assert_cause(&explained(&sent, &verifier), Cause::TimestampUnit, "in another unit");
}

#[test]
fn a_redirect_is_named() {
    for verifier in [stripe(SECRET.as_bytes()), {
        let fields =
            [("public_key", b"public".as_slice()), ("private_key", b"private_key".as_slice())];
        verifier_of("braintree", vec![key(&fields)], &Value::Null)
    }] {
        let mut sent = Sent::by(&verifier, BODY).with_body(Vec::new());
        sent.method = "GET".to_owned();
        assert_cause(&explained(&sent, &verifier), Cause::Redirected, "register the final URL");
    }
}

/// A delivery under a certificate of our own authority, signed for this webhook id.
fn delivery(id: &str, body: &[u8]) -> (Sent, Verifier, Arc<CertificateChain>) {
    let root = paypal::root(|_| {});
    let chain = root.leaf(|_| {});
    let verifier = paypal::verifier(json!({ "trust_anchors": root.pem }));
    let time = "2023-11-14T22:13:17Z";
    let message = format!("tx-1|{time}|{id}|{}", crc32fast::hash(body));
    let headers = paypal::signed_delivery("tx-1", time, LIVE_URL, message.as_bytes());
    let sent = Sent { method: "POST".to_owned(), url: String::new(), headers, body: body.to_vec() };
    (sent, verifier, Arc::new(CertificateChain::from_pem(chain.as_bytes())))
}

#[test]
fn a_certificate_scheme_gets_the_causes_that_fit() {
    // Keys in the order in which they are sorted: writing it anew keeps them there.
    let value: Value = serde_json::from_str(PAYPAL_BODY).unwrap();
    let body = value.to_string();
    let body = body.as_bytes();
    let (sent, verifier, chain) = delivery(WEBHOOK_ID, body);
    assert_eq!(sent.refused(&verifier, Some(&chain)), None, "genuine");
    let found = |sent: &Sent, verifier, chain: &Arc<CertificateChain>| {
        explained_among(sent, verifier, &[], Some(Arc::clone(chain)))
    };
    let newline = sent.clone().with_body([body, b"\n"].concat());
    assert_cause(&found(&newline, &verifier, &chain), Cause::BodyNewlines, "newlines at its end");
    let written = serde_json::to_string_pretty(&value).unwrap();
    let found_written = found(&sent.clone().with_body(written), &verifier, &chain);
    assert_cause(&found_written, Cause::BodyReencoded, "without blanks");
    let mut dated = sent.clone();
    for (name, value) in &mut dated.headers {
        if name == "PAYPAL-TRANSMISSION-TIME" {
            *value = NOW.to_string();
        }
    }
    assert_cause(&found(&dated, &verifier, &chain), Cause::TimestampUnit, "RFC 3339");
    let (other, verifier, chain) = delivery("1AB23456CD789012E", body);
    let found_other = found(&other, &verifier, &chain);
    assert_cause(&found_other, Cause::WebhookId, "probably another webhook's");
    let (simulated, verifier, chain) = delivery("WEBHOOK_ID", body);
    assert_cause(&found(&simulated, &verifier, &chain), Cause::Simulator, "allow_simulator");
}
