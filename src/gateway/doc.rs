//! A JSON payload as a parser reads it: field by field, by name. What is not asked for is not
//! looked into; a key that is asked for must not appear twice; amounts keep every digit.
//!
//! Methods take a field's whole path, which errors name; the part after the last dot is the key.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::ParseError;
use crate::{
    limits::{METADATA_BYTES_MAX, METADATA_ENTRIES_MAX},
    model::{Currency, Money, Timestamp},
    verify::json::{self, Object, Texts, Unreadable, Value},
};

/// One object of a payload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doc<'a>(Object<'a>);

impl<'a> Doc<'a> {
    /// Reads a payload: UTF-8 without a byte order mark, one object, nothing after it.
    pub(crate) fn read(payload: &'a [u8]) -> Result<Self, ParseError> {
        let text = std::str::from_utf8(payload).map_err(|_| ParseError::Unreadable {
            format: "JSON",
            line: 0,
            column: 0,
        })?;
        Object::read(text).map(Self).map_err(unreadable)
    }

    fn nested(raw: &'a RawValue) -> Result<Self, ParseError> {
        Object::read(raw.get()).map(Self).map_err(unreadable)
    }

    fn get(&self, path: &str) -> Result<Option<Value<'a>>, ParseError> {
        let key = path.rsplit('.').next().unwrap_or(path);
        self.0.get(key).map_err(unreadable)
    }

    /// The value at a path written in configuration, from this object on.
    pub(crate) fn at(&self, path: &str) -> Result<Option<Value<'a>>, ParseError> {
        self.0.at(path.split('.')).map_err(unreadable)
    }

    /// The object where there is one; anything else counts as one without keys.
    pub(crate) fn object(&self, path: &'static str) -> Result<Self, ParseError> {
        Ok(self.optional(path)?.unwrap_or_default())
    }

    /// The object where there is one; anything else counts as absent.
    pub(crate) fn optional(&self, path: &'static str) -> Result<Option<Self>, ParseError> {
        match self.get(path)? {
            Some(Value::Object(raw)) => Self::nested(raw).map(Some),
            Some(Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Text(_)) | None => {
                Ok(None)
            }
        }
    }

    /// The text where there is one that is not blank; anything else counts as absent. For fields
    /// that only inform.
    pub(crate) fn text(&self, path: &'static str) -> Result<Option<Cow<'a, str>>, ParseError> {
        Ok(match self.get(path)? {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            Some(_) | None => None,
        })
    }

    /// An identifier: a text that is not blank, or a whole number as it is written.
    pub(crate) fn id(&self, path: &'static str) -> Result<Option<Cow<'a, str>>, ParseError> {
        Ok(self.get(path)?.and_then(identifier))
    }

    /// The text where there is one; anything but a text or null is an error. For fields that
    /// decide.
    pub(crate) fn word(&self, path: &'static str) -> Result<Option<Cow<'a, str>>, ParseError> {
        match self.get(path)? {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Object(_)) => {
                Err(ParseError::FieldWrong { path, expected: "a string" })
            }
        }
    }

    /// True or false; anything else counts as absent. For fields that only inform.
    pub(crate) fn flag(&self, path: &'static str) -> Result<Option<bool>, ParseError> {
        Ok(match self.get(path)? {
            Some(Value::Flag(flag)) => Some(flag),
            Some(Value::List(_) | Value::Number(_) | Value::Object(_) | Value::Text(_)) | None => {
                None
            }
        })
    }

    /// A whole number; null and absent are none.
    pub(crate) fn integer(&self, path: &'static str) -> Result<Option<i64>, ParseError> {
        let wrong = ParseError::FieldWrong { path, expected: "a whole number" };
        match self.get(path)? {
            None => Ok(None),
            Some(Value::Number(text)) => text.parse().map(Some).map_err(|_| wrong),
            Some(Value::Flag(_) | Value::List(_) | Value::Object(_) | Value::Text(_)) => Err(wrong),
        }
    }

    /// The objects of a list; `None` where there is no list.
    pub(crate) fn list(&self, path: &'static str) -> Result<Option<Vec<Self>>, ParseError> {
        let Some(Value::List(raw)) = self.get(path)? else { return Ok(None) };
        let elements = json::list(raw).map_err(unreadable)?;
        elements.into_iter().map(Self::nested).collect::<Result<Vec<_>, _>>().map(Some)
    }

    /// A currency code; anything else counts as unknown.
    pub(crate) fn currency(&self, path: &'static str) -> Result<Option<Currency>, ParseError> {
        Ok(self.text(path)?.and_then(|code| Currency::new(&code)))
    }

    /// A time in RFC 3339; anything else counts as absent.
    pub(crate) fn time(&self, path: &'static str) -> Result<Option<Timestamp>, ParseError> {
        Ok(self.text(path)?.and_then(|text| Timestamp::from_rfc3339(&text)))
    }

    /// An amount in units of the currency's own minor unit, a number or a text of digits.
    pub(crate) fn minor(
        &self,
        path: &'static str,
        currency: Option<Currency>,
    ) -> Result<Option<Money>, ParseError> {
        self.scaled(path, currency, Currency::exponent)
    }

    /// An amount in units of `10^-exponent`, where a gateway counts otherwise than ISO 4217.
    pub(crate) fn scaled(
        &self,
        path: &'static str,
        currency: Option<Currency>,
        exponent: fn(Currency) -> u32,
    ) -> Result<Option<Money>, ParseError> {
        self.get(path)?.map_or(Ok(None), |value| scaled(&value, currency, exponent, path))
    }

    /// A decimal amount in major units, a number or a text.
    pub(crate) fn decimal(
        &self,
        path: &'static str,
        currency: Option<Currency>,
    ) -> Result<Option<Money>, ParseError> {
        self.get(path)?.map_or(Ok(None), |value| decimal(&value, currency, path))
    }

    /// What a merchant attached: the text entries, as many as an event echoes.
    pub(crate) fn metadata(&self, path: &'static str) -> Result<Texts<'a>, ParseError> {
        let entries = self.object(path)?.0.texts().map_err(unreadable)?;
        let mut bytes = 0_usize;
        let fits = |entry: &(Cow<'_, str>, Cow<'_, str>)| {
            bytes = bytes.saturating_add(entry.0.len()).saturating_add(entry.1.len());
            bytes <= METADATA_BYTES_MAX
        };
        Ok(entries.into_iter().take(METADATA_ENTRIES_MAX).take_while(fits).collect())
    }
}

/// An identifier: a text that is not blank, or a whole number as it is written.
pub(crate) fn identifier(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value {
        Value::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Number(text) => {
            text.bytes().all(|byte| byte.is_ascii_digit()).then_some(Cow::Borrowed(text))
        }
        Value::Flag(_) | Value::List(_) | Value::Object(_) => None,
    }
}

/// An amount in whole units of `10^-exponent`; surplus zero decimals are fine.
pub(crate) fn scaled(
    value: &Value<'_>,
    currency: Option<Currency>,
    exponent: fn(Currency) -> u32,
    path: &'static str,
) -> Result<Option<Money>, ParseError> {
    let inexact = || ParseError::AmountInexact { path };
    let text = number(value).ok_or_else(inexact)?;
    let whole = text.split_once('.').map_or(Some(text), |(whole, decimals)| {
        let zeros = !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0');
        zeros.then_some(whole)
    });
    let units: i64 = whole.and_then(|text| text.parse().ok()).ok_or_else(inexact)?;
    let Some(currency) = currency else { return Ok(None) };
    Money::from_scaled(units, exponent(currency), currency).map(Some).map_err(|_| inexact())
}

/// A decimal amount in major units.
pub(crate) fn decimal(
    value: &Value<'_>,
    currency: Option<Currency>,
    path: &'static str,
) -> Result<Option<Money>, ParseError> {
    let inexact = || ParseError::AmountInexact { path };
    let text = number(value).ok_or_else(inexact)?;
    let Some(currency) = currency else {
        let decimals = text.split_once('.');
        let (whole, fraction) = decimals.unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let whole = whole.strip_prefix('-').unwrap_or(whole);
        return if digits(whole) && digits(fraction) { Ok(None) } else { Err(inexact()) };
    };
    Money::from_decimal(text, currency).map(Some).map_err(|_| inexact())
}

fn number<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match value {
        Value::Number(text) => Some(text),
        Value::Text(text) => Some(text),
        Value::Flag(_) | Value::List(_) | Value::Object(_) => None,
    }
}

const fn unreadable(error: Unreadable) -> ParseError {
    ParseError::Unreadable { format: "JSON", line: error.line, column: error.column }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> Doc<'_> {
        Doc::read(text.as_bytes()).expect("an object")
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        let usd = Currency::new("USD");
        let minor = |text: &str| {
            let text = format!("{{\"a\":{text}}}");
            doc(&text).minor("x.a", usd).map(|money| money.map(Money::minor_units))
        };
        assert_eq!(minor("100"), Ok(Some(100)));
        assert_eq!(minor("\"100\""), Ok(Some(100)));
        assert_eq!(minor("-100.00"), Ok(Some(100)));
        assert_eq!(minor("null"), Ok(None));
        for bad in ["1.5", "1e2", "true", "{}", "[]", "\"\"", "\"x\"", "99999999999999999999"] {
            assert!(minor(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_decimal_without_a_currency_is_no_amount_but_must_be_a_decimal() {
        let decimal = |text: &str| {
            let text = format!("{{\"a\":{text}}}");
            doc(&text).decimal("a", None)
        };
        assert_eq!(decimal("45.0"), Ok(None));
        for bad in ["1e2", "\"45,0\"", "\"\"", "\"1.\"", "{}"] {
            assert!(decimal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_informs_may_be_anything_and_what_decides_may_not() {
        let doc = doc(r#"{"a":{"b":1},"c":"","d":12345678901234567890,"e":[1],"f":true}"#);
        assert_eq!(doc.flag("x.f"), Ok(Some(true)));
        assert_eq!(doc.flag("c"), Ok(None));
        assert_eq!(doc.text("a"), Ok(None));
        assert!(doc.word("a").is_err());
        assert_eq!(doc.word("c"), Ok(None));
        assert_eq!(doc.id("d").expect("read").as_deref(), Some("12345678901234567890"));
        assert_eq!(doc.id("e"), Ok(None));
        assert!(doc.list("e").is_err(), "an element is no object");
        assert!(doc.list("a").expect("read").is_none());
    }
}
