//! Accounts: one flight per variant, refresh ahead, stale secrets while a source is
//! down. Time is a number: the clock is injected, pauses run on tokio's paused clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use payhook::{
    accounts::{
        Account, AccountError, Accounts, CacheSettings, CallerRule, Clock, KeySpec, Reading,
        SecretError, SecretRef, SecretSource, VariantSpec,
    },
    gateway,
    model::{Secret, UnixSeconds, Variant},
    verify::{Draft, KeyRole},
};
use tokio::time::{Instant, advance, sleep};

pub(crate) const START: i64 = 1_700_000_000;
pub(crate) const SECRET: &str = "whsec_canary_in_tests_0001";

/// A clock that is moved by hand.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn set(&self, now: i64) {
        self.0.store(now, Ordering::Relaxed);
    }

    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Arc::new(move || UnixSeconds::new(hands.0.load(Ordering::Relaxed)))
    }

    /// Moves this clock and tokio's.
    async fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs() as i64, Ordering::Relaxed);
        advance(time).await;
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Mood {
    Down,
    Hanging,
    Up(&'static str),
}

/// A source that counts, takes its time, and fails when it is told to.
pub(crate) struct Moody {
    reads: AtomicUsize,
    mood: Mutex<Mood>,
}

impl Moody {
    pub(crate) fn new(mood: Mood) -> Arc<Self> {
        Arc::new(Self { reads: AtomicUsize::new(0), mood: Mutex::new(mood) })
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl SecretSource for Moody {
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock().unwrap();
        Box::pin(async move {
            sleep(Duration::from_millis(50)).await;
            match mood {
                Mood::Up(secret) => Ok(Secret::new(secret.as_bytes().to_vec())),
                Mood::Down => Err(SecretError::Unreadable {
                    place: reference.to_string(),
                    problem: "connection refused".to_owned(),
                }),
                Mood::Hanging => std::future::pending().await,
            }
        })
    }
}

pub(crate) fn spec(name: &str, label: Option<&str>) -> VariantSpec {
    let place = SecretRef::Env(format!("SECRET_OF_{name}"));
    let key = KeySpec {
        label: label.map(str::to_owned),
        role: KeyRole::Current,
        expires_at: None,
        fields: BTreeMap::from([("endpoint_secret".to_owned(), place)]),
    };
    VariantSpec {
        variant: Variant::new(name).unwrap(),
        gateway: gateway::find("stripe").unwrap(),
        environment: None,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![key],
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    }
}

pub(crate) fn store(source: &Arc<Moody>, hands: &Hands, settings: CacheSettings) -> Accounts {
    let source = Arc::clone(source) as Arc<dyn SecretSource>;
    Accounts::new(vec![spec("shop", None)], "r1".to_owned(), source, hands.clock(), settings)
}

pub(crate) fn ttl(ttl_seconds: i64) -> CacheSettings {
    CacheSettings { ttl_seconds, ..CacheSettings::default() }
}

/// What tells two secrets apart: the signature that the account would make.
fn mark(account: &Account) -> Vec<(String, String)> {
    let draft = Draft { url: "https://shop.example/", headers: &[], payload: b"{}" };
    account.verifier().sign(draft, UnixSeconds::new(START)).unwrap().headers
}

fn problem(result: Result<Arc<Account>, AccountError>) -> String {
    let error = result.expect_err("no account can be had");
    assert_eq!(error.label(), "SECRET_UNAVAILABLE");
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_thousand_calls_on_a_cold_variant_read_its_secret_once() {
    let source = Moody::new(Mood::Up(SECRET));
    let accounts = store(&source, &Hands::new(), ttl(300));
    let calls = (0..1000).map(|_| {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.account("shop").await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_ok());
    }
    assert_eq!(source.reads(), 1);
    assert_eq!(accounts.counts().hits, 0, "none of them found it at hand");
    for _ in 0..10 {
        accounts.account("shop").await.unwrap();
    }
    assert_eq!((source.reads(), accounts.counts().hits), (1, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_that_meet_on_a_cold_variant_read_its_secret_once() {
    for _ in 0..20 {
        let source = Moody::new(Mood::Up(SECRET));
        let accounts = store(&source, &Hands::new(), ttl(300));
        let calls = (0..50).map(|_| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.account("shop").await.map(drop) })
        });
        for call in calls.collect::<Vec<_>>() {
            call.await.unwrap().unwrap();
        }
        assert_eq!(source.reads(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_does_not_start_the_read_over() {
    let source = Moody::new(Mood::Up(SECRET));
    let accounts = store(&source, &Hands::new(), ttl(300));
    let first = tokio::time::timeout(Duration::from_millis(10), accounts.account("shop")).await;
    assert!(first.is_err(), "the first caller leaves before the source answers");
    assert!(accounts.account("shop").await.is_ok());
    assert_eq!(source.reads(), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_variants_leave_the_store_as_it_is() {
    let source = Moody::new(Mood::Up(SECRET));
    let accounts = store(&source, &Hands::new(), ttl(300));
    accounts.account("shop").await.unwrap();
    let mut seed = 1_u64;
    for _ in 0..100_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let unknown = accounts.account(&format!("v{seed:x}")).await;
        assert_eq!(unknown.unwrap_err(), AccountError::VariantUnknown);
    }
    assert_eq!(accounts.entries(), (1, 1));
    assert_eq!((source.reads(), accounts.counts().source_reads), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_runs_ahead_of_expiry_and_nobody_waits_for_it() {
    let (source, hands) = (Moody::new(Mood::Up(SECRET)), Hands::new());
    let accounts = store(&source, &hands, ttl(100));
    let before = mark(&accounts.account("shop").await.unwrap());
    hands.pass(Duration::from_secs(79)).await;
    accounts.account("shop").await.unwrap();
    assert_eq!(source.reads(), 1, "fresh up to four fifths of the ttl");
    source.set(Mood::Up("whsec_another_secret_0002"));
    hands.pass(Duration::from_secs(20)).await;
    let called = Instant::now();
    assert_eq!(mark(&accounts.account("shop").await.unwrap()), before);
    assert_eq!(called.elapsed(), Duration::ZERO);
    sleep(Duration::from_millis(60)).await;
    assert_eq!(source.reads(), 2);
    assert_ne!(mark(&accounts.account("shop").await.unwrap()), before);
}

#[tokio::test(start_paused = true)]
async fn the_last_good_secret_is_served_while_its_source_is_down() {
    for mood in [Mood::Down, Mood::Hanging, Mood::Up(""), Mood::Up("changeme")] {
        let (source, hands) = (Moody::new(Mood::Up(SECRET)), Hands::new());
        let settings = CacheSettings { max_stale_seconds: 3_600, ..ttl(1) };
        let accounts = store(&source, &hands, settings);
        accounts.account("shop").await.unwrap();
        source.set(mood);
        for _ in 0..600 {
            hands.pass(Duration::from_millis(100)).await;
            hands.0.fetch_add(1, Ordering::Relaxed);
            let called = Instant::now();
            assert!(accounts.account("shop").await.is_ok());
            assert!(called.elapsed() <= Duration::from_millis(500));
        }
        // 100 ms, doubled up to 30 s, in a minute or more: about ten steps.
        assert!(source.reads() <= 14, "{} reads", source.reads());
        assert!(accounts.counts().stale_served > 500);
        hands.pass(Duration::from_secs(3_700)).await;
        assert!(accounts.account("shop").await.is_err(), "older than max_stale allows");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cold_variant_fails_within_two_seconds_and_recovers_within_one() {
    for mood in [Mood::Down, Mood::Hanging] {
        let (source, hands) = (Moody::new(mood), Hands::new());
        let accounts = store(&source, &hands, ttl(300));
        let called = Instant::now();
        let text = problem(accounts.account("shop").await);
        assert!(called.elapsed() <= Duration::from_millis(2_000));
        assert!(text.contains("shop"), "{text}");
        source.set(Mood::Down);
        let (mut calls, began) = (0, Instant::now());
        while began.elapsed() < Duration::from_secs(60) {
            assert!(accounts.account("shop").await.is_err());
            calls += 1;
            hands.pass(Duration::from_millis(10)).await;
        }
        let reads = source.reads();
        assert!((50..=80).contains(&reads), "{reads} reads for {calls} calls");
        source.set(Mood::Up(SECRET));
        let back = Instant::now();
        while accounts.account("shop").await.is_err() {
            hands.pass(Duration::from_millis(10)).await;
        }
        assert!(back.elapsed() <= Duration::from_secs(1), "{:?}", back.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_reload_forgets_failures() {
    let (source, hands) = (Moody::new(Mood::Down), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    problem(accounts.account("shop").await);
    source.set(Mood::Up(SECRET));
    problem(accounts.account("shop").await);
    accounts.swap(vec![spec("shop", None)], "r2".to_owned());
    assert!(accounts.account("shop").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_configuration_is_swapped_whole_and_keeps_what_did_not_change() {
    let (source, hands) = (Moody::new(Mood::Up(SECRET)), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    let before = accounts.account("shop").await.unwrap();
    before.key_used("key-1", UnixSeconds::new(START));
    accounts.apply(vec![spec("shop", None), spec("second", None)], "r2".to_owned()).await;
    assert_eq!(accounts.revision(), "r2");
    assert!(Arc::ptr_eq(&before, &accounts.account("shop").await.unwrap()));
    assert_eq!(source.reads(), 2, "the new variant was loaded before the switch");
    accounts.account("second").await.unwrap();
    assert_eq!(source.reads(), 2);
    accounts.refresh().await;
    let after = accounts.account("shop").await.unwrap();
    assert!(!Arc::ptr_eq(&before, &after), "its secret was read again");
    assert_eq!(after.key_last_used("key-1"), Some(UnixSeconds::new(START)));
    accounts.apply(vec![spec("second", Some("renamed"))], "r3".to_owned()).await;
    assert_eq!(accounts.account("shop").await.unwrap_err(), AccountError::VariantUnknown);
    assert_eq!(accounts.entries(), (1, 1), "nothing of the old ones stays");
    let states = accounts.states();
    assert_eq!(states[0].keys[0].label, "renamed");
}

#[tokio::test(start_paused = true)]
async fn states_show_variants_that_cannot_be_used() {
    let (source, hands) = (Moody::new(Mood::Up("whsec_")), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    let text = problem(accounts.account("shop").await);
    assert!(text.contains("placeholder"), "{text}");
    let states = accounts.states();
    assert_eq!((states.len(), states[0].loaded_at), (1, None));
    assert!(states[0].problem.as_ref().unwrap().contains("placeholder"));
    assert_eq!(accounts.list().await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_debug_text_or_error_holds_a_secret() {
    let (source, hands) = (Moody::new(Mood::Up(SECRET)), Hands::new());
    let accounts = store(&source, &hands, ttl(300));
    let mut spec = spec("inline", None);
    let inline = || SecretRef::Inline(Secret::new(SECRET.into()));
    spec.keys[0].fields.insert("endpoint_secret".to_owned(), inline());
    spec.callers = vec![CallerRule::Token(inline())];
    let texts = [format!("{spec:?}"), format!("{spec:#?}"), inline().to_string()];
    accounts.apply(vec![spec], "r2".to_owned()).await;
    let account = accounts.account("inline").await.unwrap();
    let texts = texts.into_iter().chain([
        format!("{accounts:?}"),
        format!("{account:?}"),
        format!("{:?}", accounts.states()),
    ]);
    for text in texts {
        assert!(!text.contains(SECRET) && !text.contains("canary"), "{text}");
    }
}
