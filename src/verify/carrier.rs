//! Where a request carries its signatures: looked for once, so that reading them cannot fail.

use std::borrow::Cow;

use super::{
    cipher,
    form::Form,
    grammar::Entry,
    headers,
    items::{self, Item},
    rejection::Rejection,
    request::{self, Found, Header, Request},
    scheme::{Encoding, Scheme, Source},
    signature::{self, Digest},
};

/// The texts that hold the signatures.
#[derive(Debug)]
pub(crate) enum Carrier<'a> {
    /// A field of the body's form or of the query.
    Field(String),
    /// A header.
    Header(&'a str),
    /// Every item of the body has its own.
    Items(Vec<Item<'a>>),
    /// There are none: the gateway is asked.
    Nothing,
    /// The header of this name, which may repeat: any of its values may hold.
    Values(&'a [Header<'a>], &'a str),
}

/// What carries one signature: an item of the body, or the request itself.
pub(crate) type Unit<'i, 'a> = Option<&'i Item<'a>>;

impl<'a> Carrier<'a> {
    /// Finds what the scheme says, and that everything else it needs is there.
    #[inline]
    pub(super) fn find(
        request: &Request<'a>,
        scheme: &'a Scheme,
        form: Option<&Form<'a>>,
    ) -> Result<Self, Rejection> {
        let header = headers::require(request, scheme)?;
        Ok(match &scheme.source {
            Source::Answer => Self::Nothing,
            Source::FormField(name) => {
                let form = form.ok_or_else(|| Rejection::missing(name))?;
                Self::Field(field(form, scheme)?)
            }
            Source::Header(name) => match header {
                Found::One(text) => Self::Header(text),
                Found::Absent => return Err(Rejection::missing(name)),
                Found::Differing => return Err(malformed(scheme, "its repeats differ")),
            },
            Source::HeaderAny(name) => {
                let values = Self::Values(request.headers, name);
                if values.text(None).is_empty() {
                    return Err(Rejection::missing(name));
                }
                values
            }
            Source::JsonItems(list) => {
                Self::Items(items::read(list, &scheme.signed, request.body)?)
            }
            Source::QueryField(_) => {
                let query = request.query().unwrap_or_default();
                let query = Form::read(query.as_bytes());
                let query =
                    query.map_err(|_| malformed(scheme, "the query has too many fields"))?;
                Self::Field(field(&query, scheme)?)
            }
        })
    }

    /// What the signatures belong to, one after the other.
    pub(crate) fn units(&self) -> impl Iterator<Item = Unit<'_, 'a>> {
        let (request, items) = match self {
            Self::Items(items) => (None, items.as_slice()),
            Self::Field(_) | Self::Header(_) | Self::Nothing | Self::Values(..) => {
                (Some(None), [].as_slice())
            }
        };
        request.into_iter().chain(items.iter().map(Some))
    }

    /// The text that holds a unit's signature; for a header that may repeat, its first value.
    pub(crate) fn text<'m>(&'m self, unit: Unit<'m, 'a>) -> &'m str {
        match self {
            Self::Field(text) => text,
            Self::Header(text) => text,
            Self::Items(_) => unit.map_or("", |item| &item.signature),
            Self::Nothing => "",
            Self::Values(headers, name) => values(headers, name).next().unwrap_or_default(),
        }
    }

    /// Calls `see` with each signature of a unit.
    pub(crate) fn each_entry(
        &self,
        scheme: &Scheme,
        unit: Unit<'_, 'a>,
        see: &mut dyn FnMut(Entry<'_>),
    ) {
        if let Self::Values(headers, name) = self {
            for text in values(headers, name) {
                scheme.grammar.each(text, see);
            }
            return;
        }
        scheme.grammar.each(self.text(unit), see);
    }

    /// Requires of every unit at least one signature that can be used. Returns what need not be
    /// looked for again where a header holds it.
    #[inline]
    pub(super) fn require(&self, scheme: &Scheme) -> Result<Contents<'a>, Rejection> {
        let checked = |text| {
            let checked = scheme.grammar.check(text);
            checked.map_err(|problem| malformed(scheme, problem))
        };
        let require = |usable| {
            if usable { Ok(()) } else { Err(malformed(scheme, "it holds no usable signature")) }
        };
        let mut usable = false;
        if let Self::Header(text) = self {
            checked(text)?;
            let (mut only, mut count) = (None, 0_usize);
            let time = scheme.grammar.each(text, &mut |entry| {
                usable |= is_usable(scheme, &entry);
                let plain = entry.algorithm.is_none() && entry.key_id.is_none();
                only = plain.then_some(entry.text);
                count = count.saturating_add(1);
            });
            require(usable)?;
            return Ok(Contents { only: only.filter(|_| count == 1), time });
        }
        for unit in self.units() {
            checked(self.text(unit))?;
            usable = false;
            self.each_entry(scheme, unit, &mut |entry| usable |= is_usable(scheme, &entry));
            require(usable)?;
        }
        Ok(Contents { only: None, time: Found::Absent })
    }
}

/// What a header holds; nothing where something else carries the signatures.
pub(super) struct Contents<'a> {
    /// Its one signature, where it holds no more and that names neither algorithm nor key.
    pub(super) only: Option<&'a str>,
    /// The time beside it.
    pub(super) time: Found<'a>,
}

/// The values of a header that are not blank.
fn values<'a>(headers: &'a [Header<'a>], name: &str) -> impl Iterator<Item = &'a str> {
    request::values(headers, name).filter(|value| !value.is_empty())
}

/// Of the digest's length in the encoding, or any text at all where texts are compared.
fn is_usable(scheme: &Scheme, entry: &Entry<'_>) -> bool {
    let length = entry.algorithm.unwrap_or(scheme.algorithm).digest_bytes();
    match scheme.encoding {
        Encoding::CipherHex => cipher::is_cipher_text(entry.text),
        Encoding::LowerHexText => true,
        Encoding::Base64 if length.is_none() => signature::decode_long(entry.text).is_some(),
        Encoding::Base64 | Encoding::Hex => Digest::decode(scheme.encoding, entry.text)
            .is_some_and(|digest| length.is_none_or(|n| digest.as_slice().len() == n)),
    }
}

/// The field of a form that is the carrier.
fn field(form: &Form<'_>, scheme: &Scheme) -> Result<String, Rejection> {
    let name = name(scheme);
    let field = form.field(name).map_err(|_| malformed(scheme, "it appears twice"))?;
    let text = field.filter(|text| !text.trim_ascii().is_empty());
    let text = text.ok_or_else(|| Rejection::missing(name))?;
    let text = std::str::from_utf8(text).map_err(|_| malformed(scheme, "not text"))?;
    Ok(text.to_owned())
}

/// A signature that is present and unusable.
#[cold]
pub(super) fn malformed(scheme: &Scheme, problem: &'static str) -> Rejection {
    Rejection::malformed(name(scheme), problem)
}

/// The header or field that a refusal names.
pub(super) fn name(scheme: &Scheme) -> &Cow<'static, str> {
    match &scheme.source {
        Source::Answer => &ANSWER,
        Source::FormField(name)
        | Source::Header(name)
        | Source::HeaderAny(name)
        | Source::QueryField(name) => name,
        Source::JsonItems(_) => &ITEM_SIGNATURE,
    }
}

/// What carries the signature where every item of the body has its own.
static ITEM_SIGNATURE: Cow<'static, str> = Cow::Borrowed("the signature of an item");

/// What a refusal names where no header or field carries the signature.
static ANSWER: Cow<'static, str> = Cow::Borrowed("the gateway's answer");
