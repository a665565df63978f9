//! Why a verified payload cannot be read exactly.

/// A payload that breaks its gateway's format: after verification this is the gateway's change,
/// not an attack. Texts name places, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// A present amount is no decimal number, too large, or finer than its currency.
    #[error("the amount at {path} cannot be expressed exactly in minor units")]
    AmountInexact {
        /// Where, such as `data.object.amount`.
        path: &'static str,
    },
    /// A required field is absent.
    #[error("{path} is required and absent")]
    FieldMissing {
        /// Where.
        path: &'static str,
    },
    /// A field is present with another type or outside its grammar.
    #[error("{path} is not {expected}")]
    FieldWrong {
        /// Where.
        path: &'static str,
        /// What it should be, such as `a string`.
        expected: &'static str,
    },
    /// The payload as a whole is not its format: syntax, a duplicate key on a path that is read,
    /// bytes that are not UTF-8, or beyond a bound.
    #[error("the payload is not readable {format} (line {line}, column {column})")]
    Unreadable {
        /// `JSON`, `XML` or `form data`.
        format: &'static str,
        /// Line of the first problem, from 1; 0 where unknown.
        line: usize,
        /// Column of the first problem, from 1; 0 where unknown.
        column: usize,
    },
}

impl ParseError {
    /// Every `ParseError` is this reason to the caller.
    pub const fn label(self) -> &'static str {
        "PAYLOAD_MALFORMED"
    }

    /// A JSON error without the value that serde would quote.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        Self::Unreadable { format: "JSON", line: error.line(), column: error.column() }
    }
}
