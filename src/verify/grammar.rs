//! Splits a signature's text into signatures, without copying.

use memchr::memchr;

use super::{
    freshness,
    request::Found,
    scheme::{Algorithm, Blanks, Case, Grammar, Presence, TimeUnit},
};
use crate::{
    limits::{KEY_ID_PAIRS_MAX, SIGNATURES_MAX},
    model::UnixSeconds,
};

/// One signature as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// What it says it was made with, where the grammar has that.
    pub(crate) algorithm: Option<Algorithm>,
    /// The id of the key it names, where the grammar has one.
    pub(crate) key_id: Option<&'a str>,
    /// The encoded signature.
    pub(crate) text: &'a str,
}

/// A time written in the signature's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignedTime<'a> {
    /// As it is written: this text is signed.
    pub(crate) text: &'a str,
    /// As it reads.
    pub(crate) at: UnixSeconds,
}

impl<'a> SignedTime<'a> {
    /// Reads the time that was found: exactly one distinct value.
    #[inline]
    pub(crate) fn read(found: Found<'a>, unit: TimeUnit) -> Result<Self, &'static str> {
        match found {
            Found::Absent => Err("its time is absent"),
            Found::Differing => Err("its times differ"),
            Found::One(text) => {
                let at = freshness::read(text, unit).ok_or("its time is not a plain number")?;
                Ok(Self { text, at })
            }
        }
    }
}

impl Grammar {
    /// Checks the shape of the text beyond its single entries.
    pub(crate) fn check(&self, text: &str) -> Result<(), &'static str> {
        match self {
            // Braintree's Python SDK fails on a third part, the Node SDK ignores it: refused.
            Self::KeyIdPairs => {
                let mut pairs = text.split('&').filter(|pair| pair.contains('|'));
                let shaped = |pair: &str| pair.matches('|').count() == 1;
                if pairs.all(shaped) { Ok(()) } else { Err("a pair has more than two parts") }
            }
            Self::Prefixed { prefix, case, required: Presence::Required } => {
                case.strip_prefix(text, prefix).map(|_| ()).ok_or("its prefix is absent")
            }
            Self::KeyValues { .. } | Self::Named(_) | Self::Plain | Self::Prefixed { .. } => Ok(()),
        }
    }

    /// Calls `see` with each signature, at most [`SIGNATURES_MAX`] of them (pairs: at most
    /// [`KEY_ID_PAIRS_MAX`], of which only one per key is compared). Empty ones count as
    /// absent. Returns the time beside them, where the grammar has one.
    pub(crate) fn each<'a>(&self, text: &'a str, see: &mut dyn FnMut(Entry<'a>)) -> Found<'a> {
        let plain = |text| Entry { algorithm: None, key_id: None, text };
        match self {
            Self::Plain => see(plain(text)),
            Self::Prefixed { prefix, case, required } => match case.strip_prefix(text, prefix) {
                Some(rest) => see(plain(rest)),
                None if *required == Presence::Optional => see(plain(text)),
                None => {}
            },
            Self::KeyValues { separator, signature, timestamp, blanks } => {
                let (mut time, mut signatures) = (Found::Absent, 0);
                for (key, value) in entries(text, *separator, *blanks) {
                    if blanks.same(key, signature)
                        && !value.is_empty()
                        && signatures < SIGNATURES_MAX
                    {
                        signatures += 1;
                        see(plain(value));
                    }
                    if timestamp.as_ref().is_some_and(|name| blanks.same(key, name)) {
                        time = time.and(value);
                    }
                }
                return time;
            }
            Self::KeyIdPairs => text
                .split('&')
                .filter_map(|pair| pair.split_once('|'))
                .take(KEY_ID_PAIRS_MAX)
                .for_each(|(id, text)| see(Entry { algorithm: None, key_id: Some(id), text })),
            Self::Named(names) => text
                .split(' ')
                .filter_map(|entry| entry.split_once(','))
                .filter_map(|(name, text)| {
                    let (_, algorithm) = names.iter().find(|(known, _)| *known == name)?;
                    Some(Entry { algorithm: Some(*algorithm), key_id: None, text })
                })
                .take(SIGNATURES_MAX)
                .for_each(see),
        }
        Found::Absent
    }
}

impl Blanks {
    /// Whether a key is the one that is meant.
    fn same(self, key: &str, name: &str) -> bool {
        match self {
            Self::Kept => key == name,
            Self::Trimmed => key.eq_ignore_ascii_case(name),
        }
    }
}

/// `key=value` entries, split on the first `=`; entries without one are not signatures.
fn entries(text: &str, separator: u8, blanks: Blanks) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(text);
    let entries = std::iter::from_fn(move || {
        let text = rest?;
        let cut = cut(text, separator);
        rest = cut.map(|(_, rest)| rest);
        Some(cut.map_or(text, |(entry, _)| entry))
    });
    entries.filter_map(move |entry| {
        // Keys are short: their end is near.
        let end = entry.bytes().position(|byte| byte == b'=')?;
        let (key, value) = (entry.get(..end)?, entry.get(end.saturating_add(1)..)?);
        Some(match blanks {
            Blanks::Kept => (key, value),
            Blanks::Trimmed => (key.trim_ascii(), value.trim_ascii()),
        })
    })
}

/// The text before and behind the first of these ASCII characters. Every webhook's signature is
/// cut a few times: the library looks at 32 bytes at once.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let end = memchr(at, text.as_bytes())?;
    Some((text.get(..end)?, text.get(end.saturating_add(1)..)?))
}

impl Case {
    /// The text behind a prefix.
    fn strip_prefix<'a>(self, text: &'a str, prefix: &str) -> Option<&'a str> {
        let (head, rest) = text.split_at_checked(prefix.len())?;
        let same = match self {
            Self::Any => head.eq_ignore_ascii_case(prefix),
            Self::Exact => head == prefix,
        };
        same.then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    const STRIPE: Grammar = Grammar::KeyValues {
        separator: b',',
        signature: Cow::Borrowed("v1"),
        timestamp: Some(Cow::Borrowed("t")),
        blanks: Blanks::Kept,
    };

    fn texts<'a>(grammar: &Grammar, text: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        grammar.each(text, &mut |entry| found.push(entry.text));
        found
    }

    fn read_time(text: &str) -> Result<SignedTime<'_>, &'static str> {
        SignedTime::read(STRIPE.each(text, &mut |_| ()), TimeUnit::Seconds)
    }

    #[test]
    fn only_exact_keys_count() {
        assert_eq!(texts(&STRIPE, "t=1,v1=a,v0=b,V1=c, v1=d,v1=,v10=e,v1=f=g"), ["a", "f=g"]);
    }

    #[test]
    fn a_time_must_be_there_once_or_equal() {
        let time = |text| read_time(text).map(|time| time.at.get());
        assert_eq!(time("t=5,v1=a,t=5"), Ok(5));
        assert_eq!(time("t=5,t=6"), Err("its times differ"));
        assert_eq!(time("v1=a"), Err("its time is absent"));
        for bad in ["t=", "t=05", "t=00", "t=+5"] {
            assert_eq!(time(bad), Err("its time is not a plain number"), "{bad}");
        }
    }

    #[test]
    fn at_most_sixteen_signatures_are_looked_at() {
        let many = "v1=a,".repeat(100);
        assert_eq!(texts(&STRIPE, &many).len(), SIGNATURES_MAX);
    }

    #[test]
    fn a_prefix_comes_in_any_case_where_the_gateway_says_so() {
        let prefixed =
            |case, required| Grammar::Prefixed { prefix: Cow::Borrowed("sha512="), case, required };
        let any = prefixed(Case::Any, Presence::Required);
        assert_eq!(texts(&any, "SHA512=ab"), ["ab"]);
        assert!(any.check("ab").is_err());
        assert!(any.check("").is_err());
        let exact = prefixed(Case::Exact, Presence::Optional);
        assert_eq!(texts(&exact, "sha512=ab"), ["ab"]);
        assert_eq!(texts(&exact, "SHA512=ab"), ["SHA512=ab"]);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            time in 0_i64..i64::MAX,
            signatures in proptest::collection::vec("[0-9a-f]{1,64}", 1..SIGNATURES_MAX),
        ) {
            let list: Vec<_> = signatures.iter().map(|text| format!("v1={text}")).collect();
            let header = format!("t={time},{}", list.join(","));
            prop_assert_eq!(texts(&STRIPE, &header), signatures);
            let read = read_time(&header).map(|time| time.at.get());
            prop_assert_eq!(read, Ok(time));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            for grammar in [STRIPE, Grammar::KeyIdPairs, Grammar::Plain] {
                let _ = grammar.check(&text);
                let _ = texts(&grammar, &text);
            }
        }
    }
}
