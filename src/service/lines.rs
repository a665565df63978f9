//! Counts every verdict, and writes its line: one per refusal, fewer in a flood; one per verdict
//! where an audit is wanted. Never the body, a signature or a secret.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::journey::{Judgement, Refused, Webhooks};
use crate::{
    accounts::Account,
    model::Event,
    proto::WebhookRequest,
    telemetry::{self, UNKNOWN_VARIANT, VERIFIED},
    verify::{KeyRole, Verified, explain::Cause},
};

impl Webhooks {
    /// Counts a verdict and logs a refusal.
    pub(super) fn tell<R>(&self, webhook: &WebhookRequest, judged: &Judgement<R>) {
        match judged {
            Ok((_, account)) => {
                let (variant, gateway) = (account.variant().as_str(), account.gateway().name);
                self.metrics.verdict(variant, gateway, VERIFIED);
                telemetry::note(variant, VERIFIED);
            }
            Err(refused) => self.tell_refused(webhook, refused),
        }
    }

    fn tell_refused(&self, webhook: &WebhookRequest, refused: &Refused) {
        let (refusal, account) = (&refused.refusal, refused.account.as_deref());
        let (cause, hint) = (refused.finding.cause.map(Cause::label), &refused.finding.hint);
        let hint = Some(hint.as_str()).filter(|hint| !hint.is_empty());
        let variant = account.map_or(UNKNOWN_VARIANT, |account| account.variant().as_str());
        let gateway = account.map_or("", |account| account.gateway().name);
        let reason = refusal.label();
        self.metrics.verdict(variant, gateway, reason);
        telemetry::note(variant, reason);
        let body_bytes = webhook.body.len();
        if self.guardrails.audit {
            // An audit is whole, or it is none.
            let body_sha256 = Hex::of(&webhook.body, self.guardrails.body_bytes_max);
            tracing::info!(variant, gateway, reason, error = %refusal, cause, hint, body_bytes,
                %body_sha256, "Webhook refused");
        } else if let Some(held_back) = self.metrics.refusal_lines.admit() {
            tracing::info!(variant, gateway, reason, error = %refusal, cause, hint, body_bytes,
                held_back, "Webhook refused");
        }
    }

    /// What an authentic webhook tells the metrics, and the audit where one is wanted.
    pub(super) fn tell_verified(
        &self,
        webhook: &WebhookRequest,
        account: &Account,
        verified: &Verified<'_>,
        events: &[Event<'_>],
    ) {
        let (variant, gateway) = (account.variant().as_str(), account.gateway().name);
        let evidence = verified.evidence();
        if evidence.key_role == KeyRole::Previous {
            self.metrics.previous_key_used(variant, gateway);
        }
        if self.guardrails.audit {
            let body_sha256 = Hex::of(&webhook.body, self.guardrails.body_bytes_max);
            let ids: Vec<_> = events.iter().filter_map(|event| event.id.as_deref()).collect();
            tracing::info!(variant, gateway, reason = VERIFIED, key = evidence.key_label,
                event_ids = ?ids, body_bytes = webhook.body.len(), %body_sha256,
                "Webhook verified");
        }
    }
}

/// A digest in hexadecimal digits; nothing for a body over the limit, which is not hashed.
struct Hex(Option<[u8; 32]>);

impl Hex {
    fn of(body: &[u8], bytes_max: usize) -> Self {
        Self((body.len() <= bytes_max).then(|| Sha256::digest(body).into()))
    }
}

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().flatten().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
