//! A histogram of times that costs two relaxed additions.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

use super::Name;

/// Times from a request to its verdict.
#[derive(Debug, Default)]
pub(super) struct Latency {
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_nanoseconds: AtomicU64,
}

impl Latency {
    pub(super) fn observe(&self, time: Duration) {
        let at = BOUNDS.iter().position(|bound| time <= *bound).unwrap_or(BOUNDS.len());
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.sum_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Collector for Latency {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let name = Name::VerificationSeconds;
        let mut metric =
            encoder.encode_descriptor(name.as_str(), name.help(), None, MetricType::Histogram)?;
        let counts = self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let bounds = BOUNDS.iter().map(Duration::as_secs_f64).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        let sum = Duration::from_nanos(self.sum_nanoseconds.load(Ordering::Relaxed));
        metric.encode_histogram::<NoLabelSet>(sum.as_secs_f64(), count, &buckets, None)
    }
}

/// From a rejected header to a cold secret. Most verdicts take tens of microseconds.
const BOUNDS: [Duration; 14] = [
    Duration::from_micros(5),
    Duration::from_micros(10),
    Duration::from_micros(20),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_falls_into_the_first_bucket_that_holds_it() {
        let latency = Latency::default();
        for nanoseconds in [0, 5_000, 5_001, 3_000_000_000] {
            latency.observe(Duration::from_nanos(nanoseconds));
        }
        let counts = latency.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
        let mut expected = [0; BOUNDS.len() + 1];
        (expected[0], expected[1], expected[BOUNDS.len()]) = (2, 1, 1);
        assert_eq!(counts.collect::<Vec<_>>(), expected);
        assert_eq!(latency.sum_nanoseconds.load(Ordering::Relaxed), 3_000_010_001);
    }
}
