//! What an operator sees of variants, keys and configurations: `ListVariants`, `/readyz`, health
//! and metrics say the same, and none of them holds a secret.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use payhook::{
    accounts::{Accounts, CacheSettings, CallerRule, KeySpec, SecretRef, VariantSpec},
    config::{Config, Purpose},
    gateway,
    model::{UnixSeconds, Variant},
    proto::{self, KeyRole as Role},
    server::{Parts, Reload, Running},
    telemetry::Metrics,
    verify::{Draft, KeyRole},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{accounts::START, admin::get, broken::broken, config::Folder, serving};

/// A server whose accounts are at hand.
struct Served {
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    running: Running,
}

fn serve(specs: Vec<VariantSpec>, secrets: Arc<dyn payhook::accounts::SecretSource>) -> Served {
    let clock = serving::frozen(START);
    let settings = CacheSettings::default();
    let accounts = Accounts::new(specs, "r1".to_owned(), secrets, clock.clone(), settings);
    let (accounts, metrics) = (Arc::new(accounts), Arc::new(Metrics::default()));
    let parts = Parts {
        accounts: Arc::clone(&accounts),
        clock,
        metrics: Arc::clone(&metrics),
        settings: serving::settings(),
    };
    Served { accounts, metrics, running: parts.start().expect("a free port") }
}

impl Served {
    fn admin(&self) -> SocketAddr {
        self.running.admin().expect("an admin listener")
    }

    async fn get(&self, path: &'static str) -> String {
        let admin = self.admin();
        tokio::task::spawn_blocking(move || get(admin, path)).await.expect("answered")
    }

    async fn list(&self) -> proto::ListVariantsResponse {
        let mut client = serving::client(&self.running).await;
        let request = proto::ListVariantsRequest {};
        client.list_variants(request).await.expect("listed").into_inner()
    }

    /// What grpc.health.v1 says of the configuration.
    async fn health(&self) -> String {
        let mut client = HealthClient::new(serving::channel(self.admin()).await);
        let request = HealthCheckRequest { service: "configuration".to_owned() };
        format!("{:?}", client.check(request).await.expect("known").into_inner().status())
    }
}

fn spec(name: &str, keys: &[(&str, KeyRole, &SecretRef)]) -> VariantSpec {
    let keys = keys.iter().map(|(label, role, place)| KeySpec {
        label: Some((*label).to_owned()),
        role: *role,
        expires_at: (*role == KeyRole::Previous).then(|| UnixSeconds::new(START + 1_000)),
        fields: BTreeMap::from([("endpoint_secret".to_owned(), copy(place))]),
    });
    VariantSpec {
        variant: Variant::new(name).expect("a name"),
        gateway: gateway::find("stripe").expect("a gateway"),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: keys.collect(),
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    }
}

fn copy(place: &SecretRef) -> SecretRef {
    match place {
        SecretRef::File(path) => SecretRef::File(path.clone()),
        other => panic!("{other:?} is no file"),
    }
}

/// A webhook that the key of this account at this position signed.
async fn signed(accounts: &Accounts, variant: &str) -> proto::WebhookRequest {
    let body = br#"{"id":"evt_1","object":"event","type":"a.b","data":{"object":{}}}"#;
    let account = accounts.account(variant).await.expect("usable");
    let draft = Draft { url: "", headers: &[], payload: body };
    let signed = account.verifier().sign(draft, UnixSeconds::new(START)).expect("it signs");
    let headers = signed.headers.into_iter();
    proto::WebhookRequest {
        variant: "shop".to_owned(),
        body: signed.body.into(),
        headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
        ..proto::WebhookRequest::default()
    }
}

#[tokio::test]
async fn the_list_shows_keys_their_use_and_what_is_wrong() {
    let folder = Folder::new("states");
    let file = |name: &str, value: &str| SecretRef::File(folder.write(name, value));
    let (new, old) = (file("new", "whsec_CANARY_new_0001"), file("old", "whsec_CANARY_old_0001"));
    let nowhere = SecretRef::File(folder.0.join("nowhere"));
    let shop =
        spec("shop", &[("autumn", KeyRole::Current, &new), ("spring", KeyRole::Previous, &old)]);
    // Signs for the previous key: a gateway that was not told yet.
    let mut legacy = spec("legacy", &[("only", KeyRole::Current, &old)]);
    legacy.callers = vec![CallerRule::Uid(4_000_000)];
    let mut hidden = spec("hidden", &[("only", KeyRole::Current, &nowhere)]);
    hidden.callers = vec![CallerRule::Token(copy(&nowhere))];
    let broken = spec("broken", &[("only", KeyRole::Current, &nowhere)]);
    let served =
        serve(vec![shop, legacy, hidden, broken], Arc::new(payhook::accounts::SystemSecrets));
    let listed = served.list().await;
    let names: Vec<_> = listed.variants.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["broken", "shop"], "what a caller may not use is not shown");
    let [broken, shop] = &listed.variants[..] else { panic!("two") };
    assert!(broken.problem.contains("nowhere"), "{}", broken.problem);
    assert_eq!((broken.loaded_at, broken.keys[0].held_since), (None, None));
    assert_eq!((shop.problem.as_str(), shop.last_matched_role()), ("", Role::Unspecified));
    assert_eq!(shop.loaded_at.as_ref().map(|at| at.seconds), Some(START));
    let webhook = signed(&served.accounts, "legacy").await;
    let mut client = serving::client(&served.running).await;
    client.verify_and_parse(serving::request(webhook)).await.expect("the previous key is accepted");
    let listed = served.list().await;
    let shop = &listed.variants[1];
    assert_eq!(shop.last_matched_role(), Role::Previous);
    let [current, previous] = &shop.keys[..] else { panic!("two keys") };
    assert_eq!((current.role(), current.key_label.as_str()), (Role::Current, "autumn"));
    assert_eq!((current.last_used_at, current.expires_at), (None, None));
    assert_eq!(previous.last_used_at.as_ref().map(|at| at.seconds), Some(START));
    assert_eq!(previous.expires_at.as_ref().map(|at| at.seconds), Some(START + 1_000));
    let metrics = served.get("/metrics").await;
    for line in [
        "payhook_previous_key_used_total{variant=\"shop\"} 1".to_owned(),
        format!(
            "payhook_key_last_used_seconds{{variant=\"shop\",key=\"spring\",role=\"previous\"}} {START}"
        ),
        format!(
            "payhook_key_loaded_seconds{{variant=\"shop\",key=\"autumn\",role=\"current\"}} {START}"
        ),
        "payhook_variant_problem{variant=\"broken\"} 1".to_owned(),
        "payhook_configuration_info{revision=\"r1\"} 1".to_owned(),
        "payhook_configuration_refused 0".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line} in\n{metrics}");
    }
    assert!(!metrics.contains("problem{variant=\"shop\"}"));
    let ready = served.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200 "), "one bad secret takes no pod out: {ready}");
    assert!(
        ready.contains("\nvariant broken, not served: key 1, endpoint_secret: file "),
        "{ready}"
    );
    for text in [format!("{listed:?}"), metrics, ready] {
        assert!(!text.contains("CANARY"), "{text}");
    }
}

#[tokio::test]
async fn a_rotated_value_is_new_and_an_old_one_keeps_its_record() {
    let folder = Folder::new("rotated");
    let file = |name: &str, value: &str| SecretRef::File(folder.write(name, value));
    let place = file("current", "whsec_value_number_0001\n");
    let one = vec![spec("shop", &[("a", KeyRole::Current, &place)])];
    let hands = crate::accounts::Hands::new();
    let source = Arc::new(payhook::accounts::SystemSecrets);
    let settings = CacheSettings::default();
    let accounts = Accounts::new(one, "r1".to_owned(), source, hands.clock(), settings);
    accounts.account("shop").await.unwrap().key_used("a", UnixSeconds::new(START));
    let at = |offset| Some(UnixSeconds::new(START + offset));
    let held = |key: &payhook::accounts::KeyState| (key.held_since, key.last_used);
    hands.set(START + 100);
    accounts.refresh().await;
    assert_eq!(held(&accounts.states()[0].keys[0]), (at(0), at(0)), "read again, not new");
    assert_eq!(accounts.states()[0].loaded_at, at(100));
    // The old value moves to another file and another role; the new one takes its place.
    let old = file("previous", "whsec_value_number_0001");
    file("current", "whsec_value_number_0002");
    hands.set(START + 200);
    let two = spec("shop", &[("b", KeyRole::Current, &place), ("a", KeyRole::Previous, &old)]);
    accounts.apply(vec![two], "r2".to_owned()).await;
    let keys = &accounts.states()[0].keys;
    assert_eq!((held(&keys[0]), held(&keys[1])), ((at(200), None), (at(0), at(0))));
    let role = accounts.states()[0].last_matched().map(|key| key.role);
    assert_eq!(role, Some(KeyRole::Previous));
}

#[tokio::test]
async fn a_refused_configuration_shows_everywhere_and_changes_nothing() {
    let folder = Folder::new("refused");
    let secret = folder.write("secret", "whsec_secret_of_the_shop\n");
    let good = |name: &str| {
        let place = secret.display();
        format!(
            "variants:\n  {name}:\n    gateway: stripe\n    keys: [{{endpoint_secret: {{file: {place}}}}}]\n"
        )
    };
    let path = folder.write("payhook.yaml", good("shop"));
    let config = Config::load(&path, Purpose::Production).unwrap();
    let served = serve(config.variants, Arc::new(payhook::accounts::SystemSecrets));
    let (accounts, metrics) = (Arc::clone(&served.accounts), Arc::clone(&served.metrics));
    let reload = Reload::new(Some(path), Purpose::Production, accounts, metrics);
    reload.look().await;
    let revision = served.accounts.revision();
    assert_eq!(
        (served.list().await.config_revision, served.list().await.config_problem),
        (revision.clone(), String::new())
    );
    let bad =
        "variants:\n  shop:\n    gateway: stripe\n    keys: [{endpoint_secret: whsec_CANARY}]\n";
    folder.write("payhook.yaml", bad);
    reload.look().await;
    let listed = served.list().await;
    let place = "line 4, column 30: variants.shop.keys[0].endpoint_secret";
    assert!(listed.config_problem.starts_with(place), "{}", listed.config_problem);
    assert_eq!((listed.config_revision, listed.variants.len()), (revision.clone(), 1));
    let line = format!("\nconfiguration refused, the last good one stays: {place}");
    let ready = served.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 200 ") && ready.contains(&line), "{ready}");
    let scraped = served.get("/metrics").await;
    assert!(scraped.contains("payhook_configuration_refused 1\n"), "{scraped}");
    assert!(scraped.contains("payhook_reloads_failed_total 1\n"), "{scraped}");
    assert!(!format!("{} {ready} {scraped}", listed.config_problem).contains("CANARY"));
    until(&served, "NotServing").await;
    folder.write("payhook.yaml", good("other"));
    reload.look().await;
    let listed = served.list().await;
    assert_eq!((listed.config_problem.as_str(), listed.variants[0].name.as_str()), ("", "other"));
    assert_ne!(listed.config_revision, revision, "a configuration that was taken is seen");
    assert!(!served.get("/readyz").await.contains("refused"));
    let scraped = served.get("/metrics").await;
    let info = format!("payhook_configuration_info{{revision=\"{}\"}} 1", listed.config_revision);
    assert!(
        scraped.contains(&info) && scraped.contains("payhook_configuration_refused 0"),
        "{scraped}"
    );
    until(&served, "Serving").await;
    // A detail is bounded, whatever stands in the file.
    for content in broken() {
        folder.write("payhook.yaml", content);
        reload.look().await;
        let ready = served.get("/readyz").await;
        assert!(ready.len() < 1_000 && !ready.contains("canary"), "{ready}");
    }
}

/// Waits until health says so of the configuration: it looks every second.
async fn until(served: &Served, status: &str) {
    for _ in 0..1_000 {
        if served.health().await == status {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the configuration did not become {status}");
}
