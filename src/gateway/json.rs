//! Typed reading of JSON in one pass. Duplicate keys are refused by the structs on every path that
//! is read; numbers keep their text; what is not read is skipped.
//!
//! A field of another type than expected is remembered, not refused, until somebody reads it: a
//! payload of an unknown type may use the same names for other things.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

use super::ParseError;
use crate::{
    limits::{METADATA_BYTES_MAX, METADATA_ENTRIES_MAX},
    model::{Currency, Money},
};

/// Reads a payload: UTF-8 without a byte order mark, one value, nothing after it.
pub(crate) fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, ParseError> {
    let unreadable = |_| ParseError::Unreadable { format: "JSON", line: 0, column: 0 };
    let text = std::str::from_utf8(payload).map_err(unreadable)?;
    serde_json::from_str(text).map_err(|error| ParseError::json(&error))
}

/// A field that may be absent or null, a text, an object, or something that is neither.
///
/// Stripe and others send an id where the object is not expanded, and the object where it is.
#[derive(Clone, Debug, Default)]
pub(crate) enum Field<'a, T = Never> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    Object(T),
    Other,
}

/// A text field.
pub(crate) type Text<'a> = Field<'a, Never>;

/// An object that is not expected: an object in its place counts as something else.
#[derive(Clone, Debug)]
pub(crate) enum Never {}

impl<'de> Deserialize<'de> for Never {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("not an object that is read"))
    }
}

impl<'a, T> Field<'a, T> {
    /// The text where there is one that is not blank; anything else counts as absent. For fields
    /// that only inform.
    pub(crate) fn text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.clone()),
            Self::Absent | Self::Text(_) | Self::Object(_) | Self::Other => None,
        }
    }

    /// The text where there is one; anything but a text or null is an error. For fields that
    /// decide.
    pub(crate) fn decisive(&self, path: &'static str) -> Result<Option<&str>, ParseError> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text)),
            Self::Object(_) | Self::Other => {
                Err(ParseError::FieldWrong { path, expected: "a string" })
            }
        }
    }

    /// The text, which must be there and not be blank.
    pub(crate) fn required(&self, path: &'static str) -> Result<&Cow<'a, str>, ParseError> {
        match self {
            Self::Text(text) if !text.is_empty() => Ok(text),
            Self::Absent | Self::Text(_) => Err(ParseError::FieldMissing { path }),
            Self::Object(_) | Self::Other => {
                Err(ParseError::FieldWrong { path, expected: "a string" })
            }
        }
    }

    /// The object where there is one.
    pub(crate) const fn object(&self) -> Option<&T> {
        match self {
            Self::Object(object) => Some(object),
            Self::Absent | Self::Text(_) | Self::Other => None,
        }
    }

    /// The object, which must be there.
    pub(crate) const fn required_object(&self, path: &'static str) -> Result<&T, ParseError> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Absent => Err(ParseError::FieldMissing { path }),
            Self::Text(_) | Self::Other => {
                Err(ParseError::FieldWrong { path, expected: "an object" })
            }
        }
    }
}

impl<'de: 'a, 'a, T: Deserialize<'de> + Expected> Deserialize<'de> for Field<'a, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor(PhantomData))
    }
}

/// Whether an object is read where one appears.
pub(crate) trait Expected {
    /// False only for [`Never`].
    const READ: bool;
}

impl Expected for Never {
    const READ: bool = false;
}

impl<T: Expected> Expected for Box<T> {
    const READ: bool = T::READ;
}

/// Declares the objects that [`Field`] reads.
macro_rules! expected {
    ($($name:ident),+ $(,)?) => {
        $(impl $crate::gateway::json::Expected for $name<'_> { const READ: bool = true; })+
    };
}
pub(crate) use expected;

impl Expected for Metadata<'_> {
    const READ: bool = true;
}

struct FieldVisitor<'a, T>(PhantomData<(&'a (), T)>);

impl<'de: 'a, 'a, T: Deserialize<'de> + Expected> Visitor<'de> for FieldVisitor<'a, T> {
    type Value = Field<'a, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Field::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if T::READ {
            return T::deserialize(MapAccessDeserializer::new(map)).map(Field::Object);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }
}

/// The first element of a list; anything but a list counts as none.
#[derive(Clone, Debug)]
pub(crate) struct First<T>(pub(crate) Option<T>);

impl<T> Default for First<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstVisitor(PhantomData))
    }
}

struct FirstVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
    type Value = First<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(First(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let first = list.next_element()?;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(First(first))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(First(None))
    }
}

/// A number's own text, so that no digit passes through floating point.
pub(crate) type Number<'a> = Option<&'a RawValue>;

/// A whole number; null and absent are none.
pub(crate) fn integer(number: Number<'_>, path: &'static str) -> Result<Option<i64>, ParseError> {
    let Some(raw) = number.filter(|raw| raw.get() != "null") else { return Ok(None) };
    let wrong = |_| ParseError::FieldWrong { path, expected: "a whole number" };
    raw.get().parse().map(Some).map_err(wrong)
}

/// A yes or no; null and absent are none.
pub(crate) fn flag(value: Number<'_>, path: &'static str) -> Result<Option<bool>, ParseError> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(ParseError::FieldWrong { path, expected: "true or false" }),
    }
}

/// An amount in whole units of `10^-exponent`; none without a known currency.
pub(crate) fn scaled_amount(
    number: Number<'_>,
    currency: Option<Currency>,
    exponent: fn(Currency) -> u32,
    path: &'static str,
) -> Result<Option<Money>, ParseError> {
    let Some(raw) = number.map(RawValue::get).filter(|raw| *raw != "null") else {
        return Ok(None);
    };
    let inexact = || ParseError::AmountInexact { path };
    let whole = raw.split_once('.').map_or(Some(raw), |(whole, decimals)| {
        let zeros = !decimals.is_empty() && decimals.bytes().all(|byte| byte == b'0');
        zeros.then_some(whole)
    });
    let units: i64 = whole.and_then(|text| text.parse().ok()).ok_or_else(inexact)?;
    let Some(currency) = currency else { return Ok(None) };
    Money::from_scaled(units, exponent(currency), currency).map(Some).map_err(|_| inexact())
}

/// What a merchant attached to an object: the text entries, in order; duplicate keys are refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Metadata<'a> {
    /// The value of a key, where it is a text that is not blank.
    pub(crate) fn value(&self, key: &str) -> Option<Cow<'a, str>> {
        let entry = self.0.iter().find(|(name, value)| name == key && !value.is_empty());
        entry.map(|(_, value)| value.clone())
    }

    /// The first entries, as many as an event echoes.
    pub(crate) fn bounded(&self) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        let mut bytes = 0_usize;
        let fits = |entry: &&(Cow<'a, str>, Cow<'a, str>)| {
            bytes = bytes.saturating_add(entry.0.len()).saturating_add(entry.1.len());
            bytes <= METADATA_BYTES_MAX
        };
        self.0.iter().take(METADATA_ENTRIES_MAX).take_while(fits).cloned().collect()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Metadata<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetadataVisitor(PhantomData))
    }
}

struct MetadataVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for MetadataVisitor<'a> {
    type Value = Metadata<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        while let Some((Key(key), value)) = map.next_entry::<Key<'a>, Text<'a>>()? {
            if entries.iter().any(|(name, _)| *name == key) {
                return Err(de::Error::custom("a metadata key appears twice"));
            }
            match value {
                // Beyond this many no gateway goes; the rest is dropped, not the payload.
                Field::Text(text) if entries.len() < ENTRIES_READ_MAX => entries.push((key, text)),
                Field::Absent | Field::Text(_) | Field::Object(_) | Field::Other => {}
            }
        }
        Ok(Metadata(entries))
    }
}

/// A key that borrows where it can.
struct Key<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Key<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Text::deserialize(deserializer)? {
            Field::Text(text) => Ok(Self(text)),
            Field::Absent | Field::Object(_) | Field::Other => {
                Err(de::Error::custom("a key is no text"))
            }
        }
    }
}

/// Metadata entries that are looked at; Stripe allows 50.
const ENTRIES_READ_MAX: usize = 128;
