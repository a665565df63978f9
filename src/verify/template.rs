//! The signed bytes: a template's parts, handed one after the other to the algorithm.

use std::io::Write as _;

use super::{
    form::Form,
    rejection::Rejection,
    request::{Found, Request},
    scheme::Part,
};

/// What a template's parts are taken from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) request: Request<'a>,
    pub(crate) form: Option<&'a Form<'a>>,
    /// The signed time as it is written; empty where none is signed.
    pub(crate) timestamp: &'a str,
    /// The configured URL, where the variant sets one.
    pub(crate) url: Option<&'a str>,
}

impl Message<'_> {
    /// Hands the bytes of every part to `take`, in order. `key` is the key's own text where it
    /// takes part.
    pub(crate) fn feed(
        &self,
        template: &[Part],
        key: &[u8],
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Rejection> {
        template.iter().try_for_each(|part| self.feed_part(part, key, take))
    }

    fn feed_part(
        &self,
        part: &Part,
        key: &[u8],
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Rejection> {
        match part {
            Part::Body => take(self.request.body),
            Part::BodyCrc32 => take_decimal(crc32fast::hash(self.request.body), take),
            Part::FormField(name) => {
                let field = self.form.map(|form| form.field(name)).transpose().map_err(|_| {
                    Rejection::PayloadMalformed { problem: "a signed form field appears twice" }
                })?;
                take(field.flatten().unwrap_or_default());
            }
            Part::Header(name) => match self.request.header(name) {
                Found::One(value) => take(value.as_bytes()),
                Found::Absent => return Err(Rejection::missing(name)),
                Found::Differing => return Err(Rejection::malformed(name, "its repeats differ")),
            },
            Part::Key => take(key),
            Part::Literal(text) => take(text.as_bytes()),
            Part::Method => {
                let method = self.request.method;
                let method = if method.is_empty() { "POST" } else { method };
                take(method.to_ascii_uppercase().as_bytes());
            }
            Part::Path => take(self.request.path().as_bytes()),
            Part::Timestamp => take(self.timestamp.as_bytes()),
            Part::Url => take(self.url.unwrap_or(self.request.url).as_bytes()),
        }
        Ok(())
    }
}

fn take_decimal(number: u32, take: &mut dyn FnMut(&[u8])) {
    // Ten digits are the longest 32 bits have, so that writing cannot run out of room.
    let mut digits = [0_u8; 10];
    let mut rest: &mut [u8] = &mut digits;
    let written = write!(rest, "{number}").is_ok();
    let length = 10_usize.saturating_sub(rest.len());
    if written {
        take(digits.get(..length).unwrap_or_default());
    }
}
