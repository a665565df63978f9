//! A key at work: the signed bytes go in piece by piece, then signatures are compared.

use std::convert::Infallible;

use aws_lc_rs::{
    constant_time,
    signature::{ED25519, UnparsedPublicKey},
};
use sha2::{Digest as _, Sha256};

use super::{
    keys::{ED25519_KEY_BYTES, Material},
    scheme::Algorithm,
    signature::Digest,
};

impl Material {
    /// What the key makes of a message that is fed to it piece by piece; `None` where this key
    /// compares no signatures.
    ///
    /// # Errors
    /// Those of `feed`.
    pub(crate) fn make<E>(
        &self,
        algorithm: Algorithm,
        feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>,
    ) -> Result<Option<Made<'_>>, E> {
        Ok(match self {
            Self::Ed25519(key) => {
                // Ed25519 reads it twice.
                let mut message = Vec::new();
                feed(&mut |bytes| message.extend_from_slice(bytes))?;
                Some(Made::Ed25519(key, message))
            }
            Self::Mac(mac) => Some(Made::Own(mac.make(feed)?)),
            Self::Text(_) if algorithm == Algorithm::Sha256 => {
                let mut digest = Sha256::new();
                feed(&mut |bytes| digest.update(bytes))?;
                Some(Made::Own(Digest::of(&digest.finalize())))
            }
            Self::Cipher(_) | Self::Text(_) => None,
        })
    }

    /// The same of a message in one piece.
    pub(crate) fn make_of(&self, algorithm: Algorithm, message: &[u8]) -> Option<Made<'_>> {
        let made = self.make(algorithm, |take| {
            take(message);
            Ok::<_, Infallible>(())
        });
        made.unwrap_or_else(|never| match never {})
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

/// What a key made of a whole message.
pub(crate) enum Made<'k> {
    /// A public key and the message.
    Ed25519(&'k [u8; ED25519_KEY_BYTES], Vec<u8>),
    /// The only signature that the key makes of it.
    Own(Digest),
}

impl Drop for Made<'_> {
    /// Whoever forged a webhook would like to see what its signature should have been.
    fn drop(&mut self) {
        if let Self::Own(own) = self {
            own.erase();
        }
    }
}

impl Made<'_> {
    /// Compares a whole signature, in constant time where the key is secret; one of another length
    /// never matches.
    pub(crate) fn matches(&self, signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key, message) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
            Self::Own(own) => {
                constant_time::verify_slices_are_equal(own.as_slice(), signature).is_ok()
            }
        }
    }

    /// The signature: only for signing, never to compare. A public key makes none.
    pub(crate) fn signature(&self) -> Option<Vec<u8>> {
        match self {
            Self::Ed25519(..) => None,
            Self::Own(own) => Some(own.as_slice().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hmac::KeyedMac, *};

    #[test]
    fn only_the_whole_signature_matches() {
        let mac = KeyedMac::new(Algorithm::HmacSha256, b"key").expect("an HMAC");
        let key = Material::Mac(Box::new(mac));
        let made = key.make_of(Algorithm::HmacSha256, b"message").expect("it compares signatures");
        let tag = made.signature().expect("a key of our own");
        assert_eq!(tag.len(), 32);
        assert!(made.matches(&tag));
        for length in 0..tag.len() {
            assert!(!made.matches(tag.get(..length).expect("shorter")), "{length} bytes");
        }
        let mut longer = tag.clone();
        longer.push(0);
        assert!(!made.matches(&longer));
    }
}
