//! Causes: each made by a realistic mistake with a genuine webhook, and its hint read. What was
//! refused stays refused.

mod bodies;
mod bounds;
mod keys;
mod requests;

use std::{collections::BTreeMap, sync::Arc};

use payhook::{
    gateway::{self, KeyFields},
    limits::{EXPLAIN_HASHED_BYTES_MAX, EXPLAIN_MACS_MAX},
    model::{Secret, UnixSeconds},
    verify::{
        CertificateChain, CheckTime, Draft, Header, KeyRole, Options, Rejection, Request, Step,
        Unverified, Verifier,
        explain::{Cause, Finding, Inquiry, explain},
    },
};
use serde_json::Value;

pub const NOW: i64 = 1_700_000_000;
pub const SECRET: &str = "whsec_explained_secret_0001";

/// A key of these fields.
pub fn key(fields: &[(&str, &[u8])]) -> KeyFields {
    let fields =
        fields.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(value.to_vec())));
    let fields = fields.collect();
    KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields }
}

pub fn verifier_of(gateway: &str, keys: Vec<KeyFields>, options: &Value) -> Verifier {
    let values = options.as_object().cloned().unwrap_or_default().into_iter().collect();
    let gateway = gateway::find(gateway).expect("a gateway");
    gateway.verifier(keys, Options::new(values, BTreeMap::new())).expect("usable keys")
}

pub fn stripe(secret: &[u8]) -> Verifier {
    verifier_of("stripe", vec![key(&[("endpoint_secret", secret)])], &Value::Null)
}

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    /// What the gateway sends.
    pub fn by(verifier: &Verifier, payload: &[u8]) -> Self {
        Self::at(verifier, payload, NOW)
    }

    pub fn at(verifier: &Verifier, payload: &[u8], now: i64) -> Self {
        let draft = Draft { url: "https://shop.example/hook/", headers: &[], payload };
        let signed = verifier.sign(draft, UnixSeconds::new(now)).expect("our own key signs");
        let method = "POST".to_owned();
        Self { method, url: signed.url, headers: signed.headers, body: signed.body }
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn renaming(mut self, from: &str, to: &str) -> Self {
        let own = self.headers.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(from));
        to.clone_into(&mut own.expect("the header").0);
        self
    }

    /// The label of its refusal, or nothing where it is accepted.
    pub fn refused(
        &self,
        verifier: &Verifier,
        chain: Option<&Arc<CertificateChain>>,
    ) -> Option<Rejection> {
        let headers = self.fields();
        let check = match Unverified::new(self.request(&headers)).check_with(verifier) {
            Err(rejection) => return Some(rejection),
            Ok(Step::Ready(check)) => check,
            Ok(Step::NeedsCertificate(needs)) => {
                needs.with_chain(Arc::clone(chain.expect("a chain")))
            }
            Ok(other) => panic!("{other:?}"),
        };
        check.run(CheckTime::now(UnixSeconds::new(NOW))).err()
    }

    pub fn fields(&self) -> Vec<Header<'_>> {
        self.headers.iter().map(|(name, value)| Header { name, value }).collect()
    }

    pub fn request<'a>(&'a self, headers: &'a [Header<'a>]) -> Request<'a> {
        Request { method: &self.method, url: &self.url, headers, body: &self.body }
    }
}

/// Refused, explained within the budget, and refused all the same afterwards.
pub fn explained(sent: &Sent, verifier: &Verifier) -> Finding {
    explained_among(sent, verifier, &[], None)
}

pub fn explained_among(
    sent: &Sent,
    verifier: &Verifier,
    others: &[(&str, &Verifier)],
    chain: Option<Arc<CertificateChain>>,
) -> Finding {
    let rejection = sent.refused(verifier, chain.as_ref()).expect("a refusal");
    let headers = sent.fields();
    let inquiry = Inquiry {
        request: sent.request(&headers),
        verifier,
        rejection: &rejection,
        at: CheckTime::now(UnixSeconds::new(NOW)),
        chain: chain.clone(),
        others,
    };
    let found = explain(&inquiry);
    assert!(found.cost.macs <= EXPLAIN_MACS_MAX, "{found:?}");
    assert!(found.cost.hashed_bytes <= EXPLAIN_HASHED_BYTES_MAX, "{found:?}");
    assert_eq!(explain(&inquiry), found, "the same question has the same answer");
    assert_eq!(sent.refused(verifier, chain.as_ref()), Some(rejection), "{found:?}");
    found
}

/// The cause is this one, and its hint says this.
#[track_caller]
pub fn assert_cause(found: &Finding, cause: Cause, hint: &str) {
    assert_eq!(found.cause, Some(cause), "{found:?}");
    assert!(found.hint.contains(hint), "{found:?}");
    assert!(!found.hint.contains('\n'), "one line: {found:?}");
}
