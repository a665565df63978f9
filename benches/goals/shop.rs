//! The two bodies, signed for a running server's variants, and how long its answer is.

use payhook::proto::{self, payment_webhook_service_client::PaymentWebhookServiceClient};
use prost::Message as _;

use crate::{
    events, paired,
    server::{self, Server},
    webhooks::{self, Shop, Webhook},
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
        Self::of(&server::binary(), settings, variants, cores)
    }

    /// The same of another build.
    pub fn of(binary: &str, settings: &str, variants: usize, cores: &[usize]) -> Self {
        let shop = Shop::stripes(settings, variants);
        let server = paired::start(cores, || Server::start_of(binary, &shop.config));
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
    shop.with(|accounts, now| {
        accounts.iter().map(|account| webhooks::sign(account, payload, now)).collect()
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
