//! A configuration file as a tree whose every value knows its line and column. YAML and TOML look
//! the same from here on.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use zeroize::Zeroizing;

use super::ConfigError;
use crate::limits::CONFIG_DEPTH_MAX;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) at: Place,
    /// Where its key stands; the value's own place where it has none.
    pub(super) key_at: Place,
    pub(super) value: Value,
}

/// A place in a file, from 1; 0 where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Place {
    pub(super) fn syntax(self, problem: impl Into<String>) -> ConfigError {
        ConfigError::Syntax { line: self.line, column: self.column, problem: problem.into() }
    }
}

/// What stands there. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float,
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Value {
    /// The text, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

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
    let read: Yaml = serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        yaml_place(error.location().unwrap_or(serde_saphyr::Location::UNKNOWN))
            .syntax(yaml_problem(error))
    })?;
    read.node(0)
}

/// What is wrong with YAML, in words that quote nothing of the file but keys: what stands there
/// may be a secret.
fn yaml_problem(error: &serde_saphyr::Error) -> String {
    if let serde_saphyr::Error::DuplicateMappingKey { key: Some(key), .. } = error {
        return format!("the key {key} appears twice");
    }
    let too_large = matches!(error, serde_saphyr::Error::Message { msg, .. } if msg == TOO_LARGE);
    let other = "not readable as YAML: check indentation, quotes and brackets around here";
    if too_large { TOO_LARGE.to_owned() } else { other.to_owned() }
}

fn yaml_place(at: serde_saphyr::Location) -> Place {
    Place { line: at.line(), column: at.column() }
}

/// Reads TOML.
pub(super) fn toml(text: &str) -> Result<Node, ConfigError> {
    let read: Toml = toml::from_str(text).map_err(|error| {
        let at = position(text, error.span().map_or(0, |span| span.start));
        // Only the kind of problem: the rest may quote a secret.
        let twice = error.message().contains("duplicate key");
        at.syntax(if twice { "a key appears twice" } else { "not readable as TOML around here" })
    })?;
    read.node(text, 0)
}

/// Reads JSON, such as django-payments' settings. Places are those of its key in the
/// configuration.
pub(super) fn json(text: &str, at: Place) -> Result<Node, ConfigError> {
    let read: Json = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        at.syntax(format!("payment_variants: not readable as JSON, its line {line}:{column}"))
    })?;
    read.node(at, 0)
}

/// A YAML value with its place.
struct Yaml(serde_saphyr::Spanned<Raw<serde_saphyr::Spanned<String>, Yaml>>);

/// A TOML value with its place.
struct Toml(toml::Spanned<Raw<toml::Spanned<String>, Toml>>);

/// A JSON value.
struct Json(Raw<String, Json>);

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

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

impl Yaml {
    fn node(self, depth: usize) -> Result<Node, ConfigError> {
        let at = yaml_place(self.0.referenced);
        let key = |key: serde_saphyr::Spanned<String>| (yaml_place(key.referenced), key.value);
        let value = self.0.value.value(at, depth, &key, &|child, depth| child.node(depth))?;
        Ok(Node { at, key_at: at, value })
    }
}

impl Toml {
    fn node(self, text: &str, depth: usize) -> Result<Node, ConfigError> {
        let at = position(text, self.0.span().start);
        let key = |key: toml::Spanned<String>| (position(text, key.span().start), key.into_inner());
        let child = |child: Self, depth| child.node(text, depth);
        let value = self.0.into_inner().value(at, depth, &key, &child)?;
        Ok(Node { at, key_at: at, value })
    }
}

impl Json {
    fn node(self, at: Place, depth: usize) -> Result<Node, ConfigError> {
        let child = |child: Self, depth| child.node(at, depth);
        let value = self.0.value(at, depth, &|key| (at, key), &child)?;
        Ok(Node { at, key_at: at, value })
    }
}

/// A value whose keys and children are still in the format's own wrappers.
enum Raw<K, T> {
    Null,
    Bool(bool),
    Integer(i64),
    Float,
    Text(String),
    List(Vec<T>),
    Map(Vec<(K, T)>),
}

impl<K, T> Raw<K, T> {
    fn value(
        self,
        at: Place,
        depth: usize,
        key: &dyn Fn(K) -> (Place, String),
        node: &dyn Fn(T, usize) -> Result<Node, ConfigError>,
    ) -> Result<Value, ConfigError> {
        if depth > CONFIG_DEPTH_MAX {
            return Err(at.syntax("nested deeper than any configuration"));
        }
        let below = depth.saturating_add(1);
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Float => Value::Float,
            Self::Text(text) => Value::Text(text.into()),
            Self::List(list) => {
                let list = list.into_iter().map(|child| node(child, below));
                Value::List(list.collect::<Result<_, _>>()?)
            }
            Self::Map(map) => {
                let (mut seen, mut entries) = (BTreeSet::new(), Vec::with_capacity(map.len()));
                for (name, child) in map {
                    let (key_at, name) = key(name);
                    if !seen.insert(name.clone()) {
                        return Err(key_at.syntax(format!("the key {name} appears twice")));
                    }
                    entries.push((name, Node { key_at, ..node(child, below)? }));
                }
                Value::Map(entries)
            }
        })
    }
}

impl<'de, K: Deserialize<'de>, T: Deserialize<'de>> Deserialize<'de> for Raw<K, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor(std::marker::PhantomData))
    }
}

struct RawVisitor<K, T>(std::marker::PhantomData<(K, T)>);

impl<'de, K: Deserialize<'de>, T: Deserialize<'de>> Visitor<'de> for RawVisitor<K, T> {
    type Value = Raw<K, T>;

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
        i64::try_from(value).map(Raw::Integer).map_err(|_| E::custom(TOO_LARGE))
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
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

fn position(text: &str, offset: usize) -> Place {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    Place { line: u64::try_from(line).unwrap_or(0), column: u64::try_from(column).unwrap_or(0) }
}

const TOO_LARGE: &str = "the number is too large";
