//! The proof. A value of [`Verified`] exists only where a signature held.

use std::borrow::Cow;

use super::{
    keys::{KeyRole, PreparedKey},
    options::Options,
    request::{Found, Request},
    scheme::{Assurance, Part},
    template,
    verifier::Verifier,
};
use crate::model::{Environment, UnixSeconds};

/// A verified webhook: the only door to its payload.
///
/// ```compile_fail
/// use payhook::verify::Verified;
/// // No public constructor and no public fields: a proof cannot be made up.
/// let forged = Verified { payload: std::borrow::Cow::Borrowed(b"{}".as_slice()) };
/// ```
#[derive(Debug)]
pub struct Verified<'a> {
    request: Request<'a>,
    payload: Cow<'a, [u8]>,
    proof: Proof<'a>,
}

/// What held.
#[derive(Debug)]
pub(super) struct Proof<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) key: &'a PreparedKey,
    pub(super) signed_at: Option<UnixSeconds>,
    pub(super) received_at: UnixSeconds,
    /// Live or test, where whoever vouches says so.
    pub(super) environment: Option<Environment>,
    /// The id of the delivery, where only a checksum of the body is signed beside it: another body
    /// under one id was made up.
    pub(super) signed_id: Option<&'a str>,
}

/// How a webhook was verified.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The scheme's name.
    pub scheme: &'a str,
    /// The operator's label of the key that matched, else its position.
    pub key_label: &'a str,
    /// The role of that key.
    pub key_role: KeyRole,
    /// The signed time; `None` where none is signed.
    pub signed_at: Option<UnixSeconds>,
    /// Time of receipt minus the signed time, in seconds.
    pub age_seconds: Option<i64>,
    /// What the match proves.
    pub assurance: Assurance,
    /// True where no time is signed or none is compared: only deduplication stops a replay.
    pub replay_unprotected: bool,
    /// What the signer vouches for, where its name says so.
    pub environment: Option<Environment>,
}

impl<'a> Verified<'a> {
    /// The one constructor, reached only from the engine after a match.
    pub(super) const fn new(
        request: Request<'a>,
        payload: Cow<'a, [u8]>,
        proof: Proof<'a>,
    ) -> Self {
        Self { request, payload, proof }
    }

    /// Exactly the bytes that were verified, decoded where the gateway wraps them.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The decoded payload, where it is not simply the request's body.
    pub fn decoded_payload(&self) -> Option<&[u8]> {
        match &self.payload {
            Cow::Borrowed(bytes) if std::ptr::eq(*bytes, self.request.body) => None,
            Cow::Borrowed(bytes) => Some(bytes),
            Cow::Owned(bytes) => Some(bytes),
        }
    }

    /// How it was verified.
    pub fn evidence(&self) -> Evidence<'a> {
        let Proof { verifier, key, signed_at, received_at, environment, .. } = self.proof;
        Evidence {
            scheme: &verifier.scheme.name,
            key_label: &key.label,
            key_role: key.role,
            signed_at,
            age_seconds: signed_at.map(|signed_at| received_at.seconds_since(signed_at)),
            assurance: verifier.scheme.assurance,
            replay_unprotected: signed_at.is_none() || verifier.tolerance_seconds.is_none(),
            environment,
        }
    }

    /// The signed id of the delivery, where the signature covers only a checksum of the body. Who
    /// remembers the SHA-256 of the body under each id can tell a body that was made up to have
    /// the same checksum.
    pub const fn signed_id(&self) -> Option<&'a str> {
        self.proof.signed_id
    }

    /// The variant's options.
    pub const fn options(&self) -> &Options {
        &self.proof.verifier.options
    }

    /// A header that the signature covers.
    pub fn signed_header(&self, name: &str) -> Option<&'a str> {
        let covered = self
            .signed_parts()
            .any(|part| matches!(part, Part::Header(header) if header.eq_ignore_ascii_case(name)));
        self.unsigned_header(name).filter(|_| covered)
    }

    /// The query field that the signature covers, as it was sent.
    pub fn signed_query(&self) -> Option<String> {
        self.signed_parts().find_map(|part| {
            let Part::QueryLower(names) = part else { return None };
            template::query_value(self.request, names).ok().flatten()
        })
    }

    /// Every part of every template, those in groups included.
    fn signed_parts(&self) -> impl Iterator<Item = &Part> {
        let parts = self.proof.verifier.scheme.signed.iter().flat_map(|template| template.iter());
        parts.flat_map(|part| {
            if let Part::Group(parts) = part { parts } else { std::slice::from_ref(part) }
        })
    }

    /// A header that the signature does not cover. What comes through this door is listed in
    /// `Event::unsigned_fields` and never decides about money.
    pub fn unsigned_header(&self, name: &str) -> Option<&'a str> {
        match self.request.header(name) {
            Found::One(value) => Some(value),
            Found::Absent | Found::Differing => None,
        }
    }
}
