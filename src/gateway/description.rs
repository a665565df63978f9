//! What a gateway is made of. There are no defaults: a forgotten part does not compile.

use std::{borrow::Cow, collections::BTreeMap};

use super::{ParseError, StatusRow};
use crate::{
    model::{Event, EventType, PaymentStatus, Secret, UnixSeconds},
    verify::{KeyError, KeyInput, KeyRole, Options, Scheme, Verified, Verifier},
};

/// One gateway: a description, a parser and a status table.
#[derive(Debug)]
pub struct Gateway {
    /// The name used in configuration, such as `stripe`.
    pub name: &'static str,
    /// The name people use, such as `Stripe`.
    pub title: &'static str,
    /// How its webhooks are signed.
    pub scheme: SchemeOf,
    /// The fields of one configured key.
    pub keys: &'static [KeyField],
    /// The options beside the keys; `tolerance_seconds` and `accept_received_at_max_seconds`
    /// belong to every gateway that signs a time and are not listed here.
    pub options: &'static [OptionField],
    /// Reads the events of a verified payload.
    pub parse: Parse,
    /// Reads objects and statuses polled from the gateway's API.
    pub polled: Option<Polled>,
    /// What its types and states mean.
    pub statuses: &'static [StatusRow],
    /// What it expects to be answered when the application is done.
    pub reply: Reply,
    /// Options that the samples are read with, as JSON; empty where none are needed. They stand in
    /// the documentation as an example.
    pub example_options: &'static str,
    /// Payloads as the gateway sends them: the demo signs, sends and judges every one of them.
    pub samples: &'static [Sample],
    /// Where its rules are documented: titles of the gateway's own pages or SDKs.
    pub sources: &'static [&'static str],
}

/// Reads the events of a verified payload, in payload order.
pub type Parse = for<'v> fn(&'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError>;

/// Readers of what the gateway's API returns, for `MapStatus`.
#[derive(Clone, Copy, Debug)]
pub struct Polled {
    /// Object types that can be read, such as `payment_intent`.
    pub object_types: &'static [&'static str],
    /// Reads an object as the API returned it.
    pub object: for<'o> fn(&str, &'o [u8], &Options) -> Result<Event<'o>, ParseError>,
    /// Maps a bare status word, only where the word alone decides.
    pub status: fn(&str, &str) -> Option<PaymentStatus>,
}

/// A payload as the gateway sends it, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What happened, in a few words, such as `card payment captured`.
    pub title: &'static str,
    /// The payload as it is read after verification: JSON, or the XML inside Braintree's form.
    pub payload: &'static str,
    /// The neutral type of its only event.
    pub event_type: EventType,
    /// What it proves about the payment.
    pub status: Option<PaymentStatus>,
}

impl Sample {
    /// A sample, in the order of its columns.
    pub(crate) const fn new(
        title: &'static str,
        event_type: EventType,
        status: Option<PaymentStatus>,
        payload: &'static str,
    ) -> Self {
        Self { title, payload, event_type, status }
    }
}

impl KeyField {
    /// The one secret of a key.
    pub(crate) const fn secret(name: &'static str, bytes_min: usize) -> Self {
        Self { name, kind: KeyFieldKind::Secret, part: KeyPart::Secret, bytes_min }
    }
}

/// How a gateway's scheme comes about.
#[derive(Clone, Copy, Debug)]
pub enum SchemeOf {
    /// The same for every variant.
    Fixed(&'static Scheme),
    /// Made from the variant's options.
    Configured(fn(&Options) -> Result<Scheme, OptionError>),
}

/// An option that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("option {option}: {problem}")]
pub struct OptionError {
    /// The option.
    pub option: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// A field of a configured key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyField {
    /// The field's name in configuration, such as `endpoint_secret`.
    pub name: &'static str,
    /// Whether it may stand in the file.
    pub kind: KeyFieldKind,
    /// What it is used for.
    pub part: KeyPart,
    /// Fewest bytes the gateway's values have.
    pub bytes_min: usize,
}

/// Whether a field is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFieldKind {
    /// May stand in the configuration file.
    Public,
    /// Comes from a file, the environment or a vault.
    Secret,
}

/// What a field of a key is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPart {
    /// The gateway's id of the key, which a signature names.
    Id,
    /// What verifies, and is the key of the gateway's own API as well.
    ApiSecret,
    /// What verifies.
    Secret,
}

/// An option of a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionField {
    /// The option's name in configuration.
    pub name: &'static str,
    /// What it holds.
    pub kind: OptionKind,
    /// What it does, for the documentation.
    pub about: &'static str,
}

/// What an option holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// Must be true in configuration: what the gateway offers is weak, and the operator says that
    /// it is accepted all the same.
    Consent,
    /// Yes or no.
    Flag,
    /// Yes or no; yes only on a variant that is pinned to test.
    FlagInTest,
    /// A whole number within a range.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A nested table that the gateway itself checks.
    Nested,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A secret: a file, an environment variable or a vault reference.
    Secret,
    /// Text, or a file that holds it.
    Text,
    /// A list of texts.
    TextList,
}

/// What to answer the gateway when the application is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Content type of the body; empty without one.
    pub content_type: &'static str,
    /// Body.
    pub body: &'static str,
    /// HTTP status where the signature is refused.
    pub refused: u16,
}

impl Reply {
    /// 200 without a body, which most gateways expect.
    pub const OK: Self = Self { status: 200, content_type: "", body: "", refused: 400 };

    /// 200 with a text that the gateway looks for.
    pub(crate) const fn text(body: &'static str) -> Self {
        Self { status: 200, content_type: "text/plain", body, refused: 400 }
    }
}

/// One configured key as the gateway's fields.
#[derive(Debug)]
pub struct KeyFields {
    /// The operator's label.
    pub label: Option<String>,
    /// Its place in a rotation.
    pub role: KeyRole,
    /// Not accepted from this moment on.
    pub expires_at: Option<UnixSeconds>,
    /// The gateway's fields by name, read from their sources.
    pub fields: BTreeMap<String, Secret>,
}

/// Why a variant cannot verify anything yet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// A key lacks a field.
    #[error("key {position} lacks {field}")]
    FieldMissing {
        /// Position of the key, from 1.
        position: usize,
        /// The field.
        field: &'static str,
    },
    /// A key cannot be used.
    #[error("key {position}: {error}")]
    Key {
        /// Position of the key, from 1.
        position: usize,
        /// Why.
        error: KeyError,
    },
    /// An option cannot be used.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl Gateway {
    /// The scheme for a variant with these options.
    ///
    /// # Errors
    /// [`OptionError`] where the options describe no scheme.
    pub fn scheme(&self, options: &Options) -> Result<Cow<'static, Scheme>, OptionError> {
        match self.scheme {
            SchemeOf::Fixed(scheme) => Ok(Cow::Borrowed(scheme)),
            SchemeOf::Configured(make) => make(options).map(Cow::Owned),
        }
    }

    /// Joins the scheme with keys, newest first, and options.
    ///
    /// # Errors
    /// [`PrepareError`] for the first key or option that cannot be used.
    pub fn verifier(
        &self,
        keys: Vec<KeyFields>,
        options: Options,
    ) -> Result<Verifier, PrepareError> {
        let scheme = self.scheme(&options)?;
        let keys = keys
            .into_iter()
            .zip(1..)
            .map(|(key, position)| self.key_input(key, position))
            .collect::<Result<Vec<_>, _>>()?;
        Verifier::new(scheme, keys, options)
            .map_err(|(position, error)| PrepareError::Key { position, error })
    }

    /// The example options as values.
    pub fn example(&self) -> BTreeMap<String, serde_json::Value> {
        serde_json::from_str(self.example_options).unwrap_or_default()
    }

    /// Whether an option of this name is secret.
    pub fn secret_option(&self, name: &str) -> bool {
        self.options.iter().any(|field| field.name == name && field.kind == OptionKind::Secret)
    }

    fn key_input(&self, mut key: KeyFields, position: usize) -> Result<KeyInput, PrepareError> {
        let (mut id, mut secret, mut bytes_min, mut is_api_key) = (None, None, 0, false);
        for field in self.keys {
            let value = key.fields.remove(field.name);
            let value = value.ok_or(PrepareError::FieldMissing { position, field: field.name })?;
            match field.part {
                KeyPart::Id => {
                    let bytes = value.trimmed().len();
                    // An empty id would let a signature name us with an empty name.
                    if bytes < field.bytes_min {
                        let error = KeyError::TooShort { bytes, bytes_min: field.bytes_min };
                        return Err(PrepareError::Key { position, error });
                    }
                    id = Some(String::from_utf8_lossy(value.trimmed().expose()).into_owned());
                }
                KeyPart::ApiSecret | KeyPart::Secret => {
                    is_api_key = field.part == KeyPart::ApiSecret;
                    secret = Some(value);
                    bytes_min = field.bytes_min;
                }
            }
        }
        let (label, role, expires_at) = (key.label, key.role, key.expires_at);
        // A scheme without a secret of its own still has a key: an empty text that nothing uses
        // would be refused, so that such a gateway names the field that stands for it.
        let secret =
            secret.ok_or(PrepareError::FieldMissing { position, field: "a secret field" })?;
        Ok(KeyInput { label, role, expires_at, id, secret, bytes_min, is_api_key })
    }
}
