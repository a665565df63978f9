//! Times: the clocks differ, the unit is another, or the webhook was held back.

use super::{Cause, Found, Inquiry, signs::found, trial::Bench};
use crate::{
    model::UnixSeconds,
    verify::{
        check::{Step, Unverified},
        request::{Found as Field, Header, Request},
        scheme::{Source, TimeUnit},
    },
};

/// The signature holds and its time is too far away; `age` is negative in the future.
pub(super) fn compared(inquiry: &Inquiry<'_>, age: i64) -> Found {
    let received_at = inquiry.at.received_at;
    let signed = received_at.get().saturating_sub(age);
    let near = |seconds: i64| {
        received_at.seconds_since(UnixSeconds::new(seconds)).saturating_abs() <= UNIT_NEAR_SECONDS
    };
    if near(signed.div_euclid(1000)) {
        let hint = "the signed time is in milliseconds and is read as seconds: whoever signed used \
                    the wrong unit (Date.now() instead of seconds)";
        return found(Cause::TimestampUnit, hint);
    }
    if near(signed.saturating_mul(1000)) {
        let hint = "the signed time is in seconds and is read as milliseconds: whoever signed used \
                    the wrong unit";
        return found(Cause::TimestampUnit, hint);
    }
    let apart = age.saturating_abs();
    if age < 0 {
        let hint = format!(
            "the signature holds, its time lies {apart} s ahead: the clock of this machine is \
             behind; check NTP"
        );
        return (Some(Cause::ClockSkew), hint);
    }
    let (hours, off) = (apart.div_euclid(HOUR), apart.rem_euclid(HOUR));
    let whole = off <= WHOLE_SECONDS && (1..=ZONE_HOURS_MAX).contains(&hours);
    if whole || apart <= HOUR {
        let hint = format!(
            "the signature holds, it was made {apart} s ago: the clock of this machine is ahead \
             (check NTP and the time zone), or the webhook waited in a queue"
        );
        return (Some(Cause::ClockSkew), hint);
    }
    let hint = format!(
        "the signature holds, it was made {apart} s ago: a webhook that was held back or replayed; \
         have the gateway send it again, or let the variant accept received_at"
    );
    (None, hint)
}

/// The time is not in the form of the scheme.
pub(super) fn another_form(inquiry: &Inquiry<'_>) -> Option<Found> {
    let time = inquiry.verifier.scheme().timestamp.as_ref()?;
    let Field::One(text) = inquiry.request.header(time.header.as_deref()?) else { return None };
    let digits = text.len() >= DIGITS_MIN && text.bytes().all(|byte| byte.is_ascii_digit());
    let date = text.contains('-') && text.contains(':');
    let hint = match time.unit {
        TimeUnit::Rfc3339 if digits => {
            "the signed time is a number where the gateway writes a date (RFC 3339)"
        }
        TimeUnit::Milliseconds | TimeUnit::Seconds | TimeUnit::SecondsOrMilliseconds if date => {
            "the signed time is a date where the gateway writes a number"
        }
        TimeUnit::Milliseconds
        | TimeUnit::Rfc3339
        | TimeUnit::Seconds
        | TimeUnit::SecondsOrMilliseconds => return None,
    };
    Some(found(Cause::TimestampUnit, hint))
}

/// The signature holds once the time that came is written in another unit.
pub(super) fn another_unit(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let request = inquiry.request;
    let scheme = inquiry.verifier.scheme();
    let source = match &scheme.source {
        Source::Header(name) => Some(name.as_ref()),
        Source::Answer
        | Source::FormField(_)
        | Source::HeaderAny(_)
        | Source::JsonItems(_)
        | Source::QueryField(_) => None,
    };
    let carrier = scheme.timestamp.as_ref()?.header.as_deref().or(source)?;
    let Ok(Step::Ready(check)) = Unverified::new(request).check_with(inquiry.verifier) else {
        return None;
    };
    let came = check.time?.text;
    let number: i64 = came.parse().ok()?;
    for other in [number.div_euclid(1000), number.saturating_mul(1000)] {
        let other = other.to_string();
        let values: Vec<_> = request
            .headers
            .iter()
            .map(|header| {
                let own = header.name.eq_ignore_ascii_case(carrier);
                if own { header.value.replacen(came, &other, 1) } else { header.value.to_owned() }
            })
            .collect();
        let headers = request.headers.iter().zip(&values);
        let headers: Vec<_> =
            headers.map(|(header, value)| Header { name: header.name, value }).collect();
        if bench.own_key_signed(Request { headers: &headers, ..request }) {
            let hint = "it matches once the time is written in another unit: something turned \
                        seconds into milliseconds, or the other way round";
            return Some(found(Cause::TimestampUnit, hint));
        }
    }
    None
}

const HOUR: i64 = 3600;
/// A wrong unit shows as a factor of a thousand; within this many seconds it is no chance.
const UNIT_NEAR_SECONDS: i64 = 7 * 86_400;
/// So close to a whole number of hours it is a time zone.
const WHOLE_SECONDS: i64 = 60;
/// The zones furthest from UTC.
const ZONE_HOURS_MAX: i64 = 14;
/// A time since 1970 has ten digits, or thirteen.
const DIGITS_MIN: usize = 9;
