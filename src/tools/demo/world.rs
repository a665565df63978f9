//! What the gateways would serve and answer: certificates of a throw-away authority, and the
//! memory of what was sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
};

use super::accounts::URL;
use crate::{
    accounts::{Account, AnswerError, Asking, FixedCertificates, Outside, PostBack},
    gateway::{Gateway, Sample},
    model::UnixSeconds,
    tools::{Exit, ToolError},
    verify::{Draft, Header, Question, SignError, Signed, scheme::Source},
};

/// A world in which we play the gateways.
pub(super) struct World {
    /// The authority's certificate in PEM.
    root: String,
    /// The signing certificate in PEM.
    leaf: String,
    key: RsaKeyPair,
    sent: Arc<Sent>,
}

impl World {
    /// Makes an authority, and a certificate with the name and kind of key that `PayPal` signs
    /// with.
    pub(super) fn new() -> Result<Self, ToolError> {
        let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
        let rcgen = |error: rcgen::Error| internal(&error);
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate().map_err(rcgen)?;
        let root = authority.self_signed(&root_key).map_err(rcgen)?.pem();
        let issuer = Issuer::new(authority, root_key);
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(rcgen)?;
        let mut leaf = CertificateParams::new(vec![NAME.to_owned()]).map_err(rcgen)?;
        leaf.is_ca = IsCa::ExplicitNoCa;
        let leaf = leaf.signed_by(&key, &issuer).map_err(rcgen)?.pem();
        let key = RsaKeyPair::from_pkcs8(key.serialized_der()).map_err(|error| internal(&error))?;
        Ok(Self { root, leaf, key, sent: Arc::default() })
    }

    /// The options that make a variant trust this world.
    pub(super) fn options(&self, gateway: &Gateway) -> BTreeMap<String, serde_json::Value> {
        let anchored = gateway.options.iter().any(|option| option.name == "trust_anchors");
        let anchors = anchored.then(|| ("trust_anchors".to_owned(), self.root.clone().into()));
        anchors.into_iter().collect()
    }

    /// Where the variants' checks get what they need.
    pub(super) fn outside(&self) -> Outside {
        let post_back: Arc<dyn PostBack> = Arc::<Sent>::clone(&self.sent);
        let served = [(CERT_URL.to_owned(), self.leaf.clone().into_bytes())];
        Outside { certificates: Arc::new(FixedCertificates::new(served)), post_back }
    }

    /// What the account's gateway would send.
    pub(super) fn sign(
        &self,
        account: &Account,
        sample: &Sample,
        now: UnixSeconds,
    ) -> Result<Signed, SignError> {
        let payload = sample.payload.as_bytes();
        let verifier = account.verifier();
        let signed = verifier.sign(Draft { url: URL, headers: &[], payload }, now);
        if signed != Err(SignError::KeyNotOurs) {
            if let Ok(signed) = &signed
                && verifier.scheme().source == Source::Answer
            {
                self.sent.remember(&signed.body);
            }
            return signed;
        }
        let id = format!("demo-{:08x}", crc32fast::hash(payload));
        let headers = [
            Header { name: "PAYPAL-TRANSMISSION-ID", value: &id },
            Header { name: "PAYPAL-CERT-URL", value: CERT_URL },
        ];
        verifier.sign_with(Draft { url: URL, headers: &headers, payload }, now, &|message| {
            let mut signature = vec![0; self.key.public_modulus_len()];
            let random = SystemRandom::new();
            self.key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
            Some(signature)
        })
    }
}

/// Confirms what was sent, as `PayPal` confirms its own notifications.
#[derive(Default)]
struct Sent(Mutex<BTreeSet<Vec<u8>>>);

impl Sent {
    fn remember(&self, body: &[u8]) {
        let question = [b"cmd=_notify-validate&", body].concat();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(question);
    }
}

impl PostBack for Sent {
    fn ask<'a>(&'a self, question: &'a Question<'a>) -> Asking<'a> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&question.body);
        let answer: Result<Vec<u8>, AnswerError> =
            Ok(if known { b"VERIFIED".to_vec() } else { b"INVALID".to_vec() });
        Box::pin(std::future::ready(answer))
    }
}

const NAME: &str = "messageverificationcerts.sandbox.paypal.com";
const CERT_URL: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/DEMO";
