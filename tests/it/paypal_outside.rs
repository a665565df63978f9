//! What PayPal's hosts serve and answer, on loopback: certificates, post-backs, tokens. Time is a
//! clock that is moved by hand.

mod answers;
mod certificates;
mod rpc;
mod stub;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use payhook::{
    accounts::Clock,
    model::UnixSeconds,
    verify::{CertUrl, Header, Request, Step, Unverified},
};
use serde_json::json;

use crate::paypal;

/// A clock that is moved by hand.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn at(now: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || UnixSeconds::new(hands.0.load(Ordering::SeqCst)))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

/// A certificate URL as the engine makes it: there is no other way to have one.
pub(crate) fn cert_url(id: &str) -> CertUrl {
    let verifier = paypal::verifier(json!({}));
    let url = format!("https://api.paypal.com/v1/notifications/certs/{id}");
    let headers = paypal::delivery("id-1", &url, paypal::BODY.as_bytes());
    let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let body = paypal::BODY.as_bytes();
    let request = Request { method: "POST", url: "", headers: &headers, body };
    match Unverified::new(request).check_with(&verifier) {
        Ok(Step::NeedsCertificate(needs)) => needs.url().clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn configuration_allows_the_simulator_only_on_a_variant_that_is_pinned_to_test() {
    use payhook::config::{Config, Purpose};
    let config = |environment: &str, options: &str| {
        let keys = "keys: [{webhook_id: 8PT597110X687430LKGECATA}]";
        let yaml = format!(
            "variants: {{shop: {{gateway: paypal, {environment}{keys}, options: {{{options}}}}}}}"
        );
        Config::from_yaml(&yaml, Purpose::Production).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(config("environment: test, ", "allow_simulator: true"), Ok(()));
    assert_eq!(config("", "allow_simulator: false"), Ok(()));
    for environment in ["", "environment: live, "] {
        let error = config(environment, "allow_simulator: true").expect_err("refused");
        assert!(error.contains("allow_simulator") && error.contains("test"), "{error}");
    }
    let error = config("", "allowed_cert_hosts: [evil.example]").expect_err("refused");
    assert!(error.contains("allowed_cert_hosts"), "{error}");
    let error = config("", "verify: api").expect_err("refused");
    assert!(error.contains("client_id"), "{error}");
    let inline = config("", "verify: api, api: {client_id: shop, client_secret: hidden}");
    let inline = inline.expect_err("a secret does not stand in the file");
    assert!(!inline.contains("hidden"), "{inline}");
    let api = "verify: api, api: {client_id: shop, client_secret: {env: PAYPAL_SECRET}}";
    assert_eq!(config("", api), Ok(()));
    let fixed = "certificates: {fixed: {\"https://api.paypal.com/v1/notifications/certs/C\": \
                 {file: /run/certs/c.pem}}}, trust_anchors: {file: /run/certs/root.pem}";
    assert_eq!(config("", fixed), Ok(()));
}
