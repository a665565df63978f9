//! What the process itself needs: the clock, the settings of a configuration, no memory dumps.

use std::sync::Arc;

use super::{Settings, Timings, Tls};
use crate::{accounts::Clock, config::Config, model::UnixSeconds};

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    })
}

/// No core dumps and no debugger: memory holds secrets. Called before any of them is read; returns
/// what the system did not allow.
pub fn harden() -> Vec<&'static str> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let mut problems = Vec::new();
    if setrlimit(Resource::Core, none).is_err() {
        problems.push("the size of core dumps could not be set to 0");
    }
    // A dump that is taken all the same, by a handler that the limit does not bind, is empty. Before
    // the next step: afterwards these files belong to root.
    if std::fs::write("/proc/self/coredump_filter", "0").is_err() {
        problems.push("the memory could not be left out of core dumps");
    }
    if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        problems.push("the process stays open to debuggers");
    }
    problems
}

impl Settings {
    /// The settings of a configuration.
    ///
    /// # Errors
    /// A line that says which TLS file cannot be used.
    pub fn from_config(config: &Config) -> Result<Self, String> {
        let granted = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            listen: config.listen.clone(),
            admin_listen: Some(config.admin_listen),
            socket: config.socket.clone(),
            tls: config.tls.as_ref().map(Tls::load).transpose()?.map(Arc::new),
            workers: config.workers.unwrap_or_else(granted),
            limits: config.limits,
            reflection: config.reflection,
            audit: config.audit,
            repeats: config.repeats,
            timings: Timings::default(),
        })
    }
}
