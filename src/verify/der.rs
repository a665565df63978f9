//! The little of X.509 that webpki does not hand out: validity, the common name, and whether there
//! is a subject alternative name. Only ever read from certificates whose chain webpki has checked,
//! or that the operator trusts.

use crate::model::{Timestamp, UnixSeconds};

/// What is read from one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outline<'a> {
    /// Valid from this moment on.
    pub(crate) not_before: UnixSeconds,
    /// Valid up to and including this moment.
    pub(crate) not_after: UnixSeconds,
    /// Each common name of the subject, as bytes.
    pub(crate) common_names: Vec<&'a [u8]>,
    /// Whether there is a subject alternative name: then the common name counts for nothing.
    pub(crate) has_alternative_name: bool,
}

impl<'a> Outline<'a> {
    /// Reads a certificate; `None` where it is no certificate.
    pub(crate) fn read(certificate: &'a [u8]) -> Option<Self> {
        let (certificate, _) = expect(SEQUENCE, certificate)?;
        let (body, _) = expect(SEQUENCE, certificate)?;
        // Version 1 has no version field.
        let body = expect(VERSION, body).map_or(body, |(_, rest)| rest);
        let (_, body) = expect(INTEGER, body)?;
        let (_, body) = expect(SEQUENCE, body)?;
        let (_, body) = expect(SEQUENCE, body)?;
        let (validity, body) = expect(SEQUENCE, body)?;
        let (subject, body) = expect(SEQUENCE, body)?;
        let (not_before, validity) = time(validity)?;
        let (not_after, _) = time(validity)?;
        let common_names = common_names(subject)?;
        Some(Self {
            not_before,
            not_after,
            common_names,
            // Seen anywhere behind the subject it counts as there, which can only refuse more.
            has_alternative_name: body
                .windows(ALTERNATIVE_NAME.len())
                .any(|w| w == ALTERNATIVE_NAME),
        })
    }
}

fn common_names(mut subject: &[u8]) -> Option<Vec<&[u8]>> {
    let mut names = Vec::new();
    while !subject.is_empty() {
        let (mut set, rest) = expect(SET, subject)?;
        subject = rest;
        while !set.is_empty() {
            let (pair, rest) = expect(SEQUENCE, set)?;
            set = rest;
            let (kind, value) = expect(OBJECT_ID, pair)?;
            let (_, text, _) = next(value)?;
            if kind == COMMON_NAME {
                names.push(text);
            }
        }
    }
    Some(names)
}

/// A time of either form: two-digit years up to 49 belong to this century (RFC 5280, 4.1.2.5).
fn time(input: &[u8]) -> Option<(UnixSeconds, &[u8])> {
    let (tag, text, rest) = next(input)?;
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        UTC_TIME if text.as_bytes().first()? < &b'5' => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let digits = text.strip_suffix('Z').filter(|digits| digits.len() == 14)?;
    let (date, clock) = digits.split_at_checked(8)?;
    let (year, day) = date.split_at_checked(4)?;
    let (month, day) = day.split_at_checked(2)?;
    let (hour, clock) = clock.split_at_checked(2)?;
    let (minute, second) = clock.split_at_checked(2)?;
    let point =
        Timestamp::from_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))?;
    Some((UnixSeconds::new(point.seconds()), rest))
}

fn expect(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = next(input)?;
    (found == tag).then_some((content, rest))
}

/// The first element: its tag, its content and what follows it.
fn next(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

const INTEGER: u8 = 0x02;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
/// 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.29.17 with its tag and length.
const ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_any_length_is_read_beyond_its_end() {
        let certificate = rcgen::generate_simple_self_signed(vec!["a.example".to_owned()])
            .expect("a certificate");
        let der = certificate.cert.der();
        assert!(Outline::read(der).is_some());
        for length in 0..der.len() {
            assert_eq!(Outline::read(&der[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn both_forms_of_time_are_read() {
        let read = |tag: u8, text: &str| {
            let mut input = vec![tag, u8::try_from(text.len()).expect("short")];
            input.extend_from_slice(text.as_bytes());
            time(&input).map(|(at, _)| at.get())
        };
        assert_eq!(read(UTC_TIME, "231114221320Z"), Some(1_700_000_000));
        assert_eq!(read(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(GENERALIZED_TIME, "20231114221320Z"), Some(1_700_000_000));
        for bad in ["231114221320", "2311142213Z", "231314221320Z", "23111422132\u{660}Z", ""] {
            assert_eq!(read(UTC_TIME, bad), None, "{bad}");
        }
        assert_eq!(read(0x16, "231114221320Z"), None);
    }
}
