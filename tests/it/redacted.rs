//! Debug output of every public type that holds a secret, directly or through others: none of it
//! shows one. The source says which types those are, so that a new one is not forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    fs,
    path::Path,
    sync::Arc,
};

use payhook::{
    accounts::{
        Account, Accounts, CacheSettings, CallerRule, FixedSecrets, Https, HttpsPostBack, KeySpec,
        Repeats, SecretRef, SystemSecrets, VariantSpec, VaultAuth, VaultSettings,
    },
    config::{self, Config, Purpose},
    gateway::{self, KeyFields},
    model::{Secret, UnixSeconds, Variant},
    server::{Parts, Reload, Tls},
    service::{Guardrails, PaymentWebhooks, Webhooks},
    telemetry::Metrics,
    verify::{
        CheckTime, Draft, Header, KeyInput, KeyRole, Request, Step, Unverified, explain::Inquiry,
    },
};
use serde_json::json;

use crate::{
    accounts::START,
    config::Folder,
    paypal::{self, BODY},
    serving,
};

const CANARY: &str = "whsec_CANARY0123456789abcdef";

/// Everything that a secret could be printed as.
fn assert_redacted(name: &str, shown: &dyn Debug, secret: &str) {
    use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
    let bytes = format!("{:?}", secret.as_bytes());
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    // From its third byte on base64 is the same whatever stands before.
    let base64 = STANDARD_NO_PAD.encode(&secret.as_bytes()[..24]);
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        assert!(!text.is_empty());
        let flat = text.replace(['\n', ' '], "");
        let bytes = bytes.replace(' ', "").trim_matches(['[', ']']).to_owned();
        for form in [secret, &hex, &base64] {
            assert!(!text.contains(form), "{name}: {text}");
        }
        assert!(!flat.contains(&bytes), "{name}: {text}");
    }
}

fn canary() -> Secret {
    Secret::new(CANARY.as_bytes().to_vec())
}

fn inline() -> SecretRef {
    SecretRef::Inline(canary())
}

fn spec(gateway: &str, field: &str) -> VariantSpec {
    let key = KeySpec {
        label: None,
        role: KeyRole::Current,
        expires_at: None,
        fields: BTreeMap::from([(field.to_owned(), inline())]),
    };
    VariantSpec {
        variant: Variant::new(gateway).expect("a name"),
        gateway: gateway::find(gateway).expect("a gateway"),
        environment: None,
        accounts: Vec::new(),
        callers: vec![CallerRule::Token(inline()), CallerRule::Uid(1)],
        keys: vec![key],
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    }
}

/// The names that were shown.
#[derive(Default)]
struct Shown(BTreeSet<&'static str>);

impl Shown {
    fn show(&mut self, name: &'static str, shown: &dyn Debug) {
        assert_redacted(name, shown, CANARY);
        self.0.insert(name);
    }
}

/// The public types whose definitions name a type that holds a secret.
fn holders() -> BTreeSet<String> {
    let mut definitions: Vec<(bool, String, BTreeSet<String>)> = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut definitions);
    let mut holding: BTreeSet<String> =
        ["Secret", "KeyedMac", "Zeroizing"].map(str::to_owned).into();
    loop {
        let before = holding.len();
        for (_, name, types) in &definitions {
            if types.iter().any(|named| holding.contains(named)) {
                holding.insert(name.clone());
            }
        }
        if holding.len() == before {
            break;
        }
    }
    let public =
        definitions.into_iter().filter(|(public, name, _)| *public && holding.contains(name));
    public.map(|(_, name, _)| name).collect()
}

fn collect(folder: &Path, found: &mut Vec<(bool, String, BTreeSet<String>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
            continue;
        }
        let source = fs::read_to_string(&path).expect("source");
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            let (public, rest) = match line.strip_prefix("pub ") {
                Some(rest) => (true, rest),
                None => (
                    false,
                    line.split_once(") ")
                        .filter(|(scope, _)| scope.starts_with("pub("))
                        .map_or(line, |it| it.1),
                ),
            };
            let Some(rest) = rest.strip_prefix("struct ").or(rest.strip_prefix("enum ")) else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            let mut types = BTreeSet::new();
            let mut body = line.to_owned();
            if line.trim_end().ends_with('{') {
                for line in lines.by_ref().take_while(|line| *line != "}") {
                    body = line.trim().to_owned();
                    note(&body, &mut types);
                }
            } else {
                note(&body, &mut types);
            }
            found.push((public, name, types));
        }
    }
}

/// The types that a field or the inside of a variant names; arguments of functions are no fields.
fn note(line: &str, types: &mut BTreeSet<String>) {
    if line.starts_with("//") || line.starts_with('#') || line.contains("fn(") {
        return;
    }
    let named = line.split_once(": ").or(line.split_once('(')).map_or("", |(_, named)| named);
    let words = named.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    types.extend(words.map(str::to_owned));
}

async fn accounts() -> (Arc<Accounts>, Vec<Arc<Account>>) {
    let specs = vec![spec("stripe", "endpoint_secret"), spec("dotpay", "pin")];
    let accounts = Accounts::new(
        specs,
        "r".to_owned(),
        Arc::new(SystemSecrets),
        serving::frozen(START),
        CacheSettings::default(),
    );
    let list = accounts.list().await;
    assert_eq!(list.len(), 2, "{:?}", accounts.states());
    (Arc::new(accounts), list)
}

#[tokio::test]
async fn no_public_type_shows_a_secret_that_it_holds() {
    let mut shown = Shown::default();
    shown.show("Secret", &canary());
    shown.show("SecretRef", &inline());
    let spec = spec("stripe", "endpoint_secret");
    shown.show("CallerRule", &spec.callers);
    shown.show("KeySpec", &spec.keys);
    shown.show("VariantSpec", &spec);
    let (role, fields) = (KeyRole::Current, BTreeMap::from([("a".to_owned(), canary())]));
    shown.show("KeyFields", &KeyFields { label: None, role, expires_at: None, fields });
    let input = KeyInput {
        label: None,
        role,
        expires_at: None,
        id: None,
        secret: canary(),
        bytes_min: 0,
        is_api_key: false,
    };
    shown.show("KeyInput", &input);
    shown.show("FixedSecrets", &FixedSecrets::new(BTreeMap::from([("a".to_owned(), canary())])));
    vault(&mut shown);
    let (accounts, list) = accounts().await;
    shown.show("Account", &list);
    for account in &list {
        shown.show("Verifier", account.verifier());
        shown.show("PreparedKey", &account.verifier().keys());
        shown.show("Options", account.verifier().options());
    }
    shown.show("VariantState", &accounts.states());
    checks(&mut shown, &list[1]);
    asked(&mut shown);
    server(&mut shown, accounts);
    shown.show("HttpsPostBack", &HttpsPostBack::new(Https::public(), serving::frozen(START)));
    configuration(&mut shown);
    let expected = holders();
    assert!(expected.len() >= 30, "{expected:?}");
    let missing: Vec<_> = expected.iter().filter(|name| !shown.0.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "types that hold a secret and were not shown");
}

fn vault(shown: &mut Shown) {
    let auth = VaultAuth::Token(Arc::new(inline()));
    shown.show("VaultAuth", &auth);
    let address = "https://vault:8200".to_owned();
    let settings = VaultSettings { address, auth, ca: None, namespace: None };
    shown.show("VaultSettings", &settings);
    #[cfg(feature = "vault")]
    shown.show("VaultSecrets", &payhook::accounts::VaultSecrets::new(settings));
    #[cfg(not(feature = "vault"))]
    // Without its feature the type is not there; with it, `vault` shows it too.
    shown.0.insert("VaultSecrets");
}

/// A webhook on its way, signed with the canary.
fn checks(shown: &mut Shown, stripe: &Account) {
    let now = UnixSeconds::new(START);
    let draft = Draft { url: "", headers: &[], payload: b"{}" };
    let signed = stripe.verifier().sign(draft, now).expect("it signs");
    let headers = signed.headers.iter().map(|(name, value)| Header { name, value });
    let headers: Vec<_> = headers.collect();
    let request = Request { method: "POST", url: "", headers: &headers, body: &signed.body };
    let verifier = stripe.verifier();
    let other = Unverified::new(Request { body: b"other", ..request }).check_with(verifier);
    let Ok(Step::Ready(check)) = other else { panic!("nothing is needed") };
    let at = CheckTime::now(now);
    let rejection = check.run(at).expect_err("another body");
    let (others, chain, rejection) = (&[("shop", verifier)], None, &rejection);
    shown.show("Inquiry", &Inquiry { request, verifier, rejection, at, chain, others });
    let step = Unverified::new(request).check_with(verifier).expect("signed");
    shown.show("Step", &step);
    let Step::Ready(check) = step else { panic!("nothing is needed") };
    shown.show("Check", &check);
    shown.show("Verified", &check.run(CheckTime::now(now)).expect("genuine"));
}

/// Webhooks that need something from outside, of variants whose credentials are the canary.
fn asked(shown: &mut Shown) {
    for options in [json!({}), json!({ "verify": "api", "api": { "client_id": "shop" } })] {
        let secrets = BTreeMap::from([("api.client_secret".to_owned(), canary())]);
        let values = options.as_object().expect("a map").clone().into_iter().collect();
        let options = payhook::verify::Options::new(values, secrets);
        let id = Secret::new(paypal::WEBHOOK_ID.as_bytes().to_vec());
        let fields = BTreeMap::from([("webhook_id".to_owned(), id)]);
        let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
        let paypal = gateway::find("paypal").expect("a gateway");
        let verifier = paypal.verifier(vec![key], options).expect("usable");
        shown.show("Options", verifier.options());
        shown.show("Verifier", &verifier);
        let headers = paypal::delivery("id-1", paypal::LIVE_URL, BODY.as_bytes());
        let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
        let body = BODY.as_bytes();
        let request = Request { method: "POST", url: "", headers: &headers, body };
        match Unverified::new(request).check_with(&verifier).expect("well formed") {
            Step::NeedsCertificate(needs) => shown.show("NeedsCertificate", &needs),
            Step::NeedsAnswer(needs) => {
                shown.show("NeedsAnswer", &needs);
                shown.show("Question", &needs.questions());
                let credentials = needs.questions()[0].credentials.expect("for a token");
                assert_eq!(credentials.client_secret.expose(), CANARY.as_bytes());
                shown.show("Credentials", &credentials);
            }
            step => panic!("{step:?}"),
        }
    }
}

fn server(shown: &mut Shown, accounts: Arc<Accounts>) {
    shown.show("Accounts", &accounts);
    let (clock, metrics) = (serving::frozen(START), Arc::new(Metrics::default()));
    let webhooks = Webhooks::new(
        Arc::clone(&accounts),
        clock.clone(),
        Arc::clone(&metrics),
        Repeats::new(1, 1),
        Guardrails::default(),
    );
    shown.show("Webhooks", &webhooks);
    shown.show("PaymentWebhooks", &PaymentWebhooks::new(Arc::new(webhooks)));
    let (kept, counted) = (Arc::clone(&accounts), Arc::clone(&metrics));
    shown.show("Reload", &Reload::new(None, Purpose::Production, kept, counted));
    let settings = serving::settings();
    shown.show("Settings", &settings);
    let parts = Parts { accounts, clock, metrics, settings };
    shown.show("Parts", &parts);
    shown.show("Running", &parts.start().expect("a free port"));
}

fn configuration(shown: &mut Shown) {
    let text = format!(
        "variants:\n  shop:\n    gateway: stripe\n    callers: [{{token: {CANARY}}}]\n    keys: [{{endpoint_secret: {CANARY}}}]\n"
    );
    shown.show("Config", &Config::from_yaml(&text, Purpose::Development).expect("usable"));
    // A private key is its own canary: its second line.
    let folder = Folder::new("redacted");
    let key = rcgen::KeyPair::generate().expect("a key");
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("signed");
    let pem = key.serialize_pem();
    let inline = SecretRef::Inline(Secret::new(pem.clone().into_bytes()));
    let certificate = folder.write("tls.crt", certificate.pem());
    let tls = config::Tls { certificate, private_key: inline, client_ca: None };
    let loaded = Tls::load(&tls).expect("usable");
    let line = pem.lines().nth(1).expect("a line");
    assert_redacted("config::Tls", &tls, line);
    assert_redacted("server::Tls", &loaded, line);
    let settings = payhook::server::Settings { tls: Some(Arc::new(loaded)), ..serving::settings() };
    assert_redacted("Settings", &settings, line);
    shown.show("Tls", &tls);
}
