//! Signed payloads of odd shape: duplicate keys, depth, forms of numbers.

use payhook::model::{Environment, Event};
use serde_json::{Value, json};

use crate::cases::{self, Case};

/// A signed Stripe event with this text in place of its object.
fn outcome(object: &str) -> Value {
    whole(&format!(
        r#"{{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{{"object":{object}}}}}"#
    ))
}

fn whole(body: &str) -> Value {
    signed("stripe", body, cases::event_json)
}

fn signed(gateway: &str, body: &str, show: fn(&Event<'_>) -> Value) -> Value {
    let rows = cases::cases(gateway);
    let mut case: Case = rows.into_iter().next().expect("a row");
    let verifier = cases::verifier(&case);
    let draft = payhook::verify::Draft { url: "", headers: &[], payload: body.as_bytes() };
    let now = payhook::model::UnixSeconds::new(case.now);
    let signed = verifier.sign(draft, now).expect("an HMAC");
    case.request.headers = signed.headers;
    case.request.set_body(&signed.body);
    cases::outcome_as(&case, &verifier, show)
}

fn malformed() -> Value {
    json!({ "verdict": "rejected", "reason": "PAYLOAD_MALFORMED" })
}

#[test]
fn a_duplicate_key_on_a_path_that_is_read_is_refused() {
    let fields = [
        r#""id":"pi_1""#,
        r#""status":"succeeded""#,
        r#""currency":"usd""#,
        r#""amount":1"#,
        r#""amount_received":1"#,
        r#""customer":"cus_1""#,
        r#""metadata":{}"#,
    ];
    for field in fields {
        assert_eq!(outcome(&format!("{{{field}}}"))["verdict"], "verified", "{field}");
        assert_eq!(outcome(&format!("{{{field},{field}}}")), malformed(), "{field}");
        // The same key, spelt with an escape.
        let escaped = field.replacen('"', "\"\\u00", 1);
        let first = field.as_bytes()[1];
        let escaped =
            escaped.replacen(&format!("\\u00{}", first as char), &format!("\\u00{first:02x}"), 1);
        assert_eq!(outcome(&format!("{{{field},{escaped}}}")), malformed(), "{escaped}");
    }
    let nested = r#"{"metadata":{"order_id":"a","order_id":"b"}}"#;
    assert_eq!(outcome(nested), malformed());
    let event = r#"{"id":"a","id":"b","object":"event","type":"x","data":{"object":{}}}"#;
    assert_eq!(whole(event), malformed());
    assert_eq!(outcome(r#"{"unread":1,"unread":2}"#)["verdict"], "verified");
}

#[test]
fn depth_neither_crashes_nor_confuses() {
    for depth in [10, 127, 128, 1000, 100_000] {
        let unread = format!("{{\"unread\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(outcome(&unread)["verdict"], "verified", "{depth}");
        let open = format!("{{\"unread\":{}", "[".repeat(depth));
        assert_eq!(outcome(&open), malformed(), "{depth}");
        let read = format!("{{\"metadata\":{}{}}}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert_eq!(outcome(&read), malformed(), "{depth}");
    }
}

#[test]
fn an_amount_is_read_exactly_or_refused() {
    let amount = |text: &str, currency: &str| {
        outcome(&format!(
            r#"{{"id":"pi_1","status":"succeeded","amount":{text},"currency":"{currency}"}}"#
        ))
    };
    let exact = [
        ("0", "usd", 0),
        ("-5", "usd", 5),
        ("9007199254740993", "usd", 9_007_199_254_740_993),
        ("9223372036854775807", "usd", i64::MAX),
        ("500", "jpy", 500),
        ("7000", "mga", 700_000),
        ("50000", "isk", 500),
        ("1230", "kwd", 1230),
    ];
    for (text, currency, minor) in exact {
        let event = &amount(text, currency)["events"][0];
        assert_eq!(event["amount"]["minor_units"], minor, "{text} {currency}");
    }
    let refused = [
        "9223372036854775808",
        "1e3",
        "1E3",
        "1e400",
        "10.5",
        "\"abc\"",
        "{}",
        "[]",
        "true",
        "123456789012345678901234567890",
        "0x10",
        "NaN",
        "Infinity",
        "01",
        "+1",
        "1.",
        ".5",
        "--1",
    ];
    for text in refused {
        assert_eq!(amount(text, "usd"), malformed(), "{text}");
    }
    assert_eq!(amount("50001", "isk"), malformed(), "finer than the currency");
    assert_eq!(amount("null", "usd")["events"][0]["amount"], Value::Null);
    assert_eq!(amount("5", "dollars")["events"][0]["amount"], Value::Null, "no such currency");
}

#[test]
fn a_shopify_order_says_whether_it_is_a_test() {
    let environment = |test: &str| {
        let body = format!(r#"{{"id":1,"financial_status":"paid","test":{test}}}"#);
        signed("shopify", &body, |event| json!(event.environment == Some(Environment::Test)))
            ["events"][0]
            .clone()
    };
    assert_eq!(environment("true"), json!(true));
    assert_eq!(environment("false"), json!(false));
    assert_eq!(environment("null"), json!(false));
}
