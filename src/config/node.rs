//! A configuration file as a tree whose every value knows its line and column. YAML and TOML look
//! the same from here on.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use super::ConfigError;
use crate::limits::CONFIG_DEPTH_MAX;

/// A value and where it stands, both from 1.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Value {
    /// The kind, for messages: never the value, which may be a secret.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float => "a number with decimals",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
        }
    }
}

/// Reads YAML.
pub(super) fn yaml(text: &str) -> Result<Node, ConfigError> {
    let spanned: serde_saphyr::Spanned<Raw<Yaml>> =
        serde_saphyr::from_str(text).map_err(|error| {
            let location = error.location();
            ConfigError::Syntax {
                line: location.map_or(0, |at| at.line()),
                column: location.map_or(0, |at| at.column()),
                // The first line: what follows quotes the file, which may hold a secret.
                problem: first_line(&error.without_snippet().to_string()),
            }
        })?;
    Yaml(spanned).node(0)
}

/// Reads TOML.
pub(super) fn toml(text: &str) -> Result<Node, ConfigError> {
    let spanned: toml::Spanned<Raw<Toml>> = toml::from_str(text).map_err(|error| {
        let (line, column) = position(text, error.span().map_or(0, |span| span.start));
        ConfigError::Syntax { line, column, problem: first_line(error.message()) }
    })?;
    Toml(spanned).node(text, 0)
}

/// A YAML value with its place.
struct Yaml(serde_saphyr::Spanned<Raw<Yaml>>);

/// A TOML value with its place.
struct Toml(toml::Spanned<Raw<Toml>>);

impl<'de> Deserialize<'de> for Yaml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Toml {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

impl Yaml {
    fn node(self, depth: usize) -> Result<Node, ConfigError> {
        let at = self.0.referenced;
        let (line, column) = (at.line(), at.column());
        let value = self.0.value.value(line, column, depth, Yaml::node)?;
        Ok(Node { line, column, value })
    }
}

impl Toml {
    fn node(self, text: &str, depth: usize) -> Result<Node, ConfigError> {
        let (line, column) = position(text, self.0.span().start);
        let raw = self.0.into_inner();
        let value = raw.value(line, column, depth, |child, depth| child.node(text, depth))?;
        Ok(Node { line, column, value })
    }
}

/// A value whose children are still in the format's own wrapper.
enum Raw<T> {
    Null,
    Bool(bool),
    Integer(i64),
    Float,
    Text(String),
    List(Vec<T>),
    Map(Vec<(String, T)>),
}

impl<T> Raw<T> {
    fn value(
        self,
        line: u64,
        column: u64,
        depth: usize,
        node: impl Fn(T, usize) -> Result<Node, ConfigError>,
    ) -> Result<Value, ConfigError> {
        if depth > CONFIG_DEPTH_MAX {
            let problem = "nested deeper than any configuration".to_owned();
            return Err(ConfigError::Syntax { line, column, problem });
        }
        let below = depth.saturating_add(1);
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Float => Value::Float,
            Self::Text(text) => Value::Text(text),
            Self::List(list) => {
                let list = list.into_iter().map(|child| node(child, below));
                Value::List(list.collect::<Result<_, _>>()?)
            }
            Self::Map(map) => {
                let map = map.into_iter().map(|(key, child)| Ok((key, node(child, below)?)));
                Value::Map(map.collect::<Result<_, _>>()?)
            }
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Raw<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor(std::marker::PhantomData))
    }
}

struct RawVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for RawVisitor<T> {
    type Value = Raw<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(Raw::Integer).map_err(|_| E::custom("the number is too large"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Raw::Float)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(String, T)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.iter().any(|(other, _)| *other == key) {
                return Err(de::Error::custom(format!("the key {key} appears twice")));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Raw::Map(entries))
    }
}

fn position(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    (u64::try_from(line).unwrap_or(0), u64::try_from(column).unwrap_or(0))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
