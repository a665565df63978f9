//! The name of a configured gateway account. Floor 0.

use std::{fmt, sync::Arc};

/// A variant's name: 1 to 64 of `[A-Za-z0-9_.-]`, compared exactly. The word is django-payments'.
///
/// ```
/// use payhook::model::Variant;
/// assert_eq!(Variant::new("stripe-eu").unwrap().as_str(), "stripe-eu");
/// assert!(Variant::new("../etc").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variant(Arc<str>);

/// Why a text is no variant name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VariantError {
    /// A byte outside `[A-Za-z0-9_.-]`.
    #[error("a variant name has only letters, digits, '_', '.' and '-'")]
    Alphabet,
    /// No characters at all.
    #[error("a variant name is required")]
    Empty,
    /// More than 64 bytes.
    #[error("a variant name has at most 64 characters")]
    TooLong,
}

impl Variant {
    /// Checks and wraps a name.
    ///
    /// # Errors
    /// [`VariantError`] where the text is empty, too long or has another character.
    pub fn new(name: &str) -> Result<Self, VariantError> {
        Self::check(name)?;
        Ok(Self(name.into()))
    }

    /// Checks a name without keeping it: costs nothing for names that are then unknown.
    ///
    /// # Errors
    /// As [`Variant::new`].
    pub fn check(name: &str) -> Result<(), VariantError> {
        if name.is_empty() {
            return Err(VariantError::Empty);
        }
        if name.len() > NAME_BYTES_MAX {
            return Err(VariantError::TooLong);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if name.bytes().all(allowed) { Ok(()) } else { Err(VariantError::Alphabet) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Variant {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Long enough for any name in a URL path, short enough to be a label.
const NAME_BYTES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_the_alphabet_are_refused() {
        for bad in ["a b", "a/b", "ä", "a\0", "a\n", "variant%"] {
            assert_eq!(Variant::new(bad), Err(VariantError::Alphabet), "{bad:?}");
        }
        assert_eq!(Variant::new(""), Err(VariantError::Empty));
        assert_eq!(Variant::new(&"a".repeat(65)), Err(VariantError::TooLong));
        assert!(Variant::new(&"a".repeat(64)).is_ok());
    }
}
