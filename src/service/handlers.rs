//! The RPCs: each takes a request to the journey and its outcome to a response.

use std::{future, pin::Pin, sync::Arc};

use futures_util::{Stream, stream};
use tonic::{Request, Response, Status, Streaming};

use super::{
    convert,
    journey::{Judged, Refused, Webhooks},
    mapping,
    status::{self, Refusal},
};
use crate::{
    accounts::{Account, Caller, KeyState, VariantState},
    model::UnixSeconds,
    proto::{self, payment_webhook_service_server::PaymentWebhookService},
    verify::Verifier,
};

/// The service as tonic serves it.
#[derive(Clone, Debug)]
pub struct PaymentWebhooks {
    webhooks: Arc<Webhooks>,
}

impl PaymentWebhooks {
    /// Serves these webhooks.
    pub const fn new(webhooks: Arc<Webhooks>) -> Self {
        Self { webhooks }
    }

    /// The status of a refused webhook.
    fn refuse(&self, webhook: &proto::WebhookRequest, refused: &Refused) -> Status {
        status::status(&refused.refusal, self.webhooks.context(webhook, refused))
    }

    /// One outcome per item: a failing item never ends the stream.
    async fn verify_item(
        &self,
        item: proto::VerifyAndParseStreamRequest,
        caller: &Caller,
    ) -> proto::VerifyAndParseStreamResponse {
        use proto::verify_and_parse_stream_response::Outcome;
        let webhook = item.webhook.unwrap_or_default();
        let judged = self.webhooks.judge(&webhook, caller, verified_response).await;
        let outcome = match judged {
            Ok((response, account)) => Outcome::Success(self.counted(response, &account)),
            Err(refused) => {
                let context = self.webhooks.context(&webhook, &refused);
                let refusal = &refused.refusal;
                let row = refusal.row();
                Outcome::Failure(proto::StreamFailure {
                    code: i32::from(row.code),
                    message: refusal.to_string(),
                    reason: row.reason.into(),
                    diagnostics: Some(status::diagnostics(refusal, context)),
                })
            }
        };
        proto::VerifyAndParseStreamResponse {
            correlation_id: item.correlation_id,
            outcome: Some(outcome),
        }
    }

    async fn verify_one(
        &self,
        webhook: &proto::WebhookRequest,
        caller: &Caller,
    ) -> Result<proto::VerifyAndParseResponse, Status> {
        match self.webhooks.judge(webhook, caller, verified_response).await {
            Ok((response, account)) => Ok(self.counted(response, &account)),
            Err(refused) => Err(self.refuse(webhook, &refused)),
        }
    }

    fn counted(
        &self,
        mut response: proto::VerifyAndParseResponse,
        account: &Account,
    ) -> proto::VerifyAndParseResponse {
        response.delivery = Some(self.webhooks.delivered(account, &response.events));
        response
    }
}

/// What the unary call is answered with.
type VerifyAndParseResult = Result<Response<proto::VerifyAndParseResponse>, Status>;

/// Outcomes of a stream.
type OutcomeStream =
    Pin<Box<dyn Stream<Item = Result<proto::VerifyAndParseStreamResponse, Status>> + Send>>;

#[tonic::async_trait]
impl PaymentWebhookService for PaymentWebhooks {
    // What an async function of this trait stands for: written out, so that the future of the
    // call that nearly all calls are holds no more than it needs.
    fn verify_and_parse<'s, 'c>(
        &'s self,
        request: Request<proto::VerifyAndParseRequest>,
    ) -> Pin<Box<dyn Future<Output = VerifyAndParseResult> + Send + 'c>>
    where
        's: 'c,
        Self: 'c,
    {
        let caller = caller(&request);
        match webhook(request.into_inner().webhook) {
            Ok(webhook) => {
                Box::pin(async move { self.verify_one(&webhook, &caller).await.map(Response::new) })
            }
            Err(status) => Box::pin(future::ready(Err(status))),
        }
    }

    async fn map_status(
        &self,
        request: Request<proto::MapStatusRequest>,
    ) -> Result<Response<proto::MapStatusResponse>, Status> {
        let caller = caller(&request);
        let request = request.into_inner();
        let current = request.current.as_ref();
        let Some(source) = request.source else {
            return Err(invalid("a source is required: webhook, event or gateway_status"));
        };
        let mapped = match source {
            proto::map_status_request::Source::Webhook(webhook) => {
                let finish = |account: &Account, judged: Judged<'_>| {
                    mapping::webhook(account, judged, current)
                };
                let judged = self.webhooks.judge(&webhook, &caller, finish).await;
                judged
                    .and_then(|(mapped, account)| {
                        mapped.map_err(|refusal| Refused::new(refusal, Some(account)))
                    })
                    .map_err(|refused| self.refuse(&webhook, &refused))?
            }
            proto::map_status_request::Source::Event(event) => {
                mapping::event(&event, current).map_err(|refusal| bare(&refusal))?
            }
            proto::map_status_request::Source::GatewayStatus(polled) => {
                let account = match polled.variant.as_str() {
                    "" => None,
                    name => Some(self.webhooks.accounts.account(name).await),
                };
                let account = account.transpose().map_err(|error| bare(&error.into()))?;
                if account.as_ref().is_some_and(|account| !account.allows(&caller)) {
                    return Err(bare(&Refusal::CallerNotAllowed));
                }
                let options = account.as_ref().map(|account| account.verifier());
                mapping::polled(&polled, options.map(Verifier::options), current)
                    .map_err(|refusal| bare(&refusal))?
            }
        };
        Ok(Response::new(mapped))
    }

    type VerifyAndParseStreamStream = OutcomeStream;

    async fn verify_and_parse_stream(
        &self,
        request: Request<Streaming<proto::VerifyAndParseStreamRequest>>,
    ) -> Result<Response<Self::VerifyAndParseStreamStream>, Status> {
        let caller = caller(&request);
        let items = request.into_inner();
        let service = self.clone();
        // One item at a time: the next is read when the client took the last answer, which is all
        // the back-pressure a stream needs.
        let outcomes = stream::unfold(items, move |mut items| {
            let (service, caller) = (service.clone(), caller.clone());
            async move {
                let item = match items.message().await {
                    Ok(item) => item?,
                    Err(status) => return Some((Err(status), items)),
                };
                Some((Ok(service.verify_item(item, &caller).await), items))
            }
        });
        Ok(Response::new(Box::pin(outcomes)))
    }

    async fn list_variants(
        &self,
        request: Request<proto::ListVariantsRequest>,
    ) -> Result<Response<proto::ListVariantsResponse>, Status> {
        let caller = caller(&request);
        let accounts = &self.webhooks.accounts;
        // Reads what was never read: a variant that nobody used yet is no problem to report.
        accounts.list().await;
        let states = accounts.states();
        let states = states.iter().filter(|state| state.allows(&caller));
        Ok(Response::new(proto::ListVariantsResponse {
            variants: states.map(variant_info).collect(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            config_revision: accounts.revision(),
            config_problem: accounts.refused().unwrap_or_default(),
        }))
    }
}

fn verified_response(account: &Account, judged: Judged<'_>) -> proto::VerifyAndParseResponse {
    match judged {
        Judged::Challenge(answer) => proto::VerifyAndParseResponse {
            reply: Some(proto::HttpReply {
                status: 200,
                content_type: "text/plain".to_owned(),
                body: answer.into_bytes(),
            }),
            challenge: true,
            ..proto::VerifyAndParseResponse::default()
        },
        Judged::Verified(verified, events) => {
            let events = events.into_iter().enumerate();
            proto::VerifyAndParseResponse {
                events: events
                    .map(|(position, event)| convert::event(account, verified, event, position))
                    .collect(),
                verification: Some(convert::verification(verified.evidence())),
                delivery: None,
                reply: Some(convert::reply(account.gateway().reply)),
                challenge: false,
            }
        }
    }
}

fn variant_info(state: &VariantState) -> proto::VariantInfo {
    let last = state.last_matched().map(|key| convert::key_role(key.role));
    let tolerance = state.tolerance_seconds;
    proto::VariantInfo {
        name: state.variant.as_str().to_owned(),
        gateway: state.gateway.name.to_owned(),
        environment: state
            .environment
            .map_or(proto::Environment::Unspecified, convert::environment_proto)
            .into(),
        keys: state.keys.iter().map(key_info).collect(),
        tolerance: tolerance.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        loaded_at: state.loaded_at.map(seconds),
        problem: state.problem.as_deref().unwrap_or_default().to_owned(),
        last_matched_role: last.unwrap_or(proto::KeyRole::Unspecified).into(),
    }
}

fn key_info(key: &KeyState) -> proto::KeyInfo {
    proto::KeyInfo {
        key_label: key.label.clone(),
        role: convert::key_role(key.role).into(),
        last_used_at: key.last_used.map(seconds),
        expires_at: key.expires_at.map(seconds),
        held_since: key.held_since.map(seconds),
    }
}

fn seconds(at: UnixSeconds) -> prost_types::Timestamp {
    convert::timestamp(at.into())
}

/// Who calls: what the listener knows of the peer, and the bearer token.
fn caller<T>(request: &Request<T>) -> Caller {
    let mut caller = request.extensions().get::<Caller>().cloned().unwrap_or_default();
    let bearer = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    if let Some(token) = bearer.and_then(|text| text.strip_prefix("Bearer ")) {
        caller.set_bearer(token);
    }
    caller
}

fn webhook(webhook: Option<proto::WebhookRequest>) -> Result<proto::WebhookRequest, Status> {
    webhook.ok_or_else(|| invalid("a webhook is required"))
}

fn invalid(problem: &'static str) -> Status {
    bare(&Refusal::Request { problem })
}

/// The status of a refusal that belongs to no webhook.
fn bare(refusal: &Refusal) -> Status {
    status::status(refusal, status::Context::default())
}
