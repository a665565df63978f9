//! A configured gateway account that is ready to verify, and its guards.

use std::collections::BTreeMap;

use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};

use super::{
    certificates::FixedCertificates,
    key_record::{KeyRecord, KeyRecords},
    spec::{KeySpec, SecretRef, VariantSpec},
};
use crate::{
    gateway::{Gateway, KeyFields},
    model::{Environment, Event, Secret, UnixSeconds, Variant},
    verify::{Options, Verifier},
};

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// User id of the peer of a Unix socket.
    pub uid: Option<u32>,
    /// Subject alternative names of the client certificate.
    pub sans: Vec<String>,
    /// SHA-256 of the bearer token: the token itself is not kept.
    pub bearer: Option<[u8; 32]>,
}

impl Caller {
    /// Keeps the hash of a bearer token, so that comparing takes the same time for every token.
    pub fn set_bearer(&mut self, token: &str) {
        self.bearer = Some(Sha256::digest(token.as_bytes()).into());
    }
}

/// A rule that is ready to be compared.
#[derive(Debug)]
pub(super) enum PreparedCaller {
    Uid(u32),
    San(String),
    Token([u8; 32]),
}

/// A guard that a verified event broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardError {
    /// The event's account is not listed.
    AccountMismatch,
    /// A live event on a variant that is pinned to test.
    LiveEventOnTest,
    /// A test event on a variant that is pinned to live.
    TestEventOnLive,
}

/// A configured gateway account, ready to verify.
#[derive(Debug)]
pub struct Account {
    pub(super) variant: Variant,
    pub(super) gateway: &'static Gateway,
    pub(super) verifier: Verifier,
    pub(super) environment: Option<Environment>,
    pub(super) accounts: Vec<String>,
    pub(super) callers: Vec<PreparedCaller>,
    pub(super) accept_received_at_max_seconds: i64,
    pub(super) certificates: Option<FixedCertificates>,
    /// Shared with every account that holds the same values.
    pub(super) records: KeyRecords,
}

impl Account {
    /// The same account with the keys of another description, which hold their values themselves.
    ///
    /// # Errors
    /// A line that says which key cannot be used.
    pub fn with_spec(&self, spec: &VariantSpec) -> Result<Self, String> {
        let fields = |key: &KeySpec| {
            let fields = key.fields.iter().filter_map(|(name, reference)| match reference {
                SecretRef::Inline(secret) => {
                    Some((name.clone(), Secret::new(secret.expose().to_vec())))
                }
                SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Vault { .. } => None,
            });
            KeyFields {
                label: key.label.clone(),
                role: key.role,
                expires_at: key.expires_at,
                fields: fields.collect(),
            }
        };
        let keys = spec.keys.iter().map(fields).collect();
        let options = Options::new(spec.options.clone(), BTreeMap::new());
        let verifier = self.gateway.verifier(keys, options).map_err(|error| error.to_string())?;
        Ok(Self {
            variant: self.variant.clone(),
            gateway: self.gateway,
            records: KeyRecord::unknown(verifier.keys().len(), UnixSeconds::new(0)),
            verifier,
            environment: self.environment,
            accounts: Vec::new(),
            callers: Vec::new(),
            accept_received_at_max_seconds: 0,
            certificates: None,
        })
    }

    /// The variant.
    pub const fn variant(&self) -> &Variant {
        &self.variant
    }

    /// The gateway.
    pub const fn gateway(&self) -> &'static Gateway {
        self.gateway
    }

    /// The verifier.
    pub const fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The environment it is pinned to.
    pub const fn environment(&self) -> Option<Environment> {
        self.environment
    }

    /// Its own certificates, where it never fetches any.
    pub const fn fixed_certificates(&self) -> Option<&FixedCertificates> {
        self.certificates.as_ref()
    }

    /// How far back `received_at` may lie, in seconds; 0 refuses it.
    pub const fn accept_received_at_max_seconds(&self) -> i64 {
        self.accept_received_at_max_seconds
    }

    /// Whether this caller may use the variant: any rule that matches is enough.
    pub fn allows(&self, caller: &Caller) -> bool {
        let matches = |rule: &PreparedCaller| match rule {
            PreparedCaller::Uid(uid) => caller.uid == Some(*uid),
            PreparedCaller::San(san) => caller.sans.contains(san),
            PreparedCaller::Token(hash) => {
                caller.bearer.is_some_and(|bearer| bearer.ct_eq(hash).to_bool())
            }
        };
        // Every rule is looked at, so that the time taken does not tell which one fits.
        let none = self.callers.is_empty();
        self.callers.iter().fold(none, |allowed, rule| matches(rule) | allowed)
    }

    /// Checks a verified event against the pins.
    ///
    /// # Errors
    /// [`GuardError`] for the first pin it breaks.
    pub fn guard(&self, event: &Event<'_>) -> Result<(), GuardError> {
        match (self.environment, event.environment) {
            (Some(Environment::Live), Some(Environment::Test)) => {
                return Err(GuardError::TestEventOnLive);
            }
            (Some(Environment::Test), Some(Environment::Live)) => {
                return Err(GuardError::LiveEventOnTest);
            }
            (None, _)
            | (_, None)
            | (Some(Environment::Live), Some(Environment::Live))
            | (Some(Environment::Test), Some(Environment::Test)) => {}
        }
        // An event without an account is the configured account's own.
        let listed = event.account.as_deref().is_none_or(|account| {
            self.accounts.is_empty() || self.accounts.iter().any(|listed| listed == account)
        });
        if listed { Ok(()) } else { Err(GuardError::AccountMismatch) }
    }

    /// Notes that a key matched.
    pub fn key_used(&self, label: &str, now: UnixSeconds) {
        if let Some(record) = self.record(label) {
            record.used(now);
        }
    }

    /// When a key last matched.
    pub fn key_last_used(&self, label: &str) -> Option<UnixSeconds> {
        self.record(label).and_then(KeyRecord::last_used)
    }

    fn record(&self, label: &str) -> Option<&KeyRecord> {
        let position = self.verifier.keys().iter().position(|key| key.label() == label)?;
        self.records.get(position).map(|record| &**record)
    }
}
