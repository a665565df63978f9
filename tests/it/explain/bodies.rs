//! What happens to bodies between the gateway and the application.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use payhook::{
    gateway::GATEWAYS,
    verify::{Verifier, explain::Cause, scheme::Part},
};
use serde_json::{Value, json};

use super::{SECRET, Sent, assert_cause, explained, stripe};
use crate::cases;

/// Keys in the order in which they are sorted: writing it anew keeps them there.
fn event() -> Value {
    json!({
        "data": { "object": { "amount": 1999, "description": "Käse & Brot für 2", "id": "ch_1",
            "items": [], "receipt": "https://pay.example/r/1" } },
        "id": "evt_1", "livemode": false, "object": "event", "type": "charge.succeeded",
    })
}

fn pretty() -> String {
    serde_json::to_string_pretty(&event()).expect("JSON")
}

fn compact() -> String {
    event().to_string()
}

/// What a mistake makes of a body, and what is found.
type Mistake = (Cause, &'static str, fn(&[u8]) -> Vec<u8>);

/// Mistakes that every gateway's bodies may suffer.
const MISTAKES: [Mistake; 8] = [
    (Cause::BodyNewlines, "newlines at its end", |body| [body, b"\n"].concat()),
    (Cause::BodyNewlines, "newlines at its end", |body| [b" ", body, b"\r\n"].concat()),
    (Cause::BodyBom, "byte order mark", |body| [b"\xef\xbb\xbf", body].concat()),
    (Cause::BodyBase64, "isBase64Encoded", |body| STANDARD.encode(body).into_bytes()),
    (Cause::BodyWrapped, "text inside", |body| {
        json!(String::from_utf8_lossy(body)).to_string().into_bytes()
    }),
    (Cause::BodyWrapped, "text inside", |body| {
        json!({ "body": STANDARD.encode(body), "isBase64Encoded": true }).to_string().into_bytes()
    }),
    (Cause::BodyCompressed, "still compressed", gzip),
    (Cause::BodyEmpty, "before any parser", |_| Vec::new()),
];

/// A gzip stream of one stored block.
fn gzip(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("short");
    let mut stream = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x01".to_vec();
    stream.extend(length.to_le_bytes());
    stream.extend((!length).to_le_bytes());
    stream.extend(body);
    stream.extend(crc32fast::hash(body).to_le_bytes());
    stream.extend(u32::from(length).to_le_bytes());
    stream
}

#[test]
fn mistakes_are_named_for_every_gateway_that_signs_its_body() {
    let mut gateways = 0;
    for gateway in GATEWAYS {
        let rows = cases::cases(gateway.name);
        let mut case = rows.into_iter().find(|row| row.expect["verdict"] == "verified").unwrap();
        case.variant.options = gateway.example();
        let verifier = cases::verifier(&case);
        let body_signed = |verifier: &Verifier| {
            let signed = &verifier.scheme().signed;
            !signed.is_empty() && signed.iter().all(|template| template.contains(&Part::Body))
        };
        let payload = gateway.samples[0].payload.as_bytes();
        if !body_signed(&verifier) {
            continue;
        }
        gateways += 1;
        let sent = Sent::by(&verifier, payload);
        assert_eq!(sent.refused(&verifier, None), None, "{}", gateway.name);
        for (cause, hint, mistake) in MISTAKES {
            let changed = sent.clone().with_body(mistake(&sent.body));
            let found = explained(&changed, &verifier);
            assert_eq!(found.cause, Some(cause), "{}: {found:?}", gateway.name);
            assert!(found.hint.contains(hint), "{}: {found:?}", gateway.name);
        }
    }
    assert!(gateways >= 10, "only {gateways} gateways sign their body");
}

#[test]
fn a_body_that_was_parsed_and_written_again_is_named() {
    let verifier = stripe(SECRET.as_bytes());
    let found = |signed: &str, arrives: &str| {
        let sent = Sent::by(&verifier, signed.as_bytes());
        explained(&sent.with_body(arrives), &verifier)
    };
    let rows = [
        // Express's json(), Django's request.data: what was indented arrives without blanks.
        (pretty(), compact(), "with a line per member, indented"),
        (compact(), pretty(), "without blanks"),
        // json.dumps
        (compact(), compact().replace("\":", "\": ").replace(",\"", ", \""), "without blanks"),
        (
            compact().replace("\":", "\": ").replace(",\"", ", \""),
            compact(),
            "blank after each comma",
        ),
        (pretty().replace("  ", "    "), compact(), "indented"),
        // ensure_ascii, and its opposite
        (compact(), ascii(&compact()), "few escapes"),
        (ascii(&compact()), compact(), "beyond ASCII escaped"),
        // json_encode
        (ascii(&compact()).replace('/', "\\/"), compact(), "slashes escaped"),
        (compact().replace('/', "\\/"), compact(), "slashes escaped"),
        (pretty(), compact().replace('/', "\\/"), "indented, few escapes"),
        // encoding/json
        (compact().replace('&', "\\u0026"), compact(), "ampersands escaped"),
    ];
    for (signed, arrives, hint) in rows {
        assert_ne!(signed, arrives);
        assert_cause(&found(&signed, &arrives), Cause::BodyReencoded, hint);
    }
    // A line-by-line reader drops the breaks and keeps the indent.
    let lines = pretty().replace('\n', "");
    assert_cause(&found(&pretty(), &lines), Cause::BodyNewlines, "line by line");
    // What was rounded or sorted is gone: no cause, and the hint says where to look.
    let changed = found(&compact(), &compact().replace("1999", "1999.0"));
    assert_eq!(changed.cause, None);
    assert!(changed.hint.contains("compare its SHA-256"), "{changed:?}");
}

fn ascii(text: &str) -> String {
    let escape =
        |c: char| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", c as u32) };
    text.chars().map(escape).collect()
}

#[test]
fn line_endings_and_character_sets_are_named() {
    let verifier = stripe(SECRET.as_bytes());
    let found = |signed: &[u8], arrives: &[u8]| {
        explained(&Sent::by(&verifier, signed).with_body(arrives), &verifier)
    };
    let (unix, dos) = (pretty(), pretty().replace('\n', "\r\n"));
    for (signed, arrives) in [(&unix, &dos), (&dos, &unix)] {
        let found = found(signed.as_bytes(), arrives.as_bytes());
        assert_cause(&found, Cause::BodyNewlines, "line endings");
    }
    let trimmed = found(format!("{unix}\n").as_bytes(), unix.as_bytes());
    assert_cause(&trimmed, Cause::BodyNewlines, "newlines at its end");
    let utf8 = compact();
    let twice: String = utf8.bytes().map(char::from).collect();
    assert_cause(&found(utf8.as_bytes(), twice.as_bytes()), Cause::BodyRecoded, "character set");
    let latin: Vec<u8> = utf8.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_cause(&found(utf8.as_bytes(), &latin), Cause::BodyRecoded, "character set");
    let html = utf8.replace('&', "&amp;").replace('"', "&quot;");
    assert_cause(&found(utf8.as_bytes(), html.as_bytes()), Cause::BodyRecoded, "escapes");
    let slashes = utf8.replace('"', "\\\"");
    assert_cause(&found(utf8.as_bytes(), slashes.as_bytes()), Cause::BodyRecoded, "escapes");
    let marked = [b"\xef\xbb\xbf", utf8.as_bytes()].concat();
    assert_cause(&found(&marked, utf8.as_bytes()), Cause::BodyBom, "took that off");
}

#[test]
fn a_payload_in_a_form_field_is_named_by_its_match_or_by_its_look() {
    let verifier = stripe(SECRET.as_bytes());
    let sent = Sent::by(&verifier, compact().as_bytes());
    let field = percent_encoding::utf8_percent_encode(
        std::str::from_utf8(&sent.body).unwrap(),
        percent_encoding::NON_ALPHANUMERIC,
    );
    let wrapped = sent.clone().with_body(format!("payload={field}"));
    assert_cause(&explained(&wrapped, &verifier), Cause::BodyWrapped, "text inside");
    // Another secret besides: the look alone still says it.
    let other = stripe(b"whsec_another_secret_0002");
    assert_cause(&explained(&wrapped, &other), Cause::BodyWrapped, "form field");
    let looks = [
        (json!(compact()).to_string().into_bytes(), Cause::BodyWrapped, "encoded once more"),
        (STANDARD.encode(compact()).into_bytes(), Cause::BodyBase64, "decode it first"),
        ([b"\xef\xbb\xbf", compact().as_bytes()].concat(), Cause::BodyBom, "begins with"),
    ];
    for (body, cause, hint) in looks {
        assert_cause(&explained(&sent.clone().with_body(body), &other), cause, hint);
    }
}

#[test]
fn a_body_that_was_cut_short_is_named() {
    let verifier = stripe(SECRET.as_bytes());
    let sent = Sent::by(&verifier, compact().as_bytes());
    let half = &sent.body[..sent.body.len() / 2];
    let announced = sent.clone().with_header("Content-Length", &sent.body.len().to_string());
    let found = explained(&announced.with_body(half), &verifier);
    assert_cause(&found, Cause::BodyTruncated, "Content-Length announced");
    assert_eq!(found.cost.macs, 0, "nothing was tried for it");
    let found = explained(&sent.clone().with_body(half), &verifier);
    assert_cause(&found, Cause::BodyTruncated, "ends in the middle");
}
