//! A key at work: the signed bytes go in piece by piece, then signatures are compared.

use std::convert::Infallible;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize as _;

use super::{
    keys::{ED25519_KEY_BYTES, Material},
    scheme::{Algorithm, Encoding},
    signature::{Digest, write_hex},
};
use crate::limits::DIGEST_BYTES_MAX;

impl Material {
    /// Shows `see` what the key makes of a message that is fed to it piece by piece, and leaves no
    /// signature of ours behind. A key that compares no signatures makes nothing: `see` is not called.
    ///
    /// # Errors
    /// Those of `feed`.
    pub(crate) fn make<E>(
        &self,
        algorithm: Algorithm,
        feed: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), E>,
        see: &mut dyn FnMut(&Made<'_>),
    ) -> Result<(), E> {
        match self {
            Self::Ed25519(key) => {
                // Ed25519 reads it twice.
                let mut message = Vec::new();
                feed(&mut |bytes| message.extend_from_slice(bytes))?;
                see(&Made::Ed25519(key, &message));
            }
            Self::Mac(mac) => mac.make(feed, &mut |tag| see(&Made::Own(tag)))?,
            Self::Text(_) if algorithm == Algorithm::Sha256 => {
                let mut digest = Sha256::new();
                feed(&mut |bytes| digest.update(bytes))?;
                let mut digest = digest.finalize();
                see(&Made::Own(&digest));
                digest.as_mut_slice().zeroize();
            }
            Self::Cipher(_) | Self::Text(_) => {}
        }
        Ok(())
    }

    /// The same of a message in one piece.
    pub(crate) fn make_of(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        see: &mut dyn FnMut(&Made<'_>),
    ) {
        let feed = |take: &mut dyn FnMut(&[u8])| {
            take(message);
            Ok::<_, Infallible>(())
        };
        self.make(algorithm, feed, see).unwrap_or_else(|never| match never {});
    }

    /// The signature of a message: only for signing, never to compare. A public key makes none.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = None;
        self.make_of(algorithm, message, &mut |made| {
            if let Made::Own(own) = made {
                signature = Some(own.to_vec());
            }
        });
        signature
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
pub(crate) enum Made<'m> {
    /// A public key and the message.
    Ed25519(&'m [u8; ED25519_KEY_BYTES], &'m [u8]),
    /// The only signature that the key makes of it. Whoever forged a webhook would like to see it.
    Own(&'m [u8]),
}

impl Made<'_> {
    /// Compares a whole signature, in constant time where the key is secret; one of another length
    /// never matches.
    fn matches(&self, signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key, message) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok()
            }
            Self::Own(own) => own.ct_eq(signature).to_bool(),
        }
    }

    /// Compares a signature as it is written.
    pub(crate) fn matches_text(&self, encoding: Encoding, text: &str) -> bool {
        match (self, encoding) {
            // Only one text is ours: nobody needs to understand the other.
            (Self::Own(own), Encoding::LowerHexText) => {
                let mut digits = [[0; 2]; DIGEST_BYTES_MAX];
                let Some(ours) = digits.get_mut(..own.len()) else { return false };
                write_hex(own, ours);
                let ours = ours.as_flattened_mut();
                let matched = ours.ct_eq(text.as_bytes()).to_bool();
                ours.zeroize();
                matched
            }
            _ => Digest::decode(encoding, text).is_some_and(|it| self.matches(it.as_slice())),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::{super::hmac::KeyedMac, *};

    #[test]
    fn only_the_whole_signature_matches() {
        let mac = KeyedMac::new(Algorithm::HmacSha256, b"key").expect("an HMAC");
        let key = Material::Mac(Box::new(mac));
        let algorithm = Algorithm::HmacSha256;
        let tag = key.sign(algorithm, b"message").expect("a key of our own");
        assert_eq!(tag.len(), 32);
        let mut compared = 0;
        key.make_of(algorithm, b"message", &mut |made| {
            compared += 1;
            assert!(made.matches(&tag));
            for length in 0..tag.len() {
                assert!(!made.matches(tag.get(..length).expect("shorter")), "{length} bytes");
            }
            let mut longer = tag.clone();
            longer.push(0);
            assert!(!made.matches(&longer));
        });
        assert_eq!(compared, 1);
    }

    #[test]
    fn a_signature_is_compared_as_it_is_written() {
        let (tag, algorithm) = ([0xab; 32], Algorithm::HmacSha256);
        let made = Made::Own(&tag);
        let (lower, upper) = ("ab".repeat(32), "AB".repeat(32));
        assert!(made.matches_text(Encoding::LowerHexText, &lower));
        assert!(made.matches_text(Encoding::Hex, &lower));
        assert!(made.matches_text(Encoding::Hex, &upper));
        assert!(made.matches_text(Encoding::Base64, &STANDARD.encode(tag)));
        let cut = lower.get(1..).expect("ASCII");
        let others = [upper.as_str(), "", cut, &format!("{lower}a"), &"ü".repeat(32)];
        for other in others.into_iter().chain(std::iter::once(&*"ac".repeat(32))) {
            assert!(!made.matches_text(Encoding::LowerHexText, other), "{other}");
        }
        let too_long = [0xab; 65];
        for text in ["", &"ab".repeat(64), &"ab".repeat(65)] {
            assert!(!Made::Own(&too_long).matches_text(Encoding::LowerHexText, text), "{text}");
        }
        let seed = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let public = seed.public_key().as_ref().try_into().expect("32 bytes");
        let signature = super::super::signature::to_hex(seed.sign(b"message").as_ref());
        let key = Material::Ed25519(public);
        key.make_of(algorithm, b"message", &mut |made| {
            assert!(made.matches_text(Encoding::LowerHexText, &signature));
            assert!(!made.matches_text(Encoding::LowerHexText, &signature.to_uppercase()));
        });
    }
}
