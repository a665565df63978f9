//! One variant's place in the store: its configuration, its one flight, and its last failure.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    sync::watch,
    time::{Duration, Instant},
};

use super::{
    key_record::{Fingerprint, KeyRecord, KeyRecords},
    spec::VariantSpec,
    store::Entry,
};
use crate::{
    limits::{BACKOFF_COLD_MS_MAX, BACKOFF_MS_MAX, BACKOFF_MS_MIN},
    model::UnixSeconds,
};

/// What a flight brings.
pub(super) type Outcome = Result<Arc<Entry>, Arc<str>>;

/// A flight as its waiters see it: nothing until it lands.
pub(super) type Flight = watch::Receiver<Option<Outcome>>;

/// One configured variant. A changed configuration makes a new slot, so that nothing of the old
/// one can answer for it.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) id: u64,
    pub(super) spec: VariantSpec,
    records: Mutex<Known>,
    flight: Mutex<Option<Flight>>,
    failure: Mutex<Option<Failure>>,
    warned: Mutex<Vec<String>>,
}

/// What is known about the values of the keys.
#[derive(Debug)]
struct Known {
    records: KeyRecords,
    /// Whether they are those of this slot's own keys, and not of the slot before it.
    own: bool,
}

#[derive(Debug)]
struct Failure {
    message: Arc<str>,
    /// When it failed; `None` where another attempt may begin at once.
    at: Option<Instant>,
    attempts: u32,
}

/// Whether anything can be served while the source is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Nothing: the call fails.
    Nothing,
    /// An account made of older secrets.
    Older,
}

/// A flight that was joined.
pub(super) enum Joined {
    /// It was already under way.
    Earlier(Flight),
    /// It starts now: the caller runs it and announces what it brings.
    First(Flight, watch::Sender<Option<Outcome>>),
}

impl Slot {
    /// A slot of its own; what was known about the keys' values before is kept for those that
    /// stay.
    pub(super) fn new(spec: VariantSpec, before: Option<&Self>) -> Self {
        let records = before.map(|before| Arc::clone(&before.known().records));
        let known = Known { records: records.unwrap_or_else(|| [].into()), own: false };
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let (flight, failure, warned) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { id, spec, records: known.into(), flight, failure, warned }
    }

    /// Takes the values that were read: their records, and the positions of those that are new
    /// where others were held before.
    pub(super) fn take(
        &self,
        values: Vec<Option<Fingerprint>>,
        now: UnixSeconds,
    ) -> (KeyRecords, Vec<usize>) {
        let mut known = self.known();
        let records = KeyRecord::follow(&known.records, values, now);
        let before = std::mem::replace(&mut *known, Known { records, own: true }).records;
        let held = |record: &Arc<KeyRecord>| before.iter().any(|old| Arc::ptr_eq(old, record));
        let new = known.records.iter().zip(1_usize..).filter(|(record, _)| !held(record));
        let new = if before.is_empty() { Vec::new() } else { new.map(|(_, at)| at).collect() };
        (Arc::clone(&known.records), new)
    }

    /// The records of the keys; none before their values were read.
    pub(super) fn records(&self) -> Option<KeyRecords> {
        let known = self.known();
        known.own.then(|| Arc::clone(&known.records))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the flight under way, or starts one.
    pub(super) fn join(&self) -> Joined {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = flight.as_ref().filter(|flight| is_under_way(flight)) {
            return Joined::Earlier(earlier.clone());
        }
        let (sender, receiver) = watch::channel(None);
        *flight = Some(receiver.clone());
        Joined::First(receiver, sender)
    }

    /// The flight under way.
    pub(super) fn under_way(&self) -> Option<Flight> {
        let flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        flight.as_ref().filter(|flight| is_under_way(flight)).cloned()
    }

    /// The failure that still forbids another attempt.
    pub(super) fn refusal(&self, held: Held, cold_ms_max: u64) -> Option<Arc<str>> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = failure.as_ref()?;
        let longest = match held {
            Held::Nothing => BACKOFF_COLD_MS_MAX.min(cold_ms_max),
            Held::Older => BACKOFF_MS_MAX,
        };
        let doubled = 1_u64.checked_shl(failure.attempts.min(20)).unwrap_or(u64::MAX);
        let pause = Duration::from_millis(BACKOFF_MS_MIN.saturating_mul(doubled).min(longest));
        let pausing = failure.at.is_some_and(|at| at.elapsed() < pause);
        pausing.then(|| Arc::clone(&failure.message))
    }

    /// The message of the last attempt, where it failed.
    pub(super) fn problem(&self) -> Option<Arc<str>> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map(|failure| Arc::clone(&failure.message))
    }

    /// Notes a failure; true for one that differs from the last, which is worth a line in the log.
    pub(super) fn fail(&self, message: &Arc<str>) -> bool {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        let last = failure.take();
        let paused = last.as_ref().filter(|last| last.at.is_some());
        let attempts = paused.map_or(0, |last| last.attempts.saturating_add(1));
        let news = last.is_none_or(|last| last.message != *message);
        let at = Some(Instant::now());
        *failure = Some(Failure { message: Arc::clone(message), at, attempts });
        news
    }

    /// Lets another attempt begin at once, from the shortest pause. What is wrong stays known until
    /// an attempt says otherwise.
    pub(super) fn forgive(&self) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failure) = failure.as_mut() {
            failure.at = None;
        }
    }

    /// Forgets the failure; true where there was one.
    pub(super) fn clear(&self) -> bool {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    /// The warnings that were not given before; the last ones are remembered.
    pub(super) fn news(&self, warnings: Vec<String>) -> Vec<String> {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let news = warnings.iter().filter(|warning| !warned.contains(warning)).cloned().collect();
        *warned = warnings;
        news
    }
}

/// A flight whose sender is gone without an outcome was cut off with its runtime.
fn is_under_way(flight: &Flight) -> bool {
    flight.has_changed().is_ok() && flight.borrow().is_none()
}

/// Slots are told apart by number, so that equal names of two configurations never mix.
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
