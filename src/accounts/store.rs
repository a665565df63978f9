//! The accounts, loaded when they are first used and kept: one flight per variant, stale ones
//! served while the source of secrets is down, unknown names answered without touching anything.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicBool},
};

use arc_swap::{ArcSwap, ArcSwapOption};
use moka::sync::Cache;
use tokio::{
    sync::{Semaphore, watch},
    time::{Duration, timeout},
};

use super::{
    Account, AccountError, Clock, Outside,
    counters::{Counters, StoreCounts},
    key_record::label,
    load::{Loaded, load},
    secrets::SecretSource,
    slot::{Flight, Held, Joined, Outcome, Slot},
    spec::VariantSpec,
};
use crate::{
    limits::{FLIGHTS_MAX, REFRESH_WAIT_MS, SOURCE_TIMEOUT_MS, VARIANTS_MAX},
    model::{UnixSeconds, Variant},
};

/// How long accounts are kept. Seconds, by the clock that was passed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// Secrets are read again after this many seconds; a refresh starts at four fifths of it.
    pub ttl_seconds: i64,
    /// The last good secret is served this much longer while its source is down.
    pub max_stale_seconds: i64,
    /// Longest time that a failure is remembered where nothing is cached, in seconds.
    pub negative_seconds: i64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl_seconds: 300, max_stale_seconds: 86_400, negative_seconds: 5 }
    }
}

/// The configured variants and their loaded accounts. Clones share everything.
#[derive(Clone)]
pub struct Accounts(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) active: ArcSwap<Active>,
    pub(super) cache: Cache<u64, Arc<Entry>>,
    source: Arc<dyn SecretSource>,
    pub(super) clock: Clock,
    settings: CacheSettings,
    counters: Counters,
    flights: Semaphore,
    /// Slots that are no longer configured; their accounts are dropped by the next tidying.
    gone: Mutex<Vec<u64>>,
    applying: tokio::sync::Mutex<()>,
    pub(super) outside: OnceLock<Outside>,
    /// Why the configuration that was found last is not the active one.
    pub(super) refused: ArcSwapOption<String>,
    /// Whether the active configuration holds settings that only a restart takes.
    pub(super) restart: AtomicBool,
}

type Slots = HashMap<Variant, Arc<Slot>>;

/// What is configured right now.
#[derive(Default)]
pub(super) struct Active {
    revision: String,
    pub(super) slots: Slots,
}

/// An account and when its secrets were read.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Arc<Account>,
    pub(super) loaded_at: UnixSeconds,
    refresh_after_seconds: i64,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.0.active.load();
        f.debug_struct("Accounts")
            .field("revision", &active.revision)
            .field("variants", &active.slots.len())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts of these variants; nothing is read before the first use.
    pub fn new(
        specs: Vec<VariantSpec>,
        revision: String,
        source: Arc<dyn SecretSource>,
        clock: Clock,
        settings: CacheSettings,
    ) -> Self {
        let accounts = Self(Arc::new(Shared {
            active: ArcSwap::default(),
            cache: Cache::new(u64::try_from(VARIANTS_MAX).unwrap_or(u64::MAX)),
            source,
            clock,
            settings,
            counters: Counters::default(),
            flights: Semaphore::new(FLIGHTS_MAX),
            gone: Mutex::default(),
            applying: tokio::sync::Mutex::default(),
            outside: OnceLock::new(),
            refused: ArcSwapOption::default(),
            restart: AtomicBool::default(),
        }));
        accounts.swap(specs, revision);
        accounts
    }

    /// Swaps the configuration whole. Accounts whose description did not change are kept, the
    /// others are loaded on their next use; failures hold nothing up any more.
    pub fn swap(&self, specs: Vec<VariantSpec>, revision: String) {
        let slots = self.slots(specs);
        self.activate(slots, revision);
    }

    /// Swaps like [`Accounts::swap`], but loads what changed before, so that no call waits for it.
    pub async fn apply(&self, specs: Vec<VariantSpec>, revision: String) {
        let _one_at_a_time = self.0.applying.lock().await;
        let slots = self.slots(specs);
        let cold = slots.values().filter(|slot| !self.0.cache.contains_key(&slot.id));
        settle(cold.map(|slot| self.fly(slot)).collect()).await;
        self.activate(slots, revision);
        self.tidy();
    }

    fn slots(&self, specs: Vec<VariantSpec>) -> Slots {
        let old = self.0.active.load();
        let slot = |spec: VariantSpec| {
            let before = old.slots.get(&spec.variant);
            let kept = before.filter(|slot| slot.spec == spec).cloned();
            let slot = kept.unwrap_or_else(|| Arc::new(Slot::new(spec, before.map(|it| &**it))));
            slot.forgive();
            (slot.spec.variant.clone(), slot)
        };
        specs.into_iter().map(slot).collect()
    }

    fn activate(&self, slots: Slots, revision: String) {
        let old = self.0.active.swap(Arc::new(Active { revision, slots }));
        let active = self.0.active.load();
        let kept = |slot: &Slot| {
            active.slots.get(&slot.spec.variant).is_some_and(|kept| kept.id == slot.id)
        };
        let gone = old.slots.values().filter(|slot| !kept(slot)).map(|slot| slot.id);
        self.0.gone.lock().unwrap_or_else(PoisonError::into_inner).extend(gone);
    }

    /// Drops what is no longer configured now: removed secrets do not stay in memory.
    fn tidy(&self) {
        let gone = std::mem::take(&mut *self.0.gone.lock().unwrap_or_else(PoisonError::into_inner));
        for id in gone {
            self.0.cache.invalidate(&id);
        }
        self.0.cache.run_pending_tasks();
    }

    /// The active configuration.
    pub fn revision(&self) -> String {
        self.0.active.load().revision.clone()
    }

    /// The variants' names, sorted.
    pub fn variants(&self) -> Vec<Variant> {
        let mut names: Vec<_> = self.0.active.load().slots.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The account of a variant. A hit does no IO; an unknown name touches nothing.
    ///
    /// # Errors
    /// [`AccountError::VariantUnknown`]; [`AccountError::SecretUnavailable`] where a secret cannot
    /// be had or used and no earlier one is at hand.
    pub async fn account(&self, variant: &str) -> Result<Arc<Account>, AccountError> {
        // The guard is let go before anything is awaited: it is cheap only while it is short.
        let slot = self.0.active.load().slots.get(variant).cloned();
        let slot = slot.ok_or(AccountError::VariantUnknown)?;
        if let Some(entry) = self.0.cache.get(&slot.id) {
            let age_seconds = (self.0.clock)().seconds_since(entry.loaded_at);
            let fresh = (0..entry.refresh_after_seconds).contains(&age_seconds);
            let held = if fresh {
                Some(Arc::clone(&entry.account))
            } else {
                Box::pin(self.held(&slot, &entry, age_seconds)).await
            };
            if let Some(account) = held {
                self.0.counters.hit();
                return Ok(account);
            }
            self.0.cache.invalidate(&slot.id);
        }
        // Boxed: it is rare, and would make every call's future as large, which is moved whole.
        Box::pin(self.cold(&slot)).await.map_err(|problem| AccountError::SecretUnavailable {
            variant: slot.spec.variant.clone(),
            problem: problem.to_string(),
        })
    }

    /// Serves what is at hand and no longer fresh, where its age allows it. A clock that was set
    /// back makes an entry younger than nothing: it is read again like an expired one.
    async fn held(
        &self,
        slot: &Arc<Slot>,
        entry: &Arc<Entry>,
        age_seconds: i64,
    ) -> Option<Arc<Account>> {
        let CacheSettings { ttl_seconds, max_stale_seconds, .. } = self.0.settings;
        if age_seconds > ttl_seconds.saturating_add(max_stale_seconds) {
            return None;
        }
        let expired = !(0..ttl_seconds).contains(&age_seconds);
        if slot.refusal(Held::Older, self.negative_ms()).is_none() {
            let flight = self.fly(slot);
            let wait = Duration::from_millis(REFRESH_WAIT_MS);
            if expired && let Ok(Ok(fresh)) = Box::pin(timeout(wait, landed(flight))).await {
                return Some(Arc::clone(&fresh.account));
            }
        }
        if expired {
            self.0.counters.stale();
        }
        Some(Arc::clone(&entry.account))
    }

    async fn cold(&self, slot: &Arc<Slot>) -> Result<Arc<Account>, Arc<str>> {
        if let Some(problem) = slot.refusal(Held::Nothing, self.negative_ms()) {
            return Err(problem);
        }
        // What landed since it was missed needs no other flight.
        let entry = match self.0.cache.get(&slot.id) {
            Some(entry) => entry,
            None => landed(self.fly(slot)).await?,
        };
        Ok(Arc::clone(&entry.account))
    }

    pub(super) fn negative_ms(&self) -> u64 {
        self.0.settings.negative_seconds.unsigned_abs().saturating_mul(1000)
    }

    /// Joins the variant's flight or starts it. It runs on its own, so that a caller who gives up
    /// does not make the next one start over.
    pub(super) fn fly(&self, slot: &Arc<Slot>) -> Flight {
        match slot.join() {
            Joined::Earlier(flight) => flight,
            Joined::First(flight, sender) => {
                let (shared, slot) = (Arc::clone(&self.0), Arc::clone(slot));
                tokio::spawn(async move { shared.flight(&slot, &sender).await });
                flight
            }
        }
    }

    /// Reads every secret again, whatever failed before: something about them changed. Old ones
    /// are served until the new ones are there, and where they cannot be used.
    pub async fn refresh(&self) {
        let active = self.0.active.load_full();
        // What is under way may have read the old content: wait for it, then read again.
        settle(active.slots.values().filter_map(|slot| slot.under_way()).collect()).await;
        let flights = active.slots.values().map(|slot| {
            slot.forgive();
            self.fly(slot)
        });
        settle(flights.collect()).await;
        self.tidy();
    }

    /// The files that hold the variants' secrets.
    pub fn files(&self) -> BTreeSet<PathBuf> {
        let active = self.0.active.load();
        let places = active.slots.values().flat_map(|slot| slot.spec.references());
        places.filter_map(|place| place.file().map(Path::to_path_buf)).collect()
    }

    /// Counts since the start, for metrics.
    pub fn counts(&self) -> StoreCounts {
        self.0.counters.counts()
    }

    /// Accounts at hand and variants configured: both bounded by the configuration.
    pub fn entries(&self) -> (u64, usize) {
        self.tidy();
        (self.0.cache.entry_count(), self.0.active.load().slots.len())
    }
}

impl Shared {
    async fn flight(&self, slot: &Arc<Slot>, sender: &watch::Sender<Option<Outcome>>) {
        let permit = self.flights.acquire().await;
        self.counters.read();
        let reading = Box::pin(load(&slot.spec, &*self.source));
        let late = || Err(format!("the source did not answer within {SOURCE_TIMEOUT_MS} ms"));
        let limit = Duration::from_millis(SOURCE_TIMEOUT_MS);
        let loaded = timeout(limit, reading).await.unwrap_or_else(|_| late());
        drop(permit);
        let outcome = match loaded {
            Ok(loaded) => Ok(self.land(slot, loaded)),
            Err(problem) => Err(self.crash(slot, problem.into())),
        };
        sender.send_replace(Some(outcome));
    }

    fn land(&self, slot: &Slot, loaded: Loaded) -> Arc<Entry> {
        let Loaded { mut account, values, warnings } = loaded;
        let variant = slot.spec.variant.as_str();
        let (records, new) = slot.take(values, (self.clock)());
        account.records = records;
        for (key, position) in slot.spec.keys.iter().zip(1_usize..) {
            if new.contains(&position) {
                let (key, role) = (label(key, position), key.role.as_str());
                tracing::info!(variant, key, role, "Key changed");
            }
        }
        for problem in slot.news(warnings) {
            tracing::warn!(variant, problem, "A secret needs attention");
        }
        let entry = Arc::new(self.entry(slot.id, account));
        // In the cache before the flight ends: whoever misses it joins the flight.
        self.cache.insert(slot.id, Arc::clone(&entry));
        if slot.clear() {
            tracing::info!(variant, "Secrets can be used again");
        }
        entry
    }

    fn crash(&self, slot: &Slot, problem: Arc<str>) -> Arc<str> {
        self.counters.failure();
        if slot.fail(&problem) {
            let variant = slot.spec.variant.as_str();
            tracing::warn!(variant, error = %problem, "Secrets cannot be used");
        }
        problem
    }

    fn entry(&self, id: u64, account: Account) -> Entry {
        let ttl_seconds = self.settings.ttl_seconds;
        let loaded_at = (self.clock)();
        let earliest = ttl_seconds.saturating_mul(4).div_euclid(5).max(1);
        // Spread over a tenth of the ttl, so that variants loaded together do not refresh together.
        let spread = ttl_seconds.div_euclid(10).max(1);
        let jitter = i64::try_from(id).unwrap_or(0).wrapping_mul(7919).rem_euclid(spread);
        let refresh_after_seconds = earliest.saturating_add(jitter);
        Entry { account: Arc::new(account), loaded_at, refresh_after_seconds }
    }
}

/// Waits until a flight lands.
async fn landed(mut flight: Flight) -> Outcome {
    let outcome = flight.wait_for(Option::is_some).await;
    let outcome = outcome.ok().and_then(|outcome| outcome.clone());
    outcome.unwrap_or_else(|| Err("the attempt to read it was cut off".into()))
}

/// Waits for flights together, no longer than one source may take: a slow one goes on alone.
pub(super) async fn settle(flights: Vec<Flight>) {
    let all = async {
        for flight in flights {
            let _ = landed(flight).await;
        }
    };
    let _ = timeout(Duration::from_millis(SOURCE_TIMEOUT_MS), all).await;
}
