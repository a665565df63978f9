//! What the operator may know about a variant: names, roles and times, never a secret.

use std::sync::{Arc, atomic::Ordering};

use super::slot::Slot;
use crate::{
    gateway::Gateway,
    model::{Environment, UnixSeconds, Variant},
    verify::KeyRole,
};

/// A configured variant and how it is.
#[derive(Clone, Debug)]
pub struct VariantState {
    /// Its name.
    pub variant: Variant,
    /// Its gateway.
    pub gateway: &'static Gateway,
    /// Live or test, where it is pinned to one.
    pub environment: Option<Environment>,
    /// Its keys, newest first.
    pub keys: Vec<KeyState>,
    /// When its secrets were read; `None` where none are at hand.
    pub loaded_at: Option<UnixSeconds>,
    /// Why the last attempt to read or use its secrets failed.
    pub problem: Option<Arc<str>>,
}

/// A configured key and when it was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyState {
    /// The operator's label, else the position.
    pub label: String,
    /// Its place in a rotation.
    pub role: KeyRole,
    /// Not accepted from this moment on.
    pub expires_at: Option<UnixSeconds>,
    /// When it last verified a webhook in this process.
    pub last_used: Option<UnixSeconds>,
}

impl KeyState {
    pub(super) fn of(slot: &Slot) -> Vec<Self> {
        let keys = slot.spec.keys.iter().zip(slot.last_used.iter()).zip(1_usize..);
        keys.map(|((key, used), position)| {
            let used = used.load(Ordering::Relaxed);
            Self {
                label: key.label.clone().unwrap_or_else(|| format!("key-{position}")),
                role: key.role,
                expires_at: key.expires_at,
                last_used: (used != 0).then(|| UnixSeconds::new(used)),
            }
        })
        .collect()
    }
}
