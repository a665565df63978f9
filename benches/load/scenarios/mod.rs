//! Every scenario, in the order in which `all` runs them.

mod attackers;
mod attacks;
mod configs;
mod drains;
mod idle;
mod kills;
mod names;
mod overload;
mod rotations;
mod soak;
mod source;

use std::time::Duration;

use crate::report::Report;

/// A name, and what runs under it.
pub type Scenario = (&'static str, fn(&mut Report));

pub const ALL: [Scenario; 10] = [
    ("idle", idle::run),
    ("overload", overload::run),
    ("drains", drains::run),
    ("kills", kills::run),
    ("attacks", attacks::run),
    ("rotations", rotations::run),
    ("broken-configs", configs::run),
    ("source-down", source::run),
    ("names", names::run),
    ("soak", soak::run),
];

/// What the server may take at the most, under default limits and whoever calls.
const MEMORY_KIB: u64 = 48 * 1024;

fn mb(kib: u64) -> String {
    format!("{:.1} MB", kib as f64 / 1024.0)
}

fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}
