//! A key at work: the signed bytes go in piece by piece, then signatures are compared.

use aws_lc_rs::{
    constant_time,
    signature::{ED25519, UnparsedPublicKey},
};
use sha2::{Digest as _, Sha256};

use super::{
    hmac::KeyedMac,
    keys::{ED25519_KEY_BYTES, Material},
    scheme::Algorithm,
};

/// What a key makes of the signed bytes.
#[derive(Clone, Debug)]
pub(crate) enum Running<'k> {
    /// A digest, of which the key's text is a part.
    Digest(Sha256),
    /// A public key and the message so far: Ed25519 reads it twice.
    Ed25519(&'k [u8; ED25519_KEY_BYTES], Vec<u8>),
    /// A MAC.
    Mac(KeyedMac),
}

impl Material {
    /// Starts over a message; `None` where this key compares no signatures.
    pub(crate) fn begin(&self, algorithm: Algorithm) -> Option<Running<'_>> {
        match self {
            Self::Cipher(_) => None,
            Self::Ed25519(key) => Some(Running::Ed25519(key, Vec::new())),
            Self::Mac(mac) => Some(Running::Mac(KeyedMac::clone(mac))),
            Self::Text(_) => {
                (algorithm == Algorithm::Sha256).then(|| Running::Digest(Sha256::new()))
            }
        }
    }

    /// The key's own text, where it takes part in the signed bytes.
    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Text(secret) => secret.expose(),
            Self::Cipher(_) | Self::Ed25519(_) | Self::Mac(_) => &[],
        }
    }

    /// Whether a signature that names its algorithm is one of this key's.
    pub(crate) fn makes(&self, named: Option<Algorithm>) -> bool {
        let own = matches!(self, Self::Ed25519(_));
        named.is_none_or(|named| own == (named == Algorithm::Ed25519))
    }
}

impl Running<'_> {
    /// Adds bytes of the message.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Digest(digest) => digest.update(bytes),
            Self::Ed25519(_, message) => message.extend_from_slice(bytes),
            Self::Mac(mac) => mac.update(bytes),
        }
    }

    /// Compares a whole signature, in constant time where the key is secret.
    pub(crate) fn matches(&self, signature: &[u8]) -> bool {
        match self {
            Self::Digest(digest) => {
                let own = digest.clone().finalize();
                constant_time::verify_slices_are_equal(&own, signature).is_ok()
            }
            Self::Ed25519(key, message) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
            Self::Mac(mac) => mac.matches(signature),
        }
    }

    /// The signature: only for signing, never to compare. A public key makes none.
    pub(crate) fn signature(self) -> Option<Vec<u8>> {
        match self {
            Self::Digest(digest) => Some(digest.finalize().to_vec()),
            Self::Ed25519(..) => None,
            Self::Mac(mac) => Some(mac.tag()),
        }
    }
}
