//! What the offline tools share: the account from a configuration, headers, times, stdin.

use std::{io::Read as _, path::Path, sync::Arc};

use super::{Exit, ToolError, cli::ConfigArgs};
use crate::{
    accounts::{Accounts, Clock},
    config::{Config, ConfigError, Purpose},
    limits::BODY_BYTES_MAX,
    model::{Timestamp, UnixSeconds},
    server::system_clock,
};

/// Reads the configuration that the arguments name.
pub(super) fn config(args: &ConfigArgs, purpose: Purpose) -> Result<Config, ToolError> {
    let path = Config::find(args.config.as_deref()).map_err(|error| bad(&error))?;
    let named =
        |error: ConfigError| ToolError::new(Exit::Config, format!("{}: {error}", path.display()));
    Config::load(&path, purpose).map_err(named)
}

fn bad(error: &ConfigError) -> ToolError {
    ToolError::new(Exit::Config, error)
}

/// The accounts of a configuration, with its own secrets.
pub(super) fn accounts(config: &mut Config, clock: Clock) -> Arc<Accounts> {
    let specs = std::mem::take(&mut config.variants);
    let revision = config.revision.clone();
    Arc::new(Accounts::new(specs, revision, config.secrets(), clock, config.cache))
}

/// The clock of a tool: fixed where a time was given.
pub(super) fn clock(at: Option<&str>) -> Result<Clock, ToolError> {
    let Some(text) = at else { return Ok(system_clock()) };
    let seconds = text.parse().ok();
    let seconds = seconds.or_else(|| Timestamp::from_rfc3339(text).map(Timestamp::seconds));
    let seconds = seconds.ok_or_else(|| {
        ToolError::new(Exit::Config, format!("--at {text}: expected Unix seconds or RFC 3339"))
    })?;
    Ok(Arc::new(move || UnixSeconds::new(seconds)))
}

/// `Name: value` lines.
pub(super) fn header(line: &str) -> Result<(String, String), ToolError> {
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| ToolError::new(Exit::Config, "a header is written as `Name: value`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// The headers of a file, one a line.
pub(super) fn headers_file(path: &Path) -> Result<Vec<(String, String)>, ToolError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ToolError::new(Exit::Io, format!("{}: {error}", path.display())))?;
    text.lines().filter(|line| !line.trim().is_empty()).map(header).collect()
}

/// Stdin to its end, as bytes.
pub(super) fn stdin() -> Result<Vec<u8>, ToolError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
