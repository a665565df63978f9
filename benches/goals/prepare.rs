//! What the scripts around this need: both bodies, and a request that only PayPal's key could sign.

use std::{fs, path::Path};

use payhook::proto::{self, HttpHeader, WebhookRequest};
use prost::Message as _;
use serde_json::{Value, json};

use crate::{
    events,
    signed::{CERT_URL, Webhook},
};

/// Writes them to a folder.
pub fn write(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).expect("the folder is writable");
    };
    put("e3.json", events::e3().as_bytes());
    put("e30.json", events::e30().as_bytes());
    let sample = |name: &str| {
        let gateway = payhook::gateway::find(name).expect("a gateway");
        (gateway, gateway.samples[0].payload.as_bytes())
    };
    put("braintree.xml", sample("braintree").1);
    let (paypal, payload) = sample("paypal");
    let clock = payhook::server::system_clock();
    let webhook = Webhook::signed_at(clock(), "paypal", paypal, payload);
    put("paypal.pem", webhook.certificate.as_deref().expect("made for it"));
    put("paypal.bin", &request(&webhook));
    put("paypal.json", variant(folder, &webhook).to_string().as_bytes());
}

fn request(webhook: &Webhook) -> Vec<u8> {
    let signed = webhook.signed.clone();
    let headers = signed.headers.into_iter();
    let webhook = WebhookRequest {
        variant: webhook.name.clone(),
        body: signed.body.into(),
        headers: headers.map(|(name, value)| HttpHeader { name, value }).collect(),
        method: "POST".to_owned(),
        url: signed.url,
        received_at: None,
    };
    proto::VerifyAndParseRequest { webhook: Some(webhook) }.encode_to_vec()
}

/// The variant that trusts the authority that was made for it, and fetches nothing.
fn variant(folder: &Path, webhook: &Webhook) -> Value {
    let fields = webhook.fields().into_iter();
    let key: serde_json::Map<_, _> =
        fields.map(|(name, value)| (name, String::from_utf8_lossy(&value).into())).collect();
    let mut options: serde_json::Map<_, _> = webhook.options.clone().into_iter().collect();
    let file = folder.join("paypal.pem");
    options.insert("certificates".to_owned(), json!({ "fixed": { CERT_URL: { "file": file } } }));
    options.insert("tolerance_seconds".to_owned(), 86_400.into());
    json!({ "gateway": "paypal", "keys": [key], "options": options })
}
