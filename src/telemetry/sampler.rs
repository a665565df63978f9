//! A budget of lines per second: a flood of refusals does not become a flood of logs.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Admits so many lines in each second, and says how many it held back.
#[derive(Debug)]
pub struct Sampler {
    began: Instant,
    per_second: u64,
    /// The second in the upper half, lines admitted in it in the lower half.
    spent: AtomicU64,
    held_back: AtomicU64,
}

impl Sampler {
    /// A budget of lines per second.
    pub fn new(per_second: u32) -> Self {
        let (spent, held_back) = Default::default();
        Self { began: Instant::now(), per_second: per_second.into(), spent, held_back }
    }

    /// Whether a line may be written now: `Some` with how many were held back since the last one.
    pub fn admit(&self) -> Option<u64> {
        self.admit_in(self.began.elapsed().as_secs())
    }

    fn admit_in(&self, second: u64) -> Option<u64> {
        let now = second.wrapping_shl(HALF);
        let spent = self.spent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |spent| {
            let spent = if spent >> HALF == now >> HALF { spent } else { now };
            (spent & LINES < self.per_second).then_some(spent.wrapping_add(1))
        });
        if spent.is_err() {
            self.held_back.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.held_back.swap(0, Ordering::Relaxed))
    }
}

const HALF: u32 = 32;
const LINES: u64 = 0xffff_ffff;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_its_budget_and_the_next_says_what_was_held_back() {
        let sampler = Sampler::new(2);
        let admitted = [0, 0, 0, 0, 1, 1, 1].map(|second| sampler.admit_in(second));
        assert_eq!(admitted, [Some(0), Some(0), None, None, Some(2), Some(0), None]);
        assert_eq!(sampler.admit_in(7), Some(1));
    }
}
