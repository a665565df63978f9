//! The stable key of an event, for the application's own unique index.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{
    limits::EVENT_ID_BYTES_MAX,
    model::{Event, event::UnsignedField},
};

/// The key of the event at `position` (from 0) in a payload: gateway, account and the signed event
/// id, else the SHA-256 of the signed bytes and the position. Never empty, at most about 500
/// bytes; made of signed material only.
///
/// The same event delivered again has the same key, also when it is signed anew.
pub fn idempotency_key(
    gateway: &str,
    event: &Event<'_>,
    payload: &[u8],
    position: usize,
) -> String {
    let account = event.account.as_deref().map(label).unwrap_or_default();
    let signed = !event.unsigned_fields.contains(&UnsignedField::Id);
    if let Some(identity) = event.identity.as_deref() {
        return format!("{gateway}:{account}:{}", hash(identity));
    }
    match event.id.as_deref().filter(|id| signed && !id.is_empty()) {
        Some(id) => [gateway, ":", &account, ":", &label(id)].concat(),
        None => format!("{gateway}:{account}:{}:{position}", hash(payload)),
    }
}

/// The text itself where it cannot be confused with the key's own punctuation, else its hash.
fn label(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if text.len() <= EVENT_ID_BYTES_MAX && text.bytes().all(plain) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(hash(text.as_bytes()))
    }
}

fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::from("sha256."), |mut text, byte| {
        for nibble in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn event(id: Option<&'static str>, account: Option<&'static str>) -> Event<'static> {
        Event {
            id: id.map(Cow::Borrowed),
            account: account.map(Cow::Borrowed),
            ..Event::envelope()
        }
    }

    #[test]
    fn a_signed_id_is_the_key() {
        let key = idempotency_key("stripe", &event(Some("evt_1"), Some("acct_1")), b"", 0);
        assert_eq!(key, "stripe:acct_1:evt_1");
    }

    #[test]
    fn an_unsigned_id_never_is() {
        let mut unsigned = event(Some("evt_1"), None);
        unsigned.unsigned_fields = &[UnsignedField::Id];
        let key = idempotency_key("shopify", &unsigned, b"body", 0);
        assert!(key.starts_with("shopify::sha256."), "{key}");
        assert_ne!(key, idempotency_key("shopify", &unsigned, b"body", 1));
        assert_ne!(key, idempotency_key("shopify", &unsigned, b"other", 0));
    }

    #[test]
    fn punctuation_and_length_cannot_make_two_events_one() {
        let one = idempotency_key("g", &event(Some("b:c"), Some("a")), b"", 0);
        let other = idempotency_key("g", &event(Some("c"), Some("a:b")), b"", 0);
        assert_ne!(one, other);
        let long = "x".repeat(10_000);
        let event = Event { id: Some(Cow::Owned(long)), ..Event::envelope() };
        assert!(idempotency_key("g", &event, b"", 0).len() < 100);
    }
}
