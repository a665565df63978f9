//! Takes changed configurations and secrets while serving. What cannot be used changes nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tokio::{sync::Notify, time::Instant};

use crate::{
    accounts::{Accounts, read_whole},
    config::{Config, Purpose},
    limits::{CONFIG_BYTES_MAX, WATCHED_DIRECTORIES_MAX},
    telemetry::Metrics,
};

/// Watches the configuration and the files of secrets. Their content decides, not their times:
/// Kubernetes swaps a symbolic link above them.
#[derive(Debug)]
pub struct Reload {
    path: Option<PathBuf>,
    purpose: Purpose,
    accounts: Arc<Accounts>,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    configuration: Option<Hash>,
    secrets: Option<Hash>,
    /// A file beside the configuration that is part of it.
    included: Option<PathBuf>,
    /// The settings that the server started with, and those found last.
    settings: Option<(String, String)>,
}

type Hash = [u8; 32];

impl Reload {
    /// Watches this file; `None` where only secrets can change.
    pub fn new(
        path: Option<PathBuf>,
        purpose: Purpose,
        accounts: Arc<Accounts>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let (state, looking) = (Mutex::default(), tokio::sync::Mutex::default());
        Arc::new(Self { path, purpose, accounts, metrics, state, looking })
    }

    /// Why the configuration that is in the file now is not the one that is served.
    pub fn problem(&self) -> Option<String> {
        self.accounts.refused()
    }

    /// Looks for changes until it is dropped: on every event in the files' directories, and every
    /// second or so, because not every volume tells of changes.
    pub async fn watch(self: Arc<Self>) {
        let changed = Arc::new(Notify::new());
        let mut watched = Watched::default();
        loop {
            let began = Instant::now();
            self.look().await;
            watched.follow(self.directories(), &changed);
            // Ten thousand files take longer to read than ten: never more than a part of the time.
            let pause = POLL.max(began.elapsed().saturating_mul(POLL_SHARE));
            let _ = tokio::time::timeout(pause, changed.notified()).await;
            // A burst of events becomes one look.
            tokio::time::sleep(SETTLE).await;
        }
    }

    /// Takes the configuration now, changed or not, and reads secrets again.
    pub async fn now(&self) {
        self.state(|state| {
            state.configuration = None;
            state.secrets = None;
        });
        let _one_at_a_time = self.looking.lock().await;
        self.take().await;
        self.accounts.refresh().await;
    }

    /// Looks once, and takes what changed.
    pub async fn look(&self) {
        let _one_at_a_time = self.looking.lock().await;
        let included = self.state(|state| state.included.clone());
        let files: Vec<_> = self.path.clone().into_iter().chain(included).collect();
        if let Some(hash) = hash(files).await
            && self.state(|state| state.configuration != Some(hash))
        {
            // The first look takes what was loaded at the start once more, in case it changed
            // between; equal variants are kept as they are.
            self.take().await;
            self.state(|state| state.configuration = Some(hash));
        }
        if let Some(hash) = hash(self.accounts.files().into_iter().collect()).await {
            let before = self.state(|state| state.secrets.replace(hash));
            // Before the first look accounts may have been loaded from what stood there then.
            if before != Some(hash) {
                if before.is_some() {
                    tracing::info!("Secret files changed");
                }
                self.accounts.refresh().await;
            }
        }
    }

    async fn take(&self) {
        let (Some(path), purpose) = (self.path.clone(), self.purpose) else { return };
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path, purpose)).await;
        let loaded = loaded.map_err(|error| error.to_string());
        match loaded.and_then(|loaded| loaded.map_err(|error| error.to_string())) {
            Ok(config) => self.accept(config).await,
            Err(problem) => self.refuse(&problem),
        }
    }

    async fn accept(&self, config: Config) {
        let included = config.payment_variants_file().map(Path::to_path_buf);
        self.state(|state| state.included = included);
        for skipped in &config.skipped {
            let (variant, reason) = (&skipped.variant, skipped.reason);
            tracing::warn!(variant, reason, "Variant of payment_variants is not served");
        }
        self.compare(config.settings());
        let revision = config.revision;
        let same = self.accounts.revision() == revision;
        self.accounts.apply(config.variants, revision.clone()).await;
        let mended = self.accounts.note_refused(None).is_some();
        if !same || mended {
            self.metrics.reloads.inc();
            tracing::info!(revision, "Configuration taken");
        }
    }

    /// Listeners, bounds, cache and vault are made at the start. The first look finds what that was.
    fn compare(&self, found: String) {
        let (restart, news) = self.state(|state| {
            let (started, last) = state.settings.clone().unwrap_or((found.clone(), found.clone()));
            let (restart, news) = (started != found, last != found);
            state.settings = Some((started, found));
            (restart, news)
        });
        self.accounts.note_restart(restart);
        if restart && news {
            tracing::warn!("Settings beside the variants changed: they take effect with a restart");
        }
    }

    fn refuse(&self, problem: &str) {
        self.metrics.reloads_failed.inc();
        // Said once: a signal may find the same mistake again.
        let before = self.accounts.note_refused(Some(problem.to_owned()));
        if before.as_deref() != Some(problem) {
            let revision = self.accounts.revision();
            tracing::error!(
                error = problem,
                revision,
                "Configuration refused; the last good one stays"
            );
        }
    }

    fn directories(&self) -> BTreeSet<PathBuf> {
        let mut files = self.accounts.files();
        files.extend(self.path.clone());
        files.extend(self.state(|state| state.included.clone()));
        let parents = files.iter().filter_map(|file| file.parent());
        let parents = parents.map(|parent| {
            if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_path_buf() }
        });
        parents.take(WATCHED_DIRECTORIES_MAX).collect()
    }

    fn state<R>(&self, with: impl FnOnce(&mut State) -> R) -> R {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is watched right now.
#[derive(Default)]
struct Watched {
    directories: BTreeSet<PathBuf>,
    watcher: Option<notify::RecommendedWatcher>,
}

impl Watched {
    fn follow(&mut self, directories: BTreeSet<PathBuf>, changed: &Arc<Notify>) {
        if self.directories == directories {
            return;
        }
        self.watcher = watcher(&directories, changed);
        self.directories = directories;
    }
}

fn watcher(
    directories: &BTreeSet<PathBuf>,
    changed: &Arc<Notify>,
) -> Option<notify::RecommendedWatcher> {
    use notify::Watcher as _;
    let changed = Arc::clone(changed);
    // Reading a file is an event too: our own looks must not wake us.
    let tell = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            changed.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(tell).ok()?;
    for directory in directories {
        if watcher.watch(directory, notify::RecursiveMode::NonRecursive).is_err() {
            tracing::debug!(directory = %directory.display(), "No events from this directory; it is looked at");
        }
    }
    Some(watcher)
}

/// The content of files together; an unreadable one counts as empty, so that its return is seen.
async fn hash(files: Vec<PathBuf>) -> Option<Hash> {
    if files.is_empty() {
        return None;
    }
    let read = move || {
        let mut hash = Sha256::new();
        for file in files {
            let content = read_whole(&file, CONFIG_BYTES_MAX).map(|(content, _)| content);
            hash.update(Sha256::digest(content.unwrap_or_default().as_slice()));
        }
        hash.finalize().into()
    };
    tokio::task::spawn_blocking(read).await.ok()
}

/// How often files are looked at where no event comes.
const POLL: Duration = Duration::from_millis(900);
/// The pause between looks is at least this many times as long as a look.
const POLL_SHARE: u32 = 50;
/// Events come in bursts: a swap of a mount makes six.
const SETTLE: Duration = Duration::from_millis(20);
