//! The configuration: every key typed and bounded when it is loaded.
//!
//! Floor 5. `config.reference.yaml` in `docs/` names every key.

mod django;
mod effective;
mod node;
mod options;
mod reader;
mod table;
mod variants;
mod vault;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use zeroize::Zeroizing;

use crate::{
    accounts::{CacheSettings, SecretRef, SecretSource, SystemSecrets, VariantSpec, VaultSettings},
    limits::CONFIG_BYTES_MAX,
};

/// Why a configuration cannot be used. Says where, never what a value is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Nothing was found in any of the places.
    #[error(
        "no configuration: use --config, PAYHOOK_CONFIG, ./payhook.yaml, ./payhook.toml or /etc/payhook/payhook.yaml"
    )]
    Absent,
    /// A key or its value cannot be used.
    #[error("line {line}, column {column}: {key}: {problem}")]
    Key {
        /// Line from 1.
        line: u64,
        /// Column from 1.
        column: u64,
        /// Path of the key, such as `variants.shop.keys[1].role`.
        key: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The file is no YAML or TOML.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// Line from 1; 0 where unknown.
        line: u64,
        /// Column from 1; 0 where unknown.
        column: u64,
        /// What is wrong.
        problem: String,
    },
    /// The file cannot be read.
    #[error("{}: {problem}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// Where a listener waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The configuration of a server.
#[derive(Debug)]
pub struct Config {
    /// Listeners of the service.
    pub listen: Vec<Listen>,
    /// Whether other addresses than loopback are allowed without TLS.
    pub insecure_listen: bool,
    /// Listener of health and metrics.
    pub admin_listen: SocketAddr,
    /// Mode and group of the Unix socket.
    pub socket: Socket,
    /// TLS of the service's listeners.
    pub tls: Option<Tls>,
    /// Worker threads; `None` is as many as CPUs were granted.
    pub workers: Option<usize>,
    /// Bounds.
    pub limits: Limits,
    /// How long accounts are kept.
    pub cache: CacheSettings,
    /// Most variants.
    pub variants_max: u64,
    /// The window of repeats.
    pub repeats: Repeats,
    /// Logs.
    pub log: Log,
    /// One line per verdict.
    pub audit: bool,
    /// Reflection.
    pub reflection: bool,
    /// The vault that references of the kind `vault` lead to.
    pub vault: Option<VaultSettings>,
    /// Where django-payments' settings are.
    pub payment_variants: Option<SecretRef>,
    /// Variants of django-payments' settings that are not served, and why.
    pub skipped: Vec<Skipped>,
    /// The variants, sorted by name.
    pub variants: Vec<VariantSpec>,
    /// A short hash of all of this: the active configuration's name.
    pub revision: String,
}

/// A variant of django-payments' settings that is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its name there.
    pub variant: String,
    /// Its provider's path, or that what stands there is none.
    pub provider: String,
    /// Why, and what to do.
    pub reason: &'static str,
}

/// Mode and group of the Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Permission bits.
    pub mode: u32,
    /// Group that owns it.
    pub group: Option<String>,
}

/// TLS of the service's listeners.
#[derive(Debug)]
pub struct Tls {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// Its private key.
    pub private_key: SecretRef,
    /// Where set, clients need a certificate of this authority.
    pub client_ca: Option<PathBuf>,
}

/// Bounds that a configuration may lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of a body.
    pub body_bytes_max: usize,
    /// Most bytes of header names and values.
    pub header_bytes_max: usize,
    /// Most header fields.
    pub headers_max: usize,
    /// Most bytes of bodies at once.
    pub in_flight_bytes_max: usize,
    /// Most calls at once.
    pub calls_max: usize,
    /// Most connections at once.
    pub connections_max: usize,
    /// A call's deadline in milliseconds.
    pub deadline_ms: u64,
    /// How long a drain may take, in seconds.
    pub drain_seconds: u64,
}

/// The window of repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeats {
    /// How long an event is remembered, in seconds; 0 is off.
    pub window_seconds: u64,
    /// How many events are remembered.
    pub entries_max: u64,
}

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Their form.
    pub format: LogFormat,
}

/// The form of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Readable on a terminal, JSON elsewhere.
    Auto,
    /// JSON.
    Json,
    /// Readable.
    Pretty,
}

/// Whether a configuration is meant for development.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Secrets may stand in the file.
    Development,
    /// Secrets are references.
    Production,
}

impl Config {
    /// Reads a file: TOML where its name ends in `.toml`, else YAML.
    ///
    /// # Errors
    /// [`ConfigError`] for the first thing that cannot be used.
    pub fn load(path: &Path, purpose: Purpose) -> Result<Self, ConfigError> {
        let unreadable =
            |problem: String| ConfigError::Unreadable { path: path.to_owned(), problem };
        let facts = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
        if !facts.is_file() {
            return Err(unreadable("not a regular file".to_owned()));
        }
        if usize::try_from(facts.len()).map_or(true, |bytes| bytes > CONFIG_BYTES_MAX) {
            return Err(unreadable("larger than any configuration".to_owned()));
        }
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| unreadable("not UTF-8".to_owned()))?;
        // In development secrets may stand in it.
        let text = Zeroizing::new(text);
        if text.trim().is_empty() {
            return Err(unreadable("empty".to_owned()));
        }
        let toml = path.extension().is_some_and(|extension| extension == "toml");
        if toml { Self::from_toml(&text, purpose) } else { Self::from_yaml(&text, purpose) }
    }

    /// Reads YAML.
    ///
    /// # Errors
    /// [`ConfigError`] for the first thing that cannot be used.
    pub fn from_yaml(text: &str, purpose: Purpose) -> Result<Self, ConfigError> {
        reader::config(&node::yaml(text)?, purpose)
    }

    /// Reads TOML.
    ///
    /// # Errors
    /// [`ConfigError`] for the first thing that cannot be used.
    pub fn from_toml(text: &str, purpose: Purpose) -> Result<Self, ConfigError> {
        reader::config(&node::toml(text)?, purpose)
    }

    /// The file to read: the one that is named, else the first that exists.
    ///
    /// # Errors
    /// [`ConfigError::Absent`].
    pub fn find(named: Option<&Path>) -> Result<PathBuf, ConfigError> {
        if let Some(path) = named {
            return Ok(path.to_owned());
        }
        let places = ["payhook.yaml", "payhook.toml", "/etc/payhook/payhook.yaml"];
        let found = places.into_iter().map(PathBuf::from).find(|path| path.is_file());
        found.ok_or(ConfigError::Absent)
    }

    /// The file of django-payments' settings, where there is one: it is part of the configuration.
    pub fn payment_variants_file(&self) -> Option<&Path> {
        self.payment_variants.as_ref().and_then(SecretRef::file)
    }

    /// Where its secrets come from.
    pub fn secrets(&self) -> Arc<dyn SecretSource> {
        #[cfg(feature = "vault")]
        if let Some(settings) = &self.vault {
            return Arc::new(crate::accounts::VaultSecrets::new(settings.clone()));
        }
        Arc::new(SystemSecrets)
    }

    /// A short name of what is read at the start alone: where it differs, a restart is needed.
    pub fn settings(&self) -> String {
        effective::settings(self)
    }

    /// What is effective, as YAML, without secrets.
    pub fn effective(&self) -> String {
        effective::yaml(self)
    }
}
