//! Parts of a scheme that tie fields together: which of them carry signatures, and what must hold
//! between signed and unsigned ones.

use super::{scheme::Presence, shape::Shape};

/// Where the items of a JSON body and their signatures are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonItems {
    /// The key of the list in the body.
    pub list: &'static str,
    /// The key of the item in each of the list's elements.
    pub item: &'static str,
    /// The keys of the signature, from the item on.
    pub signature: &'static [&'static str],
}

/// What must hold between signed and unsigned parts, checked after signature and freshness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// A signed form field equals an option, where the variant sets it: else it is meant for
    /// somebody else, a mismatch.
    FormOption {
        /// The field.
        field: &'static str,
        /// The option.
        option: &'static str,
    },
    /// A signed form field has this shape.
    FormShape {
        /// The field.
        field: &'static str,
        /// What it may look like.
        shape: Shape,
        /// Whether it may be absent or empty.
        required: Presence,
    },
    /// A field of the unsigned JSON body equals the signed query field.
    JsonQuery {
        /// The keys of the field.
        path: &'static [&'static str],
        /// Names of the query field; the first that is there counts.
        query: &'static [&'static str],
    },
}
