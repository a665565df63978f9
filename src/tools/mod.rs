//! The command line: every tool runs the same code as the server.
//!
//! Floor 6: tools may use everything below, because the demo starts the real server and `verify`
//! is the real service called in process.

pub mod cli;
mod demo;
mod dev;
mod json;
mod offline;
mod probe;
mod serve;
mod sign;
mod verify;

use std::{io::Write as _, process::ExitCode};

use clap::CommandFactory as _;

pub use cli::Cli;

use crate::{config::Purpose, limits::BLOCKING_THREADS_MAX};

/// Exit codes, after sysexits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok,
    /// The webhook was refused, or a check failed.
    Refused,
    /// The sidecar cannot be reached or is not serving.
    Unavailable,
    /// Our own bug.
    Internal,
    /// Reading or writing failed.
    Io,
    /// The configuration cannot be used.
    Config,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Refused => 1,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Config => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What a tool failed with: a line for stderr and an exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// The exit code.
    pub exit: Exit,
    /// One line or more.
    pub message: String,
}

impl ToolError {
    /// A failure with this exit code.
    #[expect(clippy::needless_pass_by_value, reason = "messages are made where they are given")]
    pub fn new(exit: Exit, message: impl ToString) -> Self {
        Self { exit, message: message.to_string() }
    }
}

impl From<std::io::Error> for ToolError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Exit::Io, error)
    }
}

/// Runs a command.
///
/// # Errors
/// [`ToolError`] with a message for stderr and an exit code.
pub fn run(cli: Cli) -> Result<Exit, ToolError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|error| ToolError::new(Exit::Internal, error))?;
    match cli.command {
        cli::Command::Check(args) => {
            let config = offline::config(&args, Purpose::Production)?;
            write!(std::io::stdout().lock(), "{}", config.effective())?;
        }
        cli::Command::Completions { shell } => {
            let mut command = Cli::command();
            clap_complete::generate(shell, &mut command, "payhook", &mut std::io::stdout().lock());
        }
        cli::Command::Demo => return runtime.block_on(demo::run()),
        cli::Command::Man => {
            clap_mangen::Man::new(Cli::command()).render(&mut std::io::stdout().lock())?;
        }
        cli::Command::MapStatus(args) => runtime.block_on(verify::map_status(&args))?,
        cli::Command::Probe(args) => runtime.block_on(probe::run(&args))?,
        cli::Command::Serve(args) => runtime.block_on(serve::run(&args))?,
        cli::Command::Sign(args) => runtime.block_on(sign::run(&args))?,
        cli::Command::Verify(args) => runtime.block_on(verify::verify(&args))?,
    }
    Ok(Exit::Ok)
}
