//! The effective configuration as text: what `payhook check` prints and what the revision hashes.
//! Holds no secret: a reference shows where one is.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{Config, Listen};
use crate::accounts::{CallerRule, KeySpec, VariantSpec};

/// A short name of a configuration.
pub(super) fn revision(config: &Config) -> String {
    let digest = Sha256::digest(yaml(config).as_bytes());
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The effective configuration as YAML.
pub(super) fn yaml(config: &Config) -> String {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let listen: Vec<_> = config.listen.iter().map(listen_text).collect();
    line(format!("listen: [{}]", listen.join(", ")));
    line(format!("insecure_listen: {}", config.insecure_listen));
    line(format!("admin_listen: {}", config.admin_listen));
    let group = config.socket.group.as_deref().unwrap_or("null");
    line(format!("socket: {{mode: \"{:04o}\", group: {group}}}", config.socket.mode));
    match &config.tls {
        None => line("tls: null".to_owned()),
        Some(tls) => {
            let ca = tls.client_ca.as_ref().map_or("null".to_owned(), |p| p.display().to_string());
            let (certificate, key) = (tls.certificate.display(), &tls.private_key);
            line(format!(
                "tls: {{certificate: {certificate}, private_key: {key}, client_ca: {ca}}}"
            ));
        }
    }
    let workers = config.workers.map_or("auto".to_owned(), |workers| workers.to_string());
    line(format!("runtime: {{workers: {workers}}}"));
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
    let repeats = config.repeats;
    line("repeats:".to_owned());
    line(format!("  window_seconds: {}", repeats.window_seconds));
    line(format!("  entries_max: {}", repeats.entries_max));
    let format = format!("{:?}", config.log.format).to_ascii_lowercase();
    line(format!("log: {{level: {}, format: {format}}}", config.log.level));
    line(format!("audit: {}", config.audit));
    line(format!("reflection: {}", config.reflection));
    line("variants:".to_owned());
    for spec in &config.variants {
        variant(spec, &mut line);
    }
    text
}

fn variant(spec: &VariantSpec, line: &mut impl FnMut(String)) {
    line(format!("  {}:", spec.variant));
    line(format!("    gateway: {}", spec.gateway.name));
    let environment = spec
        .environment
        .map_or("null".to_owned(), |environment| format!("{environment:?}").to_ascii_lowercase());
    line(format!("    environment: {environment}"));
    line(format!("    accounts: [{}]", spec.accounts.join(", ")));
    line("    callers:".to_owned());
    for rule in &spec.callers {
        line(match rule {
            CallerRule::Uid(uid) => format!("      - uid: {uid}"),
            CallerRule::San(san) => format!("      - san: {san}"),
            CallerRule::Token(reference) => format!("      - token: {reference}"),
        });
    }
    line("    keys:".to_owned());
    for (key, position) in spec.keys.iter().zip(1_usize..) {
        key_lines(key, position, line);
    }
    line("    options:".to_owned());
    for (name, value) in &spec.options {
        line(format!("      {name}: {value}"));
    }
    for (name, reference) in &spec.option_refs {
        line(format!("      {name}: {reference}"));
    }
    let back = spec.accept_received_at_max_seconds;
    line(format!("      accept_received_at_max_seconds: {back}"));
}

fn key_lines(key: &KeySpec, position: usize, line: &mut impl FnMut(String)) {
    let label = key.label.clone().unwrap_or_else(|| format!("key-{position}"));
    line(format!("      - label: {label}"));
    line(format!("        role: {}", key.role.as_str()));
    if let Some(at) = key.expires_at {
        line(format!("        expires_at: {at}"));
    }
    for (name, reference) in &key.fields {
        line(format!("        {name}: {reference}"));
    }
}

fn listen_text(listen: &Listen) -> String {
    match listen {
        Listen::Tcp(address) => address.to_string(),
        Listen::Unix(path) => format!("unix:{}", path.display()),
    }
}
