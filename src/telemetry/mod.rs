//! Metrics and logs. Floor 3: names and counters; never a payload, a header's value or a secret.

mod latency;
mod logs;
mod metrics;
mod name;
mod sampler;
mod verdicts;

pub use logs::{LogForm, quiet_panics, start_logs};
pub use metrics::{KeyReading, Metrics, Readings};
pub use name::Name;
pub use sampler::Sampler;
pub use verdicts::{OUTCOMES, UNKNOWN_VARIANT, VERIFIED};
