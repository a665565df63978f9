//! What looking for a cause may take: whoever sends rubbish must not make us work.

use crate::limits::{EXPLAIN_HASHED_BYTES_MAX, EXPLAIN_MACS_MAX};

/// What looking for a cause took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Signatures computed or verified.
    pub macs: usize,
    /// Bytes hashed for them.
    pub hashed_bytes: usize,
}

/// What may still be spent.
#[derive(Debug, Default)]
pub(super) struct Budget(Cost);

impl Budget {
    /// Spends a signature over so many bytes; false, and nothing is spent, where that is too much.
    pub(super) const fn spend(&mut self, bytes: usize) -> bool {
        let macs = self.0.macs.saturating_add(1);
        let hashed_bytes = self.0.hashed_bytes.saturating_add(bytes);
        let within = macs <= EXPLAIN_MACS_MAX && hashed_bytes <= EXPLAIN_HASHED_BYTES_MAX;
        if within {
            self.0 = Cost { macs, hashed_bytes };
        }
        within
    }

    /// What was spent.
    pub(super) const fn cost(&self) -> Cost {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_bound_is_passed() {
        let mut budget = Budget::default();
        assert_eq!((0..1000).filter(|_| budget.spend(10)).count(), EXPLAIN_MACS_MAX);
        let mut budget = Budget::default();
        assert!(!budget.spend(EXPLAIN_HASHED_BYTES_MAX + 1));
        assert!(budget.spend(EXPLAIN_HASHED_BYTES_MAX));
        assert!(!budget.spend(1));
        assert_eq!(budget.cost(), Cost { macs: 1, hashed_bytes: EXPLAIN_HASHED_BYTES_MAX });
    }
}
