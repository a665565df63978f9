//! Secrets rotate as Kubernetes rotates them, under load: nobody notices but who uses an old one.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use payhook::{
    gateway::{self, KeyFields},
    model::Secret,
    server::system_clock,
    verify::{Draft, KeyRole, Options},
};

use super::ms;
use crate::{
    client::{Plan, once},
    histogram::Histogram,
    report::Report,
    server::{Folder, Server},
    webhooks::{self, Webhook},
    wire::{Call, Outcome, Target},
};

pub fn run(report: &mut Report) {
    let rounds = report.length.pick(15, 100);
    let folder = Folder::new();
    let mount = folder.0.join("mount");
    publish(&mount, 1);
    let config = folder.write("payhook.yaml", text(&mount));
    let calls: Vec<_> = (0..rounds + 2).flat_map(|at| signed(&secret(at))).collect();
    let size = calls.len() / (rounds + 2);
    let server = Server::start(&config);
    let (target, over, group) = (server.target(), AtomicBool::new(false), AtomicUsize::new(1));
    let mut times = Times::default();
    let found = std::thread::scope(|scope| {
        let load = Plan {
            connections: 4,
            // Below the bound of calls: what piles up while a machine stands still waits here.
            streams: 12,
            rate: Some(2000.0),
            over: Some(&over),
            group: Some((&group, size)),
            ..Plan::new(&target, &calls)
        };
        let load = scope.spawn(move || load.run());
        std::thread::sleep(Duration::from_millis(300));
        for round in 1..=rounds {
            rotate(&mount, round, &target, &calls, size, &mut times);
            // The gateway signs with the new secret from now on.
            group.store(round + 1, Ordering::Relaxed);
        }
        std::thread::sleep(Duration::from_millis(300));
        over.store(true, Ordering::Relaxed);
        load.join().expect("the load ran")
    });
    let goal = format!("{rounds} rotations at 2,000 calls/s: 0 errors");
    let fine = found.ok() == found.answered() && found.lost == 0 && found.ok() > 1000;
    report.must(&goal, found.summary(), fine);
    let most = times.removed.max();
    let goal = "the removed secret is refused within 1 s";
    report.must(
        goal,
        format!("p50 {}, at most {}", ms(times.removed.p50()), ms(most)),
        most <= SECOND,
    );
    let most = times.added.max();
    report.tell("the new one is accepted", format!("at most {}", ms(most)));
    let goal = "a removed secret stays refused";
    report.must(goal, format!("{} of {rounds}", times.stayed), times.stayed == rounds);
    report.tell("p99 of the calls", ms(found.latency.p99()));
    report.tell("calls a second", format!("{:.0}", found.goodput()));
}

#[derive(Default)]
struct Times {
    removed: Histogram,
    added: Histogram,
    stayed: usize,
}

/// The current secret becomes the previous one, the previous one goes, a new one comes.
fn rotate(
    mount: &Path,
    round: usize,
    target: &Target,
    calls: &[Call],
    size: usize,
    times: &mut Times,
) {
    let answer = |secret: usize| once(target, &calls[secret * size]).expect("an answer");
    let (removed, added) = (round - 1, round + 1);
    assert_eq!(answer(removed), OK, "the previous one is accepted until it goes");
    let began = Instant::now();
    publish(mount, added);
    let (mut gone, mut come) = (None, None);
    while (gone.is_none() || come.is_none()) && began.elapsed() < PATIENCE {
        if gone.is_none() && answer(removed) == REFUSED {
            gone = Some(began.elapsed());
        }
        if come.is_none() && answer(added) == OK {
            come = Some(began.elapsed());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    times.removed.note(gone.unwrap_or(PATIENCE));
    times.added.note(come.unwrap_or(PATIENCE));
    times.stayed += usize::from(answer(removed) == REFUSED);
}

fn text(mount: &Path) -> String {
    let key = |role: &str| {
        let file = mount.join(role);
        format!("      - role: {role}\n        endpoint_secret: {{file: {}}}\n", file.display())
    };
    format!(
        "{}variants:\n  shop:\n    gateway: stripe\n    keys:\n{}{}    options: \
         {{tolerance_seconds: 86400}}\n",
        webhooks::LISTEN,
        key("current"),
        key("previous"),
    )
}

fn secret(number: usize) -> String {
    format!("whsec_load_rotation_{number:012}")
}

/// Makes `mount/..data` lead to a new folder, in one step.
fn publish(mount: &Path, current: usize) {
    let data = mount.join(format!("..{current}"));
    fs::create_dir_all(&data).expect("the folder is writable");
    for (role, number) in [("current", current), ("previous", current - 1)] {
        let file = data.join(role);
        fs::write(&file, secret(number)).expect("the folder is writable");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
        // There from the second time on.
        let _ = symlink(format!("..data/{role}"), mount.join(role));
    }
    symlink(format!("..{current}"), mount.join("..data_tmp")).expect("the folder is writable");
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).expect("the folder is writable");
    // The old folder goes, as the kubelet removes it.
    let _ = fs::remove_dir_all(mount.join(format!("..{}", current - 1)));
}

/// What a gateway with this secret sends.
fn signed(secret: &str) -> Vec<Call> {
    let stripe = gateway::find("stripe").expect("a gateway");
    let fields = [("endpoint_secret".to_owned(), Secret::new(secret.as_bytes().to_vec()))];
    let fields = BTreeMap::from(fields);
    let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
    let options = Options::new(BTreeMap::new(), BTreeMap::new());
    let verifier = stripe.verifier(vec![key], options).expect("a whole key");
    let calls = stripe.samples.iter().map(|sample| {
        let payload = sample.payload.as_bytes();
        let draft = Draft { url: webhooks::URL, headers: &[], payload };
        let signed = verifier.sign(draft, system_clock()()).expect("signed here");
        Webhook::new("shop", signed).call()
    });
    calls.collect()
}

const OK: Outcome = Outcome::Answered { code: 0 };
/// UNAUTHENTICATED.
const REFUSED: Outcome = Outcome::Answered { code: 16 };
const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
