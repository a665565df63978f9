//! What a client of the service can send: any bytes as a message, through the whole service.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use payhook::{
    accounts::{
        Accounts, AnswerError, Asking, CacheSettings, Clock, FixedCertificates, KeySpec, Outside,
        PostBack, Repeats, SecretRef, SystemSecrets, VariantSpec,
    },
    model::{Currency, Money, Secret, UnixSeconds, Variant},
    proto::{self, ErrorReason, payment_webhook_service_server::PaymentWebhookService as _},
    service::{Guardrails, PaymentWebhooks, Webhooks},
    telemetry::Metrics,
    verify::{Header, KeyRole, Question, Request},
};
use prost::Message as _;
use tokio::runtime::{Builder, Runtime};
use tonic::{Code, Status};

use super::{
    NOW, certificates,
    requests::read,
    setups::{SETUPS, Setup},
};

/// The first byte chooses: a message for `VerifyAndParse`, one for `MapStatus`, or a webhook of the
/// setup that the second byte chooses, in lines.
pub fn rpc(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    match kind % 4 {
        0 => {
            if let Ok(request) = proto::VerifyAndParseRequest::decode(rest) {
                verify(request);
            }
        }
        1 => {
            if let Ok(request) = proto::MapStatusRequest::decode(rest) {
                map(request);
            }
        }
        2 => {
            if let Some(webhook) = webhook(rest) {
                verify(proto::VerifyAndParseRequest { webhook: Some(webhook) });
            }
        }
        _ => {
            if let Some(webhook) = webhook(rest) {
                let source = Some(proto::map_status_request::Source::Webhook(webhook));
                let current = Some(proto::PaymentState::default());
                map(proto::MapStatusRequest { source, current });
            }
        }
    }
}

fn webhook(data: &[u8]) -> Option<proto::WebhookRequest> {
    let (byte, input) = data.split_first()?;
    let (method, url, headers, body) = read(input)?;
    let header = |header: Header<'_>| proto::HttpHeader {
        name: header.name.to_owned(),
        value: header.value.to_owned(),
    };
    Some(proto::WebhookRequest {
        variant: name(usize::from(*byte) % SETUPS.len()),
        body: body.to_vec().into(),
        headers: headers.into_iter().map(header).collect(),
        method: method.to_owned(),
        url: url.to_owned(),
        received_at: None,
    })
}

/// The name of the variant of a setup.
fn name(position: usize) -> String {
    format!("v{position}")
}

fn verify(request: proto::VerifyAndParseRequest) {
    let webhook = request.webhook.clone().unwrap_or_default();
    let (runtime, service) = service();
    match runtime.block_on(service.verify_and_parse(tonic::Request::new(request))) {
        Ok(response) => {
            let response = response.into_inner();
            assert_eq!(response.challenge, response.verification.is_none());
            assert!(!response.challenge || response.events.is_empty());
            assert!(response.reply.is_some());
            response.events.iter().for_each(event);
            if !response.challenge && webhook.received_at.is_none() {
                signed(&webhook);
            }
        }
        Err(status) => refused(&status),
    }
}

/// What was verified carries a signature.
fn signed(webhook: &proto::WebhookRequest) {
    let position = (0..SETUPS.len()).find(|at| name(*at) == webhook.variant);
    let setup = &SETUPS[position.expect("only configured variants verify")];
    let headers: Vec<_> = webhook
        .headers
        .iter()
        .map(|header| Header { name: &header.name, value: &header.value })
        .collect();
    let (method, url, body) = (&*webhook.method, &*webhook.url, &webhook.body);
    let request = Request { method, url, headers: &headers, body };
    assert!((setup.proof)(&request), "{}: verified without a signature", setup.gateway);
}

fn event(event: &proto::PaymentEvent) {
    assert!(!event.idempotency_key.is_empty());
    assert!(proto::EventType::try_from(event.r#type).is_ok(), "{event:?}");
    assert!(proto::PaymentStatus::try_from(event.status).is_ok(), "{event:?}");
    assert!(proto::SubjectKind::try_from(event.subject_kind).is_ok(), "{event:?}");
    let unknown = event.r#type() == proto::EventType::Unrecognized;
    assert!(!unknown || event.status() == proto::PaymentStatus::Unspecified, "{event:?}");
    event.amount.iter().for_each(amount);
}

fn amount(amount: &proto::Money) {
    let currency = Currency::new(&amount.currency_code).expect("a currency");
    assert_eq!(amount.exponent, currency.exponent());
    assert!(amount.minor_units >= 0, "{amount:?}");
    let read = Money::from_decimal(&amount.decimal, currency).map(Money::minor_units);
    assert_eq!(read, Ok(amount.minor_units), "{amount:?}");
}

fn map(request: proto::MapStatusRequest) {
    let blind = request.current.is_none();
    let (runtime, service) = service();
    match runtime.block_on(service.map_status(tonic::Request::new(request))) {
        Ok(response) => {
            let response = response.into_inner();
            let advice = response.advice();
            assert!(proto::TransitionAdvice::try_from(response.advice).is_ok());
            assert!(!response.rule.is_empty() && !response.explanation.is_empty());
            assert!(!blind || advice != proto::TransitionAdvice::Apply, "{response:?}");
            response.captured.iter().chain(&response.refunded).for_each(amount);
        }
        Err(status) => refused(&status),
    }
}

/// Every refusal has its row, and none is our own bug.
fn refused(status: &Status) {
    let known = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::Unauthenticated
            | Code::Unavailable
    );
    assert!(known, "{status:?}");
    let text = |name: &str| status.metadata().get(name).and_then(|value| value.to_str().ok());
    let reason = format!("ERROR_REASON_{}", text("x-payhook-reason").expect("a reason"));
    assert!(ErrorReason::from_str_name(&reason).is_some(), "{reason}");
    let answer: u16 = text("x-payhook-http-status").expect("an answer").parse().expect("a number");
    assert!((200..600).contains(&answer), "{answer}");
    for setup in SETUPS {
        for (_, secret) in setup.key.iter().filter(|(field, _)| field.contains("secret")) {
            assert!(!status.message().contains(secret), "{status:?}");
        }
    }
}

/// Says yes to everything: what counts is who is asked, and about what.
struct Yes;

impl PostBack for Yes {
    fn ask<'a>(&'a self, _: &'a Question<'a>) -> Asking<'a> {
        Box::pin(async { Ok::<_, AnswerError>(b"VERIFIED".to_vec()) })
    }
}

fn service() -> &'static (Runtime, PaymentWebhooks) {
    static SERVICE: OnceLock<(Runtime, PaymentWebhooks)> = OnceLock::new();
    SERVICE.get_or_init(|| {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let clock: Clock = Arc::new(|| UnixSeconds::new(NOW));
        let url = certificates::GENUINE.url.to_owned();
        let chain = certificates::world().chain.as_bytes().to_vec();
        let outside = Outside {
            certificates: Arc::new(FixedCertificates::new([(url, chain)])),
            post_back: Arc::new(Yes),
        };
        let specs = SETUPS.iter().enumerate().map(|(at, setup)| spec(setup, &name(at))).collect();
        let accounts = Accounts::new(
            specs,
            "fuzz".to_owned(),
            Arc::new(SystemSecrets),
            Arc::clone(&clock),
            CacheSettings::default(),
        );
        let webhooks = Webhooks::new(
            Arc::new(accounts.with_outside(outside)),
            clock,
            Arc::new(Metrics::default()),
            Repeats::new(0, 0),
            Guardrails::default(),
        );
        (runtime, PaymentWebhooks::new(Arc::new(webhooks)))
    })
}

fn spec(setup: &Setup, name: &str) -> VariantSpec {
    let inline = |text: &str| SecretRef::Inline(Secret::new(text.as_bytes().to_vec()));
    let fields = setup.key.iter().map(|(name, value)| ((*name).to_owned(), inline(value)));
    VariantSpec {
        variant: Variant::new(name).expect("a name"),
        gateway: setup.gateway(),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![KeySpec {
            label: None,
            role: KeyRole::Current,
            expires_at: None,
            fields: fields.collect(),
        }],
        options: setup.values(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 3600,
    }
}
