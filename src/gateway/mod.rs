//! The gateways: what each signs, and what its payloads mean.
//!
//! Floor 2. Pure: a gateway only ever sees bytes that were verified.

mod error;
mod status_table;

pub use error::ParseError;
pub use status_table::StatusRow;
