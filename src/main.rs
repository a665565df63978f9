//! The binary: reads the command line, runs a tool, turns its outcome into an exit code.

use std::process::ExitCode;

use clap::Parser as _;
use payhook::tools::{self, Cli};

fn main() -> ExitCode {
    match tools::run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("payhook: {error}");
            error.exit.into()
        }
    }
}
