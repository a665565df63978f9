//! Secret bytes. Floor 0.

use std::fmt;

use zeroize::Zeroizing;

/// A secret: zeroized on drop, never printed, not cloned, compared or serialised.
///
/// ```
/// use payhook::model::Secret;
/// let secret = Secret::new(b"whsec_example".to_vec());
/// assert_eq!(format!("{secret:?}"), "Secret(redacted)");
/// ```
///
/// ```compile_fail
/// use payhook::model::Secret;
/// let secret = Secret::new(b"whsec_example".to_vec());
/// let copy = secret.clone(); // a secret has one owner
/// ```
///
/// ```compile_fail
/// use payhook::model::Secret;
/// let secret = Secret::new(b"whsec_example".to_vec());
/// println!("{secret}"); // a secret has no Display
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the bytes as they are.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Only `verify` and the code that loads secrets call this.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The secret without ASCII whitespace at its ends: Kubernetes Secrets made with `echo` end
    /// in a newline, and no gateway issues a secret that begins or ends with whitespace.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        Self::new(self.0.trim_ascii().to_vec())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for a secret without bytes, which nothing accepts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_at_the_ends_is_trimmed_and_inside_is_kept() {
        let secret = Secret::new(b" \twh sec\r\n\n".to_vec()).trimmed();
        assert_eq!(secret.expose(), b"wh sec");
    }
}
