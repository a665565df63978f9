//! Counts of the store, for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Attempts to read a variant's secrets.
    pub source_reads: u64,
    /// Attempts that failed.
    pub source_failures: u64,
    /// Calls served with expired secrets, because their source was down.
    pub stale_served: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    reads: AtomicU64,
    failures: AtomicU64,
    stale: AtomicU64,
}

impl Counters {
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
        StoreCounts {
            source_reads: self.reads.load(Ordering::Relaxed),
            source_failures: self.failures.load(Ordering::Relaxed),
            stale_served: self.stale.load(Ordering::Relaxed),
        }
    }
}
