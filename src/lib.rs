//! payhook verifies payment webhooks and says what they mean.
#![cfg_attr(
    test,
    allow(
        clippy::format_collect,
        clippy::string_slice,
        reason = "a test may be short where production code is careful"
    )
)]

#[cfg(feature = "server")]
pub mod accounts;
#[cfg(feature = "server")]
pub mod config;
pub mod gateway;
pub mod limits;
pub mod model;
#[cfg(feature = "server")]
pub mod proto;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
pub mod service;
#[cfg(feature = "server")]
pub mod telemetry;
#[cfg(feature = "server")]
pub mod tools;
pub mod verify;
