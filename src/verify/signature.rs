//! One signature's text as bytes.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroize as _;

use super::scheme::Encoding;
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
        Encoding::Hex => hex_into(text.as_bytes(), &HEX, &mut bytes)?,
        Encoding::LowerHexText => hex_into(text.as_bytes(), &LOWER_HEX, &mut bytes)?,
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
    hex_into(text, &HEX, &mut bytes)?;
    Some(bytes)
}

fn hex_into(text: &[u8], digits: &[u8; 256], bytes: &mut [u8]) -> Option<usize> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let room = bytes.get_mut(..pairs.len())?;
    let value = |digit: u8| digits.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT);
    let mut seen = 0;
    for (slot, [high, low]) in room.iter_mut().zip(pairs) {
        let (high, low) = (value(*high), value(*low));
        seen |= high | low;
        *slot = high << 4 | low;
    }
    (seen & NO_DIGIT == 0).then_some(pairs.len())
}

/// The values of hexadecimal digits in either case.
static HEX: [u8; 256] = digits(b"0123456789ABCDEF", digits(b"0123456789abcdef", [NO_DIGIT; 256]));
/// The values of hexadecimal digits in lower case.
static LOWER_HEX: [u8; 256] = digits(b"0123456789abcdef", [NO_DIGIT; 256]);
/// What is no digit has this bit.
const NO_DIGIT: u8 = 0x80;

/// Adds digits to a table, each with its place as its value.
#[expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler, which stops at an index out of range"
)]
const fn digits(of: &[u8; 16], mut table: [u8; 256]) -> [u8; 256] {
    let mut value = 0;
    while value < of.len() {
        table[of[value] as usize] = value as u8;
        value += 1;
    }
    table
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
