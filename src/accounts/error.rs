//! Why a variant cannot be used: the operator's fault, or their secret store's.

use crate::model::Variant;

/// Why a variant cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The secret cannot be had and none is cached, or it cannot be used.
    #[error("the secret of {variant} cannot be used: {problem}")]
    SecretUnavailable {
        /// The variant.
        variant: Variant,
        /// What is missing, and where it was looked for.
        problem: String,
    },
    /// No such variant.
    #[error("no such variant")]
    VariantUnknown,
}

impl AccountError {
    /// Stable name, the contract's `ErrorReason` without its prefix.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::SecretUnavailable { .. } => "SECRET_UNAVAILABLE",
            Self::VariantUnknown => "VARIANT_UNKNOWN",
        }
    }
}
