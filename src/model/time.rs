//! Points in time, in UTC. Floor 0: never reads the clock, a caller passes `now` in.

use std::fmt;

/// A point in time as whole seconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use payhook::model::UnixSeconds;
/// let signed = UnixSeconds::new(1_700_000_000);
/// assert_eq!(UnixSeconds::new(1_700_000_300).seconds_since(signed), 300);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(i64);

impl UnixSeconds {
    /// Wraps a count of seconds; negative counts lie before 1970.
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The count of seconds.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Seconds from `earlier` to `self`, saturating at the ends of `i64`.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A point in time with nanoseconds, as gateways write it inside events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// Whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Whole milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        let part = millis.rem_euclid(1000).unsigned_abs();
        // Below 1000 by construction, so the product stays far below u32::MAX.
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            reason = "below 1000; no const conversion exists"
        )]
        let nanos = (part as u32).saturating_mul(1_000_000);
        Self { seconds: millis.div_euclid(1000), nanos }
    }

    /// A point from protobuf's two fields; `None` where the nanoseconds are out of range.
    pub fn from_parts(seconds: i64, nanos: i32) -> Option<Self> {
        let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        Some(Self { seconds, nanos })
    }

    /// Reads RFC 3339, such as `2026-11-24T10:00:00.5Z`; an offset is required.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        // ISO 8601 knows years of six digits behind a sign, and the parser reads them; no gateway
        // means one.
        let four_digits = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let point: jiff::Timestamp = text.parse().ok().filter(|_| four_digits)?;
        let nanos = point.as_nanosecond().rem_euclid(1_000_000_000);
        let seconds = point.as_nanosecond().div_euclid(1_000_000_000);
        Some(Self { seconds: i64::try_from(seconds).ok()?, nanos: u32::try_from(nanos).ok()? })
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second, below 1,000,000,000.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}

impl From<UnixSeconds> for Timestamp {
    fn from(value: UnixSeconds) -> Self {
        Self::from_seconds(value.get())
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_before_1970_keep_positive_nanoseconds() {
        let point = Timestamp::from_millis(-1);
        assert_eq!((point.seconds(), point.nanos()), (-1, 999_000_000));
    }

    #[test]
    fn an_rfc_3339_time_without_offset_is_refused() {
        assert_eq!(Timestamp::from_rfc3339("2026-11-24T10:00:00"), None);
        let offset = Timestamp::from_rfc3339("2023-11-14T23:13:20.25+01:00");
        assert_eq!(offset.map(|t| (t.seconds(), t.nanos())), Some((1_700_000_000, 250_000_000)));
    }

    #[test]
    fn a_year_has_four_digits() {
        for text in ["-002023-11-14T13:22:00Z", "+002023-11-14T13:22:00Z", "002023-11-14T13:22:00Z"]
        {
            assert_eq!(Timestamp::from_rfc3339(text), None, "{text}");
        }
        assert!(Timestamp::from_rfc3339("0000-01-01T00:00:00Z").is_some());
    }

    #[test]
    fn ages_saturate_instead_of_overflowing() {
        assert_eq!(UnixSeconds::new(i64::MIN).seconds_since(UnixSeconds::new(1)), i64::MIN);
    }
}
