//! Where log lines go: JSON or readable, to standard error, which belongs to nobody else.

use std::io::{IsTerminal as _, stderr};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// Readable on a terminal, JSON elsewhere.
    Auto,
    /// JSON.
    Json,
    /// Readable.
    Pretty,
}

/// Starts logging. `RUST_LOG` wins over the level. The last lines are written when the guard is
/// dropped.
///
/// # Errors
/// A line that says why the filter cannot be used.
pub fn start_logs(level: &str, form: LogForm) -> Result<WorkerGuard, String> {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| level.to_owned());
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?;
    let terminal = stderr().is_terminal();
    let json = match form {
        LogForm::Auto => !terminal,
        LogForm::Json => true,
        LogForm::Pretty => false,
    };
    // A pipe that nobody reads fills up: lines are then dropped, and no call waits for the log.
    let (writer, guard) = tracing_appender::non_blocking(stderr());
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    // A second subscriber in one process is only possible in tests, which see the first one.
    let _ = if json { logs.json().try_init() } else { logs.with_ansi(terminal).try_init() };
    Ok(guard)
}

/// Panics say where they happened, and not why: their text may hold what they stumbled over.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "Panicked");
    }));
}
