//! What happens to bodies between the gateway and the application, undone.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Cause, Found, Inquiry,
    signs::{BOM, found},
    trial::Bench,
};
use crate::verify::{form::Form, json::Object, request::Request};

/// Tries every repair that changes the body.
pub(super) fn tried(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let body = inquiry.request.body;
    for (cause, hint, repair) in REPAIRS {
        for repaired in repair(body).into_iter().take(REPAIRED_MAX) {
            let request = Request { body: &repaired, ..inquiry.request };
            if repaired != body && bench.own_key_signed(request) {
                return Some(found(*cause, hint));
            }
        }
    }
    None
}

/// Bodies that a repair makes of one.
type Repair = fn(&[u8]) -> Vec<Vec<u8>>;

/// Most often first: each costs a signature per key.
const REPAIRS: &[(Cause, &str, Repair)] = &[
    (
        Cause::BodyBom,
        "a byte order mark was put before the body: hand over the bytes as they came",
        |body| body.strip_prefix(BOM).map(<[u8]>::to_vec).into_iter().collect(),
    ),
    (
        Cause::BodyNewlines,
        "it matches with other newlines at its end: something trimmed the body or added a line \
         feed",
        |body| {
            let bare = body.trim_ascii();
            let with = |end: &[u8]| [bare, end].concat();
            vec![bare.to_vec(), with(b"\n"), with(b"\r\n")]
        },
    ),
    (
        Cause::BodyNewlines,
        "it matches with other line endings: something converted CR LF or LF",
        |body| {
            let unix = replaced(body, b"\r\n", b"\n");
            let dos = replaced(&unix, b"\n", b"\r\n");
            let escaped = replaced(&replaced(body, b"%0D%0A", b"%0A"), b"%0d%0a", b"%0a");
            vec![unix, dos, escaped]
        },
    ),
    (
        Cause::BodyBase64,
        "it matches once base64 is taken off: the platform hands the body over encoded \
         (isBase64Encoded)",
        |body| STANDARD.decode(body.trim_ascii()).ok().into_iter().collect(),
    ),
    (
        Cause::BodyWrapped,
        "it matches the text inside: the body was put into a JSON text, an object or a form field",
        unwrapped,
    ),
    (
        Cause::FormDecodedTwice,
        "it matches with plus signs where blanks are: the form was decoded twice; hand over the \
         raw body",
        |body| {
            let blanks = replaced(&replaced(body, b"%20", b"%2B"), b" ", b"%2B");
            vec![blanks.clone(), replaced(body, b"+", b"%2B"), replaced(&blanks, b"+", b"%2B")]
        },
    ),
    (
        Cause::BodyRecoded,
        "it matches in another character set: the body went through a text in Latin-1 or UTF-8; \
         hand over bytes",
        |body| {
            let widened = String::from_utf8(body.to_vec()).is_err();
            let widened = widened.then(|| body.iter().map(|byte| char::from(*byte)).collect());
            let widened = widened.map(String::into_bytes);
            widened.into_iter().chain(narrowed(body)).collect()
        },
    ),
    (
        Cause::BodyRecoded,
        "it matches once escapes are taken off: something escaped quotes or HTML in the body",
        |body| {
            let html = [(&b"&quot;"[..], &b"\""[..]), (b"&#34;", b"\""), (b"&#39;", b"'")];
            let html = html.into_iter().chain([(&b"&lt;"[..], &b"<"[..]), (b"&gt;", b">")]);
            let html = html.fold(body.to_vec(), |text, (from, to)| replaced(&text, from, to));
            let slashes = replaced(&replaced(body, b"\\\"", b"\""), b"\\\\", b"\\");
            vec![replaced(&html, b"&amp;", b"&"), slashes]
        },
    ),
    (
        Cause::BodyBom,
        "it matches with a byte order mark before it: something took that off",
        |body| vec![[BOM, body].concat()],
    ),
];

/// Texts inside a JSON text, inside the members of an object, and inside form fields.
fn unwrapped(body: &[u8]) -> Vec<Vec<u8>> {
    let text = std::str::from_utf8(body).unwrap_or_default().trim_ascii();
    if text.starts_with('"') {
        return serde_json::from_str::<String>(text)
            .ok()
            .map(String::into_bytes)
            .into_iter()
            .collect();
    }
    if text.starts_with('{') {
        let texts = Object::read(text).and_then(|object| object.texts()).unwrap_or_default();
        let inner = texts.into_iter().map(|(_, text)| text);
        let payload = |text: &Cow<'_, str>| text.len() >= PAYLOAD_BYTES_MIN;
        return inner.filter(payload).flat_map(|text| both(text.as_bytes())).collect();
    }
    let fields = Form::read(body).unwrap_or_default();
    fields.values().filter(|value| value.len() >= PAYLOAD_BYTES_MIN).flat_map(both).collect()
}

/// A text as it is, and without base64 where it is that.
fn both(text: &[u8]) -> Vec<Vec<u8>> {
    let decoded = STANDARD.decode(text.trim_ascii()).ok();
    std::iter::once(text.to_vec()).chain(decoded).collect()
}

/// UTF-8 that was made from Latin-1, as the bytes that it was made from.
fn narrowed(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_ascii())?;
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            made.extend_from_slice(to);
            rest = after;
        } else {
            made.push(*first);
            rest = after;
        }
    }
    made
}

/// Bodies that one repair may try.
const REPAIRED_MAX: usize = 4;
/// Shorter texts are no payload.
const PAYLOAD_BYTES_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_inside_are_found() {
        let inner = r#"{"id":"evt_1","x":"y"}"#;
        let json = serde_json::json!(inner).to_string();
        assert_eq!(unwrapped(json.as_bytes()), [inner.as_bytes()]);
        let lambda = serde_json::json!({ "body": inner, "path": "/" }).to_string();
        assert_eq!(unwrapped(lambda.as_bytes()), [inner.as_bytes()]);
        let form = b"payload=%7B%22id%22:%22evt_1%22,%22x%22:%22y%22%7D";
        assert_eq!(unwrapped(form), [inner.as_bytes()]);
        let encoded = serde_json::json!({ "body": STANDARD.encode(inner) }).to_string();
        assert_eq!(unwrapped(encoded.as_bytes()).last().map(Vec::as_slice), Some(inner.as_bytes()));
    }

    #[test]
    fn replacing_reads_on_after_what_it_wrote() {
        assert_eq!(replaced(b"a\r\n\r\nb", b"\r\n", b"\n"), b"a\n\nb");
        assert_eq!(replaced(b"aaa", b"aa", b"a"), b"aa");
        assert_eq!(replaced(b"", b"a", b"b"), b"");
    }
}
