//! The accounts, loaded when they are first used and kept: one flight per variant, stale ones
//! served while the source of secrets is down, unknown names answered without touching anything.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use moka::future::Cache;
use sha2::{Digest as _, Sha256};

use super::{
    Clock,
    account::{Account, PreparedCaller},
    secrets::SecretSource,
    spec::{CallerRule, KeySpec, VariantSpec},
};
use crate::{gateway::KeyFields, limits::VARIANTS_MAX, model::Variant, verify::Options};

/// Why a variant cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The secret cannot be had and none is cached, or it cannot be used.
    #[error("the secret of {variant} cannot be used: {problem}")]
    SecretUnavailable {
        /// The variant.
        variant: Variant,
        /// Why.
        problem: String,
    },
    /// No such variant.
    #[error("no such variant")]
    VariantUnknown,
}

/// How long accounts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// Secrets are read again after this many seconds.
    pub ttl_seconds: i64,
    /// The last good secret is served this long while its source is down.
    pub max_stale_seconds: i64,
    /// A failure is remembered this long where nothing is cached.
    pub negative_seconds: i64,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl_seconds: 300, max_stale_seconds: 86_400, negative_seconds: 5 }
    }
}

/// The configured variants and their loaded accounts.
pub struct Accounts {
    configured: ArcSwap<Configured>,
    loaded: Cache<Variant, Arc<Loaded>>,
    flights: Cache<(Variant, u64), Arc<Loaded>>,
    failed: Cache<Variant, (AccountError, i64)>,
    source: Arc<dyn SecretSource>,
    clock: Clock,
    settings: CacheSettings,
    serials: AtomicU64,
}

#[derive(Debug, Default)]
struct Configured {
    specs: BTreeMap<Variant, Arc<VariantSpec>>,
    revision: String,
}

struct Loaded {
    account: Arc<Account>,
    spec: Arc<VariantSpec>,
    serial: u64,
    read_at: i64,
    /// Not tried again before this time after a failure.
    retry_at: AtomicI64,
    failures: AtomicU64,
    refreshing: AtomicBool,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("configured", &self.configured.load())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    /// Accounts of these variants; nothing is read before the first use.
    pub fn new(
        specs: Vec<VariantSpec>,
        revision: String,
        source: Arc<dyn SecretSource>,
        clock: Clock,
        settings: CacheSettings,
    ) -> Self {
        let entries = u64::try_from(VARIANTS_MAX).unwrap_or(u64::MAX);
        let accounts = Self {
            configured: ArcSwap::default(),
            loaded: Cache::new(entries),
            flights: Cache::builder().max_capacity(entries).time_to_live(FLIGHT_KEPT).build(),
            failed: Cache::new(entries),
            source,
            clock,
            settings,
            serials: AtomicU64::new(1),
        };
        accounts.swap(specs, revision);
        accounts
    }

    /// Swaps the configuration whole. Accounts whose description changed are loaded anew on their
    /// next use; failures are forgotten.
    pub fn swap(&self, specs: Vec<VariantSpec>, revision: String) {
        let specs = specs.into_iter().map(|spec| (spec.variant.clone(), Arc::new(spec)));
        self.configured.store(Arc::new(Configured { specs: specs.collect(), revision }));
        self.failed.invalidate_all();
    }

    /// The active configuration.
    pub fn revision(&self) -> String {
        self.configured.load().revision.clone()
    }

    /// The variants' names, sorted.
    pub fn variants(&self) -> Vec<Variant> {
        self.configured.load().specs.keys().cloned().collect()
    }

    /// The account of a variant. A hit does no IO.
    ///
    /// # Errors
    /// [`AccountError`].
    pub async fn account(self: &Arc<Self>, variant: &str) -> Result<Arc<Account>, AccountError> {
        // The guard is let go before anything is awaited: it is cheap only while it is short.
        let spec = self.configured.load().specs.get(variant).cloned();
        let spec = spec.ok_or(AccountError::VariantUnknown)?;
        let now = (self.clock)().get();
        let Some(loaded) = self.loaded.get(variant).await else {
            return self.load_first(&spec, now).await;
        };
        if !Arc::ptr_eq(&loaded.spec, &spec) {
            return self.replace(&loaded, &spec, now).await;
        }
        let age = now.saturating_sub(loaded.read_at);
        if age < self.refresh_seconds(&loaded) {
            return Ok(Arc::clone(&loaded.account));
        }
        if age < self.settings.ttl_seconds {
            self.refresh_behind(&loaded, &spec, now);
            return Ok(Arc::clone(&loaded.account));
        }
        self.replace(&loaded, &spec, now).await
    }

    /// Every account that can be had, sorted by name.
    pub async fn list(self: &Arc<Self>) -> Vec<Arc<Account>> {
        let mut accounts = Vec::new();
        for variant in self.variants() {
            accounts.extend(self.account(variant.as_str()).await.ok());
        }
        accounts
    }

    /// Reads the secrets of every loaded account again: a mounted file may have changed.
    pub async fn refresh(self: &Arc<Self>) {
        let now = (self.clock)().get();
        let specs = self.configured.load_full();
        for (variant, spec) in &specs.specs {
            if let Some(loaded) = self.loaded.get(variant).await {
                drop(self.replace(&loaded, spec, now).await);
            }
        }
        self.failed.invalidate_all();
    }

    /// Loads what is not cached, once for all who ask.
    async fn load_first(
        &self,
        spec: &Arc<VariantSpec>,
        now: i64,
    ) -> Result<Arc<Account>, AccountError> {
        if let Some((error, at)) = self.failed.get(&spec.variant).await
            && now.saturating_sub(at) < self.settings.negative_seconds
        {
            return Err(error);
        }
        let flight = self.loaded.try_get_with_by_ref(&spec.variant, self.load(spec, now)).await;
        match flight {
            Ok(loaded) => Ok(Arc::clone(&loaded.account)),
            Err(error) => {
                let error = AccountError::clone(&error);
                self.failed.insert(spec.variant.clone(), (error.clone(), now)).await;
                Err(error)
            }
        }
    }

    /// Loads again what is cached and old; the old one is served where that fails.
    async fn replace(
        &self,
        old: &Arc<Loaded>,
        spec: &Arc<VariantSpec>,
        now: i64,
    ) -> Result<Arc<Account>, AccountError> {
        let stale = now.saturating_sub(old.read_at) < self.settings.max_stale_seconds;
        let same = Arc::ptr_eq(&old.spec, spec);
        if stale && same && now < old.retry_at.load(Ordering::Relaxed) {
            return Ok(Arc::clone(&old.account));
        }
        let key = (spec.variant.clone(), old.serial);
        let flight = self.flights.try_get_with(key, self.load(spec, now)).await;
        match flight {
            Ok(loaded) => {
                self.loaded.insert(spec.variant.clone(), Arc::clone(&loaded)).await;
                Ok(Arc::clone(&loaded.account))
            }
            Err(error) => {
                let step = old.failures.fetch_add(1, Ordering::Relaxed).min(5);
                let wait = 1_i64 << step;
                old.retry_at.store(now.saturating_add(wait.min(30)), Ordering::Relaxed);
                if stale && same {
                    let variant = &spec.variant;
                    tracing::warn!(%variant, %error, "Secret source is down; last good secret is used");
                    return Ok(Arc::clone(&old.account));
                }
                Err(AccountError::clone(&error))
            }
        }
    }

    /// Refreshes ahead of expiry, behind the call that noticed it.
    fn refresh_behind(self: &Arc<Self>, old: &Arc<Loaded>, spec: &Arc<VariantSpec>, now: i64) {
        if now < old.retry_at.load(Ordering::Relaxed)
            || old.refreshing.swap(true, Ordering::Relaxed)
        {
            return;
        }
        let (accounts, old, spec) = (Arc::clone(self), Arc::clone(old), Arc::clone(spec));
        tokio::spawn(async move {
            drop(accounts.replace(&old, &spec, now).await);
            old.refreshing.store(false, Ordering::Relaxed);
        });
    }

    /// 80 % of the ttl, less a little that differs per load, so that variants loaded together are
    /// not refreshed together.
    fn refresh_seconds(&self, loaded: &Loaded) -> i64 {
        let ttl = self.settings.ttl_seconds;
        let spread = ttl / 10;
        let jitter = i64::try_from(loaded.serial).unwrap_or(0).checked_rem(spread).unwrap_or(0);
        ttl.saturating_sub(ttl / 5).saturating_sub(jitter)
    }

    async fn load(&self, spec: &Arc<VariantSpec>, now: i64) -> Result<Arc<Loaded>, AccountError> {
        let account = self.prepare(spec).await.map_err(|problem| {
            AccountError::SecretUnavailable { variant: spec.variant.clone(), problem }
        })?;
        Ok(Arc::new(Loaded {
            account: Arc::new(account),
            spec: Arc::clone(spec),
            serial: self.serials.fetch_add(1, Ordering::Relaxed),
            read_at: now,
            retry_at: AtomicI64::new(i64::MIN),
            failures: AtomicU64::new(0),
            refreshing: AtomicBool::new(false),
        }))
    }

    async fn prepare(&self, spec: &VariantSpec) -> Result<Account, String> {
        let mut keys = Vec::new();
        for key in &spec.keys {
            keys.push(self.key(key).await?);
        }
        let (mut values, mut secrets) = (spec.options.clone(), BTreeMap::new());
        for (name, reference) in &spec.option_refs {
            let value = self.source.read(reference).await.map_err(|error| error.to_string())?;
            if spec.gateway.secret_option(name) {
                secrets.insert(name.clone(), value.trimmed());
            } else {
                let text = std::str::from_utf8(value.expose());
                let text = text.map_err(|_| format!("option {name} is not text"))?;
                values.insert(name.clone(), text.into());
            }
        }
        let options = Options::new(values, secrets);
        let verifier = spec.gateway.verifier(keys, options).map_err(|error| error.to_string())?;
        let mut callers = Vec::new();
        for rule in &spec.callers {
            callers.push(match rule {
                CallerRule::Uid(uid) => PreparedCaller::Uid(*uid),
                CallerRule::San(san) => PreparedCaller::San(san.clone()),
                CallerRule::Token(reference) => {
                    let token = self.source.read(reference).await;
                    let token = token.map_err(|error| error.to_string())?.trimmed();
                    if token.is_empty() {
                        return Err("a caller's token is empty".to_owned());
                    }
                    PreparedCaller::Token(Sha256::digest(token.expose()).into())
                }
            });
        }
        Ok(Account {
            variant: spec.variant.clone(),
            gateway: spec.gateway,
            last_used: verifier.keys().iter().map(|_| AtomicI64::new(0)).collect(),
            verifier,
            environment: spec.environment,
            accounts: spec.accounts.clone(),
            callers,
            accept_received_at_max_seconds: spec.accept_received_at_max_seconds,
        })
    }

    async fn key(&self, key: &KeySpec) -> Result<KeyFields, String> {
        let mut fields = BTreeMap::new();
        for (name, reference) in &key.fields {
            let value = self.source.read(reference).await.map_err(|error| error.to_string())?;
            fields.insert(name.clone(), value);
        }
        let (label, role, expires_at) = (key.label.clone(), key.role, key.expires_at);
        Ok(KeyFields { label, role, expires_at, fields })
    }
}

/// A finished flight is of no use once its waiters have their answer.
const FLIGHT_KEPT: std::time::Duration = std::time::Duration::from_secs(5);
