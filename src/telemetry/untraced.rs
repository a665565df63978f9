//! What stands in for spans where they are not compiled in: nothing.

use http::HeaderMap;

/// No span.
#[derive(Clone, Copy, Debug)]
pub struct Trace;

impl Trace {
    /// No span of no call.
    pub const fn of(_: &HeaderMap, _: &str) -> Self {
        Self
    }

    /// The call itself.
    pub fn over<F: Future>(self, call: F) -> F {
        call
    }
}

/// Nothing.
pub const fn note(_: &str, _: &str) {}
