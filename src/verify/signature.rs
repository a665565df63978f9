//! One signature's text as bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize as _;

use super::scheme::{Case, Encoding};
use crate::limits::DIGEST_BYTES_MAX;

/// A decoded signature, on the stack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Digest {
    bytes: [u8; DIGEST_BYTES_MAX],
    length: usize,
}

impl Digest {
    /// A digest that was computed; what is beyond the longest algorithm's is cut off.
    pub(crate) fn of(computed: &[u8]) -> Self {
        let mut bytes = [0_u8; DIGEST_BYTES_MAX];
        let computed = computed.get(..DIGEST_BYTES_MAX).unwrap_or(computed);
        if let Some(room) = bytes.get_mut(..computed.len()) {
            room.copy_from_slice(computed);
        }
        Self { bytes, length: computed.len() }
    }

    /// Leaves nothing of it behind.
    pub(crate) fn erase(&mut self) {
        self.bytes.get_mut(..self.length).unwrap_or_default().zeroize();
    }

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
        Encoding::Hex => hex_into(text.as_bytes(), Case::Any, &mut bytes)?,
        Encoding::LowerHexText => hex_into(text.as_bytes(), Case::Exact, &mut bytes)?,
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
    hex_into(text, Case::Any, &mut bytes)?;
    Some(bytes)
}

/// Decodes hexadecimal digits, in lower case only where the case is exact. Loops without a table, a
/// branch or an end of their own: the compiler decodes sixteen digits at once.
fn hex_into(text: &[u8], case: Case, bytes: &mut [u8]) -> Option<usize> {
    let length = text.len() / 2;
    if !text.len().is_multiple_of(2) {
        return None;
    }
    // The bit that makes an upper-case letter a lower-case one; digits have it anyway.
    let lower = if case == Case::Any { 0x20 } else { 0 };
    let mut wrong = 0;
    for (text, room) in text.chunks(64).zip(bytes.get_mut(..length)?.chunks_mut(32)) {
        let mut digits = [b'0'; 64];
        digits.get_mut(..text.len())?.copy_from_slice(text);
        for digit in &mut digits {
            let decimal = digit.wrapping_sub(b'0');
            let letter = (*digit | lower).wrapping_sub(b'a');
            wrong |= u8::from(decimal >= 10) & u8::from(letter >= 6);
            *digit = if decimal < 10 { decimal } else { letter.wrapping_add(10) };
        }
        let mut decoded = [0_u8; 32];
        for (byte, pair) in decoded.iter_mut().zip(digits.as_chunks::<2>().0) {
            let pair = u16::from_le_bytes(*pair);
            [*byte, _] = (pair << 4 | pair >> 8).to_le_bytes();
        }
        room.copy_from_slice(decoded.get(..room.len())?);
    }
    (wrong == 0).then_some(length)
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
