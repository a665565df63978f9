//! The variants of a configuration, checked against their gateways' tables.

use std::collections::BTreeMap;

use super::{
    ConfigError, Purpose,
    node::Value,
    options,
    table::{Kind, Table},
};
use crate::{
    accounts::{CallerRule, KeySpec, VariantSpec},
    gateway::{self, GATEWAYS, Gateway, KeyFieldKind},
    limits::{KEYS_MAX, VARIANT_LIST_MAX, VARIANTS_MAX},
    model::{Environment, Timestamp, UnixSeconds, Variant},
    verify::KeyRole,
};

/// Reads `variants`.
pub(super) fn read(table: &Table<'_>, purpose: Purpose) -> Result<Vec<VariantSpec>, ConfigError> {
    let variants = table.table("variants")?;
    let mut specs = Vec::new();
    for (name, node) in variants.entries() {
        if specs.len() >= VARIANTS_MAX {
            return Err(table.error("variants", "more than 10000 variants"));
        }
        let variant = Variant::new(name)
            .map_err(|error| variants.error_at(node.key_at, name, &error.to_string()))?;
        let table = Table::of(variants.path_of(name), Some(node))?;
        specs.push(spec(variant, &table, purpose)?);
    }
    Ok(specs)
}

fn spec(variant: Variant, table: &Table<'_>, purpose: Purpose) -> Result<VariantSpec, ConfigError> {
    table.only(&["gateway", "environment", "accounts", "callers", "keys", "options"])?;
    let name = table.text("gateway")?.ok_or_else(|| table.error("gateway", "is required"))?;
    let gateway = gateway::find(name).ok_or_else(|| {
        let known: Vec<_> = GATEWAYS.iter().map(|gateway| gateway.name).collect();
        table.error("gateway", &format!("no such gateway; known are {}", known.join(", ")))
    })?;
    let environment = match table.text("environment")? {
        None => None,
        Some("live") => Some(Environment::Live),
        Some("test") => Some(Environment::Test),
        Some(_) => return Err(table.error("environment", "expected live or test")),
    };
    let mut spec = VariantSpec {
        variant,
        gateway,
        environment,
        accounts: table.texts("accounts")?,
        callers: callers(table, purpose)?,
        keys: keys(gateway, table, purpose)?,
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    };
    options::read(&mut spec, &table.table("options")?, purpose)?;
    check_scheme(&spec, table)?;
    Ok(spec)
}

/// Options may describe the scheme: whether they do is known now, not at the first webhook.
fn check_scheme(spec: &VariantSpec, table: &Table<'_>) -> Result<(), ConfigError> {
    if !spec.option_refs.is_empty() {
        return Ok(());
    }
    let options = crate::verify::Options::new(spec.options.clone(), BTreeMap::new());
    match spec.gateway.scheme(&options) {
        Ok(_) => Ok(()),
        Err(error) => Err(table.error("options", &error.to_string())),
    }
}

fn callers(table: &Table<'_>, purpose: Purpose) -> Result<Vec<CallerRule>, ConfigError> {
    each(table, "callers", |caller| {
        caller.only(&["uid", "san", "token"])?;
        let uid = caller.get("uid").map(|_| caller.integer("uid", 0, i64::from(u32::MAX), 0));
        let uid = uid.transpose()?.and_then(|uid| u32::try_from(uid).ok());
        let token = caller.reference("token", Kind::Secret, purpose)?;
        match (uid, caller.text("san")?, token) {
            (Some(uid), None, None) => Ok(CallerRule::Uid(uid)),
            (None, Some(san), None) => Ok(CallerRule::San(san.to_owned())),
            (None, None, Some(token)) => Ok(CallerRule::Token(token)),
            _ => Err(caller.error("uid", "expected exactly one of uid, san and token")),
        }
    })
}

fn keys(
    gateway: &Gateway,
    table: &Table<'_>,
    purpose: Purpose,
) -> Result<Vec<KeySpec>, ConfigError> {
    let mut keys = each(table, "keys", |key| key_spec(gateway, key, purpose))?;
    // A gateway that signs with published certificates has no keys to configure.
    let fewest = usize::from(!gateway.keys.is_empty());
    if keys.len() < fewest || keys.len() > KEYS_MAX {
        let problem = format!("expected {fewest} to {KEYS_MAX} keys, newest first");
        return Err(table.error("keys", &problem));
    }
    let mut labels: Vec<_> = keys.iter().filter_map(|key| key.label.as_deref()).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() != keys.iter().filter(|key| key.label.is_some()).count() {
        return Err(table.error("keys", "two keys have the same label"));
    }
    // Kept for as long as the configuration is.
    keys.shrink_to_fit();
    Ok(keys)
}

fn key_spec(gateway: &Gateway, key: &Table<'_>, purpose: Purpose) -> Result<KeySpec, ConfigError> {
    let own = gateway.keys.iter().map(|field| field.name);
    let known: Vec<_> = own.chain(["label", "role", "expires_at"]).collect();
    key.only(&known)?;
    let role = key.text("role")?.unwrap_or("current");
    let role = KeyRole::from_name(role)
        .ok_or_else(|| key.error("role", "expected current, previous or next"))?;
    let expires_at = match key.text("expires_at")? {
        None => None,
        Some(text) => {
            let at = Timestamp::from_rfc3339(text);
            let at = at.ok_or_else(|| {
                key.error("expires_at", "expected a time such as 2030-01-31T00:00:00Z")
            })?;
            Some(UnixSeconds::new(at.seconds()))
        }
    };
    let mut fields = BTreeMap::new();
    for field in gateway.keys {
        let kind = match field.kind {
            KeyFieldKind::Public => Kind::Public,
            KeyFieldKind::Secret => Kind::Secret,
        };
        let value = key.reference(field.name, kind, purpose)?;
        let value = value.ok_or_else(|| key.error(field.name, "is required"))?;
        fields.insert(field.name.to_owned(), value);
    }
    let label = key.text("label")?.map(str::to_owned);
    if label.as_ref().is_some_and(|label| label.is_empty() || label.len() > LABEL_BYTES_MAX) {
        return Err(key.error("label", "expected 1 to 64 characters"));
    }
    Ok(KeySpec { label, role, expires_at, fields })
}

fn each<T>(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&Table<'_>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    match table.get(key).map(|node| &node.value) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(list)) if list.len() > VARIANT_LIST_MAX => {
            Err(table.error(key, &format!("more than {VARIANT_LIST_MAX} entries")))
        }
        Some(Value::List(list)) => list
            .iter()
            .enumerate()
            .map(|(position, node)| {
                let path = table.path_of(&format!("{key}[{position}]"));
                read(&Table::of(path, Some(node))?)
            })
            .collect(),
        Some(other) => Err(table.error(key, &format!("expected a list, found {}", other.kind()))),
    }
}

/// Longest label of a key.
const LABEL_BYTES_MAX: usize = 64;
