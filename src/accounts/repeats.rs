//! Repeats: what this process has seen before. Advice only; the truth is the application's own
//! unique index.

use std::sync::{Arc, Mutex, PoisonError};

use moka::{policy::EvictionPolicy, sync::Cache};
use sha2::{Digest, Sha256};

use crate::model::{UnixSeconds, Variant};

/// What is known about earlier deliveries of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When the event was first seen by this process.
    pub first_seen_at: UnixSeconds,
    /// Deliveries so far, this one included.
    pub count: u32,
}

/// A bounded window of idempotency keys.
#[derive(Debug)]
pub struct Repeats {
    window_seconds: i64,
    seen: Option<Cache<[u8; 32], Arc<Mutex<Delivery>>>>,
}

impl Repeats {
    /// A window of this length and size; no window for 0 seconds or 0 entries.
    pub fn new(window_seconds: i64, entries_max: u64) -> Self {
        let on = window_seconds > 0 && entries_max > 0;
        let seen = on.then(|| Cache::new(entries_max));
        Self { window_seconds, seen }
    }

    /// Records a delivery; `None` where no window is kept. Called last, when everything else held.
    pub fn record(
        &self,
        variant: &Variant,
        idempotency_key: &str,
        now: UnixSeconds,
    ) -> Option<Delivery> {
        let seen = self.seen.as_ref()?;
        let key = digest(variant, idempotency_key.as_bytes());
        let none = Delivery { first_seen_at: now, count: 0 };
        let entry = seen.entry(key).or_insert_with(|| Arc::new(Mutex::new(none)));
        let mut delivery = entry.value().lock().unwrap_or_else(PoisonError::into_inner);
        // The window is judged by the clock that was passed in; the cache only bounds memory.
        if now.seconds_since(delivery.first_seen_at) > self.window_seconds {
            *delivery = none;
        }
        delivery.count = delivery.count.saturating_add(1);
        Some(*delivery)
    }

    /// Events kept, for metrics.
    pub fn entries(&self) -> u64 {
        let Some(seen) = &self.seen else { return 0 };
        seen.run_pending_tasks();
        seen.entry_count()
    }
}

/// What is known about a signed id's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyCheck {
    /// The id came with another body before.
    Different,
    /// The id is new.
    New,
    /// The id came with this body before.
    Same,
}

/// Bodies by signed id, for gateways whose signature binds only a checksum of the body: another
/// body with the same checksum can be made, but the id stays.
#[derive(Debug)]
pub struct Bodies {
    window_seconds: i64,
    seen: Cache<[u8; 32], ([u8; 32], UnixSeconds)>,
}

impl Bodies {
    /// A window of this length and size.
    pub fn new(window_seconds: i64, entries_max: u64) -> Self {
        // The oldest one goes: by how often it was asked for a new id would not be taken in at all,
        // and its body could be exchanged at once.
        let seen = Cache::builder().max_capacity(entries_max);
        let seen = seen.eviction_policy(EvictionPolicy::lru()).build();
        Self { window_seconds, seen }
    }

    /// Compares a body with the first one that came with this id, or records it as the first.
    pub fn check(
        &self,
        variant: &Variant,
        signed_id: &str,
        body: &[u8],
        now: UnixSeconds,
    ) -> BodyCheck {
        let key = digest(variant, signed_id.as_bytes());
        let body: [u8; 32] = Sha256::digest(body).into();
        let window = self.window_seconds;
        let outdated = move |seen: &([u8; 32], UnixSeconds)| now.seconds_since(seen.1) > window;
        let entry = self.seen.entry(key).or_insert_with_if(|| (body, now), outdated);
        match (entry.is_fresh(), entry.value().0 == body) {
            (true, _) => BodyCheck::New,
            (false, true) => BodyCheck::Same,
            (false, false) => BodyCheck::Different,
        }
    }
}

fn digest(variant: &Variant, id: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(variant.as_str());
    // No variant name holds a NUL, so that two pairs never meet.
    digest.update([0]);
    digest.update(id);
    digest.finalize().into()
}
