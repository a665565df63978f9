//! A table of a configuration's tree: typed reading of its keys.

use std::path::PathBuf;

use super::{
    ConfigError, Purpose,
    node::{Node, Value},
};
use crate::accounts::SecretRef;

/// Whether a field may stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Secret,
}

/// A table of the tree and the path that leads to it.
#[derive(Clone, Debug)]
pub(super) struct Table<'n> {
    path: String,
    node: Option<&'n Node>,
    entries: &'n [(String, Node)],
}

impl<'n> Table<'n> {
    pub(super) fn root(node: &'n Node) -> Result<Self, ConfigError> {
        Self::of(String::new(), Some(node))
    }

    /// The table at a path; an absent one is empty.
    pub(super) fn of(path: String, node: Option<&'n Node>) -> Result<Self, ConfigError> {
        match node.map(|node| (node, &node.value)) {
            None => Ok(Self { path, node: None, entries: &[] }),
            Some((node, Value::Null)) if !path.is_empty() => {
                Ok(Self { path, node: Some(node), entries: &[] })
            }
            Some((node, Value::Map(entries))) => Ok(Self { path, node: Some(node), entries }),
            Some((node, other)) => Err(ConfigError::Key {
                line: node.line,
                column: node.column,
                key: if path.is_empty() { "the file".to_owned() } else { path },
                problem: format!("expected a table, found {}", other.kind()),
            }),
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&'n str, &'n Node)> {
        self.entries.iter().map(|(key, node)| (key.as_str(), node))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    pub(super) fn table(&self, key: &str) -> Result<Self, ConfigError> {
        Self::of(self.path_of(key), self.get(key))
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// An error at a key, or at the table where the key is absent.
    pub(super) fn error(&self, key: &str, problem: &str) -> ConfigError {
        let node = self.get(key).or(self.node);
        ConfigError::Key {
            line: node.map_or(0, |node| node.line),
            column: node.map_or(0, |node| node.column),
            key: self.path_of(key),
            problem: problem.to_owned(),
        }
    }

    /// Refuses keys that are not known.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => {
                let problem = format!("unknown key; known are {}", known.join(", "));
                Err(self.error(key, &problem))
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'n str>, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => {
                Err(self.error(key, &format!("expected a text, found {}", other.kind())))
            }
        }
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Bool(value)) => Ok(*value),
            Some(other) => {
                Err(self.error(key, &format!("expected true or false, found {}", other.kind())))
            }
        }
    }

    pub(super) fn integer(
        &self,
        key: &str,
        min: i64,
        max: i64,
        default: i64,
    ) -> Result<i64, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(default),
            Some(Value::Integer(value)) if (min..=max).contains(value) => Ok(*value),
            Some(other) => {
                let problem =
                    format!("expected a whole number from {min} to {max}, found {}", other.kind());
                Err(self.error(key, &problem))
            }
        }
    }

    pub(super) fn size(
        &self,
        key: &str,
        min: i64,
        max: i64,
        default: i64,
    ) -> Result<u64, ConfigError> {
        self.integer(key, min, max, default).map(i64::unsigned_abs)
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let wrong = |kind| self.error(key, &format!("expected a list of texts, found {kind}"));
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::List(list)) => list
                .iter()
                .map(|node| match &node.value {
                    Value::Text(text) => Ok(text.clone()),
                    Value::Null
                    | Value::Bool(_)
                    | Value::Integer(_)
                    | Value::Float
                    | Value::List(_)
                    | Value::Map(_) => Err(wrong(node.value.kind())),
                })
                .collect(),
            Some(other) => Err(wrong(other.kind())),
        }
    }

    /// `{file: path}` or `{env: NAME}`; a text too where the field is public or the purpose is
    /// development. A secret that stands in the file is an error that does not show it.
    pub(super) fn reference(
        &self,
        key: &str,
        kind: Kind,
        purpose: Purpose,
    ) -> Result<Option<SecretRef>, ConfigError> {
        let inline = kind == Kind::Public || purpose == Purpose::Development;
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) if inline => {
                let secret = crate::model::Secret::new(text.as_bytes().to_vec());
                Ok(Some(SecretRef::Inline(secret)))
            }
            Some(Value::Map(_)) => {
                let table = self.table(key)?;
                table.only(&["file", "env"])?;
                match (table.text("file")?, table.text("env")?) {
                    (Some(path), None) if !path.is_empty() => {
                        Ok(Some(SecretRef::File(PathBuf::from(path))))
                    }
                    (None, Some(name)) if !name.is_empty() => {
                        Ok(Some(SecretRef::Env(name.to_owned())))
                    }
                    _ => Err(self.error(key, "expected one of {file: path} and {env: NAME}")),
                }
            }
            Some(_) => {
                let public =
                    if inline { " or a text" } else { "; a secret never stands in the file" };
                Err(self.error(key, &format!("expected {{file: path}} or {{env: NAME}}{public}")))
            }
        }
    }
}
