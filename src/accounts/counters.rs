//! Counts of the store, for metrics. What every call counts is spread over lines of memory, so
//! that cores do not take one from each other.

use std::{
    array,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Calls that found the variant's account at hand.
    pub hits: u64,
    /// Attempts to read a variant's secrets.
    pub source_reads: u64,
    /// Attempts that failed.
    pub source_failures: u64,
    /// Calls served with expired secrets, because their source was down.
    pub stale_served: u64,
}

#[derive(Debug)]
pub(super) struct Counters {
    hits: [Shard; SHARDS],
    reads: AtomicU64,
    failures: AtomicU64,
    stale: AtomicU64,
}

/// A counter with a line of memory to itself.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard(AtomicU64);

impl Default for Counters {
    fn default() -> Self {
        let hits = array::from_fn(|_| Shard::default());
        Self { hits, reads: 0.into(), failures: 0.into(), stale: 0.into() }
    }
}

impl Counters {
    pub(super) fn hit(&self) {
        if let Some(shard) = MINE.with(|mine| self.hits.get(*mine)) {
            shard.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> StoreCounts {
        let hits = self.hits.iter().map(|shard| shard.0.load(Ordering::Relaxed));
        StoreCounts {
            hits: hits.fold(0, u64::wrapping_add),
            source_reads: self.reads.load(Ordering::Relaxed),
            source_failures: self.failures.load(Ordering::Relaxed),
            stale_served: self.stale.load(Ordering::Relaxed),
        }
    }
}

/// The next thread's shard.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread's shard: one thread is one worker, and a worker is a core.
    static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed).checked_rem(SHARDS).unwrap_or(0);
}

/// More shards than a sidecar has cores; with more, two of them share one and the count stays right.
const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_of_all_threads_are_counted() {
        let counters = Counters::default();
        std::thread::scope(|scope| {
            for _ in 0..=SHARDS * 2 {
                scope.spawn(|| (0..1000).for_each(|_| counters.hit()));
            }
        });
        assert_eq!(counters.counts().hits, 33_000);
    }
}
