//! Times in buckets of at most 1.6 % width: percentiles without keeping every value.

use std::time::Duration;

/// How many values fell into which bucket.
#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    most: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, most: 0 }
    }
}

impl Histogram {
    pub fn note(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.most = self.most.max(nanoseconds);
    }

    pub fn merge(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(&other.buckets) {
            *bucket += more;
        }
        self.count += other.count;
        self.most = self.most.max(other.most);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.most)
    }

    /// The upper edge of the bucket below or in which this share of all values lies.
    pub fn at(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(edge(index).min(self.most));
            }
        }
        self.max()
    }

    pub fn p50(&self) -> Duration {
        self.at(0.50)
    }

    pub fn p99(&self) -> Duration {
        self.at(0.99)
    }
}

/// Below 128 each value has a bucket of its own; above, 64 share each power of two.
fn bucket(value: u64) -> usize {
    let shift = (64 - value.leading_zeros()).saturating_sub(7);
    shift as usize * 64 + (value >> shift) as usize
}

/// The largest value of a bucket.
fn edge(index: usize) -> u64 {
    let shift = (index / 64).saturating_sub(1);
    let low = (index - shift * 64) as u64;
    ((u128::from(low) + 1) << shift).saturating_sub(1).min(u128::from(u64::MAX)) as u64
}

const BUCKETS: usize = 58 * 64 + 64;

/// What must hold of buckets; run before anything is measured with them.
pub fn check() {
    for shift in 0..64 {
        for value in [1_u64 << shift, (1_u64 << shift) + (1_u64 << shift) / 3, u64::MAX >> shift] {
            let (index, edge) = (bucket(value), edge(bucket(value)));
            assert!(index < BUCKETS && edge >= value, "{value}: {index}, {edge}");
            assert!((edge - value) as f64 <= value as f64 / 64.0, "{value}: {edge}");
        }
    }
    let mut histogram = Histogram::default();
    for value in 1..=1000 {
        histogram.note(Duration::from_micros(value));
    }
    let (half, most) = (histogram.p50().as_micros(), histogram.at(1.0));
    assert!((500..=508).contains(&half) && most == Duration::from_millis(1), "{half}, {most:?}");
}
