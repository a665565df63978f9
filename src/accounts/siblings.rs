//! Other variants of the same gateway: what a refused webhook may have been meant for.

use std::sync::Arc;

use super::{Account, Accounts, Caller};

impl Accounts {
    /// Accounts of the same gateway that are at hand and that this caller may use, sorted by name:
    /// at most so many, out of a few times as many that are looked at. Reads no secret.
    pub fn siblings(&self, of: &Account, caller: &Caller, most: usize) -> Vec<Arc<Account>> {
        let active = self.0.active.load_full();
        let same = active.slots.values().filter(|slot| {
            std::ptr::eq(slot.spec.gateway, of.gateway()) && slot.spec.variant != *of.variant()
        });
        let mut found = Vec::new();
        for slot in same.take(most.saturating_mul(LOOKED_AT)) {
            let Some(entry) = self.0.cache.get(&slot.id) else { continue };
            if entry.account.allows(caller) {
                found.push(Arc::clone(&entry.account));
            }
            if found.len() >= most {
                break;
            }
        }
        found.sort_by(|a, b| a.variant().cmp(b.variant()));
        found
    }
}

/// Accounts looked at for each that may be found: others' variants and cold ones are passed over.
const LOOKED_AT: usize = 4;
