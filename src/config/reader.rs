//! Typed reading of a configuration's tree: every message names the key, its place, and what is
//! allowed.

use std::{net::SocketAddr, path::PathBuf};

use super::{
    Config, ConfigError, Limits, Listen, Log, LogFormat, Purpose, Repeats, Socket, Tls, django,
    effective,
    node::{Node, Value},
    table::{Kind, Table},
    variants, vault,
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
        "vault",
        "payment_variants",
        "variants",
    ])?;
    let cache = table.table("cache")?;
    cache.only(&["ttl_seconds", "max_stale_seconds", "negative_seconds", "variants_max"])?;
    let repeats = table.table("repeats")?;
    repeats.only(&["window_seconds", "entries_max"])?;
    let variants_max = cache.size("variants_max", 1, int(limits::VARIANTS_MAX), 10_000)?;
    let mut variants = variants::read(&table, purpose)?;
    let payment_variants = table.reference("payment_variants", Kind::Secret, purpose)?;
    let skipped = match &payment_variants {
        Some(reference) => django::read(&table, reference, &mut variants)?,
        None => Vec::new(),
    };
    if u64::try_from(variants.len()).map_or(true, |count| count > variants_max) {
        let problem = format!("{} variants, cache.variants_max is {variants_max}", variants.len());
        return Err(table.error("variants", &problem));
    }
    variants.sort_by(|a, b| a.variant.cmp(&b.variant));
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
        variants_max,
        repeats: Repeats {
            window_seconds: repeats.size("window_seconds", 0, 604_800, 86_400)?,
            entries_max: repeats.size("entries_max", 1, 10_000_000, limits::REPEATS_DEFAULT)?,
        },
        log: log(&table)?,
        audit: table.flag("audit", false)?,
        reflection: table.flag("reflection", purpose == Purpose::Development)?,
        vault: vault::read(&table, purpose)?,
        payment_variants,
        skipped,
        variants,
        revision: String::new(),
    };
    secure(&table, &config)?;
    vault::needed(&table, &config)?;
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
            .map(|node| {
                let kind = node.value.kind();
                let wrong = || table.error_at(node.at, "listen", &format!("holds {kind}"));
                read(node.value.text().ok_or_else(wrong)?)
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
        private_key: match tls.reference("private_key", Kind::Secret, purpose)? {
            None => return Err(needed("private_key")),
            // The listener starts before any vault is asked.
            Some(SecretRef::Vault { .. }) => {
                return Err(tls.error("private_key", "expected {file: path} or {env: NAME}"));
            }
            Some(reference) => reference,
        },
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
