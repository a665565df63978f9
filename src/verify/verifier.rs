//! A scheme joined with its keys and options, once, at load.

use std::{borrow::Cow, fmt};

use rustls_pki_types::TrustAnchor;

use super::{
    certificate::Trust,
    keys::{KeyError, KeyInput, PreparedKey},
    options::Options,
    scheme::{Algorithm, CertificateRule, Freshness, Scheme},
};

/// Verifies the webhooks of one variant. Made once; used by every webhook, which waits for no other.
pub struct Verifier {
    pub(crate) scheme: Cow<'static, Scheme>,
    pub(crate) keys: Vec<PreparedKey>,
    pub(crate) options: Options,
    pub(crate) tolerance_seconds: Option<i64>,
    pub(crate) trust: Option<Trust>,
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
        let rule = certificate_rule(&scheme);
        let mut keys = keys
            .into_iter()
            .zip(1..)
            .map(|(key, position)| {
                let key =
                    PreparedKey::new(&scheme, key, position).map_err(|error| (position, error))?;
                // With the simulator's own text as the key anybody could have webhooks signed.
                let open = rule.is_some_and(|rule| key.text() == rule.simulator_key.as_bytes());
                if open { Err((position, KeyError::Placeholder)) } else { Ok(key) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if let Some(rule) = rule.filter(|_| simulator_allowed(&options)) {
            keys.push(PreparedKey::simulator(rule.simulator_key));
        }
        let configured = options.integer("tolerance_seconds");
        let tolerance_seconds = match scheme.freshness {
            Freshness::NotSigned => None,
            Freshness::WhenConfigured => configured,
            Freshness::Window { seconds } => Some(configured.unwrap_or(seconds)),
        };
        let trust = rule.map(|rule| Trust::new(rule, &options));
        Ok(Self { scheme, keys, options, tolerance_seconds, trust })
    }

    /// Trusts these public roots where the variant's options name no anchors. Without either no
    /// certificate is trusted.
    #[must_use]
    pub fn with_public_roots(mut self, roots: &'static [TrustAnchor<'static>]) -> Self {
        if let Some(trust) = &mut self.trust {
            trust.or_public(roots);
        }
        self
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

fn certificate_rule(scheme: &Scheme) -> Option<&'static CertificateRule> {
    match scheme.algorithm {
        Algorithm::Answer(rule) => rule.certificate,
        Algorithm::RsaSha256ByCertificate(rule) => Some(rule),
        Algorithm::Aes128CbcKeyAsIv
        | Algorithm::Ed25519
        | Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha384
        | Algorithm::HmacSha512
        | Algorithm::Sha256 => None,
    }
}

/// Only on a variant that is pinned to test: a simulator signs for everybody.
fn simulator_allowed(options: &Options) -> bool {
    options.flag("allow_simulator") == Some(true) && options.text("environment") == Some("test")
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("scheme", &self.scheme.name)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}
