//! A variant as configuration describes it: where its secrets are, never what they are.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    gateway::Gateway,
    model::{Environment, Secret, UnixSeconds, Variant},
    verify::KeyRole,
};

/// A configured variant.
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
#[derive(Debug, PartialEq)]
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
    /// A field of a KV version 2 secret.
    Vault {
        /// Mount and path, such as `secret/data/payhook/stripe`.
        path: String,
        /// Field inside the secret.
        field: String,
    },
}

/// Who may use a variant.
#[derive(Debug, PartialEq)]
pub enum CallerRule {
    /// The user id of the peer of a Unix socket.
    Uid(u32),
    /// A subject alternative name of the client certificate.
    San(String),
    /// A bearer token.
    Token(SecretRef),
}

impl VariantSpec {
    /// Every reference of the variant.
    pub fn references(&self) -> impl Iterator<Item = &SecretRef> {
        let tokens = self.callers.iter().filter_map(|caller| match caller {
            CallerRule::Token(token) => Some(token),
            CallerRule::San(_) | CallerRule::Uid(_) => None,
        });
        let keys = self.keys.iter().flat_map(|key| key.fields.values());
        keys.chain(self.option_refs.values()).chain(tokens)
    }
}

impl fmt::Debug for VariantSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VariantSpec")
            .field("variant", &self.variant)
            .field("gateway", &self.gateway.name)
            .field("environment", &self.environment)
            .field("accounts", &self.accounts)
            .field("callers", &self.callers)
            .field("keys", &self.keys)
            .field("options", &self.options)
            .field("option_refs", &self.option_refs)
            .field("accept_received_at_max_seconds", &self.accept_received_at_max_seconds)
            .finish()
    }
}

impl SecretRef {
    /// The file, where the value is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Env(_) | Self::Inline(_) | Self::Vault { .. } => None,
        }
    }
}

impl PartialEq for VariantSpec {
    fn eq(&self, other: &Self) -> bool {
        self.variant == other.variant
            && self.gateway.name == other.gateway.name
            && self.environment == other.environment
            && self.accounts == other.accounts
            && self.callers == other.callers
            && self.keys == other.keys
            && self.options == other.options
            && self.option_refs == other.option_refs
            && self.accept_received_at_max_seconds == other.accept_received_at_max_seconds
    }
}

/// Equal places, or equal values: only to see whether a configuration changed.
impl PartialEq for SecretRef {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Env(a), Self::Env(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Inline(a), Self::Inline(b)) => a.expose() == b.expose(),
            (Self::Vault { path: a, field: b }, Self::Vault { path: c, field: d }) => {
                (a, b) == (c, d)
            }
            (Self::Env(_) | Self::File(_) | Self::Inline(_) | Self::Vault { .. }, _) => false,
        }
    }
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
            Self::Vault { path, field } => write!(f, "vault secret {path}, field {field}"),
        }
    }
}
