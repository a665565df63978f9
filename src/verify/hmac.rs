//! Keyed MACs: the key's padding is hashed once, when the key is loaded, and each webhook starts
//! from a copy of that state.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

use super::scheme::Algorithm;

/// A MAC keyed with a secret, or one that is running over a message.
#[derive(Clone)]
pub(crate) enum KeyedMac {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

macro_rules! each {
    ($mac:expr, $bound:ident => $body:expr) => {
        match $mac {
            KeyedMac::Sha1($bound) => $body,
            KeyedMac::Sha256($bound) => $body,
            KeyedMac::Sha384($bound) => $body,
            KeyedMac::Sha512($bound) => $body,
        }
    };
}

impl KeyedMac {
    /// Keys a MAC; `None` where the algorithm is no HMAC. HMAC takes keys of any length, so that
    /// emptiness is refused where secrets are loaded.
    pub(crate) fn new(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::HmacSha1 => Hmac::new_from_slice(key).ok().map(Self::Sha1),
            Algorithm::HmacSha256 => Hmac::new_from_slice(key).ok().map(Self::Sha256),
            Algorithm::HmacSha384 => Hmac::new_from_slice(key).ok().map(Self::Sha384),
            Algorithm::HmacSha512 => Hmac::new_from_slice(key).ok().map(Self::Sha512),
            Algorithm::Aes128CbcKeyAsIv
            | Algorithm::Answer(_)
            | Algorithm::Ed25519
            | Algorithm::RsaSha256ByCertificate(_)
            | Algorithm::Sha256 => None,
        }
    }

    /// Adds bytes of the message.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        each!(self, mac => mac.update(bytes));
    }

    /// Compares a whole tag in constant time; a tag of another length never matches.
    pub(crate) fn matches(&self, tag: &[u8]) -> bool {
        each!(self.clone(), mac => mac.verify_slice(tag).is_ok())
    }

    /// The tag: only for signing and for endpoint challenges, never to compare.
    pub(crate) fn tag(self) -> Vec<u8> {
        each!(self, mac => mac.finalize().into_bytes().to_vec())
    }
}

impl fmt::Debug for KeyedMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedMac(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_tag_matches() {
        let mut mac = KeyedMac::new(Algorithm::HmacSha256, b"key").expect("an HMAC");
        mac.update(b"message");
        let tag = mac.clone().tag();
        assert!(mac.matches(&tag));
        for length in 0..tag.len() {
            assert!(!mac.matches(tag.get(..length).expect("shorter")), "{length} bytes");
        }
        let mut longer = tag.clone();
        longer.push(0);
        assert!(!mac.matches(&longer));
    }
}
