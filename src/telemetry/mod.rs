//! Metrics and logs. Floor 3: names and counters; never a payload, a header's value or a secret.

mod latency;
mod logs;
mod metrics;
mod name;
mod sampler;
#[cfg(feature = "otel")]
mod traces;
#[cfg(not(feature = "otel"))]
mod untraced;
mod verdicts;

pub use logs::{LogForm, Recording, quiet_panics, start_logs};
pub use metrics::{KeyReading, Metrics, Readings};
pub use name::Name;
pub use sampler::Sampler;
#[cfg(feature = "otel")]
pub use traces::{Trace, note};
#[cfg(not(feature = "otel"))]
pub use untraced::{Trace, note};
pub use verdicts::{OUTCOMES, UNKNOWN_VARIANT, VERIFIED};
