//! One binary for all integration tests: it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::pedantic,
    clippy::wildcard_enum_match_arm,
    unreachable_pub,
    missing_docs,
    reason = "a test may stop at what it did not expect, and is no public interface"
)]

#[cfg(feature = "server")]
mod accounts;
#[cfg(feature = "server")]
mod admin;
#[cfg(feature = "server")]
mod attacks;
#[cfg(feature = "server")]
mod bounds;
mod breadth;
#[cfg(feature = "server")]
mod broken;
mod cases;
#[cfg(feature = "server")]
mod cli;
#[cfg(feature = "server")]
mod config;
#[cfg(feature = "server")]
mod dev;
#[cfg(feature = "server")]
mod django;
#[cfg(feature = "server")]
mod drain;
mod explain;
#[cfg(feature = "server")]
mod explained;
#[cfg(feature = "server")]
mod fuzz;
mod gateways_page;
#[cfg(feature = "server")]
mod guards;
#[cfg(feature = "server")]
mod hardened;
#[cfg(feature = "server")]
mod leaks;
#[cfg(feature = "server")]
mod listeners;
#[cfg(feature = "server")]
mod mapping;
#[cfg(feature = "server")]
mod outage;
mod payloads;
mod paypal;
#[cfg(feature = "server")]
mod paypal_outside;
#[cfg(feature = "server")]
mod process;
#[cfg(feature = "server")]
#[allow(dead_code, reason = "the load runs share it: neither uses all of it")]
mod raw;
#[cfg(feature = "server")]
mod redacted;
#[cfg(feature = "server")]
mod reload;
#[cfg(feature = "server")]
mod residue;
#[cfg(feature = "server")]
mod rotation;
#[cfg(feature = "server")]
mod rpc;
mod samples;
#[cfg(feature = "server")]
mod serving;
#[cfg(feature = "server")]
mod states;
#[cfg(feature = "server")]
mod telemetry;
#[cfg(feature = "server")]
mod tidy;
mod transitions;
#[cfg(feature = "vault")]
mod vault;
mod vectors;
#[cfg(feature = "server")]
mod warnings;
