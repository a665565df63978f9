//! Endpoint challenges are rationed: an answer is a signature over text that the caller chose.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    limits::{CHALLENGES_MAX, CHALLENGES_WINDOW_SECONDS},
    model::{UnixSeconds, Variant},
};

/// Answers given in each variant's current window.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    windows: Mutex<HashMap<Variant, Window>>,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    began: UnixSeconds,
    answered: u32,
}

impl Window {
    /// A clock that was set back ends the window too.
    fn is_running(self, now: UnixSeconds) -> bool {
        (0..CHALLENGES_WINDOW_SECONDS).contains(&now.seconds_since(self.began))
    }
}

impl Challenges {
    /// Whether one more challenge may be answered; counts it where it may.
    pub(super) fn admit(&self, variant: &Variant, now: UnixSeconds) -> bool {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        // What has ended is forgotten, so that no more than the variants of one window are kept.
        windows.retain(|_, window| window.is_running(now));
        let fresh = Window { began: now, answered: 0 };
        let window = windows.entry(variant.clone()).or_insert(fresh);
        if window.answered >= CHALLENGES_MAX {
            return false;
        }
        window.answered = window.answered.saturating_add(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variant_has_its_window_and_ended_ones_are_forgotten() {
        let (challenges, at) = (Challenges::default(), UnixSeconds::new);
        let [one, two] = ["one", "two"].map(|name| Variant::new(name).expect("a name"));
        for _ in 0..CHALLENGES_MAX {
            assert!(challenges.admit(&one, at(100)));
        }
        assert!(!challenges.admit(&one, at(100)));
        assert!(!challenges.admit(&one, at(100 + CHALLENGES_WINDOW_SECONDS - 1)));
        assert!(challenges.admit(&two, at(100 + CHALLENGES_WINDOW_SECONDS - 1)));
        assert!(challenges.admit(&one, at(100 + CHALLENGES_WINDOW_SECONDS)));
        assert!(challenges.admit(&one, at(50)), "the clock was set back");
        assert!(challenges.admit(&one, at(i64::MAX)) && challenges.admit(&two, at(i64::MIN)));
        assert_eq!(challenges.windows.lock().expect("unbroken").len(), 1);
    }
}
