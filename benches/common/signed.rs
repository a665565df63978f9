//! Webhooks of every gateway, signed before anything is measured, and the two things that are
//! measured about them.

use std::{collections::BTreeMap, sync::Arc};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use payhook::{
    gateway::{GATEWAYS, Gateway, KeyFields},
    model::{Event, Secret, UnixSeconds},
    verify::{
        CertificateChain, CheckTime, Draft, Header, KeyRole, Options, Rejection, Request,
        SignError, Signed, Step, Unverified, Verified, Verifier,
        scheme::{KeyForm, Source},
    },
};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::events;

/// When everything here is signed and checked.
pub const NOW: UnixSeconds = UnixSeconds::new(1_790_000_000);

/// One webhook with all that its check needs.
pub struct Webhook {
    pub name: String,
    pub gateway: &'static Gateway,
    pub verifier: Verifier,
    pub signed: Signed,
    pub options: BTreeMap<String, serde_json::Value>,
    /// The certificate that signed, in PEM.
    pub certificate: Option<Vec<u8>>,
    chain: Option<Arc<CertificateChain>>,
}

impl Webhook {
    /// A payload of this gateway.
    pub fn new(name: &str, gateway: &'static Gateway, payload: &[u8]) -> Self {
        Self::signed_at(NOW, name, gateway, payload)
    }

    /// The same, signed at another time.
    pub fn signed_at(
        now: UnixSeconds,
        name: &str,
        gateway: &'static Gateway,
        payload: &[u8],
    ) -> Self {
        let world = (gateway.name == "paypal").then(World::new);
        let mut options = gateway.example();
        if let Some(world) = &world {
            options.insert("trust_anchors".to_owned(), world.root.clone().into());
        }
        let verifier = verifier(gateway, &options);
        let draft = Draft { url: URL, headers: &[], payload };
        let signed = match (verifier.sign(draft, now), &world) {
            (Err(SignError::KeyNotOurs), Some(world)) => world.sign(&verifier, draft, now),
            (signed, _) => signed.unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        let certificate = world.map(|world| world.leaf);
        let chain = certificate.as_ref().map(|leaf| Arc::new(CertificateChain::from_pem(leaf)));
        Self { name: name.to_owned(), gateway, verifier, signed, options, certificate, chain }
    }

    /// The checkout of about 3.6 KB.
    pub fn e3() -> Self {
        Self::new("stripe e3", stripe(), events::e3().as_bytes())
    }

    /// The invoice of about 32 KB.
    pub fn e30() -> Self {
        Self::new("stripe e30", stripe(), events::e30().as_bytes())
    }

    /// Names of what is measured: both sizes of Stripe, then the first sample of every gateway.
    pub fn names() -> Vec<String> {
        let sizes = ["stripe e3", "stripe e30"].into_iter();
        sizes.chain(GATEWAYS.iter().map(|gateway| gateway.name)).map(str::to_owned).collect()
    }

    /// One of the names.
    pub fn named(name: &str) -> Self {
        match name {
            "stripe e3" => Self::e3(),
            "stripe e30" => Self::e30(),
            _ => {
                let gateway = payhook::gateway::find(name).expect("a gateway");
                let sample = gateway.samples.first().expect("every gateway has samples");
                Self::new(name, gateway, sample.payload.as_bytes())
            }
        }
    }

    /// All of them.
    pub fn all() -> Vec<Self> {
        Self::names().iter().map(|name| Self::named(name)).collect()
    }

    /// The fields of its variant's one key.
    pub fn fields(&self) -> BTreeMap<String, Vec<u8>> {
        fields(self.gateway, &self.options)
    }

    /// The headers as the engine takes them.
    pub fn headers(&self) -> Vec<Header<'_>> {
        self.signed.headers.iter().map(|(name, value)| Header { name, value }).collect()
    }

    /// Whether its check needs a certificate or an answer from elsewhere.
    pub fn asks_outside(&self) -> bool {
        self.chain.is_some() || self.verifier.scheme().source == Source::Answer
    }

    /// Verifies it.
    pub fn verify<'a>(&'a self, headers: &'a [Header<'a>]) -> Verified<'a> {
        self.check(headers).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// The same, with the answer where the engine put it.
    pub fn check<'a>(&'a self, headers: &'a [Header<'a>]) -> Result<Verified<'a>, Rejection> {
        let Signed { url, body, .. } = &self.signed;
        let request = Request { method: "POST", url, headers, body };
        let at = CheckTime::now(NOW);
        match Unverified::new(request).check_with(&self.verifier) {
            Ok(Step::Ready(ref check)) => check.run(at),
            Ok(Step::NeedsCertificate(needs)) => {
                needs.with_chain(Arc::clone(self.chain.as_ref().expect("made with it"))).run(at)
            }
            Ok(Step::NeedsAnswer(needs)) => needs.with_answers(vec![b"VERIFIED".to_vec()]).run(at),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// Reads the events of what was verified.
    pub fn parse<'v>(&self, verified: &'v Verified<'_>) -> Vec<Event<'v>> {
        let events = (self.gateway.parse)(verified);
        events.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn stripe() -> &'static Gateway {
    payhook::gateway::find("stripe").expect("a gateway")
}

fn verifier(gateway: &Gateway, options: &BTreeMap<String, serde_json::Value>) -> Verifier {
    let fields = fields(gateway, options).into_iter();
    let fields = fields.map(|(name, value)| (name, Secret::new(value))).collect();
    let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
    let made = gateway.verifier(vec![key], Options::new(options.clone(), BTreeMap::new()));
    made.unwrap_or_else(|error| panic!("{}: {error}", gateway.name))
}

/// The fields of the one key, in the form that the scheme takes.
fn fields(
    gateway: &Gateway,
    options: &BTreeMap<String, serde_json::Value>,
) -> BTreeMap<String, Vec<u8>> {
    let scheme = gateway.scheme(&Options::new(options.clone(), BTreeMap::new()));
    let form = scheme.expect("its own example").key_form;
    let value = |name: &str| match (name, form) {
        ("receiver_email", _) => "merchant@example.test".to_owned(),
        (_, KeyForm::Aes128) => "0123456789abcdef".to_owned(),
        _ => "0123456789abcdef".repeat(4),
    };
    let keys = gateway.keys.iter();
    keys.map(|field| (field.name.to_owned(), value(field.name).into_bytes())).collect()
}

/// The authority and the key with which `PayPal` would sign.
struct World {
    root: String,
    leaf: Vec<u8>,
    key: RsaKeyPair,
}

impl World {
    fn new() -> Self {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root_key = KeyPair::generate().expect("random numbers");
        let root = authority.self_signed(&root_key).expect("a certificate").pem();
        let issuer = Issuer::new(authority, root_key);
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048);
        let key = key.expect("random numbers");
        let leaf = CertificateParams::new(vec![NAME.to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").pem().into_bytes();
        let key = RsaKeyPair::from_pkcs8(key.serialized_der()).expect("its own form");
        Self { root, leaf, key }
    }

    fn sign(&self, verifier: &Verifier, draft: Draft<'_>, now: UnixSeconds) -> Signed {
        let headers = [
            Header { name: "PAYPAL-TRANSMISSION-ID", value: "bench-1" },
            Header { name: "PAYPAL-CERT-URL", value: CERT_URL },
        ];
        let draft = Draft { headers: &headers, ..draft };
        let signed = verifier.sign_with(draft, now, &|message| {
            let mut signature = vec![0; self.key.public_modulus_len()];
            let random = SystemRandom::new();
            self.key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
            Some(signature)
        });
        signed.expect("signed with a key of our own")
    }
}

const NAME: &str = "messageverificationcerts.sandbox.paypal.com";
/// Where the certificate would be.
pub const CERT_URL: &str = "https://api.sandbox.paypal.com/v1/notifications/certs/BENCH";
const URL: &str = "https://shop.example/payments/process/bench/";
