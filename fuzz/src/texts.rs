//! Small readers of texts: certificate URLs, amounts, times, currencies, names of variants.

use payhook::{
    model::{Currency, Money, MoneyError, Timestamp, Variant},
    verify::{Header, Request, Step, Unverified},
};

use super::{certificates::GENUINE, events, setups::choose};

/// The first byte chooses the reader.
pub fn texts(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match kind % 5 {
        0 => url(text),
        1 => amount(text),
        2 => scaled(rest),
        3 => time(text),
        _ => names(text),
    }
}

/// The one pattern, written by its parts.
pub fn may_be_asked(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let Some((authority, path)) = rest.split_once('/') else { return false };
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    let hosts = ["api", "api-m", "api.sandbox", "api-m.sandbox"];
    let known = hosts.iter().any(|name| format!("{name}.paypal.com") == host);
    let id = path.strip_prefix("v1/notifications/certs/").unwrap_or_default();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    known && !id.is_empty() && id.len() <= 128 && id.chars().all(word)
}

fn url(text: &str) {
    let (_, verifier) = choose(1, |_| true);
    let fields = [
        ("PAYPAL-TRANSMISSION-ID", GENUINE.id),
        ("PAYPAL-TRANSMISSION-TIME", GENUINE.time),
        ("PAYPAL-TRANSMISSION-SIG", "AAAA"),
        ("PAYPAL-CERT-URL", text),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA"),
    ];
    let headers = fields.map(|(name, value)| Header { name, value });
    let request = Request { method: "POST", url: "", headers: &headers, body: b"{}" };
    // Blanks around a header's value are not part of it.
    let trimmed = text.trim_matches([' ', '\t']);
    match Unverified::new(request).check_with(verifier) {
        Ok(Step::NeedsCertificate(needs)) => {
            assert!(may_be_asked(trimmed), "{text:?} would be fetched");
            let url = needs.url();
            assert_eq!(format!("https://{}{}", url.host(), url.target()), url.canonical());
            assert_eq!(url.canonical(), trimmed.replacen(":443/", "/", 1));
        }
        Ok(step) => panic!("{step:?}"),
        Err(error) => assert!(!may_be_asked(trimmed), "{text:?} is refused: {error}"),
    }
}

/// `CUR text`: an amount of that currency, against arithmetic of 128 bits.
fn amount(input: &str) {
    let Some((code, text)) = input.split_once(' ') else { return };
    let Some(currency) = Currency::new(code) else { return };
    let exponent = currency.exponent();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = !whole.is_empty() && digits(whole) && digits(fraction) && !unsigned.ends_with('.');
    match Money::from_decimal(text, currency) {
        Ok(money) => {
            assert!(digits(whole) && digits(fraction), "{text:?} is no decimal");
            events::money(money);
            let mut minor: i128 = 0;
            let kept = fraction.trim_end_matches('0');
            assert!(kept.len() <= exponent as usize, "{text:?} lost decimals");
            for digit in whole.bytes().chain(kept.bytes()) {
                minor = minor * 10 + i128::from(digit - b'0');
            }
            minor *= 10_i128.pow(exponent - kept.len() as u32);
            assert_eq!(i128::from(money.minor_units()), minor, "{text:?}");
            assert_eq!(Money::check_decimal(text), Ok(()), "{text:?}");
        }
        Err(MoneyError::NotDecimal) => assert!(!plain, "{text:?} is a decimal"),
        Err(_) => assert_eq!(Money::check_decimal(text), Ok(()), "{text:?}"),
    }
}

/// Eight bytes of units, one of exponent, three of currency.
fn scaled(bytes: &[u8]) {
    let Some((units, rest)) = bytes.split_first_chunk::<8>() else { return };
    let (Some((exponent, rest)), units) = (rest.split_first(), i64::from_be_bytes(*units)) else {
        return;
    };
    let code = std::str::from_utf8(rest.get(..3).unwrap_or_default()).unwrap_or_default();
    let Some(currency) = Currency::new(code) else { return };
    if let Ok(money) = Money::from_scaled(units, u32::from(*exponent), currency) {
        events::money(money);
        let (given, iso) = (u32::from(*exponent), currency.exponent());
        let (up, down) = (iso.saturating_sub(given), given.saturating_sub(iso));
        let exact = i128::from(units).unsigned_abs() * 10_u128.pow(up);
        let came = i128::from(money.minor_units()).unsigned_abs();
        // Beyond 18 places only zero is exact.
        let divisor = 10_u128.checked_pow(down);
        assert!(divisor.map_or(came == 0, |divisor| came * divisor == exact), "{units} {exponent}");
    }
}

fn time(text: &str) {
    let Some(time) = Timestamp::from_rfc3339(text) else { return };
    assert!(time.nanos() < 1_000_000_000, "{text:?}");
    // Years 0000 to 9999 with any offset.
    assert!((-62_167_305_600..=253_402_387_199).contains(&time.seconds()), "{text:?}");
    let digits = text.as_bytes().get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit));
    assert!(digits, "{text:?}");
}

fn names(text: &str) {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    let named = (1..=64).contains(&text.len()) && text.bytes().all(word);
    assert_eq!(Variant::check(text).is_ok(), named, "{text:?}");
    assert_eq!(Variant::new(text).is_ok(), named, "{text:?}");
    if let Some(currency) = Currency::new(text) {
        assert_eq!(currency.as_str(), text.to_ascii_uppercase());
        assert!(currency.exponent() <= 4, "{text:?}");
    }
}
