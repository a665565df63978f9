//! What is known about a key's value beside the value: since when it is held, when it last
//! matched. It follows the value through reloads, whatever place the value has then.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest as _, Sha256};

use super::spec::KeySpec;
use crate::{gateway::KeyFields, model::UnixSeconds};

/// Tells values apart inside this process: a digest under a salt that is never written anywhere.
pub(super) type Fingerprint = [u8; 32];

/// One value of a key.
#[derive(Debug)]
pub(super) struct KeyRecord {
    fingerprint: Option<Fingerprint>,
    held_since: UnixSeconds,
    /// When it last matched; 0 is never.
    last_used: AtomicI64,
}

/// The records of a variant's keys, in their order.
pub(super) type KeyRecords = Arc<[Arc<KeyRecord>]>;

impl KeyRecord {
    fn new(fingerprint: Option<Fingerprint>, held_since: UnixSeconds) -> Arc<Self> {
        Arc::new(Self { fingerprint, held_since, last_used: AtomicI64::new(0) })
    }

    /// Records of keys that nothing was known about.
    pub(super) fn unknown(keys: usize, now: UnixSeconds) -> KeyRecords {
        (0..keys).map(|_| Self::new(None, now)).collect()
    }

    /// The records of these values: those known before go on, the others begin now.
    pub(super) fn follow(
        known: &[Arc<Self>],
        values: Vec<Option<Fingerprint>>,
        now: UnixSeconds,
    ) -> KeyRecords {
        let mut known: Vec<_> = known.iter().collect();
        let follow = |value: Option<Fingerprint>| {
            let same = |record: &&Arc<Self>| value.is_some() && record.fingerprint == value;
            // Taken out, so that two keys of the same value do not share a record.
            let at = known.iter().position(same);
            at.map_or_else(|| Self::new(value, now), |at| Arc::clone(known.swap_remove(at)))
        };
        values.into_iter().map(follow).collect()
    }

    /// Notes that it matched. Once a second is enough: the line is shared by all workers.
    pub(super) fn used(&self, now: UnixSeconds) {
        if self.last_used.load(Ordering::Relaxed) != now.get() {
            self.last_used.store(now.get(), Ordering::Relaxed);
        }
    }

    /// When it last matched.
    pub(super) fn last_used(&self) -> Option<UnixSeconds> {
        let at = self.last_used.load(Ordering::Relaxed);
        (at != 0).then_some(UnixSeconds::new(at))
    }

    /// Since when the value is held.
    pub(super) const fn held_since(&self) -> UnixSeconds {
        self.held_since
    }
}

/// The fingerprint of a key's fields; `None` where the system has no random numbers, and every
/// value counts as new.
pub(super) fn fingerprint(key: &KeyFields) -> Option<Fingerprint> {
    let mut hash = Sha256::new();
    hash.update(salt()?);
    for (name, value) in &key.fields {
        for part in [name.as_bytes(), value.expose()] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
    }
    Some(hash.finalize().into())
}

/// The operator's label of a key, else its position from 1.
pub(super) fn label(key: &KeySpec, position: usize) -> String {
    key.label.clone().unwrap_or_else(|| format!("key-{position}"))
}

fn salt() -> Option<&'static Fingerprint> {
    static SALT: OnceLock<Option<Fingerprint>> = OnceLock::new();
    let made = SALT.get_or_init(|| {
        let mut salt = [0; 32];
        // The kernel's own: the library's generator measures jitter for 30 ms before its first
        // number, and the first account is loaded while a start is waited for.
        let filled = getrandom(&mut salt, GetRandomFlags::empty()).ok()?;
        (filled == salt.len()).then_some(salt)
    });
    made.as_ref()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{model::Secret, verify::KeyRole};

    fn value(text: &str) -> Option<Fingerprint> {
        let secret = Secret::new(text.as_bytes().to_vec());
        let fields = BTreeMap::from([("endpoint_secret".to_owned(), secret)]);
        fingerprint(&KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields })
    }

    #[test]
    fn a_record_follows_its_value_to_another_place() {
        let at = UnixSeconds::new;
        let first = KeyRecord::follow(&[], vec![value("old")], at(100));
        first[0].used(at(150));
        let second = KeyRecord::follow(&first, vec![value("new"), value("old")], at(200));
        assert_eq!((second[0].held_since(), second[0].last_used()), (at(200), None));
        assert_eq!((second[1].held_since(), second[1].last_used()), (at(100), Some(at(150))));
        let twice = KeyRecord::follow(&second, vec![value("old"), value("old")], at(300));
        assert_eq!((twice[0].held_since(), twice[1].held_since()), (at(100), at(300)));
        let unknown = KeyRecord::follow(&KeyRecord::unknown(1, at(1)), vec![None], at(2));
        assert_eq!(unknown[0].held_since(), at(2), "nothing is known about either");
    }

    #[test]
    fn a_fingerprint_is_no_plain_digest_and_tells_values_apart() {
        assert_eq!(value("a"), value("a"));
        assert_ne!(value("a"), value("b"));
        assert_ne!(value("a"), Some(Sha256::digest("a").into()));
    }
}
