//! Typed reading of a configuration's tree: every message names the key, its place, and what is
//! allowed.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    Config, ConfigError, Limits, Listen, Log, LogFormat, Purpose, Repeats, Socket, Tls, effective,
    node::{Node, Value},
    variants,
};
use crate::{
    accounts::{CacheSettings, SecretRef},
    limits,
};

/// Reads a whole configuration.
pub(super) fn config(root: &Node, purpose: Purpose) -> Result<Config, ConfigError> {
    let table = Table::root(root)?;
    table.only(&[
        "listen",
        "admin_listen",
        "insecure_listen",
        "socket",
        "tls",
        "runtime",
        "limits",
        "cache",
        "repeats",
        "log",
        "audit",
        "reflection",
        "variants",
    ])?;
    let cache = table.table("cache")?;
    cache.only(&["ttl_seconds", "max_stale_seconds", "negative_seconds", "variants_max"])?;
    let repeats = table.table("repeats")?;
    repeats.only(&["window_seconds", "entries_max"])?;
    cache.integer("variants_max", 1, 10_000, 10_000)?;
    let mut config = Config {
        listen: listen(&table)?,
        insecure_listen: table.flag("insecure_listen", false)?,
        admin_listen: address(&table, "admin_listen", "127.0.0.1:50052")?,
        socket: socket(&table)?,
        tls: tls(&table, purpose)?,
        workers: workers(&table)?,
        limits: bounds(&table)?,
        cache: CacheSettings {
            ttl_seconds: cache.integer("ttl_seconds", 1, 86_400, 300)?,
            max_stale_seconds: cache.integer("max_stale_seconds", 0, 604_800, 86_400)?,
            negative_seconds: cache.integer("negative_seconds", 0, 5, 5)?,
        },
        repeats: Repeats {
            window_seconds: repeats.size("window_seconds", 0, 604_800, 86_400)?,
            entries_max: repeats.size("entries_max", 1, 10_000_000, 100_000)?,
        },
        log: log(&table)?,
        audit: table.flag("audit", false)?,
        reflection: table.flag("reflection", purpose == Purpose::Development)?,
        variants: variants::read(&table, purpose)?,
        revision: String::new(),
    };
    secure(&table, &config)?;
    config.revision = effective::revision(&config);
    Ok(config)
}

/// Other addresses than loopback need TLS, or somebody who says that they may do without.
fn secure(table: &Table<'_>, config: &Config) -> Result<(), ConfigError> {
    let exposed = config.listen.iter().any(|listen| match listen {
        Listen::Tcp(address) => !address.ip().is_loopback(),
        Listen::Unix(_) => false,
    });
    if exposed && config.tls.is_none() && !config.insecure_listen {
        let problem = "not a loopback address: set tls, or insecure_listen: true";
        return Err(table.error("listen", problem));
    }
    Ok(())
}

fn listen(table: &Table<'_>) -> Result<Vec<Listen>, ConfigError> {
    let read = |text: &str| match text.strip_prefix("unix:") {
        Some(path) if path.starts_with('/') => Ok(Listen::Unix(PathBuf::from(path))),
        Some(_) => Err(table.error("listen", "a socket's path is absolute")),
        None => text.parse().map(Listen::Tcp).map_err(|_| {
            table.error("listen", "expected an address such as 127.0.0.1:50051, or unix:/path")
        }),
    };
    match table.get("listen").map(|node| &node.value) {
        None => read("127.0.0.1:50051").map(|one| vec![one]),
        Some(Value::Text(text)) => read(text).map(|one| vec![one]),
        Some(Value::List(list)) if !list.is_empty() && list.len() <= 4 => list
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => read(text),
                other => Err(table.error("listen", &format!("holds {}", other.kind()))),
            })
            .collect(),
        Some(other) => {
            let problem = format!("expected an address or 1 to 4 of them, found {}", other.kind());
            Err(table.error("listen", &problem))
        }
    }
}

fn address(table: &Table<'_>, key: &str, default: &str) -> Result<SocketAddr, ConfigError> {
    let text = table.text(key)?.unwrap_or(default);
    text.parse().map_err(|_| table.error(key, "expected an address such as 127.0.0.1:50052"))
}

fn socket(table: &Table<'_>) -> Result<Socket, ConfigError> {
    let socket = table.table("socket")?;
    socket.only(&["mode", "group"])?;
    let mode = socket.text("mode")?.unwrap_or("0660");
    let wrong = || socket.error("mode", "expected an octal mode in quotes, such as \"0660\"");
    let mode = u32::from_str_radix(mode, 8).map_err(|_| wrong())?;
    if mode > 0o777 || mode & 0o007 != 0 {
        return Err(socket.error("mode", "others may not use the socket: at most \"0770\""));
    }
    Ok(Socket { mode, group: socket.text("group")?.map(str::to_owned) })
}

fn tls(table: &Table<'_>, purpose: Purpose) -> Result<Option<Tls>, ConfigError> {
    if table.get("tls").is_none_or(|node| matches!(node.value, Value::Null)) {
        return Ok(None);
    }
    let tls = table.table("tls")?;
    tls.only(&["certificate", "private_key", "client_ca"])?;
    let file = |key: &str| match tls.reference(key, Kind::Public, purpose)? {
        Some(SecretRef::File(path)) => Ok(Some(path)),
        None => Ok(None),
        Some(SecretRef::Env(_) | SecretRef::Inline(_) | SecretRef::Vault { .. }) => {
            Err(tls.error(key, "expected {file: path}"))
        }
    };
    let needed = |key: &str| tls.error(key, "is required where tls is set");
    Ok(Some(Tls {
        certificate: file("certificate")?.ok_or_else(|| needed("certificate"))?,
        private_key: tls
            .reference("private_key", Kind::Secret, purpose)?
            .ok_or_else(|| needed("private_key"))?,
        client_ca: file("client_ca")?,
    }))
}

fn workers(table: &Table<'_>) -> Result<Option<usize>, ConfigError> {
    let runtime = table.table("runtime")?;
    runtime.only(&["workers"])?;
    if let Some(Value::Text(text)) = runtime.get("workers").map(|node| &node.value) {
        return match text.as_str() {
            "auto" => Ok(None),
            _ => Err(runtime.error("workers", "expected 1 to 64, or auto")),
        };
    }
    runtime.integer("workers", 1, 64, 1).map(|workers| usize::try_from(workers).ok())
}

fn bounds(table: &Table<'_>) -> Result<Limits, ConfigError> {
    let table = table.table("limits")?;
    table.only(&[
        "body_bytes_max",
        "header_bytes_max",
        "headers_max",
        "in_flight_bytes_max",
        "calls_max",
        "connections_max",
        "deadline_ms",
        "drain_seconds",
    ])?;
    let count = |key, max: usize, default: usize| {
        let value = table.integer(key, 1, int(max), int(default))?;
        Ok(usize::try_from(value).unwrap_or(default))
    };
    Ok(Limits {
        body_bytes_max: count(
            "body_bytes_max",
            limits::BODY_BYTES_MAX,
            limits::BODY_BYTES_DEFAULT,
        )?,
        header_bytes_max: count(
            "header_bytes_max",
            limits::HEADER_BYTES_MAX,
            limits::HEADER_BYTES_MAX,
        )?,
        headers_max: count("headers_max", limits::HEADERS_MAX, limits::HEADERS_MAX)?,
        in_flight_bytes_max: count(
            "in_flight_bytes_max",
            limits::IN_FLIGHT_BYTES_MAX,
            limits::IN_FLIGHT_BYTES_DEFAULT,
        )?,
        calls_max: count("calls_max", limits::CALLS_MAX, limits::CALLS_DEFAULT)?,
        connections_max: count(
            "connections_max",
            limits::CONNECTIONS_MAX,
            limits::CONNECTIONS_DEFAULT,
        )?,
        deadline_ms: table.size("deadline_ms", 10, 30_000, 2000)?,
        drain_seconds: table.size("drain_seconds", 1, 300, 5)?,
    })
}

fn log(table: &Table<'_>) -> Result<Log, ConfigError> {
    let log = table.table("log")?;
    log.only(&["level", "format"])?;
    let levels = ["error", "warn", "info", "debug", "trace"];
    let level = log.text("level")?.unwrap_or("info");
    if !levels.contains(&level) {
        return Err(log.error("level", "expected error, warn, info, debug or trace"));
    }
    let format = match log.text("format")?.unwrap_or("auto") {
        "auto" => LogFormat::Auto,
        "json" => LogFormat::Json,
        "pretty" => LogFormat::Pretty,
        _ => return Err(log.error("format", "expected auto, json or pretty")),
    };
    Ok(Log { level: level.to_owned(), format })
}

fn int(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

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
    fn root(node: &'n Node) -> Result<Self, ConfigError> {
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
                    other => Err(wrong(other.kind())),
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
