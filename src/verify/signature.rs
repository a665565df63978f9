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
    /// No signature, which matches nothing.
    pub(crate) const EMPTY: Self = Self { bytes: [0; DIGEST_BYTES_MAX], length: 0 };

    /// Decodes one signature; `None` where it is not in the encoding or longer than any digest.
    pub(crate) fn decode(encoding: Encoding, text: &str) -> Option<Self> {
        let mut digest = Self::EMPTY;
        digest.read(encoding, text).then_some(digest)
    }

    /// The same into this one, which is copied no more; false and empty where there is none.
    pub(crate) fn read(&mut self, encoding: Encoding, text: &str) -> bool {
        let length = match encoding {
            Encoding::Base64 => self.read_base64(text),
            Encoding::CipherHex => None,
            Encoding::Hex => hex_into(text.as_bytes(), Letters::Either, &mut self.bytes),
            Encoding::LowerHexText => hex_into(text.as_bytes(), Letters::Lower, &mut self.bytes),
        };
        self.length = length.unwrap_or_default();
        length.is_some()
    }

    fn read_base64(&mut self, text: &str) -> Option<usize> {
        // Enough room for the longest digest's padded text; longer text is no digest.
        let mut room = [0_u8; DIGEST_BYTES_MAX + 3];
        let length = STANDARD.decode_slice(text, &mut room).ok()?;
        self.bytes.get_mut(..length)?.copy_from_slice(room.get(..length)?);
        Some(length)
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
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// Bytes of hexadecimal text in either case.
pub(crate) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    hex_into(text, Letters::Either, &mut bytes)?;
    Some(bytes)
}

/// Which letters count as hexadecimal digits.
#[derive(Clone, Copy)]
enum Letters {
    Lower,
    Either,
}

/// Eight digits at once, in a register: a key passes through here, too, and leaves no copies.
fn hex_into(text: &[u8], letters: Letters, bytes: &mut [u8]) -> Option<usize> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let room = bytes.get_mut(..text.len() / 2)?;
    let (groups, rest) = text.as_chunks::<8>();
    let (slots, rest_room) = room.as_chunks_mut::<4>();
    let mut wrong = 0;
    for (slot, group) in slots.iter_mut().zip(groups) {
        let (value, problem) = eight_digits(u64::from_be_bytes(*group), letters);
        *slot = value.to_be_bytes();
        wrong |= problem;
    }
    for (slot, [high, low]) in rest_room.iter_mut().zip(rest.as_chunks::<2>().0) {
        let pair = u64::from_be_bytes([b'0', b'0', b'0', b'0', b'0', b'0', *high, *low]);
        let (value, problem) = eight_digits(pair, letters);
        let [.., last] = value.to_be_bytes();
        *slot = last;
        wrong |= problem;
    }
    (wrong == 0).then_some(text.len() / 2)
}

/// The value of eight hexadecimal digits, and zero where each of them is one.
const fn eight_digits(text: u64, letters: Letters) -> (u32, u64) {
    // A bit of every byte, moved to its lowest place: letters have this one, digits do not.
    let letter = (text >> 6) & EACH;
    let lower = match letters {
        Letters::Lower => text,
        Letters::Either => text | (letter << 5),
    };
    // No byte reaches 25, so that none carries into its neighbour.
    let values = (text & (EACH * 0x0f)) + letter * 9;
    // Written again, a digit is what it was; values above 15 are no digit's.
    let above_nine = ((values + EACH * 6) >> 4) & EACH;
    let written = values + EACH * 0x30 + above_nine * 0x27;
    let wrong = (written ^ lower) | (values & (EACH * 0xf0));
    // Neighbours join: eight nibbles, four bytes, two pairs of bytes, one number.
    let bytes = ((values >> 4) | values) & 0x00ff_00ff_00ff_00ff;
    let pairs = ((bytes >> 8) | bytes) & 0x0000_ffff_0000_ffff;
    let joined = (pairs >> 16) | pairs;
    let [.., a, b, c, d] = joined.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), wrong)
}

/// One in every byte.
const EACH: u64 = u64::from_be_bytes([1; 8]);

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
        assert_eq!(to_hex(&[0, 0xaf]), "00af");
    }

    #[test]
    fn every_byte_is_a_digit_or_refused_wherever_it_stands() {
        let value = |byte: u8, letters| match (byte, letters) {
            (b'0'..=b'9', _) => Some(byte - b'0'),
            (b'a'..=b'f', _) => Some(byte - b'a' + 10),
            (b'A'..=b'F', Letters::Either) => Some(byte - b'A' + 10),
            _ => None,
        };
        for (byte, letters) in
            (0..=u8::MAX).flat_map(|byte| [(byte, Letters::Lower), (byte, Letters::Either)])
        {
            for (length, place) in (2..=18).step_by(2).flat_map(|n| (0..n).map(move |at| (n, at))) {
                let mut text = vec![b'1'; length];
                text[place] = byte;
                let mut bytes = vec![0; length / 2];
                let read = hex_into(&text, letters, &mut bytes);
                let Some(value) = value(byte, letters) else {
                    assert_eq!(read, None, "{byte} at {place} of {length}");
                    continue;
                };
                let mut expected = vec![0x11; length / 2];
                expected[place / 2] = if place % 2 == 0 { (value << 4) | 1 } else { 0x10 | value };
                assert_eq!((read, bytes), (Some(length / 2), expected), "{byte} at {place}");
            }
        }
    }
}
