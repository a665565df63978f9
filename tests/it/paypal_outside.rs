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
