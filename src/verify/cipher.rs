//! Payloads that come encrypted: AES-128 in CBC mode with the key as the initial vector, as Opayo
//! Form has it. Nothing authenticates them, and every failure looks the same.

use aws_lc_rs::{
    cipher::{
        AES_128, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
        PaddedBlockEncryptingKey, UnboundCipherKey,
    },
    iv::FixedLength,
};

use super::signature;
use crate::model::Secret;

/// Bytes of a key and of a block.
pub(crate) const BLOCK_BYTES: usize = 16;

/// Whether a text is hexadecimal of at least one whole block.
pub(crate) fn is_cipher_text(text: &str) -> bool {
    signature::hex(text.as_bytes())
        .is_some_and(|bytes| !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK_BYTES))
}

/// Decrypts hexadecimal text; `None` for whatever goes wrong.
pub(crate) fn open(key: &Secret, text: &str) -> Option<Vec<u8>> {
    let mut bytes = signature::hex(text.as_bytes())?;
    let iv: [u8; BLOCK_BYTES] = key.expose().try_into().ok()?;
    let unbound = UnboundCipherKey::new(&AES_128, key.expose()).ok()?;
    let opener = PaddedBlockDecryptingKey::cbc_pkcs7(unbound).ok()?;
    let context = DecryptionContext::Iv128(FixedLength::from(&iv));
    opener.decrypt(&mut bytes, context).ok().map(|plain| plain.to_vec())
}

/// Encrypts into upper-case hexadecimal text: only to make what the gateway would send.
pub(crate) fn seal(key: &Secret, plain: &[u8]) -> Option<String> {
    let mut bytes = plain.to_vec();
    let iv: [u8; BLOCK_BYTES] = key.expose().try_into().ok()?;
    let unbound = UnboundCipherKey::new(&AES_128, key.expose()).ok()?;
    let sealer = PaddedBlockEncryptingKey::cbc_pkcs7(unbound).ok()?;
    let context = EncryptionContext::Iv128(FixedLength::from(&iv));
    sealer.less_safe_encrypt(&mut bytes, context).ok()?;
    Some(signature::to_hex(&bytes).to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_with_its_own_key_only() {
        let key = |text: &str| Secret::new(text.as_bytes().to_vec());
        let sealed = seal(&key("0123456789abcdef"), b"Status=OK").expect("a key of 16 bytes");
        assert!(is_cipher_text(&sealed));
        let opened = open(&key("0123456789abcdef"), &sealed);
        assert_eq!(opened.as_deref(), Some(b"Status=OK".as_slice()));
        assert_ne!(open(&key("0123456789abcdeF"), &sealed).as_deref(), Some(&b"Status=OK"[..]));
        assert!(open(&key("short"), &sealed).is_none());
        for bad in ["", "abc", "zz", "abababababababababababababababab00"] {
            assert!(!is_cipher_text(bad), "{bad}");
        }
    }

    #[test]
    fn every_byte_of_the_padding_counts() {
        // One block of padding in which a byte that is not the last is wrong: strict PKCS#7
        // refuses it, a look at the last byte alone would not.
        let key = Secret::new(b"0123456789abcdef".to_vec());
        let genuine = seal(&key, b"0123456789abcdef").expect("a key of 16 bytes");
        let mut bytes = signature::hex(genuine.as_bytes()).expect("hexadecimal");
        bytes[3] ^= 1;
        assert!(open(&key, &signature::to_hex(&bytes)).is_none());
    }
}
