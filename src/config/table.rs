//! A table of the configuration's tree: every message names the key, its place, and what is
//! allowed, and never quotes what may be a secret.

use std::path::PathBuf;

use super::{
    ConfigError, Purpose,
    node::{Node, Place, Value},
};
use crate::{accounts::SecretRef, model::Secret};

/// Whether a field may stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    Secret,
}

/// A table of the tree and the path that leads to it.
#[derive(Clone)]
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
                line: node.at.line,
                column: node.at.column,
                key: if path.is_empty() { "the file".to_owned() } else { path },
                problem: format!("expected a table, found {}", other.kind()),
            }),
        }
    }

    /// A table of one entry.
    pub(super) fn single(path: String, entry: &'n (String, Node)) -> Self {
        Self { path, node: Some(&entry.1), entries: std::slice::from_ref(entry) }
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
        let at = self.get(key).or(self.node).map(|node| node.at);
        self.error_at(at.unwrap_or_default(), key, problem)
    }

    pub(super) fn error_at(&self, at: Place, key: &str, problem: &str) -> ConfigError {
        let Place { line, column } = at;
        ConfigError::Key { line, column, key: self.path_of(key), problem: problem.to_owned() }
    }

    /// Refuses keys that are not known.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.entries.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, node)) => {
                let problem = match known {
                    [] => "unknown key; none is known here".to_owned(),
                    known => format!("unknown key; known are {}", known.join(", ")),
                };
                Err(self.error_at(node.key_at, key, &problem))
            }
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'n str>, ConfigError> {
        match self.get(key).map(|node| &node.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => {
                let quotes = match other {
                    Value::Bool(_) | Value::Float | Value::Integer(_) => ": put it in quotes",
                    Value::List(_) | Value::Map(_) | Value::Null | Value::Text(_) => "",
                };
                let problem = format!("expected a text, found {}{quotes}", other.kind());
                Err(self.error(key, &problem))
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
                let number = if let Value::Integer(value) = other { Some(value) } else { None };
                let found = number.map_or(other.kind().to_owned(), ToString::to_string);
                let problem = format!("expected a whole number from {min} to {max}, found {found}");
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
                .map(|node| {
                    let text = node.value.text().map(str::to_owned);
                    text.ok_or_else(|| wrong(node.value.kind()))
                })
                .collect(),
            Some(other) => Err(wrong(other.kind())),
        }
    }

    /// `{file: path}`, `{env: NAME}` or `{vault: {path, field}}`; a text too where the field is
    /// public or the purpose is development. A secret that stands in the file is an error that
    /// does not show it.
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
                Ok(Some(SecretRef::Inline(Secret::new(text.as_bytes().to_vec()))))
            }
            Some(Value::Map(_)) => self.table(key)?.place(kind).map(Some),
            Some(other) => {
                let stands = match (kind, other) {
                    (Kind::Public, Value::Text(_)) => "",
                    (Kind::Public, _) => ", or a text in quotes",
                    (Kind::Secret, _) => "; a secret never stands in the file",
                };
                let problem = format!("expected {{file: path}} or {{env: NAME}}{stands}");
                Err(self.error(key, &problem))
            }
        }
    }

    /// The place that this table names.
    fn place(&self, kind: Kind) -> Result<SecretRef, ConfigError> {
        let known: &[&str] = match kind {
            Kind::Public => &["file", "env"],
            Kind::Secret => &["file", "env", "vault"],
        };
        self.only(known)?;
        let vault = self.table("vault")?;
        vault.only(&["path", "field"])?;
        let at = (vault.text("path")?, vault.text("field")?);
        match (self.text("file")?, self.text("env")?, at) {
            (Some(path), None, (None, None)) if !path.is_empty() => {
                Ok(SecretRef::File(PathBuf::from(path)))
            }
            (None, Some(name), (None, None)) if is_variable(name) => {
                Ok(SecretRef::Env(name.to_owned()))
            }
            (None, None, (Some(path), Some(field))) if is_vault_path(path) && !field.is_empty() => {
                Ok(SecretRef::Vault { path: path.to_owned(), field: field.to_owned() })
            }
            _ => {
                let at = self.node.map(|node| node.at).unwrap_or_default();
                let problem =
                    "expected one of {file: path}, {env: NAME} and {vault: {path, field}}";
                Err(ConfigError::Key {
                    line: at.line,
                    column: at.column,
                    key: self.path.clone(),
                    problem: problem.to_owned(),
                })
            }
        }
    }
}

/// A name that a shell can set. Anything else is likely the secret itself.
fn is_variable(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(allowed)
}

/// Segments of a vault's path go into a URL as they are.
pub(super) fn is_vault_path(path: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let steps = || path.split('/');
    path.bytes().all(allowed) && steps().all(|step| !step.is_empty() && step != ".." && step != ".")
}
