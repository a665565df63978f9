//! Metrics and logs. Floor 3: names and counters; never a payload, a header's value or a secret.

use std::{
    sync::atomic::{AtomicI64, AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

/// Labels of a verdict. `variant` is a configured name, else [`UNKNOWN_VARIANT`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Verdict {
    /// The configured variant.
    pub variant: String,
    /// Its gateway.
    pub gateway: &'static str,
    /// `verified`, `challenge`, or the reason of the refusal.
    pub outcome: &'static str,
}

/// What a key's metrics are labelled with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KeyUse {
    /// The configured variant.
    pub variant: String,
    /// The key's label.
    pub key: String,
    /// `current`, `previous` or `next`.
    pub role: &'static str,
}

/// Every metric of the server.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Verdicts.
    pub verifications: Family<Verdict, Counter>,
    /// Time from a request to its verdict.
    pub seconds: Histogram,
    /// When a key last matched, in Unix seconds.
    pub key_last_used: Family<KeyUse, Gauge<i64, AtomicI64>>,
    /// Calls under way.
    pub in_flight: Gauge<i64, AtomicI64>,
    /// Open connections.
    pub connections: Gauge<i64, AtomicI64>,
    /// Calls refused because of a limit.
    pub shed: Counter<u64, AtomicU64>,
    /// Calls that were not done in time.
    pub timeouts: Counter<u64, AtomicU64>,
    /// Panics caught: our own bugs.
    pub panics: Counter<u64, AtomicU64>,
    /// Configurations that were taken.
    pub reloads: Counter<u64, AtomicU64>,
    /// Configurations that could not be used; the last good one stayed.
    pub reloads_failed: Counter<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let buckets = [
            0.000_01, 0.000_02, 0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01,
            0.05, 0.1, 0.5, 2.0,
        ];
        let mut metrics = Self {
            registry: Registry::default(),
            verifications: Family::default(),
            seconds: Histogram::new(buckets),
            key_last_used: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            shed: Counter::default(),
            timeouts: Counter::default(),
            panics: Counter::default(),
            reloads: Counter::default(),
            reloads_failed: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let counters = [
            ("payhook_calls_shed", "Calls refused because of a limit", self.shed.clone()),
            ("payhook_calls_timed_out", "Calls not done in time", self.timeouts.clone()),
            ("payhook_panics", "Panics caught", self.panics.clone()),
            ("payhook_reloads", "Configurations taken", self.reloads.clone()),
            ("payhook_reloads_failed", "Configurations refused", self.reloads_failed.clone()),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter);
        }
        registry.register(
            "payhook_verifications",
            "Webhooks by verdict",
            self.verifications.clone(),
        );
        registry.register(
            "payhook_verification_seconds",
            "Time from a request to its verdict",
            self.seconds.clone(),
        );
        registry.register(
            "payhook_key_last_used_seconds",
            "When a key last matched, in Unix seconds",
            self.key_last_used.clone(),
        );
        registry.register("payhook_calls_in_flight", "Calls under way", self.in_flight.clone());
        registry.register("payhook_connections", "Open connections", self.connections.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("payhook_build", "Build of the server", build);
    }

    /// Counts a verdict.
    pub fn verdict(&self, variant: &str, gateway: &'static str, outcome: &'static str) {
        let verdict = Verdict { variant: variant.to_owned(), gateway, outcome };
        self.verifications.get_or_create(&verdict).inc();
    }

    /// Notes how long a verdict took.
    pub fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
    }

    /// All metrics in `OpenMetrics` text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The label of every variant that is not configured: callers cannot make new series.
pub const UNKNOWN_VARIANT: &str = "_unknown";
