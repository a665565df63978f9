//! The gateway's own options, checked against its table.

use std::collections::BTreeMap;

use super::{
    ConfigError, Purpose,
    node::{Node, Value},
    table::{Kind, Table},
};
use crate::{
    accounts::{SecretRef, VariantSpec},
    gateway::{Gateway, OptionField, OptionKind},
    limits::TOLERANCE_SECONDS_MAX,
    model::Environment,
    verify::scheme::Freshness,
};

/// Reads `options` of a variant.
pub(super) fn read(
    spec: &mut VariantSpec,
    table: &Table<'_>,
    purpose: Purpose,
) -> Result<(), ConfigError> {
    let gateway = spec.gateway;
    let mut known: Vec<_> = gateway.options.iter().map(|field| field.name).collect();
    if compares_time(gateway) {
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
        let agreed = spec.options.get(field.name).and_then(serde_json::Value::as_bool);
        if field.kind == OptionKind::Consent && agreed != Some(true) {
            return Err(table.error(field.name, field.about));
        }
    }
    Ok(())
}

/// Whether webhooks of the gateway are compared with the clock; a scheme that configuration
/// describes may.
pub(super) fn compares_time(gateway: &Gateway) -> bool {
    let scheme = gateway.scheme(&crate::verify::Options::default());
    scheme.map_or(true, |scheme| scheme.freshness != Freshness::NotSigned)
}

fn option(
    spec: &mut VariantSpec,
    table: &Table<'_>,
    field: &OptionField,
    node: &Node,
    purpose: Purpose,
) -> Result<(), ConfigError> {
    let name = field.name;
    match field.kind {
        OptionKind::Consent | OptionKind::Flag => set(spec, name, table.flag(name, false)?),
        OptionKind::FlagInTest => {
            let yes = table.flag(name, false)?;
            if yes && spec.environment != Some(Environment::Test) {
                return Err(table.error(name, "expected `environment: test` beside it"));
            }
            set(spec, name, yes);
        }
        OptionKind::Integer { min, max } => set(spec, name, table.integer(name, min, max, min)?),
        OptionKind::Nested => {
            let mut nested = Nested { table, refs: BTreeMap::new(), purpose };
            let value = nested.value(name, &format!("/{name}"), node)?;
            let refs = nested.refs;
            spec.options.insert(name.to_owned(), value);
            spec.option_refs.extend(refs);
        }
        OptionKind::OneOf(words) => {
            let word = table.text(name)?.unwrap_or_default();
            if !words.contains(&word) {
                return Err(table.error(name, &format!("expected one of {}", words.join(", "))));
            }
            set(spec, name, word);
        }
        OptionKind::Secret => {
            let reference = table.reference(name, Kind::Secret, purpose)?;
            spec.option_refs.extend(reference.map(|it| (name.to_owned(), it)));
        }
        OptionKind::Text => match table.reference(name, Kind::Public, purpose)? {
            Some(SecretRef::Inline(text)) => {
                set(spec, name, String::from_utf8_lossy(text.expose()).into_owned());
            }
            Some(reference) => {
                spec.option_refs.insert(name.to_owned(), reference);
            }
            None => {}
        },
        OptionKind::TextList => set(spec, name, table.texts(name)?),
    }
    Ok(())
}

fn set(spec: &mut VariantSpec, name: &str, value: impl Into<serde_json::Value>) {
    spec.options.insert(name.to_owned(), value.into());
}

/// A nested table as it is: the gateway itself checks it. Only references are taken out of it; a
/// JSON pointer says where each belongs.
struct Nested<'t> {
    table: &'t Table<'t>,
    refs: BTreeMap<String, SecretRef>,
    purpose: Purpose,
}

impl Nested<'_> {
    fn value(
        &mut self,
        name: &str,
        pointer: &str,
        node: &Node,
    ) -> Result<serde_json::Value, ConfigError> {
        Ok(match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float => {
                let problem = "a number with decimals is not expected here";
                return Err(self.table.error_at(node.at, name, problem));
            }
            Value::Text(text) => text.as_str().into(),
            Value::List(list) => {
                let values = list.iter().enumerate();
                let values =
                    values.map(|(at, node)| self.value(name, &format!("{pointer}/{at}"), node));
                values.collect::<Result<Vec<_>, _>>()?.into()
            }
            Value::Map(entries) => self.map(name, pointer, entries)?,
        })
    }

    fn map(
        &mut self,
        name: &str,
        pointer: &str,
        entries: &[(String, Node)],
    ) -> Result<serde_json::Value, ConfigError> {
        let mut map = serde_json::Map::new();
        for entry in entries {
            let (key, node) = entry;
            let path = format!("{name}.{key}");
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let secret = SECRET_NAMES.contains(&key.as_str());
            let value = if secret || is_reference(node) {
                let kind = if secret { Kind::Secret } else { Kind::Public };
                let parent = Table::single(self.table.path_of(name), entry);
                self.refs.extend(
                    parent.reference(key, kind, self.purpose)?.map(|place| (pointer, place)),
                );
                serde_json::Value::Null
            } else {
                self.value(&path, &pointer, node)?
            };
            map.insert(key.clone(), value);
        }
        Ok(map.into())
    }
}

fn is_reference(node: &Node) -> bool {
    let Value::Map(entries) = &node.value else { return false };
    matches!(entries.as_slice(), [(key, _)] if ["file", "env", "vault"].contains(&key.as_str()))
}

/// Names of secrets inside nested options.
const SECRET_NAMES: [&str; 3] = ["client_secret", "password", "token"];
