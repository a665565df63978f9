//! Where log lines go: JSON or readable, to standard error, which belongs to nobody else.

use std::io::{IsTerminal as _, stderr};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    Layer as _, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

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

/// Logs that were started, and traces with them. What is left is written when this is dropped.
#[derive(Debug)]
pub struct Recording {
    #[cfg(feature = "otel")]
    _traces: Option<super::traces::Traces>,
    _lines: WorkerGuard,
}

/// Starts logging, and sending traces where they are compiled in and a collector is named.
/// `RUST_LOG` wins over the level.
///
/// # Errors
/// A line that says why the filter or the exporter cannot be used.
pub fn start_logs(level: &str, form: LogForm) -> Result<Recording, String> {
    let filter = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = filter.unwrap_or_else(|| level.to_owned());
    // Levels by target: filters by span would bring a regular expression engine along.
    let filter: Targets = filter.parse().map_err(|error| format!("RUST_LOG: {error}"))?;
    let terminal = stderr().is_terminal();
    let json = match form {
        LogForm::Auto => !terminal,
        LogForm::Json => true,
        LogForm::Pretty => false,
    };
    // A pipe that nobody reads fills up: lines are then dropped, and no call waits for the log.
    // The queue is memory from the start: 32 bytes for every line that may wait.
    let lines_max = NonBlockingBuilder::default().buffered_lines_limit(LINES_WAITING_MAX);
    let (writer, lines) = lines_max.finish(stderr());
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = if json { layer.json().boxed() } else { layer.with_ansi(terminal).boxed() };
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    #[cfg(feature = "otel")]
    let traces = super::traces::Traces::start()?;
    #[cfg(feature = "otel")]
    let registry = registry.with(traces.as_ref().map(super::traces::Traces::layer));
    // A second subscriber in one process is only possible in tests, which see the first one.
    let _ = registry.try_init();
    Ok(Recording {
        #[cfg(feature = "otel")]
        _traces: traces,
        _lines: lines,
    })
}

/// Lines that wait for a slow reader: many seconds of refusals, which are sampled, in 64 KiB.
const LINES_WAITING_MAX: usize = 2048;

/// Panics say where they happened, and not why: their text may hold what they stumbled over.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "Panicked");
    }));
}
