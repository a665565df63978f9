//! What a body shows without any key: it is compressed, cut short, wrapped.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::IgnoredAny;

use super::{Cause, Found};
use crate::verify::request::{Found as Field, Request};

/// A GET without a body is what a redirected POST becomes.
pub(super) fn redirected(request: Request<'_>) -> Option<Found> {
    let lost = request.is_get() && request.body.is_empty();
    lost.then(|| {
        found(
            Cause::Redirected,
            "a GET without a body: a redirect (http to https, www, a trailing slash) turned the \
             POST into it; register the final URL with the gateway",
        )
    })
}

/// Nothing came.
pub(super) fn empty(request: Request<'_>) -> Option<Found> {
    request.body.is_empty().then(|| {
        found(
            Cause::BodyEmpty,
            "the body is empty: something read it before it was handed over; take the raw body \
             before any parser does",
        )
    })
}

/// What leaves no doubt: bytes of a compressed stream, fewer bytes than were announced.
pub(super) fn unreadable(request: Request<'_>) -> Option<Found> {
    let body = request.body;
    let packed = COMPRESSED.iter().any(|magic| body.starts_with(magic));
    let encoded = match request.header("content-encoding") {
        Field::One(coding) => !coding.eq_ignore_ascii_case("identity"),
        Field::Absent | Field::Differing => false,
    };
    if packed || (encoded && std::str::from_utf8(body).is_err()) {
        return Some(found(
            Cause::BodyCompressed,
            "the body is still compressed: hand over what the gateway signed, after the content \
             coding was taken off",
        ));
    }
    let announced = match request.header("content-length") {
        Field::One(text) => text.parse::<usize>().ok(),
        Field::Absent | Field::Differing => None,
    };
    let whole = announced.is_none_or(|bytes| body.len() >= bytes || body.is_empty());
    (!whole).then(|| {
        let (came, announced) = (body.len(), announced.unwrap_or_default());
        let hint = format!(
            "{came} bytes came and Content-Length announced {announced}: the body was cut short \
             by a buffer or a limit"
        );
        (Some(Cause::BodyTruncated), hint)
    })
}

/// What a body looks like, where no repair of it matched a key: the key is another one besides,
/// or the scheme cannot be tried.
pub(super) fn of_body(request: Request<'_>) -> Option<Found> {
    let body = request.body;
    if body.starts_with(BOM) {
        return Some(found(Cause::BodyBom, "the body begins with a byte order mark"));
    }
    let text = body.trim_ascii();
    if text.starts_with(b"\"") && text.ends_with(b"\"") && is_json(text) {
        let hint = "the body is a JSON text that holds the payload: it was encoded once more";
        return Some(found(Cause::BodyWrapped, hint));
    }
    if FORM_WRAPPERS.iter().any(|wrapper| text.starts_with(wrapper)) {
        let hint = "the payload is the value of a form field: something wrapped it";
        return Some(found(Cause::BodyWrapped, hint));
    }
    let decoded = STANDARD.decode(text).ok().filter(|_| text.len() >= BASE64_BYTES_MIN);
    if decoded.is_some_and(|bytes| matches!(bytes.first(), Some(b'{' | b'[' | b'<'))) {
        let hint = "the body is base64 of the payload (isBase64Encoded): decode it first";
        return Some(found(Cause::BodyBase64, hint));
    }
    let cut = |error: serde_json::Error| error.is_eof();
    let json = matches!(text.first(), Some(b'{' | b'['));
    let read = serde_json::from_slice::<IgnoredAny>(text);
    if json && read.err().is_some_and(cut) {
        let hint = "the body is JSON that ends in the middle: it was cut short by a buffer or a \
                    limit";
        return Some(found(Cause::BodyTruncated, hint));
    }
    None
}

pub(super) fn found(cause: Cause, hint: &str) -> Found {
    (Some(cause), hint.to_owned())
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// A byte order mark in UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";
/// How compressed streams begin: gzip, Zstandard, zlib at its three usual levels.
const COMPRESSED: [&[u8]; 5] =
    [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda"];
/// How a payload in a form field begins, percent-encoded or not.
const FORM_WRAPPERS: [&[u8]; 6] =
    [b"payload=%7B", b"payload={", b"data=%7B", b"data={", b"body=%7B", b"body={"];
/// Shorter texts are base64 by chance.
const BASE64_BYTES_MIN: usize = 16;
