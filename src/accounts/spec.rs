//! A variant as configuration describes it: where its secrets are, never what they are.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use crate::{
    gateway::Gateway,
    model::{Environment, Secret, UnixSeconds, Variant},
    verify::KeyRole,
};

/// A configured variant.
#[derive(Debug)]
pub struct VariantSpec {
    /// Its name.
    pub variant: Variant,
    /// Its gateway.
    pub gateway: &'static Gateway,
    /// The environment it is pinned to.
    pub environment: Option<Environment>,
    /// Connected or merchant accounts that are accepted; empty accepts any.
    pub accounts: Vec<String>,
    /// Who may use it; empty is any caller of the listener.
    pub callers: Vec<CallerRule>,
    /// Keys, newest first.
    pub keys: Vec<KeySpec>,
    /// Options that may be shown.
    pub options: BTreeMap<String, serde_json::Value>,
    /// Options that are secret, or public ones that stand in a file.
    pub option_refs: BTreeMap<String, SecretRef>,
    /// How far back `received_at` may lie, in seconds; 0 refuses it.
    pub accept_received_at_max_seconds: i64,
}

/// One configured key.
#[derive(Debug)]
pub struct KeySpec {
    /// The operator's label.
    pub label: Option<String>,
    /// Its place in a rotation.
    pub role: KeyRole,
    /// Not accepted from this moment on.
    pub expires_at: Option<UnixSeconds>,
    /// The gateway's fields by name.
    pub fields: BTreeMap<String, SecretRef>,
}

/// Where a value is.
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// The value itself: public fields, and secrets in development.
    Inline(Secret),
}

/// Who may use a variant.
#[derive(Debug)]
pub enum CallerRule {
    /// The user id of the peer of a Unix socket.
    Uid(u32),
    /// A subject alternative name of the client certificate.
    San(String),
    /// A bearer token.
    Token(SecretRef),
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Inline(_) => f.write_str("a value in the configuration"),
        }
    }
}
