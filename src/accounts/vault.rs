//! The settings of a vault. The client is `vault_client.rs`, behind the feature `vault`.

use std::{path::PathBuf, sync::Arc};

use super::spec::SecretRef;

/// A vault with a KV version 2 engine: `HashiCorp` Vault or `OpenBao`.
#[derive(Clone, Debug, PartialEq)]
pub struct VaultSettings {
    /// Its `https://` address, without a path.
    pub address: String,
    /// How to log in.
    pub auth: VaultAuth,
    /// Authorities of its certificate; without them the public ones.
    pub ca: Option<PathBuf>,
    /// Namespace, where it has them.
    pub namespace: Option<String>,
}

/// How to log in to a vault.
#[derive(Clone, Debug, PartialEq)]
pub enum VaultAuth {
    /// With the pod's service account.
    Kubernetes {
        /// Role.
        role: String,
        /// Mount of the authentication method.
        mount: String,
    },
    /// With a token. Its file is read for every request: agents renew it in place.
    Token(Arc<SecretRef>),
}
