//! Why a webhook is refused. Each has a stable label, which is part of the public interface.

use std::borrow::Cow;

/// The sender's fault, or the network's: nothing of the webhook may be used.
///
/// Texts name places and lengths, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// A signed id came with another body than before.
    #[error("the signed id {carrier} came with another body before")]
    BodySubstituted {
        /// Where the id is.
        carrier: &'static str,
    },
    /// The certificate or the gateway's own answer cannot be had right now.
    #[error("{what} cannot be had right now")]
    CertificateUnavailable {
        /// What is missing, such as `the signing certificate`.
        what: &'static str,
    },
    /// The certificate's URL, chain, validity, name or key is not acceptable.
    #[error("the signing certificate is refused: {problem}")]
    CertificateUntrusted {
        /// Which step refused it.
        problem: &'static str,
    },
    /// The body that carries the signature cannot be read. Nothing was verified.
    #[error("the body that carries the signature cannot be read: {problem}")]
    PayloadMalformed {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The signature holds, and the payload that it covers cannot be decoded.
    #[error("the verified payload cannot be decoded: {problem}")]
    PayloadUndecodable {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A signature is present and unusable.
    #[error("{carrier} cannot be used: {problem}")]
    SignatureMalformed {
        /// The header or field.
        carrier: Cow<'static, str>,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No configured key matches.
    #[error("no configured key matches the signature in {carrier}")]
    SignatureMismatch {
        /// The header or field.
        carrier: Cow<'static, str>,
    },
    /// A header or field that the scheme needs is absent or blank.
    #[error("{carrier} is absent or blank")]
    SignatureMissing {
        /// The header or field.
        carrier: Cow<'static, str>,
    },
    /// The signature holds; it was made further ahead than the tolerance.
    #[error("signed {ahead_seconds} s in the future, allowed are {tolerance_seconds} s")]
    TimestampInFuture {
        /// Signed time minus the time of receipt, in seconds.
        ahead_seconds: i64,
        /// The tolerance, in seconds.
        tolerance_seconds: i64,
    },
    /// The signature holds; it is older than the tolerance.
    #[error("signed {age_seconds} s ago, allowed are {tolerance_seconds} s")]
    TimestampTooOld {
        /// Time of receipt minus the signed time, in seconds.
        age_seconds: i64,
        /// The tolerance, in seconds.
        tolerance_seconds: i64,
    },
}

impl Rejection {
    /// Stable name, the contract's `ErrorReason` without its prefix.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::BodySubstituted { .. } => "BODY_SUBSTITUTED",
            Self::CertificateUnavailable { .. } => "CERTIFICATE_UNAVAILABLE",
            Self::CertificateUntrusted { .. } => "CERTIFICATE_UNTRUSTED",
            Self::PayloadMalformed { .. } | Self::PayloadUndecodable { .. } => "PAYLOAD_MALFORMED",
            Self::SignatureMalformed { .. } => "SIGNATURE_MALFORMED",
            Self::SignatureMismatch { .. } => "SIGNATURE_MISMATCH",
            Self::SignatureMissing { .. } => "SIGNATURE_MISSING",
            Self::TimestampInFuture { .. } => "TIMESTAMP_IN_FUTURE",
            Self::TimestampTooOld { .. } => "TIMESTAMP_TOO_OLD",
        }
    }

    /// Seconds between the signed time and the time of receipt, where one was compared;
    /// negative when signed in the future.
    pub const fn age_seconds(&self) -> Option<i64> {
        match self {
            Self::TimestampInFuture { ahead_seconds, .. } => Some(ahead_seconds.saturating_neg()),
            Self::TimestampTooOld { age_seconds, .. } => Some(*age_seconds),
            Self::BodySubstituted { .. }
            | Self::CertificateUnavailable { .. }
            | Self::CertificateUntrusted { .. }
            | Self::PayloadMalformed { .. }
            | Self::PayloadUndecodable { .. }
            | Self::SignatureMalformed { .. }
            | Self::SignatureMismatch { .. }
            | Self::SignatureMissing { .. } => None,
        }
    }

    #[expect(clippy::ptr_arg, reason = "a static name is kept without a copy")]
    pub(crate) fn malformed(carrier: &Cow<'static, str>, problem: &'static str) -> Self {
        Self::SignatureMalformed { carrier: carrier.clone(), problem }
    }

    #[expect(clippy::ptr_arg, reason = "a static name is kept without a copy")]
    pub(crate) fn missing(carrier: &Cow<'static, str>) -> Self {
        Self::SignatureMissing { carrier: carrier.clone() }
    }
}
