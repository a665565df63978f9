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
    /// Decodes one signature; `None` where it is not in the encoding or longer than any digest.
    pub(crate) fn decode(encoding: Encoding, text: &str) -> Option<Self> {
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
        Some(Self { bytes, length })
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
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
    let mut text = vec![[0; 2]; bytes.len()];
    write_hex(bytes, &mut text);
    text.as_flattened().iter().copied().map(char::from).collect()
}

/// The two digits of each byte, in lower case. What is written may be secret: nothing branches on it.
pub(crate) fn write_hex(bytes: &[u8], digits: &mut [[u8; 2]]) {
    let digit = |value: u8| {
        let above_nine = 9_u8.wrapping_sub(value) >> 7;
        value + b'0' + above_nine * (b'a' - b'9' - 1)
    };
    for (pair, byte) in digits.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
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
        let decoded = |text| Digest::decode(Encoding::Base64, text).map(|digest| digest.length);
        assert_eq!(decoded("AAAA"), Some(3));
        assert_eq!(decoded("AAA="), Some(2));
        for bad in ["AAA", "AA-_", "AA A", "AAAA\n", "AAB=", "=AAA"] {
            assert_eq!(decoded(bad), None, "{bad:?}");
        }
        assert_eq!(decoded(&"A".repeat(88)), None, "66 bytes are no digest");
    }

    #[test]
    fn hex_comes_in_either_case_except_as_text() {
        assert!(Digest::decode(Encoding::Hex, "aAfF00").is_some());
        assert!(Digest::decode(Encoding::LowerHexText, "aAfF00").is_none());
        assert!(Digest::decode(Encoding::Hex, "abc").is_none());
        assert!(Digest::decode(Encoding::Hex, "+a").is_none());
        assert!(Digest::decode(Encoding::Hex, &"00".repeat(65)).is_none());
        let every: Vec<u8> = (0..=u8::MAX).collect();
        let written: String = every.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(to_hex(&every), written);
        assert_eq!(hex(written.as_bytes()), Some(every));
    }

    #[test]
    fn every_byte_is_a_digit_or_refused_wherever_it_stands() {
        let value = |byte: u8, either: bool| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            b'A'..=b'F' if either => Some(byte - b'A' + 10),
            _ => None,
        };
        for (byte, either) in (0..=u8::MAX).flat_map(|byte| [(byte, false), (byte, true)]) {
            for place in 0..4 {
                let (mut text, mut bytes) = (*b"1111", [0; 2]);
                text[place] = byte;
                let read = hex_into(&text, if either { &HEX } else { &LOWER_HEX }, &mut bytes);
                let Some(value) = value(byte, either) else {
                    assert_eq!(read, None, "{byte} at {place}");
                    continue;
                };
                let mut expected = [0x11; 2];
                expected[place / 2] = if place % 2 == 0 { (value << 4) | 1 } else { 0x10 | value };
                assert_eq!((read, bytes), (Some(2), expected), "{byte} at {place}");
            }
        }
    }
}
