//! PayPal over gRPC with a host on loopback: hostile URLs, outages, and bodies with the same
//! checksum.

use std::{collections::BTreeMap, sync::Arc};

use payhook::{
    accounts::{Accounts, CacheSettings, KeySpec, Outside, SecretRef, SystemSecrets, VariantSpec},
    gateway,
    model::{Secret, Variant},
    proto,
    server::{Parts, Running},
    telemetry::Metrics,
    verify::KeyRole,
};
use serde_json::{Value, json};
use tonic::Code;

use super::{
    Hands,
    stub::{Answer, Stub},
};
use crate::{
    paypal::{Authority, BODY, LIVE_URL, NOW, WEBHOOK_ID, delivery, forgery, root, urls},
    serving,
};

struct World {
    stub: Stub,
    hands: Hands,
    client: serving::Client,
    _running: Running,
}

async fn world(root: &Authority, options: Value) -> World {
    let pem = root.leaf(|_| {});
    let stub = Stub::start(move |_| Answer::Body(pem.clone())).await;
    let hands = Hands::at(NOW);
    let field = SecretRef::Inline(Secret::new(WEBHOOK_ID.as_bytes().to_vec()));
    let mut options = options.as_object().unwrap().clone();
    options.insert("trust_anchors".to_owned(), root.pem.clone().into());
    let spec = VariantSpec {
        variant: Variant::new("shop").unwrap(),
        gateway: gateway::find("paypal").unwrap(),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![KeySpec {
            label: None,
            role: KeyRole::Current,
            expires_at: None,
            fields: BTreeMap::from([("webhook_id".to_owned(), field)]),
        }],
        options: options.into_iter().collect(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    };
    let accounts = Accounts::new(
        vec![spec],
        "test".to_owned(),
        Arc::new(SystemSecrets),
        hands.clock(),
        CacheSettings::default(),
    );
    let accounts = accounts.with_outside(Outside::over(&stub.https(), hands.clock()));
    let parts = Parts {
        accounts: Arc::new(accounts),
        clock: hands.clock(),
        metrics: Arc::new(Metrics::default()),
        settings: serving::settings(),
    };
    let running = parts.start().unwrap();
    let client = serving::client(&running).await;
    World { stub, hands, client, _running: running }
}

impl World {
    /// The environment of the one event, or the reason of the refusal.
    async fn verdict(&mut self, headers: &[(String, String)], body: &str) -> String {
        let headers = headers.iter().cloned();
        let webhook = proto::WebhookRequest {
            variant: "shop".to_owned(),
            body: body.as_bytes().to_vec().into(),
            headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
            method: "POST".to_owned(),
            url: String::new(),
            received_at: None,
        };
        match self.client.verify_and_parse(serving::request(webhook)).await {
            Ok(response) => response.get_ref().events[0].environment().as_str_name().to_owned(),
            Err(status) => {
                let reason = serving::reason(&status);
                let unavailable = reason == "CERTIFICATE_UNAVAILABLE";
                assert_eq!(status.code() == Code::Unavailable, unavailable, "{status:?}");
                reason
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_urls_make_no_connection() {
    let root = root(|_| {});
    let mut world = world(&root, json!({})).await;
    for url in urls::hostile() {
        // A line break or NUL is refused even earlier.
        if url.contains(['\r', '\n', '\0']) {
            continue;
        }
        let headers = delivery("id-1", &url, BODY.as_bytes());
        assert_eq!(world.verdict(&headers, BODY).await, "CERTIFICATE_UNTRUSTED", "{url:?}");
    }
    assert_eq!(world.stub.connections(), 0);
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    assert_eq!(world.verdict(&headers, BODY).await, "ENVIRONMENT_LIVE");
    assert_eq!(world.stub.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_stops_only_what_was_never_seen() {
    let root = root(|_| {});
    let mut world = world(&root, json!({})).await;
    let known = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let new = delivery("id-2", &format!("{LIVE_URL}-NEW"), BODY.as_bytes());
    assert_eq!(world.verdict(&known, BODY).await, "ENVIRONMENT_LIVE");
    world.stub.down(true);
    world.hands.pass(2 * 86_400);
    assert_eq!(world.verdict(&known, BODY).await, "ENVIRONMENT_LIVE");
    assert_eq!(world.verdict(&new, BODY).await, "CERTIFICATE_UNAVAILABLE");
    let connections = world.stub.connections();
    assert_eq!(world.verdict(&new, BODY).await, "CERTIFICATE_UNAVAILABLE");
    assert_eq!(world.stub.connections(), connections);
    world.stub.down(false);
    world.hands.pass(30);
    assert_eq!(world.verdict(&new, BODY).await, "ENVIRONMENT_LIVE");
    assert_eq!(world.verdict(&known, BODY).await, "ENVIRONMENT_LIVE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_bodies_with_the_same_checksum_are_refused() {
    let root = root(|_| {});
    let mut world = world(&root, json!({})).await;
    let (genuine, forged) = forgery::collisions(BODY, 1_000);
    let headers = delivery("id-1", LIVE_URL, genuine.as_bytes());
    assert_eq!(world.verdict(&headers, &genuine).await, "ENVIRONMENT_LIVE");
    for body in &forged {
        assert_eq!(world.verdict(&headers, body).await, "BODY_SUBSTITUTED");
    }
    assert_eq!(world.verdict(&headers, &genuine).await, "ENVIRONMENT_LIVE", "a repeat");
    // A forgery that comes first cannot be told; the genuine one then shows that one was there.
    let headers = delivery("id-2", LIVE_URL, genuine.as_bytes());
    assert_eq!(world.verdict(&headers, &forged[0]).await, "ENVIRONMENT_LIVE");
    assert_eq!(world.verdict(&headers, &genuine).await, "BODY_SUBSTITUTED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fixed_certificates_are_never_fetched() {
    let root = root(|_| {});
    let fixed = json!({ "certificates": { "fixed": { LIVE_URL: root.leaf(|_| {}) } } });
    let mut world = world(&root, fixed).await;
    for url in [LIVE_URL.to_owned(), LIVE_URL.replace(".com/", ".com:443/")] {
        let headers = delivery("id-1", &url, BODY.as_bytes());
        assert_eq!(world.verdict(&headers, BODY).await, "ENVIRONMENT_LIVE", "{url}");
    }
    let other = delivery("id-2", &format!("{LIVE_URL}-NEW"), BODY.as_bytes());
    assert_eq!(world.verdict(&other, BODY).await, "CERTIFICATE_UNAVAILABLE");
    assert_eq!(world.stub.connections(), 0);
}
