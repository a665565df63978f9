//! A real server on a free loopback port, for tests: clock, secrets and limits are given.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use payhook::{
    accounts::{
        Accounts, AnswerError, Asking, CacheSettings, Clock, FixedCertificates, KeySpec, Outside,
        PostBack, SecretRef, SystemSecrets, VariantSpec,
    },
    config::{Config, Listen, Purpose},
    gateway::{self, OptionKind},
    model::{Environment, Secret, UnixSeconds, Variant},
    proto::{self, ErrorDiagnostics, payment_webhook_service_client::PaymentWebhookServiceClient},
    server::{Parts, Running, Settings, StartError},
    telemetry::Metrics,
    verify::{KeyRole, Question},
};
use prost::Message as _;
use serde_json::Value;
use tonic::{Status, transport::Channel};

use crate::cases::{self, Case, World};

pub type Client = PaymentWebhookServiceClient<Channel>;

/// A clock that stands still.
pub fn frozen(now: i64) -> Clock {
    Arc::new(move || UnixSeconds::new(now))
}

/// Settings of a server on a free port.
pub fn settings() -> Settings {
    let config = Config::from_yaml("{}", Purpose::Production).expect("defaults");
    let mut settings = Settings::from_config(&config).expect("defaults");
    settings.listen = vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))];
    settings.admin_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    settings
}

/// Starts a server for these variants; nothing outside answers.
pub fn start(specs: Vec<VariantSpec>, clock: Clock, settings: Settings) -> Running {
    start_in(&World::default(), specs, clock, settings)
}

/// What a world's gateways would answer.
pub fn outside(world: &World) -> Outside {
    let texts = world.certificates.iter().map(|(url, pem)| (url.clone(), pem.as_bytes().to_vec()));
    Outside {
        certificates: Arc::new(FixedCertificates::new(texts)),
        post_back: Arc::new(Answers(world.ipn_response.clone())),
    }
}

/// Gives the same answer to everybody, or none.
struct Answers(Option<String>);

impl PostBack for Answers {
    fn ask<'a>(&'a self, _: &'a Question<'a>) -> Asking<'a> {
        let answer = self.0.clone().map(String::into_bytes);
        let problem = "nobody answers".to_owned();
        Box::pin(async move { answer.ok_or(AnswerError::Unavailable { problem }) })
    }
}

/// Starts a server for these variants in this world.
pub fn start_in(
    world: &World,
    specs: Vec<VariantSpec>,
    clock: Clock,
    settings: Settings,
) -> Running {
    try_start_in(world, specs, clock, settings).expect("a free port")
}

/// The same, where it may fail.
pub fn try_start(
    specs: Vec<VariantSpec>,
    clock: Clock,
    settings: Settings,
) -> Result<Running, StartError> {
    try_start_in(&World::default(), specs, clock, settings)
}

fn try_start_in(
    world: &World,
    specs: Vec<VariantSpec>,
    clock: Clock,
    settings: Settings,
) -> Result<Running, StartError> {
    let accounts = Arc::new(
        Accounts::new(
            specs,
            "test".to_owned(),
            Arc::new(SystemSecrets),
            Arc::clone(&clock),
            CacheSettings::default(),
        )
        .with_outside(outside(world)),
    );
    let metrics = Arc::new(Metrics::default());
    let parts = Parts { accounts, clock, metrics, settings };
    parts.start()
}

pub async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Channel::from_shared(format!("http://{address}")).expect("a URL");
    endpoint.connect().await.expect("it listens")
}

pub async fn client(running: &Running) -> Client {
    let address = running.address().expect("a TCP listener");
    PaymentWebhookServiceClient::connect(format!("http://{address}")).await.expect("it listens")
}

/// The variant that a row configures, under a name of its own.
pub fn spec(case: &Case, name: &str) -> VariantSpec {
    let gateway = gateway::find(&case.gateway).expect("a gateway of the table");
    let inline = |value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        SecretRef::Inline(Secret::new(text.into_bytes()))
    };
    let keys = case.variant.keys.iter().map(|key| KeySpec {
        label: None,
        role: KeyRole::Current,
        expires_at: None,
        fields: key.iter().map(|(name, value)| (name.clone(), inline(value))).collect(),
    });
    let (mut options, mut option_refs) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in &case.variant.options {
        let field = gateway.options.iter().find(|field| field.name == name);
        if field.is_some_and(|field| field.kind == OptionKind::Secret) {
            option_refs.insert(name.clone(), inline(value));
        } else {
            options.insert(cases::option_name(name).to_owned(), value.clone());
        }
    }
    let environment = options.remove("environment").map(|word| match word.as_str() {
        Some("live") => Environment::Live,
        Some("test") => Environment::Test,
        _ => panic!("{word} is no environment"),
    });
    VariantSpec {
        variant: Variant::new(name).expect("a name"),
        gateway,
        environment,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: keys.collect(),
        options,
        option_refs,
        accept_received_at_max_seconds: 0,
    }
}

/// A row's request to a variant.
pub fn webhook(case: &Case, variant: &str) -> proto::WebhookRequest {
    let headers = case.request.headers.iter().cloned();
    proto::WebhookRequest {
        variant: variant.to_owned(),
        body: case.request.body().into(),
        headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
        method: case.request.method.clone(),
        url: case.request.url.clone(),
        received_at: None,
    }
}

pub fn request(webhook: proto::WebhookRequest) -> proto::VerifyAndParseRequest {
    proto::VerifyAndParseRequest { webhook: Some(webhook) }
}

/// The reason of a refusal, from its trailer.
pub fn reason(status: &Status) -> String {
    let text = status.metadata().get("x-payhook-reason").and_then(|text| text.to_str().ok());
    text.unwrap_or_default().to_owned()
}

/// The details of a refusal.
pub fn details(status: &Status) -> tonic_types::pb::Status {
    tonic_types::pb::Status::decode(status.details()).expect("a google.rpc.Status")
}

pub fn diagnostics(status: &Status) -> ErrorDiagnostics {
    let details = details(status).details;
    let any = details
        .iter()
        .find(|any| any.type_url == "type.googleapis.com/payhook.v1.ErrorDiagnostics")
        .expect("diagnostics");
    ErrorDiagnostics::decode(any.value.as_slice()).expect("diagnostics")
}
