//! What every fuzz target does with its bytes. `fuzz_targets/` hands them in from libFuzzer, and
//! `tests/it/fuzz.rs` replays seeds and regression inputs on a stable toolchain.
//!
//! A target panics where a fact does not hold: nothing panics, nothing is verified without a
//! signature that was computed here by other means, and events keep the promises of the contract.

mod certificates;
mod configuration;
mod events;
mod histories;
mod proofs;
mod remote;
mod requests;
mod setups;
mod texts;

pub use certificates::{GENUINE, chain};
pub use configuration::{CANARY, config};
pub use histories::transitions;
pub use remote::rpc;
pub use requests::{is_json, is_other, requests, sign, signed, signed_other};
pub use setups::{SETUPS, Setup};
pub use texts::texts;

/// What takes the bytes of an input.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("chain", chain),
    ("config", config),
    ("requests", requests),
    ("rpc", rpc),
    ("signed", signed),
    ("signed_other", signed_other),
    ("texts", texts),
    ("transitions", transitions),
];

/// The moment of every check, in Unix seconds: the vectors' own.
pub const NOW: i64 = 1_700_000_000;
