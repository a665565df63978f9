//! A scheme joined with its keys and options, once, at load.

use std::{borrow::Cow, fmt};

use super::{
    keys::{KeyError, KeyInput, PreparedKey},
    options::Options,
    scheme::{Freshness, Scheme},
};

/// Verifies the webhooks of one variant. Made once; used by every webhook without a lock.
pub struct Verifier {
    pub(crate) scheme: Cow<'static, Scheme>,
    pub(crate) keys: Vec<PreparedKey>,
    pub(crate) options: Options,
    pub(crate) tolerance_seconds: Option<i64>,
}

impl Verifier {
    /// Joins a scheme with keys, newest first, and options.
    ///
    /// # Errors
    /// [`KeyError`] with the position (from 1) of the first key that cannot be used.
    pub fn new(
        scheme: Cow<'static, Scheme>,
        keys: Vec<KeyInput>,
        options: Options,
    ) -> Result<Self, (usize, KeyError)> {
        let keys = keys
            .into_iter()
            .zip(1..)
            .map(|(key, position)| {
                PreparedKey::new(&scheme, key, position).map_err(|error| (position, error))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let configured = options.integer("tolerance_seconds");
        let tolerance_seconds = match scheme.freshness {
            Freshness::NotSigned => None,
            Freshness::WhenConfigured => configured,
            Freshness::Window { seconds } => Some(configured.unwrap_or(seconds)),
        };
        Ok(Self { scheme, keys, options, tolerance_seconds })
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The keys, newest first.
    pub fn keys(&self) -> &[PreparedKey] {
        &self.keys
    }

    /// The options.
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The tolerance of a signed time in seconds; `None` where none is compared.
    pub const fn tolerance_seconds(&self) -> Option<i64> {
        self.tolerance_seconds
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme.name)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
