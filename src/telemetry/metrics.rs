//! Every metric of the server, and their text.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64},
    },
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{
        DescriptorEncoder, NoLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{MetricType, counter::Counter, gauge::Gauge, info::Info},
    registry::{Metric, Registry},
};

use super::{Name, Sampler, latency::Latency, verdicts::Verdicts};

/// Every metric of the server. Counting is a relaxed addition.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    verdicts: Arc<Verdicts>,
    latency: Arc<Latency>,
    /// Lines that refusals may write.
    pub refusal_lines: Sampler,
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
    /// Configurations and certificates that were taken.
    pub reloads: Counter<u64, AtomicU64>,
    /// Configurations and certificates that could not be used; the last good ones stayed.
    pub reloads_failed: Counter<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            verdicts: Arc::default(),
            latency: Arc::default(),
            refusal_lines: Sampler::new(REFUSAL_LINES_PER_SECOND),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            shed: Counter::default(),
            timeouts: Counter::default(),
            panics: Counter::default(),
            reloads: Counter::default(),
            reloads_failed: Counter::default(),
        };
        metrics.register_all();
        metrics
    }
}

impl Metrics {
    fn register_all(&mut self) {
        self.register(Name::CallsShed, self.shed.clone());
        self.register(Name::CallsTimedOut, self.timeouts.clone());
        self.register(Name::Panics, self.panics.clone());
        self.register(Name::Reloads, self.reloads.clone());
        self.register(Name::ReloadsFailed, self.reloads_failed.clone());
        self.register(Name::CallsInFlight, self.in_flight.clone());
        self.register(Name::Connections, self.connections.clone());
        self.register(Name::Build, Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        self.registry.register_collector(Box::new(Arc::clone(&self.verdicts)));
        self.registry.register_collector(Box::new(Arc::clone(&self.latency)));
    }

    fn register(&mut self, name: Name, metric: impl Metric) {
        self.registry.register(name.as_str(), name.help(), metric);
    }

    /// Counts a verdict. `variant` is a configured name, else
    /// [`UNKNOWN_VARIANT`](super::UNKNOWN_VARIANT); `outcome` is one of
    /// [`OUTCOMES`](super::OUTCOMES).
    pub fn verdict(&self, variant: &str, gateway: &'static str, outcome: &str) {
        self.verdicts.count(variant, gateway, outcome);
    }

    /// Counts a webhook that only a previous key matched: a rotation that is not over.
    pub fn previous_key_used(&self, variant: &str, gateway: &'static str) {
        self.verdicts.count_previous_key(variant, gateway);
    }

    /// Says which variants are configured now: the series of others end.
    pub fn configured<'a>(&self, variants: impl Iterator<Item = (&'a str, &'static str)>) {
        self.verdicts.keep(variants);
    }

    /// Notes how long a verdict took.
    pub fn took(&self, time: Duration) {
        self.latency.observe(time);
    }

    /// All metrics in `OpenMetrics` text, with what is counted elsewhere.
    pub fn text(&self, readings: Readings) -> String {
        let mut elsewhere = Registry::default();
        elsewhere.register_collector(Box::new(readings));
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode_registry(&mut text, &self.registry)
            .and_then(|()| encode_registry(&mut text, &elsewhere))
            .and_then(|()| encode_eof(&mut text));
        text
    }
}

/// What is counted elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// The active configuration.
    pub revision: String,
    /// Whether the configuration found last is not the active one.
    pub refused: bool,
    /// Variants whose secrets could not be read or used the last time.
    pub troubled: Vec<String>,
    /// The keys that are held.
    pub keys: Vec<KeyReading>,
    /// Calls that found the secrets at hand.
    pub secret_hits: u64,
    /// Attempts to read a variant's secrets.
    pub secret_reads: u64,
    /// Attempts that failed.
    pub secret_reads_failed: u64,
    /// Calls served with expired secrets.
    pub secrets_served_stale: u64,
}

/// A key that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReading {
    /// The configured variant.
    pub variant: String,
    /// The key's label, or its position.
    pub key: String,
    /// `current`, `previous` or `next`.
    pub role: &'static str,
    /// Since when its value has been held, in Unix seconds.
    pub held_since: Option<i64>,
    /// When its value last matched, in Unix seconds.
    pub last_used_at: Option<i64>,
}

impl KeyReading {
    fn labels(&self) -> [(&'static str, &str); 3] {
        [("variant", &self.variant), ("key", &self.key), ("role", self.role)]
    }
}

impl Readings {
    fn encode_configuration(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let name = Name::Configuration;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Info)?;
        metric.encode_info(&[("revision", self.revision.as_str())])?;
        let name = Name::ConfigurationRefused;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Gauge)?;
        metric.encode_gauge(&i64::from(self.refused))?;
        let name = Name::VariantProblem;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Gauge)?;
        for variant in &self.troubled {
            metric.encode_family(&[("variant", variant.as_str())])?.encode_gauge(&1_i64)?;
        }
        Ok(())
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let counters = [
            (Name::SecretHits, self.secret_hits),
            (Name::SecretReads, self.secret_reads),
            (Name::SecretReadsFailed, self.secret_reads_failed),
            (Name::SecretsServedStale, self.secrets_served_stale),
        ];
        for (name, count) in counters {
            let counter = MetricType::Counter;
            let mut metric =
                encoder.encode_descriptor(name.as_str(), name.help(), None, counter)?;
            metric.encode_counter::<NoLabelSet, u64, f64>(&count, None)?;
        }
        self.encode_configuration(&mut encoder)?;
        let gauges = [Name::KeyLoaded, Name::KeyLastUsed];
        for name in gauges {
            let gauge = MetricType::Gauge;
            let mut metric = encoder.encode_descriptor(name.as_str(), name.help(), None, gauge)?;
            for key in &self.keys {
                let loaded = name == Name::KeyLoaded;
                let at = if loaded { key.held_since } else { key.last_used_at };
                if let Some(at) = at {
                    metric.encode_family(&key.labels())?.encode_gauge(&at)?;
                }
            }
        }
        Ok(())
    }
}

/// Enough to see what goes wrong; a flood of forgeries says the same thing over and over.
const REFUSAL_LINES_PER_SECOND: u32 = 50;
