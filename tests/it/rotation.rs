//! A rotation as the gateway's webhooks see it, and the guards of a variant over gRPC.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use payhook::{
    accounts::{
        Accounts, CacheSettings, CallerRule, KeySpec, SecretRef, SystemSecrets, VariantSpec,
    },
    gateway,
    model::{Environment, Secret, UnixSeconds, Variant},
    proto::{self, KeyRole as Role},
    server::{Parts, Running},
    telemetry::Metrics,
    verify::{Draft, KeyRole},
};

use crate::{accounts::START, config::Folder, serving};

/// A server with one variant, and a clock that is moved by hand.
struct Served {
    accounts: Arc<Accounts>,
    now: Arc<AtomicI64>,
    _running: Running,
    client: serving::Client,
}

async fn serve(spec: VariantSpec) -> Served {
    let now = Arc::new(AtomicI64::new(START));
    let hand = Arc::clone(&now);
    let clock: payhook::accounts::Clock =
        Arc::new(move || UnixSeconds::new(hand.load(Ordering::SeqCst)));
    let accounts = Arc::new(Accounts::new(
        vec![spec],
        "r1".to_owned(),
        Arc::new(SystemSecrets),
        Arc::clone(&clock),
        CacheSettings::default(),
    ));
    let parts = Parts {
        accounts: Arc::clone(&accounts),
        clock,
        metrics: Arc::new(Metrics::default()),
        settings: serving::settings(),
    };
    let running = parts.start().expect("a free port");
    let client = serving::client(&running).await;
    Served { accounts, now, _running: running, client }
}

fn key(role: KeyRole, secret: &str, expires_at: Option<i64>) -> KeySpec {
    let place = SecretRef::Inline(Secret::new(secret.as_bytes().to_vec()));
    KeySpec {
        label: Some(secret.to_owned()),
        role,
        expires_at: expires_at.map(UnixSeconds::new),
        fields: BTreeMap::from([("endpoint_secret".to_owned(), place)]),
    }
}

fn spec(keys: Vec<KeySpec>) -> VariantSpec {
    VariantSpec {
        variant: Variant::new("shop").expect("a name"),
        gateway: gateway::find("stripe").expect("a gateway"),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys,
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    }
}

const SECRETS: [&str; 4] = [
    "whsec_value_of_next_01",
    "whsec_value_of_now_001",
    "whsec_value_of_old_001",
    "whsec_value_of_gone_01",
];

/// What Stripe would send, signed with this secret at this time.
async fn signed(secret: &str, at: i64, body: &str) -> proto::WebhookRequest {
    let settings = CacheSettings::default();
    let specs = vec![spec(vec![key(KeyRole::Current, secret, None)])];
    let source = Arc::new(SystemSecrets);
    let accounts = Accounts::new(specs, String::new(), source, serving::frozen(at), settings);
    let account = accounts.account("shop").await.expect("usable");
    let draft = Draft { url: "", headers: &[], payload: body.as_bytes() };
    let signed = account.verifier().sign(draft, UnixSeconds::new(at)).expect("it signs");
    let headers = signed.headers.into_iter();
    proto::WebhookRequest {
        variant: "shop".to_owned(),
        body: signed.body.into(),
        headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
        ..proto::WebhookRequest::default()
    }
}

const BODY: &str = r#"{"id":"evt_1","object":"event","type":"a.b","data":{"object":{}}}"#;

impl Served {
    /// The verification, or the reason of the refusal.
    async fn ask(&mut self, webhook: proto::WebhookRequest) -> Result<proto::Verification, String> {
        let answer = self.client.verify_and_parse(serving::request(webhook)).await;
        let answer = answer.map_err(|status| serving::reason(&status))?;
        Ok(answer.into_inner().verification.expect("verified"))
    }
}

#[tokio::test]
async fn any_key_that_is_valid_matches_and_the_answer_says_which() {
    let [next, current, previous, gone] = SECRETS;
    let mut served = serve(spec(vec![
        key(KeyRole::Next, next, None),
        key(KeyRole::Current, current, None),
        key(KeyRole::Previous, previous, Some(START + 100)),
        key(KeyRole::Previous, gone, Some(START)),
    ]))
    .await;
    let rows =
        [(next, Ok(Role::Next)), (current, Ok(Role::Current)), (previous, Ok(Role::Previous))];
    for (secret, role) in rows.into_iter().chain([(gone, Err("SIGNATURE_MISMATCH".to_owned()))]) {
        let found = served.ask(signed(secret, START, BODY).await).await;
        let label = found.as_ref().map_or(secret, |it| it.key_label.as_str());
        assert_eq!(label, secret);
        assert_eq!(found.map(|it| it.key_role()), role, "{secret}");
    }
    // The last second of a key, and the first without it.
    for (at, accepted) in [(START + 99, true), (START + 100, false), (START + 101, false)] {
        served.now.store(at, Ordering::SeqCst);
        let found = served.ask(signed(previous, at, BODY).await).await;
        assert_eq!(found.is_ok(), accepted, "{at}");
    }
    let states = served.accounts.states();
    let used: Vec<_> =
        states[0].keys.iter().map(|key| key.last_used.map(UnixSeconds::get)).collect();
    assert_eq!(used, [Some(START), Some(START), Some(START + 99), None]);
}

#[tokio::test]
async fn a_rotation_step_by_step_refuses_nothing_that_the_gateway_signs() {
    let folder = Folder::new("rotation");
    let [new, old, ..] = SECRETS;
    let place = |name: &str| SecretRef::File(folder.0.join(name));
    let of_file = |role, name: &str, expires_at: Option<i64>| KeySpec {
        fields: BTreeMap::from([("endpoint_secret".to_owned(), place(name))]),
        ..key(role, name, expires_at)
    };
    folder.write("a", old);
    let mut served = serve(spec(vec![of_file(KeyRole::Current, "a", None)])).await;
    assert!(served.ask(signed(old, START, BODY).await).await.is_ok());
    // The new secret is staged before the gateway signs with it.
    folder.write("b", new);
    let staged = vec![of_file(KeyRole::Next, "b", None), of_file(KeyRole::Current, "a", None)];
    served.accounts.apply(vec![spec(staged)], "r2".to_owned()).await;
    assert!(served.ask(signed(old, START, BODY).await).await.is_ok());
    assert!(served.ask(signed(new, START, BODY).await).await.is_ok());
    // The gateway signs with the new one; late deliveries still carry the old one.
    let switched = vec![
        of_file(KeyRole::Current, "b", None),
        of_file(KeyRole::Previous, "a", Some(START + 1_000)),
    ];
    served.accounts.apply(vec![spec(switched)], "r3".to_owned()).await;
    assert_eq!(
        served.ask(signed(old, START, BODY).await).await.unwrap().key_role(),
        Role::Previous
    );
    assert_eq!(served.ask(signed(new, START, BODY).await).await.unwrap().key_role(), Role::Current);
    let states = served.accounts.states();
    let since: Vec<_> = states[0].keys.iter().map(|key| key.held_since.is_some()).collect();
    assert_eq!(since, [true, true]);
    // The old one goes, and with it what it signs.
    let done = vec![of_file(KeyRole::Current, "b", None)];
    served.accounts.apply(vec![spec(done)], "r4".to_owned()).await;
    let refused = served.ask(signed(old, START, BODY).await).await;
    assert_eq!(refused.unwrap_err(), "SIGNATURE_MISMATCH");
    assert!(served.ask(signed(new, START, BODY).await).await.is_ok());
}

#[tokio::test]
async fn the_tolerance_is_exact_to_the_second_in_both_directions() {
    let [secret, ..] = SECRETS;
    for tolerance in [1, 10, 86_400] {
        let mut spec = spec(vec![key(KeyRole::Current, secret, None)]);
        spec.options.insert("tolerance_seconds".to_owned(), tolerance.into());
        let mut served = serve(spec).await;
        let rows = [
            (-tolerance - 1, Err("TIMESTAMP_TOO_OLD".to_owned())),
            (-tolerance, Ok(())),
            (0, Ok(())),
            (tolerance, Ok(())),
            (tolerance + 1, Err("TIMESTAMP_IN_FUTURE".to_owned())),
        ];
        for (offset, expected) in rows {
            let found = served.ask(signed(secret, START + offset, BODY).await).await;
            assert_eq!(found.map(drop), expected, "{offset} of {tolerance}");
        }
    }
}

#[tokio::test]
async fn received_at_moves_the_freshness_check_and_nothing_else() {
    let [secret, ..] = SECRETS;
    let mut keys = spec(vec![key(KeyRole::Current, secret, Some(START + 10_000))]);
    keys.accept_received_at_max_seconds = 600;
    let mut served = serve(keys).await;
    let invalid = || Err("REQUEST_INVALID".to_owned());
    let old = || Err("TIMESTAMP_TOO_OLD".to_owned());
    // When it was signed, when it is said to have arrived, both before now.
    let rows = [
        (500, None, old()),
        (500, Some(500), Ok(())),
        (700, Some(400), Ok(())),
        (701, Some(400), old()),
        (600, Some(600), Ok(())),
        (601, Some(601), invalid()),
        (0, Some(-1), invalid()),
        (-400, Some(0), Err("TIMESTAMP_IN_FUTURE".to_owned())),
    ];
    for (signed_before, received_before, expected) in rows {
        let mut webhook = signed(secret, START - signed_before, BODY).await;
        let at = |before: i64| prost_types::Timestamp { seconds: START - before, nanos: 0 };
        webhook.received_at = received_before.map(at);
        let found = served.ask(webhook).await.map(drop);
        assert_eq!(found, expected, "{signed_before} {received_before:?}");
    }
    // The key's end is judged by the clock, whatever was said about the arrival.
    served.now.store(START + 10_000, Ordering::SeqCst);
    let mut webhook = signed(secret, START + 9_900, BODY).await;
    webhook.received_at = Some(prost_types::Timestamp { seconds: START + 9_900, nanos: 0 });
    assert_eq!(served.ask(webhook).await.unwrap_err(), "SIGNATURE_MISMATCH");
}

#[tokio::test]
async fn pins_and_lists_refuse_over_grpc_what_is_not_meant_for_the_variant() {
    let [secret, ..] = SECRETS;
    let body = |live: bool, account: &str| {
        format!(
            r#"{{"id":"evt_1","object":"event","type":"a.b","livemode":{live},"account":"{account}","data":{{"object":{{}}}}}}"#
        )
    };
    let environment = || Err("ENVIRONMENT_MISMATCH".to_owned());
    let rows = [
        (Some(Environment::Live), true, "acct_1", Ok(())),
        (Some(Environment::Live), false, "acct_1", environment()),
        (Some(Environment::Test), true, "acct_1", environment()),
        (Some(Environment::Test), false, "acct_1", Ok(())),
        (None, true, "acct_2", Err("ACCOUNT_MISMATCH".to_owned())),
        (None, false, "ACCT_1", Err("ACCOUNT_MISMATCH".to_owned())),
    ];
    for (pinned, live, account, expected) in rows {
        let mut spec = spec(vec![key(KeyRole::Current, secret, None)]);
        spec.environment = pinned;
        spec.accounts = vec!["acct_1".to_owned()];
        let mut served = serve(spec).await;
        let webhook = signed(secret, START, &body(live, account)).await;
        assert_eq!(served.ask(webhook).await.map(drop), expected, "{pinned:?} {live} {account}");
    }
}

#[tokio::test]
async fn a_bearer_token_opens_the_variant_and_rotates_like_a_secret() {
    let folder = Folder::new("bearer");
    let [secret, first, second, _] = SECRETS;
    let mut spec = spec(vec![key(KeyRole::Current, secret, None)]);
    spec.callers = vec![CallerRule::Token(SecretRef::File(folder.write("token", first)))];
    let mut served = serve(spec).await;
    let webhook = signed(secret, START, BODY).await;
    let asked = async |served: &mut Served, header: Option<String>| {
        let mut request = tonic::Request::new(serving::request(webhook.clone()));
        if let Some(header) = header {
            request.metadata_mut().insert("authorization", header.parse().expect("ASCII"));
        }
        let answer = served.client.verify_and_parse(request).await;
        answer.map(drop).map_err(|status| serving::reason(&status))
    };
    let closed = || Err("CALLER_NOT_ALLOWED".to_owned());
    for (token, other) in [(first, second), (second, first)] {
        folder.write("token", format!("{token}\n"));
        served.accounts.refresh().await;
        let rows = [
            (None, closed()),
            (Some(format!("Bearer {other}")), closed()),
            (Some(format!("Bearer {token}x")), closed()),
            (Some(format!("Basic {token}")), closed()),
            (Some(token.to_owned()), closed()),
            (Some(format!("Bearer {token}")), Ok(())),
        ];
        for (header, expected) in rows {
            assert_eq!(asked(&mut served, header.clone()).await, expected, "{header:?}");
        }
    }
}
