//! The settings of one variant beside its keys, checked against the gateway's table at load.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::model::Secret;

/// Options by name. Values were checked when they were loaded, so that reading them cannot fail.
#[derive(Default)]
pub struct Options {
    values: BTreeMap<String, Value>,
    secrets: BTreeMap<String, Secret>,
}

impl Options {
    /// Options from checked values and secrets.
    pub fn new(values: BTreeMap<String, Value>, secrets: BTreeMap<String, Secret>) -> Self {
        Self { values, secrets }
    }

    /// A value, where the variant sets it.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// A text option.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// A whole number option.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(Value::as_i64)
    }

    /// A yes or no option.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    /// Every public value, for `payhook check`.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// A secret option, such as the password of basic authentication.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("values", &self.values)
            .field("secrets", &self.secrets.keys())
            .finish()
    }
}
