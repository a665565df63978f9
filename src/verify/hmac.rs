//! Keyed MACs: the key's padding is hashed once, when the key is loaded, and each webhook starts
//! from a copy of that state.

use std::fmt;

use hmac::{
    Hmac, KeyInit, Mac,
    digest::{FixedOutput as _, array::Array},
};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroize as _;

use super::scheme::Algorithm;

/// A MAC keyed with a secret.
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

    /// Shows `see` the tag of a message that is fed piece by piece, and leaves nothing of it
    /// behind. Only the state of the one algorithm is copied, not the room of the largest.
    ///
    /// # Errors
    /// Those of `feed`.
    pub(crate) fn make<E>(
        &self,
        feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>,
        see: &mut dyn FnMut(&[u8]),
    ) -> Result<(), E> {
        each!(self, keyed => {
            let mut mac = keyed.clone();
            feed(&mut |bytes| mac.update(bytes))?;
            // Made where it is read, not moved there.
            let mut tag = Array::default();
            mac.finalize_into(&mut tag);
            see(&tag);
            tag.as_mut_slice().zeroize();
        });
        Ok(())
    }
}

impl fmt::Debug for KeyedMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyedMac(redacted)")
    }
}
