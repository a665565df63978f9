//! JSON read by name, one object at a time, without building a tree: only what is asked for is
//! looked into, and a key that is asked for must not appear twice.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::limits::{EVENTS_MAX, JSON_KEYS_MAX};

/// One object: its keys in order, its values as they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// Keys and texts, in order.
pub(crate) type Texts<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// A value that is not null.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    /// True or false.
    Flag(bool),
    /// A list, as it is written.
    List(&'a RawValue),
    /// A number, as it is written.
    Number(&'a str),
    /// An object, as it is written.
    Object(&'a RawValue),
    /// A text, unescaped.
    Text(Cow<'a, str>),
}

/// Text that is no JSON of the expected shape, beyond a bound, or ambiguous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Line of the problem, from 1; 0 where a key appears twice.
    pub(crate) line: usize,
    /// Column of the problem, from 1; 0 where a key appears twice.
    pub(crate) column: usize,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

impl<'a> Object<'a> {
    /// Reads the keys of an object; no byte order mark before it, nothing after it.
    pub(crate) fn read(text: &'a str) -> Result<Self, Unreadable> {
        Ok(serde_json::from_str(text)?)
    }

    /// The value of a key; none where it is absent or null.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Value<'a>>, Unreadable> {
        let mut values = self.0.iter().filter(|(name, _)| name == key);
        let Some((_, raw)) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Unreadable { line: 0, column: 0 });
        }
        Value::read(raw)
    }

    /// The value at a path of keys; none where a part of it is absent or no object.
    pub(crate) fn at<'k>(
        &self,
        path: impl IntoIterator<Item = &'k str>,
    ) -> Result<Option<Value<'a>>, Unreadable> {
        let mut path = path.into_iter();
        let Some(first) = path.next() else { return Ok(None) };
        path.try_fold(self.get(first)?, |value, key| match value {
            Some(Value::Object(raw)) => Object::read(raw.get())?.get(key),
            Some(Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Text(_)) | None => {
                Ok(None)
            }
        })
    }

    /// Every key that holds a text, with it; refused where a key appears twice.
    pub(crate) fn texts(&self) -> Result<Texts<'a>, Unreadable> {
        let mut found = Vec::new();
        for (key, _) in &self.0 {
            if let Some(Value::Text(text)) = self.get(key)? {
                found.push((key.clone(), text));
            }
        }
        Ok(found)
    }
}

impl<'a> Value<'a> {
    /// Reads one value that was already found to be JSON.
    pub(crate) fn read(raw: &'a RawValue) -> Result<Option<Self>, Unreadable> {
        Ok(match raw.get().as_bytes().first() {
            Some(b'n') => None,
            Some(b't') => Some(Self::Flag(true)),
            Some(b'f') => Some(Self::Flag(false)),
            Some(b'{') => Some(Self::Object(raw)),
            Some(b'[') => Some(Self::List(raw)),
            Some(b'"') => {
                let Key(text) = serde_json::from_str(raw.get())?;
                Some(Self::Text(text))
            }
            _ => Some(Self::Number(raw.get())),
        })
    }

    /// A text, a number or a flag as text: what gateways concatenate before they sign.
    pub(crate) fn scalar(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Flag(true) => Some(Cow::Borrowed("true")),
            Self::Flag(false) => Some(Cow::Borrowed("false")),
            Self::Number(text) => Some(Cow::Borrowed(text)),
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Object(_) => None,
        }
    }
}

/// The elements of a list, at most [`EVENTS_MAX`].
pub(crate) fn list(raw: &RawValue) -> Result<Vec<&RawValue>, Unreadable> {
    let List(elements) = serde_json::from_str(raw.get())?;
    Ok(elements)
}

/// A text that borrows where it can.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct List<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(key), value)) = map.next_entry()? {
            if entries.len() >= JSON_KEYS_MAX {
                return Err(serde::de::Error::custom("more keys than any gateway sends"));
            }
            entries.push((key, value));
        }
        Ok(Object(entries))
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() >= EVENTS_MAX {
                return Err(serde::de::Error::custom("more elements than any gateway sends"));
            }
            elements.push(element);
        }
        Ok(List(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, path: &str) -> Result<Option<String>, Unreadable> {
        let value = Object::read(text)?.at(path.split('.'))?;
        Ok(value.and_then(Value::scalar).map(Cow::into_owned))
    }

    #[test]
    fn scalars_are_found_by_path_as_they_are_written() {
        let text = r#"{"a":{"b":1.50,"c":"\u0061\n"},"d":null,"e":[1],"f":true}"#;
        assert_eq!(at(text, "a.b"), Ok(Some("1.50".to_owned())));
        assert_eq!(at(text, "a.c"), Ok(Some("a\n".to_owned())));
        assert_eq!(at(text, "f"), Ok(Some("true".to_owned())));
        for absent in ["d", "e", "a", "a.b.c", "x", "x.y"] {
            assert_eq!(at(text, absent), Ok(None), "{absent}");
        }
    }

    #[test]
    fn a_key_that_is_read_must_not_appear_twice_however_it_is_written() {
        let text = r#"{"x":1,"x":2,"a":{"b":1,"\u0062":2},"c":3}"#;
        assert_eq!(at(text, "c"), Ok(Some("3".to_owned())), "what is not read does not matter");
        assert!(at(text, "x").is_err());
        assert!(at(text, "a.b").is_err());
    }

    #[test]
    fn only_one_object_is_read_and_deep_nesting_does_not_crash() {
        for bad in ["", "[]", "1", "{} x", "{\"a\":NaN}", "\u{feff}{}", "{\"a\":1,}", "{a:1}"] {
            assert!(Object::read(bad).is_err(), "{bad:?}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Object::read(&deep).is_ok());
        let many = (0..=JSON_KEYS_MAX).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>();
        assert!(Object::read(&format!("{{{}}}", many.join(","))).is_err());
    }
}
