//! Takes changed configurations and secrets while serving. What cannot be used changes nothing.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use crate::{
    accounts::Accounts,
    config::{Config, Purpose},
    telemetry::Metrics,
};

/// Watches the configuration file and reads secrets again.
#[derive(Debug)]
pub struct Reload {
    path: Option<PathBuf>,
    purpose: Purpose,
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    seen: Mutex<Option<[u8; 32]>>,
}

impl Reload {
    /// Watches this file; `None` where nothing can change.
    pub fn new(
        path: Option<PathBuf>,
        purpose: Purpose,
        accounts: Arc<Accounts>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let seen = Mutex::new(path.as_deref().and_then(hash));
        Arc::new(Self { path, purpose, accounts, metrics, seen })
    }

    /// Looks for changes until it is dropped: on every event in the file's directory, and every
    /// few seconds, because not every volume tells.
    pub async fn watch(self: Arc<Self>) {
        let changed = Arc::new(Notify::new());
        let directory = self.path.as_deref().and_then(Path::parent).map(Path::to_owned);
        let directory = directory
            .map(|path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path });
        let _watcher = directory.and_then(|directory| watcher(&directory, &changed));
        loop {
            // Either way the content decides; a burst of events becomes one look.
            let _ = tokio::time::timeout(POLL, changed.notified()).await;
            self.if_changed().await;
            self.accounts.refresh().await;
        }
    }

    /// Takes the configuration now, changed or not, and reads secrets again.
    pub async fn now(&self) {
        self.take();
        self.accounts.refresh().await;
    }

    async fn if_changed(&self) {
        let Some(path) = self.path.clone() else { return };
        let read = tokio::task::spawn_blocking(move || hash(&path)).await.ok().flatten();
        let changed = match self.seen.lock() {
            Ok(mut seen) if *seen != read => {
                *seen = read;
                true
            }
            Ok(_) | Err(_) => false,
        };
        if changed {
            self.take();
        }
    }

    fn take(&self) {
        let Some(path) = &self.path else { return };
        match Config::load(path, self.purpose) {
            Ok(mut config) => {
                let revision = config.revision.clone();
                self.accounts.swap(std::mem::take(&mut config.variants), revision.clone());
                self.metrics.reloads.inc();
                tracing::info!(revision, "Configuration taken");
            }
            Err(error) => {
                self.metrics.reloads_failed.inc();
                tracing::error!(%error, "Configuration refused; the last good one stays");
            }
        }
    }
}

fn hash(path: &Path) -> Option<[u8; 32]> {
    std::fs::read(path).ok().map(|bytes| Sha256::digest(bytes).into())
}

fn watcher(directory: &Path, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    use notify::Watcher as _;
    let changed = Arc::clone(changed);
    // Only what writes counts: our own look opens and reads the file, and answering
    // to that would go round for ever.
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            changed.notify_one();
        }
    });
    let mut watcher = watcher.ok()?;
    watcher.watch(directory, notify::RecursiveMode::NonRecursive).ok()?;
    Some(watcher)
}

/// How often files are looked at where no event comes.
const POLL: Duration = Duration::from_secs(2);
