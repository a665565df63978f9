//! PayPal at the core: certificates, their URLs, the signed text, and what events mean.

mod chains;
pub(crate) mod forgery;
mod meaning;
pub(crate) mod urls;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use payhook::{
    gateway::{self, KeyFields, PrepareError},
    model::{Secret, UnixSeconds},
    verify::{
        CertificateChain, CheckTime, Header, KeyRole, Options, Rejection, Request, Step,
        Unverified, Verified, Verifier,
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const WEBHOOK_ID: &str = "8PT597110X687430LKGECATA";
pub(crate) const LIVE_NAME: &str = "messageverificationcerts.paypal.com";
pub(crate) const LIVE_URL: &str = "https://api.paypal.com/v1/notifications/certs/CERT-1";
pub(crate) const BODY: &str = r#"{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"id":"CAP1","status":"COMPLETED","amount":{"currency_code":"USD","value":"1.00"}}}"#;

/// The key that signs in tests: making one takes a while.
pub(crate) fn signing_key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap())
}

/// An authority of tests.
pub(crate) struct Authority {
    pub(crate) pem: String,
    pub(crate) issuer: Issuer<'static, KeyPair>,
}

/// A root that signs itself.
pub(crate) fn root(change: impl FnOnce(&mut CertificateParams)) -> Authority {
    let mut params = authority_params("Test root");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority { pem, issuer: Issuer::new(params, key) }
}

impl Authority {
    /// An authority below this one.
    pub(crate) fn below(&self, change: impl FnOnce(&mut CertificateParams)) -> Authority {
        let mut params = authority_params("Test intermediate");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for the key that signs in tests.
    pub(crate) fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> String {
        let mut params = leaf_params();
        change(&mut params);
        params.signed_by(signing_key(), &self.issuer).unwrap().pem()
    }
}

pub(crate) fn leaf_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![LIVE_NAME.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2023, 1, 1);
    params.not_after = date_time_ymd(2025, 1, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub(crate) fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// The gateway's verifier with these options and one webhook id.
pub(crate) fn try_verifier(options: Value) -> Result<Verifier, PrepareError> {
    let mut secrets = BTreeMap::new();
    if options.get("verify") == Some(&json!("api")) {
        secrets.insert("api.client_secret".to_owned(), Secret::new(b"s3cret".to_vec()));
    }
    let values = options.as_object().unwrap().clone().into_iter().collect();
    let fields =
        BTreeMap::from([("webhook_id".to_owned(), Secret::new(WEBHOOK_ID.as_bytes().to_vec()))]);
    let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
    gateway::find("paypal").unwrap().verifier(vec![key], Options::new(values, secrets))
}

pub(crate) fn verifier(options: Value) -> Verifier {
    try_verifier(options).unwrap()
}

/// The headers of a genuine delivery.
pub(crate) fn delivery(id: &str, url: &str, body: &[u8]) -> Vec<(String, String)> {
    let time = "2023-11-14T22:13:17Z";
    let message = format!("{id}|{time}|{WEBHOOK_ID}|{}", crc32fast::hash(body));
    signed_delivery(id, time, url, message.as_bytes())
}

pub(crate) fn signed_delivery(
    id: &str,
    time: &str,
    url: &str,
    message: &[u8],
) -> Vec<(String, String)> {
    let key = RsaKeyPair::from_pkcs8(signing_key().serialized_der()).unwrap();
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
    let field = |name: &str, value: &str| (format!("PAYPAL-{name}"), value.to_owned());
    vec![
        field("TRANSMISSION-ID", id),
        field("TRANSMISSION-TIME", time),
        field("TRANSMISSION-SIG", &STANDARD.encode(signature)),
        field("CERT-URL", url),
        field("AUTH-ALGO", "SHA256withRSA"),
    ]
}

/// Runs a delivery through the engine with the chain that its URL would serve.
pub(crate) fn judge<R>(
    verifier: &Verifier,
    headers: &[(String, String)],
    body: &[u8],
    chain: &str,
    now: i64,
    see: impl FnOnce(&Verified<'_>) -> R,
) -> Result<R, Rejection> {
    let chain = Arc::new(CertificateChain::from_pem(chain.as_bytes()));
    judge_by(verifier, headers, body, chain, now, see)
}

/// The same with a chain that was read before.
pub(crate) fn judge_by<R>(
    verifier: &Verifier,
    headers: &[(String, String)],
    body: &[u8],
    chain: Arc<CertificateChain>,
    now: i64,
    see: impl FnOnce(&Verified<'_>) -> R,
) -> Result<R, Rejection> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let request = Request { method: "POST", url: "", headers: &headers, body };
    let check = match Unverified::new(request).check_with(verifier)? {
        Step::NeedsCertificate(needs) => needs.with_chain(chain),
        step => panic!("{step:?}"),
    };
    check.run(CheckTime::now(UnixSeconds::new(now))).map(|verified| see(&verified))
}
