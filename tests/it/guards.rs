//! Guards of a variant, and the windows of what was seen before.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use payhook::{
    accounts::{
        Bodies, BodyCheck, Caller, CallerRule, GuardError, Repeats, SecretRef, VariantSpec,
    },
    limits::{CHALLENGES_MAX, CHALLENGES_WINDOW_SECONDS},
    model::{Environment, Event, UnixSeconds, Variant},
    proto,
};
use tonic::Code;

use crate::{
    accounts::{Hands, Mood, Moody, SECRET, START, spec, store, ttl},
    cases, serving,
};

#[tokio::test(start_paused = true)]
async fn guards_hold_for_every_pairing() {
    let (source, hands) = (Moody::new(Mood::Up(SECRET)), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    let event = |environment, account: Option<&'static str>| Event {
        environment,
        account: account.map(Into::into),
        ..Event::envelope()
    };
    let (live, test) = (Some(Environment::Live), Some(Environment::Test));
    let rows = [
        (None, live, Ok(())),
        (None, test, Ok(())),
        (live, live, Ok(())),
        (live, None, Ok(())),
        (live, test, Err(GuardError::TestEventOnLive)),
        (test, test, Ok(())),
        (test, None, Ok(())),
        (test, live, Err(GuardError::LiveEventOnTest)),
    ];
    for (pinned, from, expected) in rows {
        let pinned = VariantSpec { environment: pinned, ..spec("shop", None) };
        accounts.apply(vec![pinned], "r".to_owned()).await;
        let account = accounts.account("shop").await.unwrap();
        assert_eq!(account.guard(&event(from, None)), expected);
    }
    let listed = VariantSpec { accounts: vec!["acct_1".to_owned()], ..spec("shop", None) };
    accounts.apply(vec![listed], "r".to_owned()).await;
    let account = accounts.account("shop").await.unwrap();
    assert_eq!(account.guard(&event(None, Some("acct_1"))), Ok(()));
    for other in ["acct_2", "acct_", "acct_11", "ACCT_1", ""] {
        let refused = account.guard(&event(None, Some(other)));
        assert_eq!(refused, Err(GuardError::AccountMismatch), "{other:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_are_known_by_uid_certificate_or_token() {
    let (source, hands) = (Moody::new(Mood::Up("a token of sufficient length")), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    let caller = |uid, san: Option<&str>, token: Option<&str>| {
        let mut caller = Caller { uid, ..Caller::default() };
        caller.sans.extend(san.map(str::to_owned));
        if let Some(token) = token {
            caller.set_bearer(token);
        }
        caller
    };
    let (san, token) = ("spiffe://shop/web", "a token of sufficient length");
    let anybody = accounts.account("shop").await.unwrap();
    assert!(anybody.allows(&Caller::default()));
    let rules = || {
        let token = SecretRef::Env("TOKEN".to_owned());
        vec![CallerRule::Uid(1000), CallerRule::San(san.to_owned()), CallerRule::Token(token)]
    };
    accounts.apply(vec![VariantSpec { callers: rules(), ..spec("shop", None) }], "r".into()).await;
    let account = accounts.account("shop").await.unwrap();
    for good in [
        caller(Some(1000), None, None),
        caller(None, Some(san), None),
        caller(None, None, Some(token)),
        caller(Some(1), Some("other"), Some(token)),
    ] {
        assert!(account.allows(&good), "{good:?}");
    }
    for bad in [
        Caller::default(),
        caller(Some(0), None, None),
        caller(None, Some("spiffe://shop/web/2"), None),
        caller(None, None, Some("")),
        caller(None, None, Some("a token of sufficient lengtH")),
    ] {
        assert!(!account.allows(&bad), "{bad:?}");
    }
}

#[tokio::test]
async fn repeats_are_counted_within_the_window_and_bounded() {
    let shop = Variant::new("shop").unwrap();
    let at = |offset| UnixSeconds::new(START + offset);
    let repeats = Repeats::new(100, 1_000);
    let first = repeats.record(&shop, "stripe:evt_1", at(0)).unwrap();
    assert_eq!((first.first_seen_at, first.count), (at(0), 1));
    let second = repeats.record(&shop, "stripe:evt_1", at(100)).unwrap();
    assert_eq!((second.first_seen_at, second.count), (at(0), 2));
    let later = repeats.record(&shop, "stripe:evt_1", at(101)).unwrap();
    assert_eq!((later.first_seen_at, later.count), (at(101), 1));
    let other = repeats.record(&Variant::new("sho").unwrap(), "pstripe:evt_1", at(0));
    assert_eq!(other.unwrap().count, 1);
    for number in 0..20_000 {
        repeats.record(&shop, &format!("evt_{number}"), at(0));
    }
    assert!(repeats.entries() <= 1_000);
    assert_eq!(Repeats::new(0, 1_000).record(&shop, "evt", at(0)), None);
    assert_eq!(Repeats::new(100, 0).record(&shop, "evt", at(0)), None);
}

#[tokio::test]
async fn another_body_under_a_signed_id_is_noticed() {
    let shop = Variant::new("shop").unwrap();
    let at = |offset| UnixSeconds::new(START + offset);
    let bodies = Bodies::new(100, 1_000);
    assert_eq!(bodies.check(&shop, "id-1", b"a", at(0)), BodyCheck::New);
    assert_eq!(bodies.check(&shop, "id-1", b"a", at(50)), BodyCheck::Same);
    assert_eq!(bodies.check(&shop, "id-1", b"b", at(60)), BodyCheck::Different);
    assert_eq!(bodies.check(&shop, "id-1", b"a", at(70)), BodyCheck::Same);
    assert_eq!(bodies.check(&shop, "id-2", b"b", at(0)), BodyCheck::New);
    let other = Variant::new("other").unwrap();
    assert_eq!(bodies.check(&other, "id-1", b"b", at(0)), BodyCheck::New);
    assert_eq!(bodies.check(&shop, "id-1", b"b", at(101)), BodyCheck::New);
}

#[tokio::test]
async fn challenges_are_rationed_by_variant_and_by_the_clock() {
    let rows = cases::cases("braintree");
    let named = |tail: &str| rows.iter().find(|row| row.id.ends_with(tail)).expect("a row");
    let asks = rows.iter().find(|row| row.expect.get("challenge_reply").is_some()).expect("a row");
    let bad = named("challenge/too-short");
    let signed = rows.iter().find(|row| {
        row.expect["verdict"] == "verified"
            && row.expect.get("challenge_reply").is_none()
            && row.variant.keys == asks.variant.keys
    });
    let signed = signed.expect("a row");
    let seconds = Arc::new(AtomicI64::new(START));
    let clock = Arc::clone(&seconds);
    let running = serving::start(
        vec![serving::spec(asks, "shop"), serving::spec(asks, "other")],
        Arc::new(move || UnixSeconds::new(clock.load(Ordering::Relaxed))),
        serving::settings(),
    );
    let mut client = serving::client(&running).await;
    let request = |row, variant| serving::request(serving::webhook(row, variant));
    for _ in 0..3 * CHALLENGES_MAX {
        // What is no challenge is not answered and takes nothing from the ration.
        let refused = client.verify_and_parse(request(bad, "shop")).await.unwrap_err();
        assert_eq!(serving::reason(&refused), "PAYLOAD_MALFORMED");
    }
    let last = START + CHALLENGES_WINDOW_SECONDS - 1;
    for now in [START, last] {
        seconds.store(now, Ordering::Relaxed);
        for _ in 0..CHALLENGES_MAX / 2 {
            let answer = client.verify_and_parse(request(asks, "shop")).await.unwrap();
            assert!(answer.get_ref().challenge, "at {now}");
        }
    }
    let refused = client.verify_and_parse(request(asks, "shop")).await.unwrap_err();
    assert_eq!(
        (refused.code(), &*serving::reason(&refused)),
        (Code::ResourceExhausted, "OVERLOADED")
    );
    assert!(refused.metadata().contains_key("grpc-retry-pushback-ms"));
    let mapped = proto::MapStatusRequest {
        source: Some(proto::map_status_request::Source::Webhook(serving::webhook(asks, "shop"))),
        ..proto::MapStatusRequest::default()
    };
    let refused = client.map_status(mapped).await.unwrap_err();
    assert_eq!(serving::reason(&refused), "OVERLOADED", "the other way to ask");
    // Webhooks and other variants are served meanwhile.
    assert!(!client.verify_and_parse(request(signed, "shop")).await.unwrap().get_ref().challenge);
    assert!(client.verify_and_parse(request(asks, "other")).await.unwrap().get_ref().challenge);
    seconds.store(last + 1, Ordering::Relaxed);
    assert!(client.verify_and_parse(request(asks, "shop")).await.unwrap().get_ref().challenge);
}
