//! `payhook serve`: the server, until a signal ends it.

use std::{io::Write as _, sync::Arc};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, ToolError, cli::ServeArgs, dev, offline};
use crate::{
    config::{Config, LogFormat, Purpose},
    server::{self, Parts, Settings},
    telemetry::{self, LogForm, Metrics, Recording},
};

/// Serves until SIGTERM or SIGINT, then drains.
///
/// # Errors
/// A configuration that cannot be used, a listener that cannot be had.
pub(super) async fn run(args: &ServeArgs) -> Result<(), ToolError> {
    let open = server::harden();
    let purpose = if args.dev { Purpose::Development } else { Purpose::Production };
    let path = Config::find(args.config.config.as_deref()).ok();
    let (mut config, made_up) = match &path {
        None if args.dev => (development(args.port)?, true),
        Some(path) if args.port.is_some() => {
            let problem = format!("{} says where to listen, --port does not", path.display());
            return Err(ToolError::new(Exit::Config, problem));
        }
        Some(_) | None => (offline::config(&args.config, purpose)?, false),
    };
    let _log = logs(&config)?;
    if made_up {
        tracing::warn!(
            "DEVELOPMENT SERVER: no configuration was found; every gateway is served with the \
             throw-away secrets that were printed, on loopback. Never run this in production"
        );
    }
    for problem in open {
        tracing::warn!(problem, "Memory is not as closed as it should be");
    }
    let clock = server::system_clock();
    let accounts = offline::accounts(&mut config, clock.clone());
    let settings =
        Settings::from_config(&config).map_err(|error| ToolError::new(Exit::Config, error))?;
    let metrics = Arc::new(Metrics::default());
    let parts = Parts { accounts: Arc::clone(&accounts), clock, metrics, settings };
    let mut terminate = hook(SignalKind::terminate())?;
    let mut interrupt = hook(SignalKind::interrupt())?;
    let mut hangup = hook(SignalKind::hangup())?;
    let metrics = Arc::clone(&parts.metrics);
    let running = parts.start().map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        ToolError::new(Exit::Unavailable, format!("{error}: {}", cause.unwrap_or_default()))
    })?;
    tracing::info!(listen = ?running.places(), admin = ?running.admin(),
        revision = accounts.revision(), version = env!("CARGO_PKG_VERSION"), "Serving");
    let reload = server::Reload::new(path, purpose, Arc::clone(&accounts), metrics);
    let watching = tokio::spawn(Arc::clone(&reload).watch());
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                // Beside, for a source that hangs must not hold up the signal that ends us.
                let reload = Arc::clone(&reload);
                tokio::spawn(async move { reload.now().await });
            }
        }
    }
    watching.abort();
    tracing::info!("Draining");
    running.stop();
    let whole = running.drained().await;
    tracing::info!(whole, "Stopped");
    Ok(())
}

/// A configuration that is made up, and printed for whoever signs with it.
fn development(port: Option<u16>) -> Result<Config, ToolError> {
    let text = dev::yaml(port)?;
    let config = Config::from_yaml(&text, Purpose::Development)
        .map_err(|error| ToolError::new(Exit::Internal, error))?;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(config)
}

fn hook(kind: SignalKind) -> Result<Signal, ToolError> {
    signal(kind).map_err(|error| ToolError::new(Exit::Internal, error))
}

/// Starts the log; its last lines are written when the guard is dropped.
fn logs(config: &Config) -> Result<Recording, ToolError> {
    let form = match config.log.format {
        LogFormat::Auto => LogForm::Auto,
        LogFormat::Json => LogForm::Json,
        LogFormat::Pretty => LogForm::Pretty,
    };
    let guard = telemetry::start_logs(&config.log.level, form)
        .map_err(|error| ToolError::new(Exit::Config, error))?;
    telemetry::quiet_panics();
    Ok(guard)
}
