//! Texts of a notification in the charset that it names, and its way to write times.

use std::borrow::Cow;

use crate::model::Timestamp;

/// Decodes a field's bytes; `None` where the charset is another and the text is not plain.
///
/// `PayPal` writes windows-1252 unless the merchant's account says otherwise.
pub(super) fn decode<'b>(bytes: &'b [u8], charset: &[u8]) -> Option<Cow<'b, str>> {
    if bytes.is_ascii() || charset.eq_ignore_ascii_case(b"utf-8") {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let western = [b"".as_slice(), b"windows-1252", b"windows_1252", b"iso-8859-1", b"us-ascii"];
    let western = western.iter().any(|name| charset.eq_ignore_ascii_case(name));
    western.then(|| bytes.iter().map(|byte| windows_1252(*byte)).collect::<String>().into())
}

/// One byte of windows-1252, as the WHATWG Encoding Standard decodes it.
fn windows_1252(byte: u8) -> char {
    let high = byte.checked_sub(0x80).and_then(|at| HIGH.get(usize::from(at)));
    high.copied().unwrap_or(char::from(byte))
}

/// Reads `20:12:59 Jan 13, 2009 PST`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let mut parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    let (clock, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, zone) = (parts.next()?, parts.next()?);
    let offset = match zone {
        "PST" => "-08:00",
        "PDT" => "-07:00",
        _ => return None,
    };
    let month = MONTHS.iter().zip(1_u8..).find(|(name, _)| **name == month)?.1;
    let day: u8 = day.parse().ok()?;
    Timestamp::from_rfc3339(&format!("{year}-{month:02}-{day:02}T{clock}{offset}"))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// 0x80 to 0x9f, where windows-1252 differs from ISO 8859-1.
const HIGH: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_bytes_become_their_letters() {
        let decoded = |bytes: &'static [u8], charset: &[u8]| decode(bytes, charset);
        assert_eq!(decoded(b"Jos\xe9", b"windows-1252").as_deref(), Some("José"));
        assert_eq!(decoded(b"\x80 5", b"").as_deref(), Some("€ 5"));
        assert_eq!(decoded("Zoë".as_bytes(), b"UTF-8").as_deref(), Some("Zoë"));
        assert_eq!(decoded(b"Jos\xe9", b"UTF-8"), None);
        assert_eq!(decoded(b"\x83\x65", b"Shift_JIS"), None);
        assert_eq!(decoded(b"plain", b"Shift_JIS").as_deref(), Some("plain"));
    }

    #[test]
    fn times_are_pacific() {
        let seconds = |text| time(text).map(Timestamp::seconds);
        assert_eq!(seconds("20:12:59 Jan 13, 2009 PST"), Some(1_231_906_379));
        assert_eq!(seconds("05:00:00 Jul 1, 2024 PDT"), Some(1_719_835_200));
        for bad in ["", "20:12:59 Jan 13, 2009", "20:12:59 Jan 13, 2009 CET", "x Foo 1, 2009 PST"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
