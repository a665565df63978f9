//! A signature scheme as data: where the signature is, how it is written, what it covers.
//!
//! One engine (`check.rs`) reads this description. A gateway only ever writes one.

use std::borrow::Cow;

pub use super::{
    binding::{Binding, JsonItems},
    rules::{AnswerForm, AnswerRule, CertificateRule, QuestionForm},
    shape::{Class, Piece, Shape},
};

/// Text of a scheme: fixed for the gateways in the table, owned for one written in configuration.
pub type Text = Cow<'static, str>;

/// Everything the engine needs to verify one gateway's webhooks.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Name shown in `Verification.scheme`, such as `stripe-v1-hmac-sha256`.
    pub name: Text,
    /// What a match proves.
    pub assurance: Assurance,
    /// Further headers that must be there, and what each may hold.
    pub headers: Cow<'static, [HeaderRule]>,
    /// Where the signature text is.
    pub source: Source,
    /// How the signature text is split.
    pub grammar: Grammar,
    /// How one signature is written.
    pub encoding: Encoding,
    /// What makes the signature.
    pub algorithm: Algorithm,
    /// How a configured secret becomes key bytes.
    pub key_form: KeyForm,
    /// The signed bytes: any of these templates may match. Most schemes have one.
    pub signed: Cow<'static, [Template]>,
    /// Where the signed time is, and in which unit; `None` where none is signed.
    pub timestamp: Option<TimeSource>,
    /// How far the signed time may lie from the time of receipt.
    pub freshness: Freshness,
    /// How the payload is taken from the body once the signature holds.
    pub payload: PayloadCodec,
    /// An endpoint challenge by GET.
    pub challenge: Option<Challenge>,
}

impl Scheme {
    /// The headers that carry the signature and its time.
    pub fn carriers(&self) -> impl Iterator<Item = &str> {
        let source = match &self.source {
            Source::Header(name) | Source::HeaderAny(name) => Some(name.as_ref()),
            Source::Answer
            | Source::FormField(_)
            | Source::JsonItems(_)
            | Source::QueryField(_) => None,
        };
        let time = self.timestamp.as_ref().and_then(|time| time.header.as_deref());
        source.into_iter().chain(time)
    }

    /// The commonest scheme: an HMAC of the raw body, keyed with the secret's text, and no time.
    pub(crate) const fn over_body(
        name: &'static str,
        source: Source,
        grammar: Grammar,
        algorithm: Algorithm,
        encoding: Encoding,
    ) -> Self {
        Self {
            name: Cow::Borrowed(name),
            assurance: Assurance::BodySigned,
            headers: Cow::Borrowed(&[]),
            source,
            grammar,
            encoding,
            algorithm,
            key_form: KeyForm::Text,
            signed: Cow::Borrowed(&[Cow::Borrowed(&[Part::Body])]),
            timestamp: None,
            freshness: Freshness::NotSigned,
            payload: PayloadCodec::Body,
            challenge: None,
        }
    }
}

/// A sequence of parts, hashed one after the other.
pub type Template = Cow<'static, [Part]>;

/// One part of the signed bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The raw body.
    Body,
    /// CRC-32 of the raw body as unsigned decimal text.
    BodyCrc32,
    /// A field of the form body, decoded once. Absent is empty.
    FormField(Text),
    /// Parts that are left out together where a header or query field among them is absent.
    Group(&'static [Self]),
    /// A header's value. Absent is a missing signature.
    Header(Text),
    /// A field of the item that carries the signature, as text. Absent is empty.
    ItemField {
        /// Its keys, from the item on.
        path: &'static [&'static str],
        /// What it may look like, where the fields beside it could flow into it.
        shape: Shape,
    },
    /// Fixed text.
    Literal(Text),
    /// The HTTP method in upper case.
    Method,
    /// The URL's path.
    Path,
    /// The query field of the first of these names that is there, in lower case. Absent is a
    /// missing signature.
    QueryLower(&'static [&'static str]),
    /// The key itself, where it takes part in a digest or names the receiver (a webhook id).
    Key,
    /// The signed time as it was written.
    Timestamp,
    /// The configured URL (option `notification_url`), else the request's.
    Url,
}

/// What a scheme proves, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// The whole body is signed.
    BodySigned,
    /// The fields that carry the meaning are signed.
    FieldsSigned,
    /// The gateway confirmed the message when asked.
    ConfirmedByGateway,
    /// Only a checksum of the body is signed.
    ChecksumSigned,
    /// A shared token shows who sends; nothing binds the body.
    SenderOnly,
    /// Encrypted without authentication.
    EncryptedOnly,
}

/// Where the signature text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nowhere: the gateway is asked.
    Answer,
    /// A field of the form body; it appears once.
    FormField(Text),
    /// A header; differing repeats are refused.
    Header(Text),
    /// A header that may repeat: any value may match.
    HeaderAny(Text),
    /// Every item of a list in the JSON body carries its own; all must hold.
    JsonItems(JsonItems),
    /// A field of the URL's query; it appears once.
    QueryField(Text),
}

/// How the signature text is split into signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// `id|signature` pairs joined by `&`; the first pair of our own id counts (Braintree).
    KeyIdPairs,
    /// `key=value` entries.
    KeyValues {
        /// Between entries.
        separator: u8,
        /// Key of a signature; repeats are several signatures.
        signature: Text,
        /// Key of the time, where it is here; must appear with one value.
        timestamp: Option<Text>,
        /// Whether blanks around keys and values are dropped.
        blanks: Blanks,
    },
    /// Entries separated by spaces, each of which names its algorithm: `v1,signature`.
    Named(&'static [(&'static str, Algorithm)]),
    /// The whole text.
    Plain,
    /// The text after a prefix.
    Prefixed {
        /// The prefix, such as `sha512=`.
        prefix: Text,
        /// Whether its letters may come in another case.
        case: Case,
        /// Whether a text without it is refused.
        required: Presence,
    },
}

/// Whether blanks inside a grammar are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blanks {
    /// They are part of the text.
    Kept,
    /// They are dropped at the ends of keys and values, and keys come in any case.
    Trimmed,
}

/// Whether letters may come in another case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// They may.
    Any,
    /// They are as they are written.
    Exact,
}

/// Whether something must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It may be left out.
    Optional,
    /// It must be there.
    Required,
}

/// How one signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Standard, padded base64.
    Base64,
    /// Hexadecimal in either case of whole cipher blocks: the text is not a signature but the
    /// payload itself, encrypted.
    CipherHex,
    /// Hexadecimal in either case.
    Hex,
    /// Hexadecimal compared as lower-case text: anything else is a mismatch.
    LowerHexText,
}

/// What makes the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// AES-128 in CBC mode with the key as the initial vector: no signature at all.
    Aes128CbcKeyAsIv,
    /// Ed25519 with a public key.
    Ed25519,
    /// HMAC with SHA-1.
    HmacSha1,
    /// HMAC with SHA-256.
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
    /// The gateway itself says whether it sent the webhook.
    Answer(&'static AnswerRule),
    /// RSA PKCS#1 v1.5 with SHA-256; the key comes in an X.509 certificate by URL.
    RsaSha256ByCertificate(&'static CertificateRule),
    /// SHA-256 of text of which the key is a part.
    Sha256,
}

impl Algorithm {
    /// Whether a certificate or the gateway's answer decides.
    pub(crate) const fn asks_outside(self) -> bool {
        match self {
            Self::Answer(_) | Self::RsaSha256ByCertificate(_) => true,
            Self::Aes128CbcKeyAsIv
            | Self::Ed25519
            | Self::HmacSha1
            | Self::HmacSha256
            | Self::HmacSha384
            | Self::HmacSha512
            | Self::Sha256 => false,
        }
    }

    /// Length of the signature in bytes, where the algorithm fixes it.
    pub(crate) const fn digest_bytes(self) -> Option<usize> {
        match self {
            Self::HmacSha1 => Some(20),
            Self::HmacSha256 | Self::Sha256 => Some(32),
            Self::HmacSha384 => Some(48),
            Self::Ed25519 | Self::HmacSha512 => Some(64),
            Self::Aes128CbcKeyAsIv | Self::Answer(_) | Self::RsaSha256ByCertificate(_) => None,
        }
    }
}

/// How a configured secret becomes key bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// The text itself, exactly 16 bytes.
    Aes128,
    /// Standard base64.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// The SHA-1 of the text, as 20 bytes.
    Sha1OfText,
    /// Standard Webhooks: `whsec_` and base64 of an HMAC key (the prefix may be absent), or
    /// `whpk_` and base64 of an Ed25519 public key.
    StandardWebhooks,
    /// The text itself.
    Text,
}

/// Where the signed time is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSource {
    /// The header it is in; `None` where the signature's own grammar carries it.
    pub header: Option<Text>,
    /// Its unit.
    pub unit: TimeUnit,
}

/// How a signed time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    Milliseconds,
    /// RFC 3339.
    Rfc3339,
    /// Seconds since 1970.
    Seconds,
    /// Seconds since 1970, or milliseconds from 10^11 on (Mercado Pago sends both).
    SecondsOrMilliseconds,
}

/// How far the signed time may lie from the time of receipt, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The scheme signs no time.
    NotSigned,
    /// A time is signed and compared only where the variant sets `tolerance_seconds`: the gateway
    /// repeats old signatures for days.
    WhenConfigured,
    /// Within this many seconds, unless the variant sets `tolerance_seconds`.
    Window {
        /// The default tolerance.
        seconds: i64,
    },
}

/// How the payload is taken from the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadCodec {
    /// The body is the payload.
    Body,
    /// The body is the payload, once it agrees with what is signed.
    Bound(&'static [Binding]),
    /// The signature text is the payload, encrypted; what was decrypted must hold these form
    /// fields once, or the key is another.
    Cipher(&'static [&'static str]),
    /// Base64 with line feeds in a form field, such as Braintree's `bt_payload`.
    FormBase64(&'static str),
}

/// An endpoint challenge: `GET ?field=<hex>` is answered with `id|MAC of the value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The query field.
    pub field: &'static str,
    /// Fewest hexadecimal digits.
    pub digits_min: usize,
    /// Most hexadecimal digits.
    pub digits_max: usize,
}

/// A header that the scheme needs beside its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderRule {
    /// The header.
    pub name: Text,
    /// What it may hold.
    pub grammar: HeaderGrammar,
}

/// What a needed header may hold; anything else is a malformed signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderGrammar {
    /// Anything but blanks.
    Any,
    /// Basic authentication with these two options; not needed where the variant sets neither.
    BasicOptions {
        /// The option that holds the name.
        username: &'static str,
        /// The secret option that holds the password.
        password: &'static str,
    },
    /// Exactly this text: a header may confirm the algorithm, never choose it.
    Exactly(Text),
    /// The secret option of this name; not needed where the variant does not set it.
    SecretOption(&'static str),
    /// Letters, digits and hyphens, so that it cannot shift its neighbours in the signed text.
    Token {
        /// Most characters.
        bytes_max: usize,
    },
}

impl HeaderGrammar {
    /// Whether this is a credential that the variant sets beside the signature.
    pub(crate) const fn is_credential(&self) -> bool {
        matches!(self, Self::BasicOptions { .. } | Self::SecretOption(_))
    }
}
