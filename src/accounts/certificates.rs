//! Where signing certificates come from: their URL over https, kept; or files of the operator.

use std::{
    collections::BTreeMap,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use moka::{policy::EvictionPolicy, sync::Cache};
use tokio::sync::{Semaphore, watch};

use super::{Clock, https::Https};
use crate::{
    limits::{
        CERTIFICATE_FETCHES_MAX, CERTIFICATE_NEGATIVE_SECONDS, CERTIFICATE_SECONDS_MAX,
        CERTIFICATE_URLS_MAX,
    },
    model::UnixSeconds,
    verify::{CertUrl, CertificateChain, Options},
};

/// Why a certificate cannot be had right now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Its URL does not serve it, or could not a moment ago.
    #[error("the certificate cannot be had: {problem}")]
    Unavailable {
        /// What went wrong.
        problem: String,
    },
}

/// A chain that is being had.
pub type Chaining<'a> =
    Pin<Box<dyn Future<Output = Result<Arc<CertificateChain>, CertificateError>> + Send + 'a>>;

/// Hands out certificates by URL.
pub trait CertificateSource: Send + Sync {
    /// What the URL serves.
    fn chain<'a>(&'a self, url: &'a CertUrl) -> Chaining<'a>;
}

/// Certificates of the operator: nothing is ever fetched.
#[derive(Debug)]
pub struct FixedCertificates(BTreeMap<String, Arc<CertificateChain>>);

impl FixedCertificates {
    /// Certificates in PEM by URL.
    pub fn new(texts: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let chain = |pem: Vec<u8>| Arc::new(CertificateChain::from_pem(&pem));
        Self(texts.into_iter().map(|(url, pem)| (url, chain(pem))).collect())
    }

    /// The certificates of a variant's option `certificates.fixed`.
    pub(super) fn from_options(options: &Options) -> Option<Self> {
        let fixed = options.value("certificates")?.get("fixed")?.as_object()?;
        let text = |text: &serde_json::Value| text.as_str().unwrap_or_default().as_bytes().to_vec();
        Some(Self::new(fixed.iter().map(|(url, pem)| (url.clone(), text(pem)))))
    }
}

impl CertificateSource for FixedCertificates {
    fn chain<'a>(&'a self, url: &'a CertUrl) -> Chaining<'a> {
        let found = self.0.get(url.as_str()).or_else(|| self.0.get(&url.canonical())).cloned();
        let problem = "it is none of the variant's fixed certificates".to_owned();
        Box::pin(async move { found.ok_or(CertificateError::Unavailable { problem }) })
    }
}

/// Certificates from their URL, kept for a day and, while the URL is out of reach, until they end.
/// One fetch per URL at a time; a failure is remembered for a moment.
pub struct HttpsCertificates {
    https: Https,
    clock: Clock,
    kept: Cache<CertUrl, Arc<Kept>>,
    fetches: Arc<Semaphore>,
}

impl HttpsCertificates {
    /// Fetches through these connections; time is this clock's.
    pub fn new(https: Https, clock: Clock) -> Self {
        let kept = Cache::builder()
            .max_capacity(CERTIFICATE_URLS_MAX)
            // The sender chooses the id in the URL: what is in use stays, made-up ones go.
            .eviction_policy(EvictionPolicy::tiny_lfu())
            .build();
        Self { https, clock, kept, fetches: Arc::new(Semaphore::new(CERTIFICATE_FETCHES_MAX)) }
    }

    async fn of(&self, url: &CertUrl) -> Result<Arc<CertificateChain>, CertificateError> {
        let kept = self.kept.get_with_by_ref(url, Arc::default);
        if let Some(known) = kept.known((self.clock)()) {
            return known;
        }
        let mut flight = self.flight(&kept, url);
        // The sender goes when the flight has landed or broke off: both show in what is kept.
        let _ = flight.changed().await;
        let broken = || CertificateError::Unavailable { problem: "its fetch broke off".to_owned() };
        kept.known((self.clock)()).unwrap_or_else(|| Err(broken()))
    }

    /// Joins the flight of a URL, or starts one. It outlives the call that started it.
    fn flight(&self, kept: &Arc<Kept>, url: &CertUrl) -> watch::Receiver<()> {
        let mut flight = kept.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(under_way) = flight.as_ref().filter(|it| it.has_changed().is_ok()) {
            return under_way.clone();
        }
        let (landed, waiting) = watch::channel(());
        *flight = Some(waiting.clone());
        let (https, clock, kept) = (self.https.clone(), self.clock.clone(), Arc::clone(kept));
        let (url, fetches) = (url.clone(), Arc::clone(&self.fetches));
        tokio::spawn(async move {
            let answer = match fetches.try_acquire() {
                Ok(_permit) => fetch(&https, &url).await,
                Err(_) => Err("too many certificates are being fetched".to_owned()),
            };
            kept.record(answer, clock(), &url);
            drop(landed);
        });
        waiting
    }
}

impl CertificateSource for HttpsCertificates {
    fn chain<'a>(&'a self, url: &'a CertUrl) -> Chaining<'a> {
        Box::pin(self.of(url))
    }
}

impl fmt::Debug for HttpsCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsCertificates").finish_non_exhaustive()
    }
}

async fn fetch(https: &Https, url: &CertUrl) -> Result<CertificateChain, String> {
    let request = Request::get(url.target()).body(Full::new(Bytes::new()));
    let request = request.map_err(|error| error.to_string())?;
    let answer = https.ask(url.host(), request).await.map_err(|error| error.to_string())?;
    Ok(CertificateChain::from_pem(&answer))
}

/// What is known of one URL.
#[derive(Debug, Default)]
struct Kept {
    state: Mutex<State>,
    flight: Mutex<Option<watch::Receiver<()>>>,
}

#[derive(Debug, Default)]
struct State {
    good: Option<(Arc<CertificateChain>, UnixSeconds)>,
    failed: Option<(Failure, UnixSeconds)>,
}

#[derive(Clone, Debug)]
enum Failure {
    Unavailable(String),
    /// Served, but nothing that anybody could trust.
    Unusable(Arc<CertificateChain>),
}

impl Kept {
    /// What can be answered without a fetch.
    fn known(&self, now: UnixSeconds) -> Option<Result<Arc<CertificateChain>, CertificateError>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let good = state.good.as_ref().filter(|(chain, _)| lasts(chain, now));
        if let Some((chain, at)) = good
            && now.seconds_since(*at) < CERTIFICATE_SECONDS_MAX
        {
            return Some(Ok(Arc::clone(chain)));
        }
        let (failure, at) = state.failed.as_ref()?;
        if now.seconds_since(*at) >= CERTIFICATE_NEGATIVE_SECONDS {
            return None;
        }
        // An outage: the last good chain serves until it ends.
        if let Some((chain, _)) = good {
            return Some(Ok(Arc::clone(chain)));
        }
        Some(match failure {
            Failure::Unavailable(problem) => {
                Err(CertificateError::Unavailable { problem: problem.clone() })
            }
            Failure::Unusable(chain) => Ok(Arc::clone(chain)),
        })
    }

    fn record(&self, fetched: Result<CertificateChain, String>, now: UnixSeconds, url: &CertUrl) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = match fetched {
            Ok(chain) if lasts(&chain, now) => {
                *state = State { good: Some((Arc::new(chain), now)), failed: None };
                return;
            }
            Ok(chain) => Failure::Unusable(Arc::new(chain)),
            Err(problem) => Failure::Unavailable(problem),
        };
        let served = if state.good.is_some() { "the last good one serves on" } else { "none" };
        match &failure {
            Failure::Unavailable(problem) => {
                tracing::warn!(url = url.as_str(), problem, served, "Certificate not fetched");
            }
            Failure::Unusable(_) => {
                let problem = "what is served is no valid certificate";
                tracing::warn!(url = url.as_str(), problem, served, "Certificate not usable");
            }
        }
        state.failed = Some((failure, now));
    }
}

fn lasts(chain: &CertificateChain, now: UnixSeconds) -> bool {
    chain.not_after().is_some_and(|end| now <= end)
}
