//! The effective configuration as text: what `payhook check` prints and what the revision hashes.
//! Holds no secret: a reference shows where one is.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Config, Listen, LogFormat, options};
use crate::{
    accounts::{CallerRule, KeySpec, SecretRef, VariantSpec, VaultAuth, VaultSettings},
    model::Environment,
};

/// A short name of a configuration.
pub(super) fn revision(config: &Config) -> String {
    name(&yaml(config))
}

/// A short name of what is read at the start alone: everything but the variants.
pub(super) fn settings(config: &Config) -> String {
    let mut lines = String::new();
    let mut line = |line: String| lines.push_str(&line);
    server(config, &mut line);
    bounds(config, &mut line);
    line(config.vault.as_ref().map_or(String::new(), vault));
    name(&lines)
}

fn name(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The effective configuration as YAML.
pub(super) fn yaml(config: &Config) -> String {
    let mut lines = String::new();
    let mut line = |line: String| {
        lines.push_str(&line);
        lines.push('\n');
    };
    server(config, &mut line);
    bounds(config, &mut line);
    line(format!("vault: {}", config.vault.as_ref().map_or("null".to_owned(), vault)));
    let django = config.payment_variants.as_ref().map_or("null".to_owned(), reference);
    line(format!("payment_variants: {django}"));
    for skipped in &config.skipped {
        let (variant, provider, reason) = (&skipped.variant, &skipped.provider, skipped.reason);
        line(format!("# not served: {} ({}): {reason}", text(variant), text(provider)));
    }
    line(if config.variants.is_empty() { "variants: {}" } else { "variants:" }.to_owned());
    for spec in &config.variants {
        variant(spec, &mut line);
    }
    lines
}

fn server(config: &Config, line: &mut impl FnMut(String)) {
    let listen: Vec<_> = config.listen.iter().map(listen_text).collect();
    line(format!("listen: [{}]", listen.join(", ")));
    line(format!("insecure_listen: {}", config.insecure_listen));
    line(format!("admin_listen: {}", text(&config.admin_listen.to_string())));
    let group = config.socket.group.as_deref().map_or("null".to_owned(), text);
    line(format!("socket: {{mode: \"{:04o}\", group: {group}}}", config.socket.mode));
    match &config.tls {
        None => line("tls: null".to_owned()),
        Some(tls) => {
            let ca = tls.client_ca.as_ref().map_or("null".to_owned(), |path| file(path));
            let (certificate, key) = (file(&tls.certificate), reference(&tls.private_key));
            line(format!(
                "tls: {{certificate: {certificate}, private_key: {key}, client_ca: {ca}}}"
            ));
        }
    }
    let workers = config.workers.map_or("auto".to_owned(), |workers| workers.to_string());
    line(format!("runtime: {{workers: {workers}}}"));
    let format = match config.log.format {
        LogFormat::Auto => "auto",
        LogFormat::Json => "json",
        LogFormat::Pretty => "pretty",
    };
    line(format!("log: {{level: {}, format: {format}}}", config.log.level));
    line(format!("audit: {}", config.audit));
    line(format!("reflection: {}", config.reflection));
}

fn bounds(config: &Config, line: &mut impl FnMut(String)) {
    let limits = config.limits;
    line("limits:".to_owned());
    line(format!("  body_bytes_max: {}", limits.body_bytes_max));
    line(format!("  header_bytes_max: {}", limits.header_bytes_max));
    line(format!("  headers_max: {}", limits.headers_max));
    line(format!("  in_flight_bytes_max: {}", limits.in_flight_bytes_max));
    line(format!("  calls_max: {}", limits.calls_max));
    line(format!("  connections_max: {}", limits.connections_max));
    line(format!("  deadline_ms: {}", limits.deadline_ms));
    line(format!("  drain_seconds: {}", limits.drain_seconds));
    let cache = config.cache;
    line("cache:".to_owned());
    line(format!("  ttl_seconds: {}", cache.ttl_seconds));
    line(format!("  max_stale_seconds: {}", cache.max_stale_seconds));
    line(format!("  negative_seconds: {}", cache.negative_seconds));
    line(format!("  variants_max: {}", config.variants_max));
    let repeats = config.repeats;
    line("repeats:".to_owned());
    line(format!("  window_seconds: {}", repeats.window_seconds));
    line(format!("  entries_max: {}", repeats.entries_max));
}

fn vault(vault: &VaultSettings) -> String {
    let auth = match &vault.auth {
        VaultAuth::Kubernetes { role, mount } => {
            format!("kubernetes: {{role: {}, mount: {}}}", text(role), text(mount))
        }
        VaultAuth::Token(token) => format!("token: {}", reference(token)),
    };
    let ca = vault.ca.as_ref().map_or("null".to_owned(), |path| file(path));
    let namespace = vault.namespace.as_deref().map_or("null".to_owned(), text);
    let address = text(&vault.address);
    format!("{{address: {address}, auth: {{{auth}}}, ca: {ca}, namespace: {namespace}}}")
}

fn variant(spec: &VariantSpec, line: &mut impl FnMut(String)) {
    line(format!("  {}:", text(spec.variant.as_str())));
    line(format!("    gateway: {}", spec.gateway.name));
    let environment = match spec.environment {
        None => "null",
        Some(Environment::Live) => "live",
        Some(Environment::Test) => "test",
    };
    line(format!("    environment: {environment}"));
    let accounts: Vec<_> = spec.accounts.iter().map(|account| text(account)).collect();
    line(format!("    accounts: [{}]", accounts.join(", ")));
    let callers = spec.callers.iter().map(|rule| match rule {
        CallerRule::Uid(uid) => format!("{{uid: {uid}}}"),
        CallerRule::San(san) => format!("{{san: {}}}", text(san)),
        CallerRule::Token(place) => format!("{{token: {}}}", reference(place)),
    });
    line(format!("    callers: [{}]", callers.collect::<Vec<_>>().join(", ")));
    line("    keys:".to_owned());
    for (key, position) in spec.keys.iter().zip(1_usize..) {
        key_lines(key, position, line);
    }
    let timed = options::compares_time(spec.gateway);
    let none = !timed && spec.options.is_empty() && spec.option_refs.is_empty();
    line(if none { "    options: {}" } else { "    options:" }.to_owned());
    for (name, value) in &spec.options {
        // JSON is YAML, and quotes what needs it.
        line(format!("      {name}: {value}"));
    }
    for (name, place) in &spec.option_refs {
        line(format!("      {}: {}", text(name), reference(place)));
    }
    if timed {
        let back = spec.accept_received_at_max_seconds;
        line(format!("      accept_received_at_max_seconds: {back}"));
    }
}

fn key_lines(key: &KeySpec, position: usize, line: &mut impl FnMut(String)) {
    let label = key.label.as_deref().map_or("null".to_owned(), text);
    line(format!("      - label: {label} # key {position}"));
    line(format!("        role: {}", key.role.as_str()));
    if let Some(at) = key.expires_at.and_then(|at| jiff::Timestamp::from_second(at.get()).ok()) {
        line(format!("        expires_at: {at}"));
    }
    for (name, place) in &key.fields {
        line(format!("        {name}: {}", reference(place)));
    }
}

/// Where a value is; a value that stands in the file itself is not shown.
fn reference(place: &SecretRef) -> String {
    match place {
        SecretRef::Env(name) => format!("{{env: {}}}", text(name)),
        SecretRef::File(path) => file(path),
        SecretRef::Inline(_) => "(inline)".to_owned(),
        SecretRef::Vault { path, field } => {
            format!("{{vault: {{path: {}, field: {}}}}}", text(path), text(field))
        }
    }
}

fn file(path: &std::path::Path) -> String {
    format!("{{file: {}}}", text(&path.display().to_string()))
}

/// A text as YAML: bare where it is a plain word, else as JSON, which is YAML too.
fn text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte);
    let word = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/');
    if word && text.bytes().all(plain) && !RESERVED.contains(&text) {
        return text.to_owned();
    }
    serde_json::Value::from(text).to_string()
}

fn listen_text(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => text(&address.to_string()),
        Listen::Unix(path) => text(&format!("unix:{}", path.display())),
    }
}

/// Words that YAML reads as something else than text.
const RESERVED: [&str; 10] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf"];
