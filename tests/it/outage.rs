//! A source of secrets that is down: how often it is asked, what callers are told, and how soon
//! everything is as before. Time is tokio's paused clock where nothing else is said.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use payhook::{
    accounts::{Accounts, CacheSettings, Reading, SecretError, SecretRef, SecretSource},
    model::{Secret, UnixSeconds},
    server::Parts,
    telemetry::Metrics,
};
use tokio::time::{Instant, advance};

use crate::{
    accounts::{SECRET, START, spec},
    cases, serving,
};

/// A source that notes when it is asked.
#[derive(Default)]
struct Noting {
    down: AtomicBool,
    hangs: AtomicBool,
    asked: Mutex<Vec<Instant>>,
}

impl SecretSource for Noting {
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a> {
        self.asked.lock().unwrap().push(Instant::now());
        let (down, hangs) = (self.down.load(Ordering::SeqCst), self.hangs.load(Ordering::SeqCst));
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            let problem = "connection refused".to_owned();
            let place = reference.to_string();
            if down {
                return Err(SecretError::Unreadable { place, problem });
            }
            Ok(Secret::new(SECRET.as_bytes().to_vec()))
        })
    }
}

impl Noting {
    /// The pauses between questions, in milliseconds.
    fn pauses(&self) -> Vec<u128> {
        let asked = self.asked.lock().unwrap();
        asked.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
    }

    fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

fn store(source: &Arc<Noting>, now: &Arc<AtomicI64>, ttl_seconds: i64) -> Accounts {
    let now = Arc::clone(now);
    let clock = Arc::new(move || UnixSeconds::new(now.load(Ordering::SeqCst)));
    let source = Arc::clone(source) as Arc<dyn SecretSource>;
    let settings = CacheSettings { ttl_seconds, ..CacheSettings::default() };
    Accounts::new(vec![spec("shop", None)], "r1".to_owned(), source, clock, settings)
}

/// Many callers every ten milliseconds; how many of them failed.
async fn called(accounts: &Accounts, now: &AtomicI64, seconds: i64) -> usize {
    let mut failed = 0;
    for _ in 0..seconds {
        for _ in 0..100 {
            let calls = (0..10).map(|_| {
                let accounts = accounts.clone();
                tokio::spawn(async move { accounts.account("shop").await.is_err() })
            });
            for call in calls.collect::<Vec<_>>() {
                failed += usize::from(call.await.unwrap());
            }
            advance(Duration::from_millis(10)).await;
        }
        now.fetch_add(1, Ordering::SeqCst);
    }
    failed
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_is_asked_once_a_step_and_nobody_who_has_a_secret_fails() {
    let (source, now) = (Arc::new(Noting::default()), Arc::new(AtomicI64::new(START)));
    let accounts = store(&source, &now, 1);
    accounts.account("shop").await.unwrap();
    source.forget();
    source.down.store(true, Ordering::SeqCst);
    assert_eq!(called(&accounts, &now, 120).await, 0, "the last good secret is served");
    let pauses = source.pauses();
    // Each step at least its length, and not much more: calls come every ten milliseconds.
    let steps = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000];
    assert!(pauses.len() >= steps.len(), "{pauses:?}");
    for (pause, step) in pauses.iter().zip(steps) {
        assert!((step..step + 20).contains(pause), "{pause} ms of {step}: {pauses:?}");
    }
    source.down.store(false, Ordering::SeqCst);
    called(&accounts, &now, 31).await;
    assert_eq!(accounts.states()[0].problem, None);
}

#[tokio::test(start_paused = true)]
async fn a_cold_variant_is_asked_for_once_a_step_and_is_back_within_a_second() {
    let (source, now) = (Arc::new(Noting::default()), Arc::new(AtomicI64::new(START)));
    source.down.store(true, Ordering::SeqCst);
    let accounts = store(&source, &now, 300);
    assert_eq!(called(&accounts, &now, 30).await, 30 * 1_000, "nothing is at hand");
    let pauses = source.pauses();
    let steps = [100, 200, 400].into_iter().chain(std::iter::repeat(800));
    assert!((30..=40).contains(&pauses.len()), "{pauses:?}");
    for (pause, step) in pauses.iter().zip(steps) {
        assert!((step..step + 20).contains(pause), "{pause} ms of {step}: {pauses:?}");
    }
    source.down.store(false, Ordering::SeqCst);
    let back = Instant::now();
    while accounts.account("shop").await.is_err() {
        advance(Duration::from_millis(10)).await;
    }
    assert!(back.elapsed() <= Duration::from_secs(1), "{:?}", back.elapsed());
}

#[tokio::test]
async fn a_source_that_hangs_makes_a_cold_call_unavailable_within_two_seconds() {
    let case = cases::cases("stripe").remove(0);
    let source = Arc::new(Noting::default());
    source.hangs.store(true, Ordering::SeqCst);
    let accounts = Arc::new(Accounts::new(
        vec![spec("shop", None)],
        "r1".to_owned(),
        Arc::clone(&source) as Arc<dyn SecretSource>,
        serving::frozen(case.now),
        CacheSettings::default(),
    ));
    let parts = Parts {
        accounts,
        clock: serving::frozen(case.now),
        metrics: Arc::new(Metrics::default()),
        settings: serving::settings(),
    };
    let running = parts.start().expect("a free port");
    let mut client = serving::client(&running).await;
    let began = std::time::Instant::now();
    let request = serving::request(serving::webhook(&case, "shop"));
    let status = client.verify_and_parse(request).await.expect_err("no secret");
    // Not TIMED_OUT: the operator learns that it is the secret. The deadline is two seconds.
    let reason = serving::reason(&status);
    assert_eq!((status.code(), reason.as_str()), (tonic::Code::Unavailable, "SECRET_UNAVAILABLE"));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
