//! Reload: content decides, a bad configuration keeps the last good one, a swapped mount rotates.

use std::{fs, os::unix::fs::symlink, path::Path, sync::Arc};

use payhook::{
    accounts::{Account, Accounts, CacheSettings, SystemSecrets},
    config::{Config, Purpose},
    model::UnixSeconds,
    server::Reload,
    telemetry::Metrics,
    verify::Draft,
};

use crate::{broken::broken, config::Folder, serving::frozen};

const NOW: i64 = 1_700_000_000;

struct Watched {
    folder: Folder,
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    reload: Arc<Reload>,
}

/// A configuration whose variants read `mount/<name>`, as Kubernetes mounts a Secret.
fn text(folder: &Path, names: &[&str]) -> String {
    let mount = folder.join("mount");
    let variants = names.iter().map(|name| {
        format!(
            "  {name}:\n    gateway: stripe\n    keys: [{{endpoint_secret: {{file: {}}}}}]\n",
            mount.join(name).display()
        )
    });
    format!("variants:\n{}", variants.collect::<String>())
}

/// Makes `mount/..data` lead to a new folder with these values, in one step.
fn publish(folder: &Path, version: &str, values: &[(&str, &str)]) {
    let mount = folder.join("mount");
    let data = mount.join(format!("..{version}"));
    fs::create_dir_all(&data).unwrap();
    for (name, value) in values {
        fs::write(data.join(name), value).unwrap();
        let _ = symlink(format!("..data/{name}"), mount.join(name));
    }
    symlink(format!("..{version}"), mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
}

fn watched(name: &str) -> Watched {
    let folder = Folder::new(name);
    publish(&folder.0, "1", &[("shop", "whsec_first_secret_0001\n")]);
    let path = folder.write("payhook.yaml", text(&folder.0, &["shop"]));
    let config = Config::load(&path, Purpose::Production).unwrap();
    let accounts = Arc::new(Accounts::new(
        config.variants,
        config.revision,
        Arc::new(SystemSecrets),
        frozen(NOW),
        CacheSettings::default(),
    ));
    let metrics = Arc::new(Metrics::default());
    let reload =
        Reload::new(Some(path), Purpose::Production, Arc::clone(&accounts), Arc::clone(&metrics));
    Watched { folder, accounts, metrics, reload }
}

fn mark(account: &Account) -> Vec<(String, String)> {
    let draft = Draft { url: "https://shop.example/", headers: &[], payload: b"{}" };
    account.verifier().sign(draft, UnixSeconds::new(NOW)).unwrap().headers
}

#[tokio::test]
async fn a_swapped_mount_rotates_the_secret_without_an_error() {
    let it = watched("rotate");
    it.reload.look().await;
    let mut last = mark(&it.accounts.account("shop").await.unwrap());
    for version in 2..30 {
        let secret = format!("whsec_rotated_secret_{version:04}\n");
        publish(&it.folder.0, &version.to_string(), &[("shop", &secret)]);
        it.reload.look().await;
        let now = mark(&it.accounts.account("shop").await.unwrap());
        assert_ne!(now, last, "the old secret is gone with the look");
        last = now;
    }
    let reads = it.accounts.counts().source_reads;
    it.reload.look().await;
    assert_eq!(it.accounts.counts().source_reads, reads, "nothing changed, nothing is read");
    publish(&it.folder.0, "30", &[("shop", "\n")]);
    it.reload.look().await;
    assert_eq!(mark(&it.accounts.account("shop").await.unwrap()), last, "the last good one stays");
}

#[tokio::test]
async fn a_broken_configuration_keeps_the_last_good_one_and_is_counted() {
    let it = watched("keep");
    it.reload.look().await;
    let revision = it.accounts.revision();
    let account = it.accounts.account("shop").await.unwrap();
    let broken = broken();
    let mut failed = 0;
    for content in &broken {
        it.folder.write("payhook.yaml", content);
        it.reload.look().await;
        it.reload.look().await;
        failed += 1;
        assert_eq!(it.metrics.reloads_failed.get(), failed, "once per content");
        assert!(it.reload.problem().is_some());
        assert_eq!(it.accounts.revision(), revision);
        assert!(Arc::ptr_eq(&account, &it.accounts.account("shop").await.unwrap()));
    }
    fs::remove_file(it.folder.0.join("payhook.yaml")).unwrap();
    it.reload.look().await;
    assert!(it.accounts.account("shop").await.is_ok());
    publish(
        &it.folder.0,
        "2",
        &[("shop", "whsec_first_secret_0001"), ("new", "whsec_new_secret_1")],
    );
    it.folder.write("payhook.yaml", text(&it.folder.0, &["shop", "new"]));
    it.reload.look().await;
    assert_eq!(it.reload.problem(), None);
    assert_ne!(it.accounts.revision(), revision);
    assert!(it.accounts.account("new").await.is_ok());
    assert_eq!(it.metrics.reloads.get(), 1);
}

#[tokio::test]
async fn a_new_variant_is_usable_within_a_second_of_its_file() {
    let it = watched("watch");
    let watching = tokio::spawn(Arc::clone(&it.reload).watch());
    it.accounts.account("shop").await.unwrap();
    for round in 2..6 {
        let name = format!("new-{round}");
        let values = [("shop", "whsec_first_secret_0001"), (&name, "whsec_new_secret_0001")];
        publish(&it.folder.0, &round.to_string(), &values);
        it.folder.write("payhook.yaml", text(&it.folder.0, &["shop", &name]));
        let written = std::time::Instant::now();
        while it.accounts.account(&name).await.is_err() {
            assert!(it.accounts.account("shop").await.is_ok());
            // Typically milliseconds; the bound only ends a wait that would never end.
            assert!(written.elapsed().as_secs() < 20, "{name} never came");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    watching.abort();
}

#[tokio::test]
async fn a_signal_reads_everything_again() {
    let it = watched("signal");
    it.reload.look().await;
    it.accounts.account("shop").await.unwrap();
    let reads = it.accounts.counts().source_reads;
    it.reload.now().await;
    assert_eq!(it.accounts.counts().source_reads, reads + 1);
}

/// Where no event comes, a look every second finds it: the time that counts is tokio's.
#[tokio::test(start_paused = true)]
async fn a_new_variant_is_usable_within_a_second_even_where_no_event_comes() {
    let it = watched("poll");
    let watching = tokio::spawn(Arc::clone(&it.reload).watch());
    it.accounts.account("shop").await.unwrap();
    for round in 2..6 {
        // Anywhere between two looks.
        tokio::time::sleep(std::time::Duration::from_millis(round * 170)).await;
        let name = format!("new-{round}");
        let values = [("shop", "whsec_first_secret_0001"), (&name, "whsec_new_secret_0001")];
        publish(&it.folder.0, &round.to_string(), &values);
        it.folder.write("payhook.yaml", text(&it.folder.0, &["shop", &name]));
        let written = tokio::time::Instant::now();
        while it.accounts.account(&name).await.is_err() {
            assert!(written.elapsed().as_millis() <= 1_000, "{name}: {:?}", written.elapsed());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    watching.abort();
}

#[tokio::test]
async fn a_refused_configuration_is_said_once_and_so_is_what_needs_a_restart() {
    let (log, _guard) = crate::warnings::Log::here();
    let it = watched("said");
    it.reload.look().await;
    let good = text(&it.folder.0, &["shop"]);
    assert!(!log.lines().concat().contains("restart"));
    it.folder.write("payhook.yaml", "variants: [whsec_CANARY]\n");
    for _ in 0..3 {
        it.reload.look().await;
        it.reload.now().await;
    }
    let said = log.lines();
    let refused: Vec<_> =
        said.iter().filter(|line| line.contains("Configuration refused")).collect();
    assert_eq!(refused.len(), 1, "{said:?}");
    assert!(refused[0].contains("ERROR") && refused[0].contains("line 1, column"), "{refused:?}");
    assert!(!said.concat().contains("CANARY"));
    for (content, restart) in [
        (format!("limits: {{calls_max: 7}}\n{good}"), true),
        (format!("limits: {{calls_max: 8}}\n{good}"), true),
        (good, false),
    ] {
        it.folder.write("payhook.yaml", content);
        it.reload.look().await;
        it.reload.now().await;
        let said = log.lines();
        let lines = said.iter().filter(|line| line.contains("take effect with a restart"));
        assert_eq!(lines.count(), usize::from(restart), "{said:?}");
        assert_eq!(it.accounts.needs_restart(), restart);
    }
}

#[tokio::test]
async fn a_secret_that_changed_between_the_start_and_the_first_look_is_noticed() {
    let it = watched("first");
    let before = mark(&it.accounts.account("shop").await.unwrap());
    publish(&it.folder.0, "2", &[("shop", "whsec_second_secret_0002\n")]);
    it.reload.look().await;
    assert_ne!(mark(&it.accounts.account("shop").await.unwrap()), before);
}
