//! Load, faults and attacks against the real binary: `just scenario <scenario>`.
//! docs/load.md says what each scenario measures and how.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

#[path = "../../tests/it/broken.rs"]
mod broken;
mod client;
mod cores;
mod histogram;
mod hpack;
#[path = "../../tests/it/raw.rs"]
#[allow(dead_code, reason = "the tests share it: neither uses all of it")]
mod raw;
mod report;
mod scenarios;
mod server;
mod webhooks;
mod wire;

use std::process::ExitCode;

use report::{Length, Report};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Cargo adds this one.
    let names: Vec<_> = arguments.iter().filter(|name| !name.starts_with("--")).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let length = if has("--full") { Length::Full } else { Length::Short };
    let known = |name: &str| scenarios::ALL.iter().any(|(of, _)| *of == name);
    if names.is_empty() || names.iter().any(|name| *name != "all" && !known(name)) {
        let all: Vec<_> = scenarios::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("usage: load <scenario>... | all [--full] [--keep]\nscenarios: {all:?}");
        return ExitCode::from(2);
    }
    histogram::check();
    let wanted = |name: &str| names.iter().any(|given| *given == "all" || *given == name);
    let mut reports = Vec::new();
    for (name, run) in scenarios::ALL {
        if wanted(name) {
            eprintln!("== {name}");
            let began = std::time::Instant::now();
            let mut report = Report::new(name, length);
            run(&mut report);
            eprintln!("   {:.0} s", began.elapsed().as_secs_f64());
            reports.push(report);
        }
    }
    for report in &reports {
        println!("\n{}\n\n{}", report.name, report.table());
    }
    if has("--keep") {
        report::keep(&report::page(), &reports);
    }
    let failed: Vec<_> = reports.iter().filter(|r| r.failed()).map(|r| r.name).collect();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("goals missed by {failed:?}");
    ExitCode::FAILURE
}
