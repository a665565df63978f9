//! Exact amounts in ISO 4217 minor units. Floor 0: integers and decimal text, never floats.

use std::fmt;

/// An ISO 4217 alphabetic code in upper case, three letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Reads three ASCII letters in any case.
    ///
    /// ```
    /// use payhook::model::Currency;
    /// assert_eq!(Currency::new("eur").unwrap().as_str(), "EUR");
    /// assert!(Currency::new("EURO").is_none());
    /// ```
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        let letters = bytes.iter().all(u8::is_ascii_alphabetic);
        letters.then(|| Self(bytes.map(|byte| byte.to_ascii_uppercase())))
    }

    /// The code, upper case.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// How many decimals ISO 4217 gives the currency: 0, 2 or 3.
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact, non-negative amount.
///
/// ```
/// use payhook::model::{Currency, Money};
/// let eur = Currency::new("EUR").unwrap();
/// let price = Money::from_decimal("19.9", eur).unwrap();
/// assert_eq!((price.minor_units(), price.to_string()), (1990, "19.90 EUR".to_owned()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor_units: i64,
    currency: Currency,
}

/// Why a present amount cannot be expressed exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MoneyError {
    /// Not a plain decimal number.
    #[error("the amount is not a decimal number")]
    NotDecimal,
    /// Beyond 64 bits of minor units.
    #[error("the amount is too large")]
    TooLarge,
    /// More decimals than the currency has.
    #[error("the amount has more decimals than its currency")]
    TooPrecise,
}

impl Money {
    /// An amount in ISO 4217 minor units; the sign is dropped.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] for `i64::MIN`, which has no positive counterpart.
    pub fn from_minor(minor_units: i64, currency: Currency) -> Result<Self, MoneyError> {
        let minor_units = minor_units.checked_abs().ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor_units, currency })
    }

    /// An amount in units of `10^-exponent`, where a gateway counts in another exponent than
    /// ISO 4217; rescaled exactly.
    ///
    /// # Errors
    /// [`MoneyError::TooPrecise`] where digits would be lost, [`MoneyError::TooLarge`].
    pub fn from_scaled(units: i64, exponent: u32, currency: Currency) -> Result<Self, MoneyError> {
        let iso = currency.exponent();
        let minor = if exponent <= iso {
            let factor = power_of_ten(iso.saturating_sub(exponent))?;
            units.checked_mul(factor).ok_or(MoneyError::TooLarge)?
        } else {
            let divisor = power_of_ten(exponent.saturating_sub(iso))?;
            if units.checked_rem(divisor) != Some(0) {
                return Err(MoneyError::TooPrecise);
            }
            units.checked_div(divisor).ok_or(MoneyError::TooLarge)?
        };
        Self::from_minor(minor, currency)
    }

    /// Reads a decimal amount in major units, such as `19.90` or `-5`; the sign is dropped,
    /// surplus zeros are fine, an exponent (`1e3`) is not.
    ///
    /// # Errors
    /// [`MoneyError`] where the text is no decimal or does not fit the currency.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (whole, fraction) = decimal_parts(text)?;
        let places = usize::try_from(currency.exponent()).unwrap_or_default();
        let kept = fraction.trim_end_matches('0');
        if kept.len() > places {
            return Err(MoneyError::TooPrecise);
        }
        let zeros = std::iter::repeat_n(b'0', places.saturating_sub(kept.len()));
        let minor_units = whole
            .bytes()
            .chain(kept.bytes())
            .chain(zeros)
            .try_fold(0_i64, |total, digit| {
                total.checked_mul(10)?.checked_add(i64::from(digit.wrapping_sub(b'0')))
            })
            .ok_or(MoneyError::TooLarge)?;
        Self::from_minor(minor_units, currency)
    }

    /// Checks the text of an amount whose currency is not known: nothing can be said of it, but
    /// what is no number is broken all the same.
    ///
    /// # Errors
    /// [`MoneyError::NotDecimal`].
    pub fn check_decimal(text: &str) -> Result<(), MoneyError> {
        decimal_parts(text).map(|_| ())
    }

    /// Minor units of the ISO 4217 exponent, never negative.
    pub const fn minor_units(self) -> i64 {
        self.minor_units
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as exact decimal text, such as `19.90`.
    pub fn decimal(&self) -> String {
        let places = usize::try_from(self.currency.exponent()).unwrap_or_default();
        // From the last digit to the first: 19 digits at most, or zeros, and the point.
        let (mut text, mut rest) = ([0_u8; 24], self.minor_units.unsigned_abs());
        let mut length = if places > 0 { places.saturating_add(1) } else { 0 };
        let mut slots = text.iter_mut().rev();
        slots.by_ref().take(places).for_each(|slot| *slot = last_digit(&mut rest));
        if places > 0 {
            slots.by_ref().take(1).for_each(|slot| *slot = b'.');
        }
        for slot in slots {
            *slot = last_digit(&mut rest);
            length = length.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        let text = text.get(text.len().saturating_sub(length)..).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default().to_owned()
    }

    /// The sum of two amounts of one currency; `None` across currencies or beyond 64 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let same = self.currency == other.currency;
        let minor_units = self.minor_units.checked_add(other.minor_units).filter(|_| same)?;
        Some(Self { minor_units, currency: self.currency })
    }

    /// The difference, zero at least; `None` across currencies.
    pub fn saturating_sub(self, other: Self) -> Option<Self> {
        let same = self.currency == other.currency;
        let minor_units = self.minor_units.saturating_sub(other.minor_units).max(0);
        same.then_some(Self { minor_units, currency: self.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency.as_str())
    }
}

/// The digits before and after the point; the sign is dropped.
fn decimal_parts(text: &str) -> Result<(&str, &str), MoneyError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((_, "")) => return Err(MoneyError::NotDecimal),
        Some(parts) => parts,
        None => (unsigned, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(MoneyError::NotDecimal);
    }
    Ok((whole, fraction))
}

/// Takes the last digit off.
fn last_digit(rest: &mut u64) -> u8 {
    let digit = u8::try_from(*rest % 10).unwrap_or_default();
    *rest /= 10;
    b'0'.saturating_add(digit)
}

fn power_of_ten(exponent: u32) -> Result<i64, MoneyError> {
    10_i64.checked_pow(exponent).ok_or(MoneyError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::new(code).expect("three letters")
    }

    #[test]
    fn decimals_follow_the_currency() {
        let cases = [
            ("EUR", "19.90", Ok(1990)),
            ("EUR", "19.900", Ok(1990)),
            ("EUR", "-0.01", Ok(1)),
            ("EUR", "0.001", Err(MoneyError::TooPrecise)),
            ("JPY", "500", Ok(500)),
            ("JPY", "500.00", Ok(500)),
            ("JPY", "500.5", Err(MoneyError::TooPrecise)),
            ("KWD", "1.234", Ok(1234)),
            ("EUR", "1e3", Err(MoneyError::NotDecimal)),
            ("EUR", "", Err(MoneyError::NotDecimal)),
            ("EUR", "1.", Err(MoneyError::NotDecimal)),
            ("EUR", ".5", Err(MoneyError::NotDecimal)),
            ("EUR", "NaN", Err(MoneyError::NotDecimal)),
            ("EUR", "1,000.00", Err(MoneyError::NotDecimal)),
            ("EUR", "92233720368547758.07", Ok(i64::MAX)),
            ("EUR", "92233720368547758.08", Err(MoneyError::TooLarge)),
        ];
        for (code, text, expected) in cases {
            let read = Money::from_decimal(text, currency(code)).map(Money::minor_units);
            assert_eq!(read, expected, "{text} {code}");
        }
    }

    #[test]
    fn a_gateways_exponent_is_rescaled_exactly() {
        let iso = |units, exponent, code| {
            Money::from_scaled(units, exponent, currency(code)).map(Money::minor_units)
        };
        assert_eq!(iso(7000, 0, "MGA"), Ok(700_000));
        assert_eq!(iso(50_000, 2, "ISK"), Ok(500));
        assert_eq!(iso(50_001, 2, "ISK"), Err(MoneyError::TooPrecise));
        assert_eq!(iso(i64::MAX, 0, "MGA"), Err(MoneyError::TooLarge));
    }

    #[test]
    fn decimal_text_shows_every_decimal_of_the_currency() {
        let text =
            |minor, code| Money::from_minor(minor, currency(code)).map(|money| money.decimal());
        assert_eq!(text(5, "EUR"), Ok("0.05".to_owned()));
        assert_eq!(text(-1990, "EUR"), Ok("19.90".to_owned()));
        assert_eq!(text(500, "JPY"), Ok("500".to_owned()));
        assert_eq!(text(1, "KWD"), Ok("0.001".to_owned()));
        assert_eq!(text(0, "JPY"), Ok("0".to_owned()));
        assert_eq!(text(0, "EUR"), Ok("0.00".to_owned()));
        assert_eq!(text(100, "EUR"), Ok("1.00".to_owned()));
        assert_eq!(text(i64::MAX, "JPY"), Ok("9223372036854775807".to_owned()));
        assert_eq!(text(i64::MAX, "KWD"), Ok("9223372036854775.807".to_owned()));
    }

    #[test]
    fn sums_across_currencies_do_not_exist() {
        let euro = Money::from_minor(1, currency("EUR")).expect("fits");
        let dollar = Money::from_minor(1, currency("USD")).expect("fits");
        assert_eq!(euro.checked_add(dollar), None);
        assert_eq!(euro.checked_add(euro).map(Money::minor_units), Some(2));
    }
}
