//! Keys: how configured secrets become something that verifies, once, at load.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use super::{
    cipher::BLOCK_BYTES,
    hmac::KeyedMac,
    scheme::{Algorithm, KeyForm, Scheme},
};
use crate::model::{Secret, UnixSeconds};

/// The place of a key in a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// In use.
    Current,
    /// Staged ahead of the gateway.
    Next,
    /// On its way out.
    Previous,
}

impl KeyRole {
    /// The word used in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Next => "next",
            Self::Previous => "previous",
        }
    }

    /// Reads the word used in configuration.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Current, Self::Next, Self::Previous].into_iter().find(|role| role.as_str() == name)
    }
}

/// One configured key, before it is prepared.
#[derive(Debug)]
pub struct KeyInput {
    /// The operator's label; `None` shows the position.
    pub label: Option<String>,
    /// Its place in a rotation.
    pub role: KeyRole,
    /// Not accepted from this moment on.
    pub expires_at: Option<UnixSeconds>,
    /// The gateway's id of the key, where the gateway names one in the signature.
    pub id: Option<String>,
    /// The secret, or the public text where the scheme has no secret (a webhook id).
    pub secret: Secret,
    /// Fewest bytes the gateway's secrets have.
    pub bytes_min: usize,
    /// Whether the gateway signs with the key of its own API.
    pub is_api_key: bool,
}

/// Why a secret cannot be used. Its variant answers `SECRET_UNAVAILABLE` until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing but whitespace: an empty key would let anybody sign.
    #[error("the secret is empty")]
    Empty,
    /// Not written in the form that the gateway uses.
    #[error("the secret is not {expected}")]
    Form {
        /// The form.
        expected: &'static str,
    },
    /// A text that stands in examples.
    #[error("the secret is a placeholder")]
    Placeholder,
    /// Shorter than any of the gateway's secrets.
    #[error("the secret has {bytes} bytes, the gateway's have at least {bytes_min}")]
    TooShort {
        /// Bytes found.
        bytes: usize,
        /// Bytes expected at least.
        bytes_min: usize,
    },
}

/// A key that is ready to verify.
pub struct PreparedKey {
    pub(crate) label: Arc<str>,
    pub(crate) role: KeyRole,
    pub(crate) expires_at: Option<UnixSeconds>,
    pub(crate) id: Option<String>,
    pub(crate) material: Material,
    /// As it was configured: only `explain` looks at it.
    pub(crate) raw: Secret,
    /// Whether the gateway signs with the key of its own API.
    pub(crate) is_api_key: bool,
}

/// What a key verifies with.
pub(crate) enum Material {
    /// A key that decrypts.
    Cipher(Secret),
    /// A public key.
    Ed25519([u8; ED25519_KEY_BYTES]),
    /// A keyed MAC.
    Mac(Box<KeyedMac>),
    /// A text that is signed or asked about, or hashed with the signed bytes.
    Text(Secret),
}

/// Bytes of an Ed25519 public key.
pub(crate) const ED25519_KEY_BYTES: usize = 32;

impl PreparedKey {
    /// Prepares a key for a scheme; `position` counts from 1.
    pub(crate) fn new(scheme: &Scheme, input: KeyInput, position: usize) -> Result<Self, KeyError> {
        let secret = input.secret.trimmed();
        check_secret(&secret, input.bytes_min)?;
        let material = Material::new(scheme, &secret)?;
        let label = input.label.unwrap_or_else(|| format!("key-{position}"));
        let id = input.id.map(|id| id.trim_ascii().to_owned());
        let (role, expires_at, is_api_key) = (input.role, input.expires_at, input.is_api_key);
        Ok(Self { label: label.into(), role, expires_at, id, material, raw: secret, is_api_key })
    }

    /// The key of the gateway's simulator. Anybody can have it sign: only for tests.
    pub(crate) fn simulator(text: &str) -> Self {
        Self {
            label: "simulator".into(),
            role: KeyRole::Current,
            expires_at: None,
            id: None,
            material: Material::Text(Secret::new(text.as_bytes().to_vec())),
            raw: Secret::new(Vec::new()),
            is_api_key: false,
        }
    }

    /// The text, where the key is one.
    pub(crate) fn text(&self) -> &[u8] {
        self.material.text()
    }

    /// The operator's label, else the position.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its place in a rotation.
    pub const fn role(&self) -> KeyRole {
        self.role
    }

    /// When it stops being accepted.
    pub const fn expires_at(&self) -> Option<UnixSeconds> {
        self.expires_at
    }

    /// True while the key is accepted.
    pub(crate) fn is_active(&self, now: UnixSeconds) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl Material {
    pub(super) fn new(scheme: &Scheme, secret: &Secret) -> Result<Self, KeyError> {
        let public = secret.expose().strip_prefix(PUBLIC_PREFIX);
        if let (KeyForm::StandardWebhooks, Some(public)) = (scheme.key_form, public) {
            let key = STANDARD.decode(public).ok().and_then(|bytes| bytes.try_into().ok());
            let expected = "base64 of a 32-byte public key";
            return key.map(Self::Ed25519).ok_or(KeyError::Form { expected });
        }
        let bytes = key_bytes(scheme.key_form, secret)?;
        Ok(match (scheme.algorithm, KeyedMac::new(scheme.algorithm, bytes.expose())) {
            (_, Some(mac)) => Self::Mac(Box::new(mac)),
            (Algorithm::Aes128CbcKeyAsIv, None) => Self::Cipher(bytes),
            (_, None) => Self::Text(bytes),
        })
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedKey")
            .field("label", &self.label)
            .field("role", &self.role)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn check_secret(secret: &Secret, bytes_min: usize) -> Result<(), KeyError> {
    let bytes = secret.len();
    if secret.is_empty() {
        return Err(KeyError::Empty);
    }
    if PLACEHOLDERS.iter().any(|word| secret.expose().eq_ignore_ascii_case(word)) {
        return Err(KeyError::Placeholder);
    }
    if bytes < bytes_min { Err(KeyError::TooShort { bytes, bytes_min }) } else { Ok(()) }
}

fn key_bytes(form: KeyForm, secret: &Secret) -> Result<Secret, KeyError> {
    match form {
        KeyForm::Text => Ok(secret.trimmed()),
        KeyForm::Aes128 if secret.len() == BLOCK_BYTES => Ok(secret.trimmed()),
        KeyForm::Aes128 => Err(KeyError::Form { expected: "16 characters" }),
        KeyForm::Base64 => base64_key(secret.expose()),
        KeyForm::StandardWebhooks => {
            let text = secret.expose();
            base64_key(text.strip_prefix(SECRET_PREFIX).unwrap_or(text))
        }
        KeyForm::Sha1OfText => Ok(Secret::new(Sha1::digest(secret.expose()).to_vec())),
        KeyForm::Hex => super::signature::hex(secret.expose())
            .filter(|bytes| !bytes.is_empty())
            .map(Secret::new)
            .ok_or(KeyError::Form { expected: "hexadecimal digits" }),
    }
}

fn base64_key(text: &[u8]) -> Result<Secret, KeyError> {
    let bytes = STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty());
    bytes.map(Secret::new).ok_or(KeyError::Form { expected: "standard base64" })
}

/// What Standard Webhooks puts before its secrets and its public keys.
pub(super) const SECRET_PREFIX: &[u8] = b"whsec_";
const PUBLIC_PREFIX: &[u8] = b"whpk_";

/// Texts that stand in examples and templates: with one of them anybody could sign.
const PLACEHOLDERS: [&[u8]; 6] =
    [b"whsec_", b"changeme", b"secret", b"todo", b"xxx", b"whsec_changeme"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_secrets_are_named() {
        let check = |text: &str, min| check_secret(&Secret::new(text.into()).trimmed(), min);
        assert_eq!(check(" \n", 0), Err(KeyError::Empty));
        assert_eq!(check("CHANGEME", 0), Err(KeyError::Placeholder));
        assert_eq!(check("whsec_\n", 0), Err(KeyError::Placeholder));
        assert_eq!(check("short", 16), Err(KeyError::TooShort { bytes: 5, bytes_min: 16 }));
        assert_eq!(check("short", 0), Ok(()));
    }
}
