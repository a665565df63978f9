//! What the operator may know about a variant: names, roles and times, never a secret.

use std::sync::{Arc, atomic::Ordering};

use super::{
    Account, Accounts, Caller,
    key_record::label,
    slot::{Held, Slot},
    spec::CallerRule,
    store::settle,
};
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
    /// The tolerance of signed times, in seconds, where it has one and is at hand.
    pub tolerance_seconds: Option<i64>,
    account: Option<Arc<Account>>,
    slot: Arc<Slot>,
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
    /// Since when this process holds its value: moves only when the value changes.
    pub held_since: Option<UnixSeconds>,
    /// When its value last verified a webhook in this process.
    pub last_used: Option<UnixSeconds>,
}

impl VariantState {
    /// The key that matched last, to the second.
    pub fn last_matched(&self) -> Option<&KeyState> {
        // The first of equals: keys are tried in their order.
        let later = |a: &&KeyState, b: &&KeyState| a.last_used.cmp(&b.last_used);
        self.keys.iter().rev().filter(|key| key.last_used.is_some()).max_by(later)
    }

    /// Whether this caller may use the variant, and so may know of it. Where its token cannot be
    /// read, nobody is known by a token.
    pub fn allows(&self, caller: &Caller) -> bool {
        if let Some(account) = &self.account {
            return account.allows(caller);
        }
        let rules = &self.slot.spec.callers;
        let matches = |rule: &CallerRule| match rule {
            CallerRule::Uid(uid) => caller.uid == Some(*uid),
            CallerRule::San(san) => caller.sans.contains(san),
            CallerRule::Token(_) => false,
        };
        rules.is_empty() || rules.iter().any(matches)
    }
}

impl KeyState {
    fn of(slot: &Slot) -> Vec<Self> {
        let records = slot.records();
        let record = |at: usize| records.as_ref().and_then(|records| records.get(at));
        let keys = slot.spec.keys.iter().enumerate();
        keys.map(|(at, key)| Self {
            label: label(key, at.saturating_add(1)),
            role: key.role,
            expires_at: key.expires_at,
            held_since: record(at).map(|record| record.held_since()),
            last_used: record(at).and_then(|record| record.last_used()),
        })
        .collect()
    }
}

impl Accounts {
    /// Every account that can be had, sorted by name.
    pub async fn list(&self) -> Vec<Arc<Account>> {
        let active = self.0.active.load_full();
        let cold = active.slots.values().filter(|slot| {
            !self.0.cache.contains_key(&slot.id)
                && slot.refusal(Held::Nothing, self.negative_ms()).is_none()
        });
        settle(cold.map(|slot| self.fly(slot)).collect()).await;
        let mut accounts = self.ready();
        accounts.sort_by(|a, b| a.variant().cmp(b.variant()));
        accounts
    }

    /// The accounts that are at hand, in no order. Reads no secret.
    pub fn ready(&self) -> Vec<Arc<Account>> {
        let active = self.0.active.load_full();
        let mut accounts = Vec::new();
        for slot in active.slots.values() {
            let entry = self.0.cache.get(&slot.id);
            accounts.extend(entry.map(|entry| Arc::clone(&entry.account)));
        }
        accounts
    }

    /// Every configured variant and how it is, sorted by name. Reads no secret.
    pub fn states(&self) -> Vec<VariantState> {
        let active = self.0.active.load_full();
        let mut states = Vec::with_capacity(active.slots.len());
        for slot in active.slots.values() {
            let entry = self.0.cache.get(&slot.id);
            let account = entry.as_ref().map(|entry| Arc::clone(&entry.account));
            let tolerance = account.as_ref().and_then(|it| it.verifier().tolerance_seconds());
            states.push(VariantState {
                variant: slot.spec.variant.clone(),
                gateway: slot.spec.gateway,
                environment: slot.spec.environment,
                keys: KeyState::of(slot),
                loaded_at: entry.map(|entry| entry.loaded_at),
                problem: slot.problem(),
                tolerance_seconds: tolerance,
                account,
                slot: Arc::clone(slot),
            });
        }
        states.sort_by(|a, b| a.variant.cmp(&b.variant));
        states
    }

    /// Notes why the configuration that was found last is not the active one; returns what was
    /// noted before.
    pub fn note_refused(&self, problem: Option<String>) -> Option<String> {
        let before = self.0.refused.swap(problem.map(Arc::new));
        before.map(|problem| String::clone(&problem))
    }

    /// Notes whether the active configuration holds settings that only a restart takes.
    pub fn note_restart(&self, needed: bool) {
        self.0.restart.store(needed, Ordering::Relaxed);
    }

    /// Whether the active configuration holds settings that only a restart takes.
    pub fn needs_restart(&self) -> bool {
        self.0.restart.load(Ordering::Relaxed)
    }

    /// Why the configuration that was found last is not the active one.
    pub fn refused(&self) -> Option<String> {
        self.0.refused.load_full().map(|problem| String::clone(&problem))
    }
}
