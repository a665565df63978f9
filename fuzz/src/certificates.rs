//! Certificate chains and anchors: only the one chain that was issued here is ever accepted.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::STANDARD as BASE64,
    },
};
use payhook::{
    gateway::{self, KeyFields},
    model::{Secret, UnixSeconds},
    verify::{
        CertificateChain, CheckTime, Header, KeyRole, Options, Request, Step, Unverified, Verifier,
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};

use super::{NOW, proofs::WEBHOOK_ID};

/// An authority and a signer of this process alone.
pub struct World {
    /// The anchor, as PEM.
    pub anchor: String,
    /// The signer and its issuer, as PEM.
    pub chain: String,
    /// The signer's public key.
    pub key: Vec<u8>,
    signer: RsaKeyPair,
    /// Root, issuer and signer, as DER.
    certificates: [Vec<u8>; 3],
    /// Public keys of root and issuer.
    issuers: [Vec<u8>; 2],
}

/// What the signer signed once, and whose signature `genuine` stands for in an input.
pub const GENUINE: Delivery = Delivery {
    id: "8f2a-1",
    time: "2023-11-14T22:13:17Z",
    url: "https://api.paypal.com/v1/notifications/certs/CERT-1",
    body: "{\"id\":\"WH-1\",\"event_type\":\"CUSTOMER.NOTE\",\"resource\":{}}",
};

/// A delivery of PayPal.
pub struct Delivery {
    pub id: &'static str,
    pub time: &'static str,
    pub url: &'static str,
    pub body: &'static str,
}

/// The one world of this process.
pub fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(make)
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2040, 1, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

fn make() -> World {
    let (root_key, issuer_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let issuers = [&root_key, &issuer_key].map(|key| key.public_key_raw().to_vec());
    let params = authority("Fuzz root");
    let root = params.self_signed(&root_key).unwrap();
    let root_issuer = Issuer::new(params, root_key);
    let params = authority("Fuzz issuer");
    let middle = params.signed_by(&issuer_key, &root_issuer).unwrap();
    let middle_issuer = Issuer::new(params, issuer_key);
    let name = "messageverificationcerts.paypal.com".to_owned();
    let mut params = CertificateParams::new(vec![name]).unwrap();
    params.not_before = date_time_ymd(2023, 1, 1);
    params.not_after = date_time_ymd(2025, 1, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let leaf = params.signed_by(&key, &middle_issuer).unwrap();
    let signer = RsaKeyPair::from_pkcs8(key.serialized_der()).unwrap();
    World {
        anchor: root.pem(),
        chain: format!("{}{}", leaf.pem(), middle.pem()),
        key: signer.public_key().as_ref().to_vec(),
        signer,
        certificates: [root.der().to_vec(), middle.der().to_vec(), leaf.der().to_vec()],
        issuers,
    }
}

impl World {
    /// The signature of a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.signer.public_modulus_len()];
        let random = SystemRandom::new();
        self.signer.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
        signature
    }

    /// The signature of [`GENUINE`], as its header has it.
    pub fn genuine(&self) -> &'static str {
        static SIGNATURE: OnceLock<String> = OnceLock::new();
        SIGNATURE.get_or_init(|| {
            let Delivery { id, time, body, .. } = GENUINE;
            let crc = crc32fast::hash(body.as_bytes());
            BASE64.encode(self.sign(format!("{id}|{time}|{WEBHOOK_ID}|{crc}").as_bytes()))
        })
    }
}

/// A verifier that trusts these anchors; `None` where they cannot be read.
fn trusting(anchors: &str) -> Option<Verifier> {
    let options = BTreeMap::from([("trust_anchors".to_owned(), anchors.into())]);
    let id = Secret::new(WEBHOOK_ID.as_bytes().to_vec());
    let fields = BTreeMap::from([("webhook_id".to_owned(), id)]);
    let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
    let options = Options::new(options, BTreeMap::new());
    gateway::find("paypal").expect("a gateway").verifier(vec![key], options).ok()
}

/// Whether the genuine delivery passes with this chain.
fn accepts(verifier: &Verifier, chain: &[u8]) -> bool {
    let fields = [
        ("PAYPAL-TRANSMISSION-ID", GENUINE.id),
        ("PAYPAL-TRANSMISSION-TIME", GENUINE.time),
        ("PAYPAL-TRANSMISSION-SIG", world().genuine()),
        ("PAYPAL-CERT-URL", GENUINE.url),
        ("PAYPAL-AUTH-ALGO", "SHA256withRSA"),
    ];
    let headers = fields.map(|(name, value)| Header { name, value });
    let body = GENUINE.body.as_bytes();
    let request = Request { method: "POST", url: "", headers: &headers, body };
    let Ok(Step::NeedsCertificate(needs)) = Unverified::new(request).check_with(verifier) else {
        panic!("the genuine delivery needs its certificate");
    };
    let chain = CertificateChain::from_pem(chain);
    let dated = chain.not_after().is_some();
    let check = needs.with_chain(Arc::new(chain));
    let accepted = check.run(CheckTime::now(UnixSeconds::new(NOW))).is_ok();
    assert!(dated || !accepted, "what is no chain is never accepted");
    accepted
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(der))
}

/// The last digit of a PEM text may hold bits that belong to no byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Every certificate of a PEM text, read as leniently as can be.
fn blocks(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text);
    let bodies = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let bodies = bodies.map(|body| body.split("-----END").next().unwrap_or_default());
    let decode = |body: &str| {
        let digits: String = body.chars().filter(|c| !c.is_whitespace()).collect();
        LENIENT.decode(digits).ok()
    };
    bodies.filter_map(decode).collect()
}

/// Flips bytes: each three of the input are a place and what to flip there.
fn flipped(bytes: &[u8], changes: &[u8]) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % bytes.len();
        changed[at] ^= change[2];
    }
    changed
}

/// A chain of any text, DER or flipped certificate, and anchors of any text.
pub fn chain(data: &[u8]) {
    static VERIFIER: OnceLock<Verifier> = OnceLock::new();
    let world = world();
    let verifier = VERIFIER.get_or_init(|| trusting(&world.anchor).expect("an anchor"));
    let Some((kind, rest)) = data.split_first() else { return };
    let [root, issuer, leaf] = &world.certificates;
    let text = match kind % 8 {
        0 => rest.to_vec(),
        1 => pem(rest).into_bytes(),
        2 => [pem(leaf), pem(rest)].concat().into_bytes(),
        3 => [pem(leaf), pem(&flipped(issuer, rest))].concat().into_bytes(),
        4 => [pem(&flipped(leaf, rest)), pem(issuer)].concat().into_bytes(),
        5 => flipped(world.chain.as_bytes(), rest),
        6 => return anchors(&String::from_utf8_lossy(rest)),
        _ => return anchors(&pem(&flipped(root, rest))),
    };
    let found = blocks(&text);
    let whole = found.first() == Some(leaf) && found.contains(issuer);
    if accepts(verifier, &text) {
        assert!(whole, "accepted a chain that nobody issued");
    } else {
        assert_ne!(text, world.chain.as_bytes(), "refused the genuine chain");
    }
}

/// What anchors accept must have been issued under a key that is among them.
fn anchors(text: &str) {
    let Some(verifier) = trusting(text) else { return };
    if accepts(&verifier, world().chain.as_bytes()) {
        let known = blocks(text.as_bytes());
        let holds = |key: &Vec<u8>| {
            known.iter().any(|anchor| anchor.windows(key.len()).any(|window| window == key))
        };
        assert!(world().issuers.iter().any(holds), "anchors vouch for what they did not issue");
    }
}
