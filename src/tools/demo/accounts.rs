//! Accounts with keys that are made on the spot and thrown away.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    accounts::{
        Account, Accounts, CacheSettings, Clock, KeySpec, SecretRef, SystemSecrets, VariantSpec,
    },
    gateway::{GATEWAYS, Gateway},
    model::{Secret, Variant},
    tools::{Exit, ToolError},
    verify::{KeyRole, scheme::KeyForm},
};

/// The webhook's URL in the demo, by django-payments' convention.
pub(super) const URL: &str = "https://shop.example/payments/process/demo/";

/// One variant per gateway.
pub(super) fn throw_away(clock: Clock) -> Result<Arc<Accounts>, ToolError> {
    let specs = GATEWAYS.iter().map(|gateway| spec(gateway)).collect::<Result<Vec<_>, _>>()?;
    let (source, settings) = (Arc::new(SystemSecrets), CacheSettings::default());
    Ok(Arc::new(Accounts::new(specs, "demo".to_owned(), source, clock, settings)))
}

/// The same gateway with another key.
pub(super) fn other_key(account: &Account) -> Option<Account> {
    spec(account.gateway()).ok().and_then(|spec| account.with_spec(&spec).ok())
}

fn spec(gateway: &'static Gateway) -> Result<VariantSpec, ToolError> {
    let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
    let example = gateway.example();
    let options = crate::verify::Options::new(example.clone(), BTreeMap::new());
    let form = gateway.scheme(&options).map_err(|error| internal(&error))?.key_form;
    let mut fields = BTreeMap::new();
    for field in gateway.keys {
        let value = Secret::new(random(form)?.into_bytes());
        fields.insert(field.name.to_owned(), SecretRef::Inline(value));
    }
    let key = KeySpec { label: None, role: KeyRole::Current, expires_at: None, fields };
    Ok(VariantSpec {
        variant: Variant::new(gateway.name).map_err(|error| internal(&error))?,
        gateway,
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![key],
        options: example,
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    })
}

/// 32 random bytes as hexadecimal text, which is a key in every form here.
fn random(form: KeyForm) -> Result<String, ToolError> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| ToolError::new(Exit::Internal, "the system has no random numbers"))?;
    let hex = |text: String, byte: &u8| format!("{text}{byte:02x}");
    let text = bytes.iter().fold(String::new(), hex);
    Ok(match form {
        KeyForm::Aes128 => text.chars().take(16).collect(),
        KeyForm::Base64
        | KeyForm::Hex
        | KeyForm::Sha1OfText
        | KeyForm::StandardWebhooks
        | KeyForm::Text => text,
    })
}
