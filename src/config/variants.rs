//! The variants of a configuration, checked against their gateways' tables.

use std::collections::BTreeMap;

use super::{
    ConfigError, Purpose,
    node::{Node, Value},
    table::{Kind, Table},
};
use crate::{
    accounts::{CallerRule, KeySpec, SecretRef, VariantSpec},
    gateway::{self, GATEWAYS, Gateway, KeyFieldKind, OptionField, OptionKind},
    limits::{KEYS_MAX, TOLERANCE_SECONDS_MAX, VARIANTS_MAX},
    model::{Environment, Timestamp, UnixSeconds, Variant},
    verify::{KeyRole, scheme::Freshness},
};

/// Reads `variants`.
pub(super) fn read(table: &Table<'_>, purpose: Purpose) -> Result<Vec<VariantSpec>, ConfigError> {
    let variants = table.table("variants")?;
    let mut specs = Vec::new();
    for (name, node) in variants.entries() {
        if specs.len() >= VARIANTS_MAX {
            return Err(table.error("variants", "more than 10000 variants"));
        }
        let variant =
            Variant::new(name).map_err(|error| variants.error(name, &error.to_string()))?;
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
    options(&mut spec, &table.table("options")?, purpose)?;
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
    let keys = each(table, "keys", |key| key_spec(gateway, key, purpose))?;
    if keys.is_empty() || keys.len() > KEYS_MAX {
        return Err(table.error("keys", &format!("expected 1 to {KEYS_MAX} keys, newest first")));
    }
    let mut labels: Vec<_> = keys.iter().filter_map(|key| key.label.as_deref()).collect();
    labels.sort_unstable();
    labels.dedup();
    if labels.len() != keys.iter().filter(|key| key.label.is_some()).count() {
        return Err(table.error("keys", "two keys have the same label"));
    }
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

fn options(spec: &mut VariantSpec, table: &Table<'_>, purpose: Purpose) -> Result<(), ConfigError> {
    let gateway = spec.gateway;
    let mut known: Vec<_> = gateway.options.iter().map(|field| field.name).collect();
    let none = crate::verify::Options::default();
    let timed = gateway.scheme(&none).map_or(true, |s| s.freshness != Freshness::NotSigned);
    if timed {
        known.extend(["tolerance_seconds", "accept_received_at_max_seconds"]);
    }
    table.only(&known)?;
    if table.get("tolerance_seconds").is_some() {
        let seconds = table.integer("tolerance_seconds", 1, TOLERANCE_SECONDS_MAX, 300)?;
        spec.options.insert("tolerance_seconds".to_owned(), seconds.into());
    }
    spec.accept_received_at_max_seconds =
        table.integer("accept_received_at_max_seconds", 0, 604_800, 0)?;
    for field in gateway.options {
        if let Some(node) = table.get(field.name).filter(|node| !matches!(node.value, Value::Null))
        {
            option(spec, table, field, node, purpose)?;
        }
    }
    Ok(())
}

fn option(
    spec: &mut VariantSpec,
    table: &Table<'_>,
    field: &OptionField,
    node: &Node,
    purpose: Purpose,
) -> Result<(), ConfigError> {
    let name = field.name;
    let mut set = |value: serde_json::Value| {
        spec.options.insert(name.to_owned(), value);
    };
    match field.kind {
        OptionKind::Flag => set(table.flag(name, false)?.into()),
        OptionKind::Integer { min, max } => set(table.integer(name, min, max, min)?.into()),
        OptionKind::Nested => set(json(table, name, node)?),
        OptionKind::OneOf(words) => {
            let word = table.text(name)?.unwrap_or_default();
            if !words.contains(&word) {
                return Err(table.error(name, &format!("expected one of {}", words.join(", "))));
            }
            set(word.into());
        }
        OptionKind::Secret => {
            let reference = table.reference(name, Kind::Secret, purpose)?;
            spec.option_refs.extend(reference.map(|it| (name.to_owned(), it)));
        }
        OptionKind::Text => match table.reference(name, Kind::Public, purpose)? {
            Some(SecretRef::Inline(text)) => {
                set(String::from_utf8_lossy(text.expose()).into_owned().into());
            }
            Some(reference) => {
                spec.option_refs.insert(name.to_owned(), reference);
            }
            None => {}
        },
        OptionKind::TextList => set(table.texts(name)?.into()),
    }
    Ok(())
}

/// A nested table as it is: the gateway itself checks it.
fn json(table: &Table<'_>, key: &str, node: &Node) -> Result<serde_json::Value, ConfigError> {
    Ok(match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Integer(value) => (*value).into(),
        Value::Float => return Err(table.error(key, "holds a number with decimals")),
        Value::Text(text) => text.as_str().into(),
        Value::List(list) => {
            list.iter().map(|node| json(table, key, node)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Map(entries) => {
            let entries =
                entries.iter().map(|(name, node)| Ok((name.clone(), json(table, key, node)?)));
            serde_json::Value::Object(entries.collect::<Result<_, ConfigError>>()?)
        }
    })
}

fn each<T>(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&Table<'_>) -> Result<T, ConfigError>,
) -> Result<Vec<T>, ConfigError> {
    match table.get(key).map(|node| &node.value) {
        None | Some(Value::Null) => Ok(Vec::new()),
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
