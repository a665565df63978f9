//! The signed bytes: a template's parts, handed one after the other to the algorithm.

use std::{borrow::Cow, io::Write as _};

use super::{
    form::Form,
    items::Item,
    options::Options,
    rejection::Rejection,
    request::{Found, Request},
    scheme::Part,
};

/// What a template's parts are taken from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) request: &'a Request<'a>,
    pub(crate) form: Option<&'a Form<'a>>,
    /// The item that carries the signature, where items do.
    pub(crate) item: Option<&'a Item<'a>>,
    /// The signed time as it is written; empty where none is signed.
    pub(crate) timestamp: &'a str,
    /// The variant's options: one of them may be the URL.
    pub(crate) options: &'a Options,
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
            Part::Group(parts) => {
                if parts.iter().try_fold(true, |all, part| Ok(all && self.has(part)?))? {
                    self.feed(parts, key, take)?;
                }
            }
            Part::ItemField { path, .. } => {
                if let Some(item) = self.item {
                    take(item.field(path)?.as_bytes());
                }
            }
            Part::QueryLower(names) => {
                let value = query_value(*self.request, names)?;
                let value = value.ok_or_else(|| absent(names))?;
                take(value.to_ascii_lowercase().as_bytes());
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
            Part::Url => {
                let configured = self.options.text("notification_url");
                take(configured.unwrap_or(self.request.url).as_bytes());
            }
        }
        Ok(())
    }

    /// False for a header or query field that is not there.
    fn has(&self, part: &Part) -> Result<bool, Rejection> {
        Ok(match part {
            Part::Header(name) => self.request.header(name) != Found::Absent,
            Part::QueryLower(names) => query_value(*self.request, names)?.is_some(),
            Part::Body
            | Part::BodyCrc32
            | Part::FormField(_)
            | Part::Group(_)
            | Part::ItemField { .. }
            | Part::Key
            | Part::Literal(_)
            | Part::Method
            | Part::Path
            | Part::Timestamp
            | Part::Url => true,
        })
    }
}

/// The query field of the first of these names that is there and not blank. A semicolon would let
/// the field flow into its neighbours in the signed text, and no gateway's id has one; blanks at its
/// ends are dropped by some verifiers (mercadopago's SDKs) and signed by others.
pub(crate) fn query_value(
    request: Request<'_>,
    names: &[&'static str],
) -> Result<Option<String>, Rejection> {
    let Some(query) = request.query() else { return Ok(None) };
    let problem = |problem| Rejection::PayloadMalformed { problem };
    let form = Form::read(query.as_bytes()).map_err(|_| problem("too many query fields"))?;
    for name in names {
        let field = form.field(name).map_err(|_| problem("a signed query field appears twice"))?;
        let Some(value) = field.filter(|value| !value.trim_ascii().is_empty()) else { continue };
        let plain = |text: &&str| !text.contains(';') && text.trim() == *text;
        let text = std::str::from_utf8(value).ok().filter(plain);
        let text = text.ok_or_else(|| problem("a signed query field is no identifier"))?;
        return Ok(Some(text.to_owned()));
    }
    Ok(None)
}

fn absent(names: &[&'static str]) -> Rejection {
    let carrier = Cow::Borrowed(names.first().copied().unwrap_or_default());
    Rejection::SignatureMissing { carrier }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_query_field_is_an_identifier_or_refused() {
        let value = |query: &str| {
            let url = format!("https://shop.example/hook/?{query}");
            let request = Request { method: "", url: &url, headers: &[], body: b"" };
            query_value(request, &["data.id", "id"]).map_err(|_| ())
        };
        assert_eq!(value("data.id=12&id=3"), Ok(Some("12".to_owned())));
        assert_eq!(value("data.id=&id=3"), Ok(Some("3".to_owned())));
        assert_eq!(value("x=1"), Ok(None));
        for bad in ["data.id=1&data.id=1", "data.id=1%3Bx", "id=%201", "id=1+", "id=%C2%A01"] {
            assert_eq!(value(bad), Err(()), "{bad}");
        }
    }
}
