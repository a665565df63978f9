//! Verdicts by variant, gateway and outcome. A verdict costs one look-up by name and a relaxed
//! addition; series appear when they are first counted, and only for configured names.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::Name;

/// Counters of all variants.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    rows: ArcSwap<HashMap<Box<str>, Arc<Row>>>,
    changing: Mutex<()>,
}

/// Counters of one variant.
#[derive(Debug)]
struct Row {
    gateway: &'static str,
    outcomes: [AtomicU64; OUTCOMES.len()],
    previous_key: AtomicU64,
}

impl Row {
    fn new(gateway: &'static str) -> Arc<Self> {
        let (outcomes, previous_key) = (std::array::from_fn(|_| AtomicU64::new(0)), 0.into());
        Arc::new(Self { gateway, outcomes, previous_key })
    }

    fn count(&self, outcome: &str) {
        // The first one is the common one.
        let at = OUTCOMES.iter().position(|name| *name == outcome);
        if let Some(counter) = self.outcomes.get(at.unwrap_or(INTERNAL)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Verdicts {
    pub(super) fn count(&self, variant: &str, gateway: &'static str, outcome: &str) {
        self.row(variant, gateway, |row| row.count(outcome));
    }

    pub(super) fn count_previous_key(&self, variant: &str, gateway: &'static str) {
        self.row(variant, gateway, |row| {
            row.previous_key.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// Keeps these variants alone: the series of others end. Counts of those that stay go on.
    pub(super) fn keep<'a>(&self, variants: impl Iterator<Item = (&'a str, &'static str)>) {
        let Ok(_changing) = self.changing.lock() else { return };
        let old = self.rows.load();
        let row = |variant: &str, gateway| {
            let kept = old.get(variant).filter(|row| row.gateway == gateway);
            kept.map_or_else(|| Row::new(gateway), Arc::clone)
        };
        let kept = variants.map(|(variant, gateway)| (variant.into(), row(variant, gateway)));
        let mut rows: HashMap<Box<str>, _> = kept.collect();
        if let Some(unknown) = old.get(UNKNOWN_VARIANT) {
            rows.insert(UNKNOWN_VARIANT.into(), Arc::clone(unknown));
        }
        self.rows.store(Arc::new(rows));
    }

    fn row(&self, variant: &str, gateway: &'static str, count: impl Fn(&Row)) {
        if let Some(row) = self.rows.load().get(variant) {
            return count(row);
        }
        let Ok(_changing) = self.changing.lock() else { return };
        let rows = self.rows.load_full();
        let row = rows.get(variant).map_or_else(|| Row::new(gateway), Arc::clone);
        count(&row);
        let mut more = HashMap::clone(&rows);
        more.insert(variant.into(), row);
        self.rows.store(Arc::new(more));
    }
}

impl Collector for Verdicts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let rows = self.rows.load();
        let mut rows: Vec<_> = rows.iter().collect();
        rows.sort_unstable_by_key(|(variant, _)| *variant);
        let name = Name::Verifications;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Counter)?;
        for (variant, row) in &rows {
            for (outcome, counter) in OUTCOMES.iter().zip(&row.outcomes) {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [
                        ("variant", variant.as_ref()),
                        ("gateway", row.gateway),
                        ("outcome", outcome),
                    ];
                    let mut series = metric.encode_family(&labels)?;
                    series.encode_counter::<NoLabelSet, u64, f64>(&count, None)?;
                }
            }
        }
        let name = Name::PreviousKeyUsed;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Counter)?;
        for (variant, row) in &rows {
            let count = row.previous_key.load(Ordering::Relaxed);
            if count > 0 {
                let labels = [("variant", variant.as_ref())];
                let mut series = metric.encode_family(&labels)?;
                series.encode_counter::<NoLabelSet, u64, f64>(&count, None)?;
            }
        }
        Ok(())
    }
}

/// The label of every variant that is not configured: callers cannot make new series.
pub const UNKNOWN_VARIANT: &str = "_unknown";
/// The outcome of a webhook that is authentic and read.
pub const VERIFIED: &str = "verified";

/// Every outcome: verified, or the reason of the refusal.
pub const OUTCOMES: [&str; 20] = [
    VERIFIED,
    "ACCOUNT_MISMATCH",
    "BODY_SUBSTITUTED",
    "BODY_TOO_LARGE",
    "CALLER_NOT_ALLOWED",
    "CERTIFICATE_UNAVAILABLE",
    "CERTIFICATE_UNTRUSTED",
    "ENVIRONMENT_MISMATCH",
    "OVERLOADED",
    "PAYLOAD_MALFORMED",
    "REQUEST_INVALID",
    "SECRET_UNAVAILABLE",
    "SIGNATURE_MALFORMED",
    "SIGNATURE_MISMATCH",
    "SIGNATURE_MISSING",
    "TIMED_OUT",
    "TIMESTAMP_IN_FUTURE",
    "TIMESTAMP_TOO_OLD",
    "VARIANT_UNKNOWN",
    "INTERNAL",
];

/// Where an outcome without a name of its own is counted.
const INTERNAL: usize = OUTCOMES.len() - 1;
