//! The service as the server calls it, in process: what a whole answer costs without a network.

use std::{
    future::Future,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use payhook::{
    accounts::VariantSpec,
    accounts::{Accounts, CacheSettings, Clock, KeySpec, Repeats, SecretRef, SystemSecrets},
    model::{Secret, Variant},
    proto::{self, payment_webhook_service_server::PaymentWebhookService as _},
    service::{Guardrails, PaymentWebhooks, Webhooks},
    telemetry::Metrics,
    verify::KeyRole,
};
use prost::Message as _;
use tonic::Request;

use crate::signed::{NOW, Webhook};

/// One variant, named after its gateway, behind the real service.
pub struct Calls {
    service: PaymentWebhooks,
}

impl Calls {
    /// A service that knows these webhooks' variants; those that ask outside are left out.
    pub fn new(webhooks: &[Webhook]) -> Self {
        let clock: Clock = Arc::new(|| NOW);
        let mut specs: Vec<_> = webhooks.iter().map(spec).collect();
        specs.dedup_by(|one, other| one.variant == other.variant);
        let (source, settings) = (Arc::new(SystemSecrets), CacheSettings::default());
        let accounts =
            Accounts::new(specs, "bench".to_owned(), source, Arc::clone(&clock), settings);
        let (metrics, repeats) = (Arc::new(Metrics::default()), Repeats::new(0, 0));
        let accounts = Arc::new(accounts);
        let webhooks = Webhooks::new(accounts, clock, metrics, repeats, Guardrails::default());
        Self { service: PaymentWebhooks::new(Arc::new(webhooks)) }
    }

    /// Loads the account of this webhook, which takes a task: every later call is ready at once.
    pub fn warm(self, webhook: &Webhook) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let request = decode(&request(webhook));
        let answer = self.service.verify_and_parse(Request::new(request));
        let answer = runtime.expect("a runtime").block_on(answer);
        answer.unwrap_or_else(|status| panic!("{}: {status}", webhook.name));
        self
    }

    /// From the request's bytes to the answer's bytes.
    pub fn verify_and_parse(&self, request: &bytes::Bytes) -> usize {
        self.answer(decode(request)).encode_to_vec().len()
    }

    /// From the request's message to the answer's: what the library that carries them does not do.
    pub fn answer(&self, request: proto::VerifyAndParseRequest) -> proto::VerifyAndParseResponse {
        let answer = ready(self.service.verify_and_parse(Request::new(request)));
        answer.unwrap_or_else(|status| panic!("{status}")).into_inner()
    }

    /// Bytes that a call's future takes.
    pub fn future_bytes(&self, request: &bytes::Bytes) -> usize {
        size_of_val(&*self.service.verify_and_parse(Request::new(decode(request))))
    }

    /// Maps a bare status word.
    pub fn map_status(&self, request: &bytes::Bytes) -> usize {
        let request = proto::MapStatusRequest::decode(request.clone()).expect("encoded here");
        let answer = ready(self.service.map_status(Request::new(request)));
        answer.unwrap_or_else(|status| panic!("{status}")).into_inner().encode_to_vec().len()
    }
}

/// A request as the library hands it over.
pub fn decode(request: &bytes::Bytes) -> proto::VerifyAndParseRequest {
    proto::VerifyAndParseRequest::decode(request.clone()).expect("encoded here")
}

/// The bytes of a call with this webhook.
pub fn request(webhook: &Webhook) -> bytes::Bytes {
    let signed = webhook.signed.clone();
    let headers = signed.headers.into_iter();
    let webhook = proto::WebhookRequest {
        variant: webhook.gateway.name.to_owned(),
        body: signed.body.into(),
        headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
        method: "POST".to_owned(),
        url: signed.url,
        received_at: None,
    };
    proto::VerifyAndParseRequest { webhook: Some(webhook) }.encode_to_vec().into()
}

/// The bytes of a call that maps a payment intent as Stripe's API returns it.
pub fn map_request() -> bytes::Bytes {
    let polled = proto::GatewayStatus {
        gateway: "stripe".to_owned(),
        object_type: "payment_intent".to_owned(),
        status: "requires_capture".to_owned(),
        ..proto::GatewayStatus::default()
    };
    let source = proto::map_status_request::Source::GatewayStatus(polled);
    let request = proto::MapStatusRequest { source: Some(source), current: None };
    request.encode_to_vec().into()
}

fn spec(webhook: &Webhook) -> VariantSpec {
    let fields = webhook.fields().into_iter();
    let fields = fields.map(|(name, value)| (name, SecretRef::Inline(Secret::new(value))));
    let key =
        KeySpec { label: None, role: KeyRole::Current, expires_at: None, fields: fields.collect() };
    VariantSpec {
        variant: Variant::new(webhook.gateway.name).expect("a name"),
        gateway: webhook.gateway,
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![key],
        options: webhook.options.clone(),
        option_refs: Default::default(),
        accept_received_at_max_seconds: 0,
    }
}

/// The result of a call that has nothing to wait for.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("a call whose account is loaded waited"),
    }
}
