//! Accounts with keys that are made on the spot and thrown away.

use std::{collections::BTreeMap, sync::Arc};

use super::world::World;
use crate::{
    accounts::{
        Account, Accounts, CacheSettings, Clock, KeySpec, SecretRef, SystemSecrets, VariantSpec,
    },
    gateway::{GATEWAYS, Gateway},
    model::{Secret, Variant},
    tools::{Exit, ToolError, dev::random},
    verify::{KeyRole, scheme::Source},
};

/// The webhook's URL in the demo, by django-payments' convention.
pub(super) const URL: &str = "https://shop.example/payments/process/demo/";

/// One variant per gateway; what they need from outside comes from a world of our own.
pub(super) fn throw_away(clock: Clock, world: &World) -> Result<Arc<Accounts>, ToolError> {
    let specs = GATEWAYS.iter().map(|gateway| spec(gateway, world));
    let specs = specs.collect::<Result<Vec<_>, _>>()?;
    let (source, settings) = (Arc::new(SystemSecrets), CacheSettings::default());
    let accounts = Accounts::new(specs, "demo".to_owned(), source, clock, settings);
    Ok(Arc::new(accounts.with_outside(world.outside())))
}

/// The same gateway with another key; `None` where no key signs.
pub(super) fn other_key(account: &Account, world: &World) -> Option<Account> {
    if account.verifier().scheme().source == Source::Answer {
        return None;
    }
    spec(account.gateway(), world).ok().and_then(|spec| account.with_spec(&spec).ok())
}

fn spec(gateway: &'static Gateway, world: &World) -> Result<VariantSpec, ToolError> {
    let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
    let mut options = gateway.example();
    options.extend(world.options(gateway));
    let described = crate::verify::Options::new(options.clone(), BTreeMap::new());
    let form = gateway.scheme(&described).map_err(|error| internal(&error))?.key_form;
    let mut fields = BTreeMap::new();
    for field in gateway.keys {
        let value = match field.name {
            // Notifications are ours where they name us, so that the samples and we must agree.
            "receiver_email" => "merchant@example.test".to_owned(),
            _ => random(form)?,
        };
        let value = Secret::new(value.into_bytes());
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
        options,
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    })
}
