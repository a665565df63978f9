//! Explanations of refusals: a few in a second, one at a time, on a thread of their own, and none
//! while calls are many. A refusal does without rather than that an honest call waits.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::journey::Webhooks;
use crate::{
    accounts::{Account, Caller},
    limits::{EXPLAIN_OTHERS_MAX, EXPLAIN_WAIT_MS, EXPLAINED_PER_SECOND},
    proto::{MismatchCause, WebhookRequest},
    telemetry::{Metrics, Sampler},
    verify::{
        CertificateChain, CheckTime, Header, Rejection, Request, Step, Unverified,
        explain::{Cause, Finding, Inquiry, explain},
    },
};

/// What bounds explanations.
#[derive(Debug)]
pub(super) struct Explainer {
    /// So many in a second.
    admitted: Sampler,
    /// One at a time.
    one: Arc<Semaphore>,
    /// None while more calls than this are under way.
    calls_max: usize,
}

impl Explainer {
    pub(super) fn new(calls_max: usize) -> Self {
        let one = Arc::new(Semaphore::new(1));
        Self { admitted: Sampler::new(EXPLAINED_PER_SECOND), one, calls_max }
    }

    /// The place of the one that is explained; none where this refusal does without.
    fn admit(&self, metrics: &Metrics) -> Option<OwnedSemaphorePermit> {
        let calls = usize::try_from(metrics.in_flight.get()).unwrap_or_default();
        if calls > self.calls_max {
            return None;
        }
        let place = Arc::clone(&self.one).try_acquire_owned().ok()?;
        self.admitted.admit().map(|_| place)
    }
}

impl Webhooks {
    /// The likely cause of a refusal; nothing where it is not looked for, or not now.
    pub(super) async fn explain(
        &self,
        webhook: &WebhookRequest,
        caller: &Caller,
        account: &Arc<Account>,
        rejection: &Rejection,
        at: CheckTime,
    ) -> Finding {
        if !Finding::is_looked_for(rejection) {
            return Finding::default();
        }
        let Some(place) = self.explainer.admit(&self.metrics) else { return Finding::default() };
        let chain = match rejection {
            Rejection::SignatureMismatch { .. } => self.chain_again(webhook, account).await,
            Rejection::BodySubstituted { .. }
            | Rejection::CertificateUnavailable { .. }
            | Rejection::CertificateUntrusted { .. }
            | Rejection::PayloadMalformed { .. }
            | Rejection::PayloadUndecodable { .. }
            | Rejection::SignatureMalformed { .. }
            | Rejection::SignatureMissing { .. }
            | Rejection::TimestampInFuture { .. }
            | Rejection::TimestampTooOld { .. } => None,
        };
        let others = self.accounts.siblings(account, caller, EXPLAIN_OTHERS_MAX);
        let (webhook, account) = (webhook.clone(), Arc::clone(account));
        let rejection = rejection.clone();
        let look = move || {
            let found = look(&webhook, &account, &rejection, at, chain, &others);
            drop(place);
            found
        };
        let looked = tokio::task::spawn_blocking(look);
        let looked = timeout(Duration::from_millis(EXPLAIN_WAIT_MS), looked).await;
        looked.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// The certificate that was compared: it was fetched a moment ago and is at hand.
    async fn chain_again(
        &self,
        webhook: &WebhookRequest,
        account: &Account,
    ) -> Option<Arc<CertificateChain>> {
        let headers = headers(webhook);
        let unverified = Unverified::new(request(webhook, &headers));
        let Ok(Step::NeedsCertificate(needs)) = unverified.check_with(account.verifier()) else {
            return None;
        };
        self.accounts.outside().chain(account, needs.url()).await.ok()
    }
}

fn look(
    webhook: &WebhookRequest,
    account: &Account,
    rejection: &Rejection,
    at: CheckTime,
    chain: Option<Arc<CertificateChain>>,
    others: &[Arc<Account>],
) -> Finding {
    let headers = headers(webhook);
    let others: Vec<_> =
        others.iter().map(|other| (other.variant().as_str(), other.verifier())).collect();
    explain(&Inquiry {
        request: request(webhook, &headers),
        verifier: account.verifier(),
        rejection,
        at,
        chain,
        others: &others,
    })
}

pub(super) fn headers(webhook: &WebhookRequest) -> Vec<Header<'_>> {
    let headers = webhook.headers.iter();
    headers.map(|header| Header { name: &header.name, value: &header.value }).collect()
}

pub(super) fn request<'a>(webhook: &'a WebhookRequest, headers: &'a [Header<'a>]) -> Request<'a> {
    Request { method: &webhook.method, url: &webhook.url, headers, body: &webhook.body }
}

/// A cause in the contract's words.
pub(super) fn cause_proto(cause: Option<Cause>) -> MismatchCause {
    let name = cause.map(|cause| format!("MISMATCH_CAUSE_{}", cause.label()));
    name.and_then(|name| MismatchCause::from_str_name(&name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_word_in_the_contract() {
        for cause in Cause::ALL {
            assert_ne!(cause_proto(Some(cause)), MismatchCause::Unspecified, "{cause:?}");
        }
        assert_eq!(cause_proto(None), MismatchCause::Unspecified);
    }

    #[test]
    fn no_more_than_the_bound_are_explained_and_none_under_load() {
        let (explainer, metrics) = (Explainer::new(2), Metrics::default());
        let first = explainer.admit(&metrics);
        assert!(first.is_some());
        assert!(explainer.admit(&metrics).is_none(), "one at a time");
        drop(first);
        metrics.in_flight.set(3);
        assert!(explainer.admit(&metrics).is_none(), "calls come first");
        metrics.in_flight.set(2);
        // The loop may see two seconds, not three.
        let admitted = (0..1000).filter(|_| explainer.admit(&metrics).is_some()).count();
        assert!((9..=20).contains(&admitted), "{admitted}");
    }
}
