//! Times: the two that a check needs, the grammar of signed ones and their two-sided window. Never
//! reads the clock.

use super::{rejection::Rejection, scheme::TimeUnit};
use crate::model::{Timestamp, UnixSeconds};

/// The two times that a check needs.
#[derive(Clone, Copy, Debug)]
pub struct CheckTime {
    /// The clock: validity of keys and certificates.
    pub now: UnixSeconds,
    /// When the application received the webhook: freshness only.
    pub received_at: UnixSeconds,
}

impl CheckTime {
    /// Both times are now.
    pub const fn now(now: UnixSeconds) -> Self {
        Self { now, received_at: now }
    }
}

/// Reads a signed time: 1 to 19 ASCII digits below 2^63, or RFC 3339. No sign, no blanks.
///
/// SDKs render a number anew before they hash it (stripe, standardwebhooks): one with zeros before
/// it is another text to them, so that only the plain one is a time.
pub(crate) fn read(text: &str, unit: TimeUnit) -> Option<UnixSeconds> {
    let seconds = match unit {
        TimeUnit::Rfc3339 => Timestamp::from_rfc3339(rfc3339_shape(text)?)?.seconds(),
        TimeUnit::Seconds => digits(text)?,
        TimeUnit::Milliseconds => digits(text)?.div_euclid(1000),
        TimeUnit::SecondsOrMilliseconds => {
            let value = digits(text)?;
            if value >= MILLISECONDS_FROM { value.div_euclid(1000) } else { value }
        }
    };
    Some(UnixSeconds::new(seconds))
}

/// Checks that a time lies within the tolerance of the time of receipt, on both sides, the bound
/// included.
pub(crate) fn check(
    signed_at: UnixSeconds,
    received_at: UnixSeconds,
    tolerance_seconds: i64,
) -> Result<(), Rejection> {
    let age_seconds = received_at.seconds_since(signed_at);
    if age_seconds > tolerance_seconds {
        return Err(Rejection::TimestampTooOld { age_seconds, tolerance_seconds });
    }
    let ahead_seconds = age_seconds.saturating_neg();
    if ahead_seconds > tolerance_seconds {
        return Err(Rejection::TimestampInFuture { ahead_seconds, tolerance_seconds });
    }
    Ok(())
}

/// The text where it has RFC 3339's own shape: the reader below it knows more ways to write a time.
fn rfc3339_shape(text: &str) -> Option<&str> {
    let (date, rest) = text.split_at_checked(19)?;
    let shaped = date.bytes().zip(b"dddd-dd-ddTdd:dd:dd").all(|(byte, shape)| match shape {
        b'd' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        other => byte == *other,
    });
    let offset = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let ends = match offset.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    (shaped && ends).then_some(text)
}

fn digits(text: &str) -> Option<i64> {
    // The library would also take a sign, and zeros before the number.
    let plain = matches!(text.as_bytes(), [b'0'] | [b'1'..=b'9', ..]);
    if plain { text.parse().ok() } else { None }
}

/// As seconds this is the year 5138; as milliseconds 1973. Mercado Pago has sent both units.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_itself_is_accepted_on_both_sides() {
        let now = UnixSeconds::new(1_700_000_000);
        let at = |offset: i64| check(UnixSeconds::new(1_700_000_000 + offset), now, 300);
        assert_eq!(at(-300), Ok(()));
        assert_eq!(at(300), Ok(()));
        let old = Rejection::TimestampTooOld { age_seconds: 301, tolerance_seconds: 300 };
        assert_eq!(at(-301), Err(old));
        let ahead = Rejection::TimestampInFuture { ahead_seconds: 301, tolerance_seconds: 300 };
        assert_eq!(at(301), Err(ahead));
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        for signed in [i64::MIN, i64::MAX] {
            for now in [i64::MIN, 0, i64::MAX] {
                let _ = check(UnixSeconds::new(signed), UnixSeconds::new(now), 300);
            }
        }
        assert!(read("9223372036854775807", TimeUnit::Seconds).is_some());
        assert!(read("9223372036854775808", TimeUnit::Seconds).is_none());
    }

    #[test]
    fn rfc_3339_has_one_shape() {
        let read = |text| read(text, TimeUnit::Rfc3339).map(UnixSeconds::get);
        for good in
            ["2023-11-14T22:13:20Z", "2023-11-14t22:13:20.125z", "2023-11-14T23:13:20+01:00"]
        {
            assert_eq!(read(good), Some(1_700_000_000), "{good}");
        }
        for bad in [
            "",
            "1700000000",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-11-14 22:13:20Z",
            "20231114T221320Z",
            "2023-11-14T22:13:20Z[UTC]",
            "2023-11-14T22:13:20+01",
            "2023-11-14T22:13:20Z|",
            "2023-13-14T22:13:20Z",
            "Tue, 14 Nov 2023 22:13:20 GMT",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_plain_digits_are_a_time() {
        for bad in [
            "",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1_0",
            "1e9",
            "0x1",
            "1.0",
            "١",
            "007",
            "00",
            "1+",
            "18446744073709551617",
        ] {
            assert_eq!(read(bad, TimeUnit::Seconds), None, "{bad:?}");
        }
        assert_eq!(read("7", TimeUnit::Seconds), Some(UnixSeconds::new(7)));
        assert_eq!(read("0", TimeUnit::Seconds), Some(UnixSeconds::new(0)));
    }
}
