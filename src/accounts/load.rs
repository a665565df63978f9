//! From a configured variant to an account: reads its secrets and joins them with its gateway.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    account::{Account, PreparedCaller},
    certificates::FixedCertificates,
    key_record::{Fingerprint, KeyRecord, fingerprint},
    secrets::SecretSource,
    spec::{CallerRule, KeySpec, SecretRef, VariantSpec},
};
use crate::{
    gateway::{KeyFieldKind, KeyFields},
    limits::SECRET_BYTES_WEAK,
    model::{Environment, Secret, UnixSeconds},
    verify::Options,
};

/// What was read and prepared.
pub(super) struct Loaded {
    pub(super) account: Account,
    /// What tells the keys' values apart, in their order.
    pub(super) values: Vec<Option<Fingerprint>>,
    pub(super) warnings: Vec<String>,
}

/// Reads everything that a variant refers to and prepares it.
///
/// # Errors
/// A line that says which place cannot be read or used.
pub(super) async fn load(spec: &VariantSpec, source: &dyn SecretSource) -> Result<Loaded, String> {
    let mut warnings = Vec::new();
    let mut keys = Vec::new();
    for (key, position) in spec.keys.iter().zip(1_usize..) {
        keys.push(read_key(spec, key, position, source, &mut warnings).await?);
    }
    let values = keys.iter().map(fingerprint).collect();
    let options = read_options(spec, source).await?;
    let callers = read_callers(spec, source).await?;
    let certificates = FixedCertificates::from_options(&options);
    let verifier = spec.gateway.verifier(keys, options).map_err(|error| error.to_string())?;
    let verifier = verifier.with_public_roots(webpki_roots::TLS_SERVER_ROOTS);
    let account = Account {
        variant: spec.variant.clone(),
        gateway: spec.gateway,
        verifier,
        environment: spec.environment,
        accounts: spec.accounts.clone(),
        callers,
        accept_received_at_max_seconds: spec.accept_received_at_max_seconds,
        certificates,
        records: KeyRecord::unknown(spec.keys.len(), UnixSeconds::new(0)),
    };
    Ok(Loaded { account, values, warnings })
}

async fn read(
    place: &str,
    name: &str,
    reference: &SecretRef,
    source: &dyn SecretSource,
) -> Result<Secret, String> {
    let read = source.read(reference).await;
    read.map_err(|error| format!("{place}, {name}: {error}"))
}

async fn read_key(
    spec: &VariantSpec,
    key: &KeySpec,
    position: usize,
    source: &dyn SecretSource,
    warnings: &mut Vec<String>,
) -> Result<KeyFields, String> {
    let place = format!("key {position}");
    let mut fields = BTreeMap::new();
    for (name, reference) in &key.fields {
        let value = read(&place, name, reference, source).await?;
        // A short secret may be right where the gateway's own form does not say how long it is.
        let mut known = spec.gateway.keys.iter();
        let secret = known.any(|f| f.name == name && f.kind == KeyFieldKind::Secret);
        if secret && !value.is_empty() && value.len() < SECRET_BYTES_WEAK {
            let bytes = value.len();
            warnings.push(format!("{place}, {name}: the secret is short, {bytes} bytes"));
        }
        fields.insert(name.clone(), value);
    }
    let (label, role, expires_at) = (key.label.clone(), key.role, key.expires_at);
    Ok(KeyFields { label, role, expires_at, fields })
}

async fn read_options(spec: &VariantSpec, source: &dyn SecretSource) -> Result<Options, String> {
    let (mut values, mut secrets) = (spec.options.clone(), BTreeMap::new());
    if let Some(environment) = spec.environment {
        let word = match environment {
            Environment::Live => "live",
            Environment::Test => "test",
        };
        values.insert("environment".to_owned(), word.into());
    }
    for (name, reference) in &spec.option_refs {
        let value = read("options", name, reference, source).await?.trimmed();
        if value.is_empty() {
            return Err(format!("options, {name}: {reference} is empty"));
        }
        let text = || {
            let text = std::str::from_utf8(value.expose());
            text.map_err(|_| format!("options, {name}: {reference} is not text"))
        };
        match name.strip_prefix('/') {
            None if spec.gateway.secret_option(name) => {
                secrets.insert(name.clone(), value);
            }
            None => {
                values.insert(name.clone(), text()?.into());
            }
            // Inside a nested option a secret stays apart, under its path: `api.client_secret`.
            Some(path) if SECRET_NAMES.iter().any(|secret| path.ends_with(secret)) => {
                secrets.insert(path.replace('/', "."), value);
            }
            Some(path) => put(&mut values, path, text()?),
        }
    }
    Ok(Options::new(values, secrets))
}

/// Puts a text where a path leads: the option, then a JSON pointer inside it.
fn put(values: &mut BTreeMap<String, Value>, path: &str, text: &str) {
    let (option, rest) = path.split_once('/').unwrap_or((path, ""));
    let place = values.get_mut(option).and_then(|value| value.pointer_mut(&format!("/{rest}")));
    if let Some(place) = place {
        *place = text.into();
    }
}

async fn read_callers(
    spec: &VariantSpec,
    source: &dyn SecretSource,
) -> Result<Vec<PreparedCaller>, String> {
    let mut rules = Vec::new();
    for rule in &spec.callers {
        rules.push(match rule {
            CallerRule::Uid(uid) => PreparedCaller::Uid(*uid),
            CallerRule::San(san) => PreparedCaller::San(san.clone()),
            CallerRule::Token(reference) => {
                let token = read("callers", "token", reference, source).await?.trimmed();
                if token.is_empty() {
                    return Err(format!("callers, token: {reference} is empty"));
                }
                PreparedCaller::Token(Sha256::digest(token.expose()).into())
            }
        });
    }
    Ok(rules)
}

/// Names of secrets inside nested options.
pub(crate) const SECRET_NAMES: [&str; 3] = ["/client_secret", "/password", "/token"];
