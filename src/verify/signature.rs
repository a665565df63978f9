//! One signature's text as bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::scheme::Encoding;
use crate::limits::DIGEST_BYTES_MAX;

/// A decoded signature, on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest {
    bytes: [u8; DIGEST_BYTES_MAX],
    length: usize,
}

impl Digest {
    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Decodes one signature; `None` where it is not in the encoding or longer than any digest.
pub(crate) fn decode(encoding: Encoding, text: &str) -> Option<Digest> {
    let mut bytes = [0_u8; DIGEST_BYTES_MAX];
    let length = match encoding {
        Encoding::Base64 => {
            // Enough room for the longest digest's padded text; longer text is no digest.
            let mut room = [0_u8; DIGEST_BYTES_MAX + 3];
            let length = STANDARD.decode_slice(text, &mut room).ok()?;
            bytes.get_mut(..length)?.copy_from_slice(room.get(..length)?);
            length
        }
        Encoding::CipherHex => return None,
        Encoding::Hex => hex_into(text.as_bytes(), &mut bytes)?,
        Encoding::LowerHexText => {
            if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return None;
            }
            hex_into(text.as_bytes(), &mut bytes)?
        }
    };
    Some(Digest { bytes, length })
}

/// Decodes a signature of any length: those of public keys are as long as the key.
pub(crate) fn decode_long(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

/// Writes signature bytes in an encoding.
pub(crate) fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Base64 => STANDARD.encode(bytes),
        Encoding::CipherHex | Encoding::Hex | Encoding::LowerHexText => to_hex(bytes),
    }
}

/// Lower-case hexadecimal text.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// Bytes of hexadecimal text in either case.
pub(crate) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    hex_into(text, &mut bytes)?;
    Some(bytes)
}

fn hex_into(text: &[u8], bytes: &mut [u8]) -> Option<usize> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let room = bytes.get_mut(..pairs.len())?;
    for (slot, [high, low]) in room.iter_mut().zip(pairs) {
        *slot = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(pairs.len())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_standard_and_padded() {
        let decoded = |text| decode(Encoding::Base64, text).map(|digest| digest.length);
        assert_eq!(decoded("AAAA"), Some(3));
        assert_eq!(decoded("AAA="), Some(2));
        for bad in ["AAA", "AA-_", "AA A", "AAAA\n", "AAB=", "=AAA"] {
            assert_eq!(decoded(bad), None, "{bad:?}");
        }
        assert_eq!(decoded(&"A".repeat(88)), None, "66 bytes are no digest");
    }

    #[test]
    fn hex_comes_in_either_case_except_as_text() {
        assert!(decode(Encoding::Hex, "aAfF00").is_some());
        assert!(decode(Encoding::LowerHexText, "aAfF00").is_none());
        assert!(decode(Encoding::Hex, "abc").is_none());
        assert!(decode(Encoding::Hex, "+a").is_none());
        assert!(decode(Encoding::Hex, &"00".repeat(65)).is_none());
        assert_eq!(to_hex(&[0, 0xaf]), "00af");
    }
}
