//! Ratios of paired measurements: their middle, and where it lies with 90 % confidence.

use std::fmt;

/// A ratio from paired rounds.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    pub middle: f64,
    pub low: f64,
    pub high: f64,
    pub rounds: usize,
}

impl Ratio {
    /// Of pairs that were measured side by side: the median of the rounds' ratios, with the
    /// interval that order statistics give: no shape of the noise is assumed.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut ratios: Vec<_> = pairs.into_iter().map(|(above, below)| above / below).collect();
        assert!(ratios.len() >= 6, "fewer rounds have no 90 % interval");
        ratios.sort_by(f64::total_cmp);
        let rounds = ratios.len();
        let rank = rank(rounds);
        let middle = (ratios[(rounds - 1) / 2] + ratios[rounds / 2]) / 2.0;
        Self { middle, low: ratios[rank], high: ratios[rounds - 1 - rank], rounds }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} [{:.3}..{:.3}]", self.middle, self.low, self.high)
    }
}

/// The largest rank whose two order statistics hold the median with at least 90 %: the binomial
/// distribution of how many rounds lie below it.
fn rank(rounds: usize) -> usize {
    let (mut probability, mut tail, mut rank) = (0.5_f64.powi(rounds as i32), 0.0, 0_usize);
    loop {
        tail += probability;
        if tail > 0.05 {
            return rank.saturating_sub(1);
        }
        probability *= (rounds - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
}

/// What must hold of intervals; run before anything is measured with them.
pub fn check() {
    // From tables of the sign test: 90 % at least.
    for (rounds, first) in [(6, 0), (7, 0), (8, 1), (10, 1), (11, 2), (20, 5), (40, 14)] {
        assert_eq!(rank(rounds), first, "{rounds}");
    }
    let ratio = Ratio::of((1..=11).map(|at| (f64::from(at), 1.0)));
    assert!((ratio.middle - 6.0).abs() < 1e-9, "{ratio}");
    assert!((ratio.low - 3.0).abs() < 1e-9 && (ratio.high - 9.0).abs() < 1e-9, "{ratio}");
}
