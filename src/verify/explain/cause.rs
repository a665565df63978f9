//! The words for causes. Stable names, part of the public interface.

/// Why a webhook was probably refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The body is still base64.
    BodyBase64,
    /// A byte order mark was added or removed.
    BodyBom,
    /// The body is still compressed.
    BodyCompressed,
    /// The body is empty.
    BodyEmpty,
    /// Newlines were added, removed or converted.
    BodyNewlines,
    /// The body's character set or escapes were changed.
    BodyRecoded,
    /// The body was parsed and written anew.
    BodyReencoded,
    /// The body was cut short.
    BodyTruncated,
    /// The body is wrapped in a JSON text or a form field.
    BodyWrapped,
    /// The signature holds; the clocks differ.
    ClockSkew,
    /// A retired key matches.
    ExpiredKey,
    /// A form value was decoded twice.
    FormDecodedTwice,
    /// A proxy renamed a header.
    HeaderRenamed,
    /// Another variant has the key that matches.
    OtherVariant,
    /// The signature names another public key.
    PublicKeyOther,
    /// A redirect turned the request into a GET or dropped its body.
    Redirected,
    /// Only an outdated kind of signature is there.
    SchemeOutdated,
    /// The configured secret is an API key.
    SecretIsApiKey,
    /// The secret's prefix was stripped or its text was decoded.
    SecretPrefix,
    /// Blanks, quotes or marks that nobody sees are part of the configured secret.
    SecretStray,
    /// The event comes from a simulator that signs with a fixed id.
    Simulator,
    /// The time is in another unit.
    TimestampUnit,
    /// The configured webhook id is not the one that signed.
    WebhookId,
}

impl Cause {
    /// Every cause, in the order of their names.
    pub const ALL: [Self; 23] = [
        Self::BodyBase64,
        Self::BodyBom,
        Self::BodyCompressed,
        Self::BodyEmpty,
        Self::BodyNewlines,
        Self::BodyRecoded,
        Self::BodyReencoded,
        Self::BodyTruncated,
        Self::BodyWrapped,
        Self::ClockSkew,
        Self::ExpiredKey,
        Self::FormDecodedTwice,
        Self::HeaderRenamed,
        Self::OtherVariant,
        Self::PublicKeyOther,
        Self::Redirected,
        Self::SchemeOutdated,
        Self::SecretIsApiKey,
        Self::SecretPrefix,
        Self::SecretStray,
        Self::Simulator,
        Self::TimestampUnit,
        Self::WebhookId,
    ];

    /// Stable name, the contract's `MismatchCause` without its prefix.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BodyBase64 => "BODY_BASE64",
            Self::BodyBom => "BODY_BOM",
            Self::BodyCompressed => "BODY_COMPRESSED",
            Self::BodyEmpty => "BODY_EMPTY",
            Self::BodyNewlines => "BODY_NEWLINES",
            Self::BodyRecoded => "BODY_RECODED",
            Self::BodyReencoded => "BODY_REENCODED",
            Self::BodyTruncated => "BODY_TRUNCATED",
            Self::BodyWrapped => "BODY_WRAPPED",
            Self::ClockSkew => "CLOCK_SKEW",
            Self::ExpiredKey => "EXPIRED_KEY",
            Self::FormDecodedTwice => "FORM_DECODED_TWICE",
            Self::HeaderRenamed => "HEADER_RENAMED",
            Self::OtherVariant => "OTHER_VARIANT",
            Self::PublicKeyOther => "PUBLIC_KEY_OTHER",
            Self::Redirected => "REDIRECTED",
            Self::SchemeOutdated => "SCHEME_OUTDATED",
            Self::SecretIsApiKey => "SECRET_IS_API_KEY",
            Self::SecretPrefix => "SECRET_PREFIX",
            Self::SecretStray => "SECRET_STRAY",
            Self::Simulator => "SIMULATOR",
            Self::TimestampUnit => "TIMESTAMP_UNIT",
            Self::WebhookId => "WEBHOOK_ID",
        }
    }
}
