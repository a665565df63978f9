//! The journey of one webhook: shape, variant, caller, signature, meaning, guards.

use std::{fmt, pin::Pin, sync::Arc, time::Instant};

use sha2::{Digest as _, Sha256};

use super::{
    challenges::Challenges,
    convert,
    explain::{self, Explainer},
    status::{Context, Refusal},
};
use crate::{
    accounts::{self, Account, Accounts, Bodies, BodyCheck, Caller, Clock, GuardError, Repeats},
    limits::{
        self, BODIES_MAX, BODIES_WINDOW_SECONDS, CALLS_DEFAULT, HEADER_BYTES_MAX, HEADERS_MAX,
        URL_BYTES_MAX,
    },
    model::{Event, UnixSeconds, Variant},
    proto::{self, WebhookRequest},
    telemetry::Metrics,
    verify::{CheckTime, Header, Rejection, Step, Unverified, Verified, explain::Finding},
};

/// Bounds of one request, configurable downward.
#[derive(Clone, Copy, Debug)]
pub struct Guardrails {
    /// Most bytes of a body.
    pub body_bytes_max: usize,
    /// Most bytes of header names and values together.
    pub header_bytes_max: usize,
    /// Most header fields.
    pub headers_max: usize,
    /// Whether every verdict is logged.
    pub audit: bool,
    /// Refusals are explained while no more calls than this are under way.
    pub explain_calls_max: usize,
}

impl Default for Guardrails {
    fn default() -> Self {
        Self {
            body_bytes_max: limits::BODY_BYTES_DEFAULT,
            header_bytes_max: HEADER_BYTES_MAX,
            headers_max: HEADERS_MAX,
            audit: false,
            explain_calls_max: CALLS_DEFAULT / 2,
        }
    }
}

/// Verifies webhooks of the configured accounts.
pub struct Webhooks {
    pub(super) accounts: Arc<Accounts>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) repeats: Repeats,
    bodies: Bodies,
    challenges: Challenges,
    pub(super) explainer: Explainer,
    pub(super) guardrails: Guardrails,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("guardrails", &self.guardrails).finish_non_exhaustive()
    }
}

/// What a webhook came to, before it leaves for the wire.
pub(super) enum Judged<'a> {
    /// An endpoint challenge: answer with this text.
    Challenge(String),
    /// Verified, read and within the variant's guards.
    Verified(&'a Verified<'a>, Vec<Event<'a>>),
}

/// What a journey ends with, and the account.
pub(super) type Judgement<R> = Result<(R, Arc<Account>), Refused>;

/// A refusal, the account where the variant is known, and the likely cause.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) account: Option<Arc<Account>>,
    pub(super) finding: Finding,
}

/// What is left of a journey whose account is at hand.
enum Next<'a, R> {
    /// Nothing.
    Done(R),
    /// An answer from outside. Boxed: few webhooks need it.
    Waits(Pin<Box<dyn Future<Output = Result<R, Refusal>> + Send + 'a>>),
}

impl Refused {
    pub(super) fn new(refusal: Refusal, account: Option<Arc<Account>>) -> Self {
        Self { refusal, account, finding: Finding::default() }
    }
}

impl Webhooks {
    /// Joins what a journey needs.
    pub fn new(
        accounts: Arc<Accounts>,
        clock: Clock,
        metrics: Arc<Metrics>,
        repeats: Repeats,
        guardrails: Guardrails,
    ) -> Self {
        let bodies = Bodies::new(BODIES_WINDOW_SECONDS, BODIES_MAX);
        let explainer = Explainer::new(guardrails.explain_calls_max);
        let challenges = Challenges::default();
        Self { accounts, clock, metrics, repeats, bodies, challenges, explainer, guardrails }
    }

    /// Takes one webhook through the journey and hands what it came to to `finish`.
    pub(super) async fn judge<R>(
        &self,
        webhook: &WebhookRequest,
        caller: &Caller,
        finish: impl FnOnce(&Account, Judged<'_>) -> R + Send,
    ) -> Judgement<R> {
        let started = Instant::now();
        let mut judged = self.judge_shape(webhook, caller, finish).await;
        self.metrics.took(started.elapsed());
        if let Err(refused) = &mut judged {
            // Boxed: an accepted webhook does not carry its room.
            Box::pin(self.look_into(webhook, caller, refused)).await;
        }
        self.tell(webhook, &judged);
        judged
    }

    /// Looks for the cause of a refusal. The refusal stays what it is.
    async fn look_into(&self, webhook: &WebhookRequest, caller: &Caller, refused: &mut Refused) {
        let (Refusal::Rejected(rejection), Some(account)) = (&refused.refusal, &refused.account)
        else {
            return;
        };
        let Ok(at) = check_time(account, webhook, (self.clock)()) else { return };
        refused.finding = self.explain(webhook, caller, account, rejection, at).await;
    }

    async fn judge_shape<R>(
        &self,
        webhook: &WebhookRequest,
        caller: &Caller,
        finish: impl FnOnce(&Account, Judged<'_>) -> R + Send,
    ) -> Judgement<R> {
        let refused = |refusal| Refused::new(refusal, None);
        let shape = |problem| refused(Refusal::Request { problem });
        check_shape(webhook, self.guardrails).map_err(refused)?;
        Variant::check(&webhook.variant).map_err(|_| shape("the variant is no variant name"))?;
        let account = self.accounts.account(&webhook.variant).await;
        let account = account.map_err(|error| refused(error.into()))?;
        let headers = explain::headers(webhook);
        let judged = match self.judge_for(&account, webhook, &headers, caller, finish) {
            Ok(Next::Done(finished)) => Ok(finished),
            Ok(Next::Waits(judged)) => judged.await,
            Err(refusal) => Err(refusal),
        };
        match judged {
            Ok(finished) => Ok((finished, account)),
            Err(refusal) => Err(Refused::new(refusal, Some(account))),
        }
    }

    /// All that needs nobody else. What an async function holds is moved as often as it is
    /// called through others, so that this is none.
    fn judge_for<'a, R: 'a>(
        &'a self,
        account: &'a Account,
        webhook: &'a WebhookRequest,
        headers: &'a [Header<'a>],
        caller: &Caller,
        finish: impl FnOnce(&Account, Judged<'_>) -> R + Send + 'a,
    ) -> Result<Next<'a, R>, Refusal> {
        if !account.allows(caller) {
            return Err(Refusal::CallerNotAllowed);
        }
        let now = (self.clock)();
        let at = check_time(account, webhook, now)?;
        let request = explain::request(webhook, headers);
        let outside = self.accounts.outside();
        // A check is large: where nothing else is needed it is used where it is.
        match Unverified::new(request).check_with(account.verifier()) {
            Ok(Step::Ready(ref check)) => {
                self.conclude(account, webhook, &check.run(at)?, now, finish).map(Next::Done)
            }
            Ok(Step::Challenge(answer)) if self.challenges.admit(account.variant(), now) => {
                Ok(Next::Done(finish(account, Judged::Challenge(answer))))
            }
            Ok(Step::Challenge(_)) => Err(Refusal::Overloaded),
            Ok(Step::NeedsAnswer(needs)) => Ok(Next::Waits(Box::pin(async move {
                let verified = outside.confirm(account, needs).await?.run(at)?;
                self.conclude(account, webhook, &verified, now, finish)
            }))),
            Ok(Step::NeedsCertificate(needs)) => Ok(Next::Waits(Box::pin(async move {
                let verified = outside.certify(account, needs).await?.run(at)?;
                self.conclude(account, webhook, &verified, now, finish)
            }))),
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// What a verified webhook says, where the variant's guards hold; tells it, and hands it on.
    fn conclude<R>(
        &self,
        account: &Account,
        webhook: &WebhookRequest,
        verified: &Verified<'_>,
        now: UnixSeconds,
        finish: impl FnOnce(&Account, Judged<'_>) -> R,
    ) -> Result<R, Refusal> {
        account.key_used(verified.evidence().key_label, now);
        let events = (account.gateway().parse)(verified)?;
        for event in &events {
            account.guard(event).map_err(guard_refusal)?;
        }
        if let Some(id) = verified.signed_id() {
            self.check_body(account, id, webhook, now)?;
        }
        self.tell_verified(webhook, account, verified, &events);
        Ok(finish(account, Judged::Verified(verified, events)))
    }

    /// Where only a checksum of the body is signed, another body under one signed id was made up.
    fn check_body(
        &self,
        account: &Account,
        id: &str,
        webhook: &WebhookRequest,
        now: UnixSeconds,
    ) -> Result<(), Refusal> {
        match self.bodies.check(account.variant(), id, &webhook.body, now) {
            BodyCheck::New | BodyCheck::Same => Ok(()),
            BodyCheck::Different => {
                let variant = account.variant().as_str();
                tracing::error!(variant, id, "Signed id with another body: somebody forges");
                Err(Rejection::BodySubstituted { carrier: "of the delivery" }.into())
            }
        }
    }

    /// Counts a delivery, last of all, when everything else held. Several events in one body are a
    /// repeat only where every one of them is.
    pub(super) fn delivered(
        &self,
        account: &Account,
        events: &[proto::PaymentEvent],
    ) -> proto::Delivery {
        let now = (self.clock)();
        let mut known: Option<accounts::Delivery> = None;
        for event in events {
            let key = &event.idempotency_key;
            let Some(delivery) = self.repeats.record(account.variant(), key, now) else {
                return proto::Delivery::default();
            };
            let first = known.map_or(delivery, |known| known);
            known = Some(if delivery.count < first.count { delivery } else { first });
        }
        let Some(known) = known else { return proto::Delivery::default() };
        let (state, first_seen_at) = if known.count > 1 {
            let first = convert::timestamp(known.first_seen_at.into());
            (proto::DeliveryState::Repeated, Some(first))
        } else {
            (proto::DeliveryState::FirstSeen, None)
        };
        proto::Delivery { state: state.into(), first_seen_at, count: known.count }
    }

    /// What a developer needs to know about a refused webhook.
    pub(super) fn context(&self, webhook: &WebhookRequest, refused: &Refused) -> Context {
        let Refused { refusal, account, finding } = refused;
        let account = account.as_deref();
        let named = Variant::check(&webhook.variant).is_ok();
        let tried = matches!(refusal, Refusal::Rejected(_));
        let keys = account.filter(|_| tried).map(|account| account.verifier().keys());
        let labels = keys.unwrap_or_default().iter().map(|key| key.label().to_owned());
        let within = webhook.body.len() <= self.guardrails.body_bytes_max;
        Context {
            variant: if named { webhook.variant.clone() } else { String::new() },
            gateway: account.map_or("", |account| account.gateway().name),
            key_labels: labels.collect(),
            body_bytes: webhook.body.len(),
            body_sha256: if within { Sha256::digest(&webhook.body).to_vec() } else { Vec::new() },
            cause: explain::cause_proto(finding.cause),
            hint: finding.hint.clone(),
        }
    }
}

/// The request's own shape, before anything is looked up.
fn check_shape(webhook: &WebhookRequest, guardrails: Guardrails) -> Result<(), Refusal> {
    let (bytes, bytes_max) = (webhook.body.len(), guardrails.body_bytes_max);
    if bytes > bytes_max {
        return Err(Refusal::BodyTooLarge { bytes, bytes_max });
    }
    let refuse = |problem| Err(Refusal::Request { problem });
    if webhook.variant.is_empty() {
        return refuse("the variant is required");
    }
    if webhook.headers.len() > guardrails.headers_max {
        return refuse("more headers than allowed");
    }
    let sizes = webhook.headers.iter().map(|h| h.name.len().saturating_add(h.value.len()));
    if sizes.fold(0, usize::saturating_add) > guardrails.header_bytes_max {
        return refuse("more bytes of headers than allowed");
    }
    // A line break or NUL never arrives in a header: somebody glued texts together. Without an early
    // end, many bytes are compared at once.
    let broken = |text: &str| {
        text.bytes().fold(false, |found, byte| found | matches!(byte, b'\r' | b'\n' | 0))
    };
    if webhook.headers.iter().any(|h| h.name.is_empty() || broken(&h.name) || broken(&h.value)) {
        return refuse("a header has no name, or holds CR, LF or NUL");
    }
    if webhook.url.len() > URL_BYTES_MAX {
        return refuse("the url is longer than allowed");
    }
    Ok(())
}

/// Now, and when the webhook was received where the variant allows it to be said.
fn check_time(
    account: &Account,
    webhook: &WebhookRequest,
    now: UnixSeconds,
) -> Result<CheckTime, Refusal> {
    let Some(received) = &webhook.received_at else { return Ok(CheckTime::now(now)) };
    let refuse = |problem| Err(Refusal::Request { problem });
    let back_max = account.accept_received_at_max_seconds();
    if back_max == 0 {
        return refuse("received_at is not accepted by this variant");
    }
    let received_at = UnixSeconds::new(received.seconds);
    let back = now.seconds_since(received_at);
    if back < 0 {
        return refuse("received_at lies in the future");
    }
    if back > back_max {
        return refuse("received_at lies further back than this variant accepts");
    }
    Ok(CheckTime { now, received_at })
}

const fn guard_refusal(error: GuardError) -> Refusal {
    match error {
        GuardError::AccountMismatch => Refusal::AccountMismatch,
        GuardError::LiveEventOnTest => Refusal::LiveEventOnTest,
        GuardError::TestEventOnLive => Refusal::TestEventOnLive,
    }
}
