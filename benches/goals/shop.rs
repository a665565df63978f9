//! The two bodies, signed for a running server's variants, and how long its answer is.

use std::sync::Arc;

use payhook::{
    accounts::{Accounts, CacheSettings, SystemSecrets},
    config::{Config, Purpose},
    proto::{self, payment_webhook_service_client::PaymentWebhookServiceClient},
    server::system_clock,
    verify::Draft,
};
use prost::Message as _;

use crate::{
    events, paired,
    server::Server,
    webhooks::{Shop, URL, Webhook},
    wire::Call,
};

/// A server, its configuration, and prepared calls of both sizes.
pub struct Open {
    pub server: Server,
    pub e3: Vec<Call>,
    pub e30: Vec<Call>,
    pub reply_bytes: [usize; 2],
    _shop: Shop,
}

impl Open {
    /// So many Stripe variants on these cores.
    pub fn new(settings: &str, variants: usize, cores: &[usize]) -> Self {
        let shop = Shop::stripes(settings, variants);
        let server = paired::start(cores, || Server::start(&shop.config));
        let e3 = signed(&shop, &events::e3());
        let e30 = signed(&shop, &events::e30());
        let reply_bytes = [reply_bytes(&server, &e3[0]), reply_bytes(&server, &e30[0])];
        let calls = |webhooks: &[Webhook]| webhooks.iter().map(Webhook::call).collect();
        Self { e3: calls(&e3), e30: calls(&e30), reply_bytes, server, _shop: shop }
    }

    pub fn side<'a>(&'a self, calls: &'a [Call]) -> paired::Side<'a> {
        paired::Side { process: self.server.id(), target: self.server.target(), calls }
    }
}

/// The payload for every variant, signed now.
fn signed(shop: &Shop, payload: &str) -> Vec<Webhook> {
    let config = Config::load(&shop.config, Purpose::Production).expect("it was just written");
    let (clock, source) = (system_clock(), Arc::new(SystemSecrets));
    let settings = CacheSettings::default();
    let accounts =
        Accounts::new(config.variants, config.revision, source, Arc::clone(&clock), settings);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let mut all = Vec::new();
        for variant in accounts.variants() {
            let account = accounts.account(variant.as_str()).await.expect("a whole variant");
            let draft = Draft { url: URL, headers: &[], payload: payload.as_bytes() };
            let made = account.verifier().sign(draft, clock()).expect("signed here");
            let headers = made.headers.into_iter();
            all.push(Webhook(proto::WebhookRequest {
                variant: variant.as_str().to_owned(),
                body: made.body.into(),
                headers: headers
                    .map(|(name, value)| proto::HttpHeader { name, value })
                    .collect(),
                method: "POST".to_owned(),
                url: made.url,
                received_at: None,
            }));
        }
        all
    })
}

/// Bytes of the answer's message.
fn reply_bytes(server: &Server, webhook: &Webhook) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let address = format!("http://{}", server.address);
        let mut client = PaymentWebhookServiceClient::connect(address).await.expect("it serves");
        let request = proto::VerifyAndParseRequest { webhook: Some(webhook.0.clone()) };
        let answer = client.verify_and_parse(request).await.expect("it is verified");
        let answer = answer.into_inner();
        assert_eq!(answer.events.len(), 1, "one event");
        assert!(answer.events[0].subject.is_some(), "typed");
        answer.encoded_len()
    })
}
