//! Configurations with secrets in files, and webhooks signed with them before a run begins.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, sync::Arc};

use payhook::{
    accounts::{Account, Accounts, CacheSettings, SystemSecrets},
    config::{Config, Purpose},
    gateway::{GATEWAYS, Gateway},
    model::UnixSeconds,
    proto,
    server::system_clock,
    verify::{
        Draft, Options, Signed,
        scheme::{Freshness, KeyForm, Source},
    },
};
use prost::Message as _;

use crate::{server::Folder, wire::Call};

pub const VERIFY: &str = "/payhook.v1.PaymentWebhookService/VerifyAndParse";
pub const LIST: &str = "/payhook.v1.PaymentWebhookService/ListVariants";
pub const HEALTH: &str = "/grpc.health.v1.Health/Check";

/// A configuration on disk.
pub struct Shop {
    pub folder: Folder,
    pub config: PathBuf,
}

/// One webhook as an application hands it over.
#[derive(Clone)]
pub struct Webhook(pub proto::WebhookRequest);

impl Webhook {
    pub fn new(variant: &str, signed: Signed) -> Self {
        let headers = signed.headers.into_iter();
        Self(proto::WebhookRequest {
            variant: variant.to_owned(),
            body: signed.body.into(),
            headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
            method: "POST".to_owned(),
            url: signed.url,
            received_at: None,
        })
    }

    pub fn call(&self) -> Call {
        let request = proto::VerifyAndParseRequest { webhook: Some(self.0.clone()) };
        Call::new(VERIFY, &request.encode_to_vec())
    }
}

impl Shop {
    /// A configuration of these settings, then a variant for each of these names and gateways.
    pub fn new(settings: &str, variants: &[(String, &'static Gateway)]) -> Self {
        let folder = Folder::new();
        fs::create_dir(folder.0.join("secrets")).expect("a new folder");
        let mut text = format!("{LISTEN}{settings}variants:\n");
        for (name, gateway) in variants {
            variant(&folder, &mut text, name, gateway);
        }
        if variants.is_empty() {
            text = format!("{LISTEN}{settings}");
        }
        let config = folder.write("payhook.yaml", text);
        Self { folder, config }
    }

    /// Where the secrets are.
    pub fn secrets(&self) -> PathBuf {
        self.folder.0.join("secrets")
    }

    /// So many Stripe variants.
    pub fn stripes(settings: &str, count: usize) -> Self {
        let stripe = payhook::gateway::find("stripe").expect("a gateway");
        let variants: Vec<_> = (0..count).map(|at| (format!("shop-{at}"), stripe)).collect();
        Self::new(settings, &variants)
    }

    /// One variant for each gateway whose webhooks can be signed here.
    pub fn all(settings: &str) -> Self {
        let ours = GATEWAYS.iter().filter(|gateway| signs(gateway));
        let variants: Vec<_> = ours.map(|gateway| (gateway.name.to_owned(), *gateway)).collect();
        Self::new(settings, &variants)
    }

    /// Every sample of every variant, signed now.
    pub fn webhooks(&self) -> Vec<Webhook> {
        self.with(|accounts, now| {
            let mut signed = Vec::new();
            for account in accounts {
                for sample in account.gateway().samples {
                    signed.push(sign(account, sample.payload, now));
                }
            }
            assert!(!signed.is_empty(), "a gateway has samples");
            signed
        })
    }

    /// So many webhooks of this variant, each with an event id of its own.
    pub fn distinct(&self, variant: &str, count: usize) -> Vec<Webhook> {
        self.with(|accounts, now| {
            let account = accounts.iter().find(|account| account.variant().as_str() == variant);
            let account = account.expect("a variant of these");
            let payload = account.gateway().samples[0].payload;
            (0..count)
                .map(|at| sign(account, &payload.replace("evt_demo_01", &format!("evt_{at}")), now))
                .collect()
        })
    }

    /// A Stripe webhook that was signed long ago.
    pub fn stale(&self) -> Webhook {
        self.with(|accounts, now| {
            let account = stripe(accounts);
            let then = UnixSeconds::new(now.get() - 200_000);
            sign(account, account.gateway().samples[0].payload, then)
        })
    }

    /// One that is signed well and cannot be read.
    pub fn unreadable(&self) -> Webhook {
        self.with(|accounts, now| sign(stripe(accounts), "{\"id\": \"evt_1\",", now))
    }

    /// The accounts of this configuration, as the server has them.
    pub fn with<R>(&self, act: impl FnOnce(&[Arc<Account>], UnixSeconds) -> R) -> R {
        let config = Config::load(&self.config, Purpose::Production).expect("it was just written");
        let clock = system_clock();
        let accounts = Accounts::new(
            config.variants,
            config.revision,
            Arc::new(SystemSecrets),
            Arc::clone(&clock),
            CacheSettings::default(),
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let loaded = runtime.expect("a runtime").block_on(async {
            let mut loaded = Vec::new();
            for variant in accounts.variants() {
                loaded.push(accounts.account(variant.as_str()).await.expect("a whole variant"));
            }
            loaded
        });
        act(&loaded, clock())
    }

    /// One good webhook of each variant.
    pub fn one_each(&self) -> Vec<Webhook> {
        let mut firsts = BTreeMap::new();
        for webhook in self.webhooks() {
            firsts.entry(webhook.0.variant.clone()).or_insert(webhook);
        }
        firsts.into_values().collect()
    }
}

fn stripe(accounts: &[Arc<Account>]) -> &Account {
    let stripe = accounts.iter().find(|account| account.gateway().name == "stripe");
    stripe.expect("a Stripe variant")
}

/// This payload as the account's gateway would send it.
pub fn sign(account: &Account, payload: &str, now: UnixSeconds) -> Webhook {
    let draft = Draft { url: URL, headers: &[], payload: payload.as_bytes() };
    let signed = account.verifier().sign(draft, now).expect("signed here");
    Webhook::new(account.variant().as_str(), signed)
}

/// Whether its webhooks are signed with a key that both sides have, and nobody else is asked.
fn signs(gateway: &Gateway) -> bool {
    let options = Options::new(gateway.example(), BTreeMap::new());
    let scheme = gateway.scheme(&options).expect("its own example");
    scheme.source != Source::Answer && gateway.name != "paypal"
}

fn variant(folder: &Folder, text: &mut String, name: &str, gateway: &Gateway) {
    let mut options = gateway.example();
    let scheme = gateway.scheme(&Options::new(options.clone(), BTreeMap::new()));
    let (form, freshness) = {
        let scheme = scheme.expect("its own example");
        (scheme.key_form, scheme.freshness)
    };
    if matches!(freshness, Freshness::Window { .. }) {
        // Signed before the run, and good until its end.
        options.insert("tolerance_seconds".to_owned(), 86_400.into());
    }
    writeln!(text, "  {name}:\n    gateway: {}\n    keys:", gateway.name).expect("a string");
    for (at, field) in gateway.keys.iter().enumerate() {
        let place = format!("secrets/{name}.{}", field.name);
        let place = folder.write(&place, secret(form, name));
        private(&place);
        let mark = if at == 0 { "- " } else { "  " };
        writeln!(text, "      {mark}{}: {{file: {}}}", field.name, place.display())
            .expect("a string");
    }
    let options = serde_json::Value::Object(options.into_iter().collect());
    writeln!(text, "    options: {options}").expect("a string");
}

/// A world-readable secret would be warned about.
fn private(place: &PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(place, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// A key of the right form, of its own for each name.
fn secret(form: KeyForm, name: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut text = String::new();
    for round in 0..4 {
        for byte in name.bytes().chain([round]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        write!(text, "{hash:016x}").expect("a string");
    }
    if form == KeyForm::Aes128 { text[..16].to_owned() } else { text }
}

/// The webhook's URL, by django-payments' convention.
pub const URL: &str = "https://shop.example/payments/process/load/";
/// Ports of its own, and a log that is read.
pub const LISTEN: &str = "listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\nlog: {format: json}\n";
