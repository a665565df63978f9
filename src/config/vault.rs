//! The vault's own settings.

use std::sync::Arc;

use super::{
    Config, ConfigError, Purpose,
    node::Value,
    table::{Kind, Table, is_vault_path},
};
use crate::accounts::{SecretRef, VariantSpec, VaultAuth, VaultSettings};

/// Reads `vault`.
pub(super) fn read(
    table: &Table<'_>,
    purpose: Purpose,
) -> Result<Option<VaultSettings>, ConfigError> {
    if table.get("vault").is_none_or(|node| matches!(node.value, Value::Null)) {
        return Ok(None);
    }
    if !cfg!(feature = "vault") {
        return Err(table.error("vault", "this build has no vault support (feature vault)"));
    }
    let vault = table.table("vault")?;
    vault.only(&["address", "auth", "ca", "namespace"])?;
    let address = vault.text("address")?.unwrap_or_default().trim_end_matches('/');
    if address.strip_prefix("https://").is_none_or(|host| host.is_empty() || host.contains('/')) {
        return Err(vault.error("address", "expected https://host or https://host:port"));
    }
    let ca = match vault.reference("ca", Kind::Public, purpose)? {
        None => None,
        Some(SecretRef::File(path)) => Some(path),
        Some(SecretRef::Env(_) | SecretRef::Inline(_) | SecretRef::Vault { .. }) => {
            return Err(vault.error("ca", "expected {file: path}"));
        }
    };
    let namespace = vault.text("namespace")?.map(str::to_owned);
    let (address, auth) = (address.to_owned(), auth(&vault, purpose)?);
    Ok(Some(VaultSettings { address, auth, ca, namespace }))
}

fn auth(vault: &Table<'_>, purpose: Purpose) -> Result<VaultAuth, ConfigError> {
    let auth = vault.table("auth")?;
    auth.only(&["token", "kubernetes"])?;
    let token = auth.reference("token", Kind::Secret, purpose)?;
    let kubernetes = auth.table("kubernetes")?;
    kubernetes.only(&["role", "mount"])?;
    match (token, kubernetes.text("role")?) {
        (Some(SecretRef::Vault { .. }), _) => {
            Err(auth.error("token", "the token of a vault cannot lie in the vault"))
        }
        (Some(token), None) => Ok(VaultAuth::Token(Arc::new(token))),
        (None, Some(role)) if !role.is_empty() => {
            let mount = kubernetes.text("mount")?.unwrap_or("kubernetes");
            if !is_vault_path(mount) {
                return Err(kubernetes.error("mount", "expected a mount such as kubernetes"));
            }
            Ok(VaultAuth::Kubernetes { role: role.to_owned(), mount: mount.to_owned() })
        }
        _ => Err(vault.error("auth", "expected one of {token} and {kubernetes: {role, mount}}")),
    }
}

/// A reference into a vault needs a vault.
pub(super) fn needed(table: &Table<'_>, config: &Config) -> Result<(), ConfigError> {
    let into_vault = |spec: &VariantSpec| {
        spec.references().any(|place| matches!(place, SecretRef::Vault { .. }))
    };
    match config.variants.iter().find(|spec| into_vault(spec)) {
        Some(spec) if config.vault.is_none() => {
            let problem = "refers to a vault, and none is configured (key vault)";
            let variants = table.table("variants")?;
            Err(variants.error(spec.variant.as_str(), problem))
        }
        Some(_) | None => Ok(()),
    }
}
