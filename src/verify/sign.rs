//! Makes what a gateway would send: for `payhook sign`, the demo and tests. Uses the same scheme
//! and the same signed bytes as the check, in the other direction.

use zeroize::Zeroizing;

use super::{
    cipher,
    form::Form,
    items::{self, Item},
    json::{Object, Value},
    keys::{Material, PreparedKey},
    request::{Header, Request},
    scheme::{Binding, Grammar, HeaderGrammar, JsonItems, PayloadCodec, Source, Text, TimeUnit},
    signature,
    template::Message,
    verifier::Verifier,
};
use crate::model::UnixSeconds;

/// A webhook before it is signed.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Full URL that the gateway calls.
    pub url: &'a str,
    /// Header fields that the scheme needs beside its own.
    pub headers: &'a [Header<'a>],
    /// The payload as it is read after verification.
    pub payload: &'a [u8],
}

/// A webhook as the gateway would send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The URL that the gateway calls, with the query fields that it adds.
    pub url: String,
    /// Header fields, those of the draft included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why a webhook cannot be signed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The gateway signs with a key that only it has.
    #[error("this scheme cannot be signed with the variant's own keys")]
    KeyNotOurs,
    /// The verifier has no key.
    #[error("the variant has no key")]
    NoKey,
    /// A part of the signed bytes is not in the draft.
    #[error("a header or field that the scheme signs is absent from the draft")]
    PartMissing,
}

impl Verifier {
    /// Signs a payload with the first key.
    ///
    /// # Errors
    /// [`SignError`] where the scheme or the draft does not allow it.
    pub fn sign(&self, draft: Draft<'_>, now: UnixSeconds) -> Result<Signed, SignError> {
        let key = self.keys.first().ok_or(SignError::NoKey)?;
        if self.scheme.source == Source::Answer {
            // Nothing signs it: the gateway is asked whether it sent it.
            let (url, body) = (draft.url.to_owned(), draft.payload.to_vec());
            return Ok(Signed { url, headers: Vec::new(), body });
        }
        if let Material::Cipher(secret) = &key.material {
            let text = cipher::seal(secret, draft.payload).ok_or(SignError::KeyNotOurs)?;
            let text = write(&self.scheme.grammar, &text, "", "");
            let (url, headers) = (draft.url.to_owned(), self.headers_beside(draft, "", now));
            return Ok(place(&self.scheme.source, Signed { url, headers, body: Vec::new() }, text));
        }
        self.sign_with(draft, now, &|message| key.material.sign(self.scheme.algorithm, message))
    }

    /// Signs a payload with a key that is not the variant's own: the signed bytes go to `make`,
    /// which returns the signature, or nothing.
    ///
    /// # Errors
    /// [`SignError`] where the scheme or the draft does not allow it.
    pub fn sign_with(
        &self,
        draft: Draft<'_>,
        now: UnixSeconds,
        make: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
    ) -> Result<Signed, SignError> {
        let key = self.keys.first().ok_or(SignError::NoKey)?;
        let time = self.scheme.timestamp.as_ref();
        let timestamp = time.map(|time| time_text(time.unit, now)).unwrap_or_default();
        let headers = self.headers_beside(draft, &timestamp, now);
        let url = self.url_with_query(draft)?;
        let body = wrap(&self.scheme.payload, draft.payload);
        let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
        let request = Request { method: "POST", url: &url, headers: &fields, body: &body };
        let sign = |item: Option<&Item<'_>>| {
            let bytes = self.signed_bytes(key, request, item, &timestamp)?;
            let signature = make(&bytes).ok_or(SignError::KeyNotOurs)?;
            let signature = signature::encode(self.scheme.encoding, &signature);
            let id = key.id.as_deref().unwrap_or_default();
            Ok(write(&self.scheme.grammar, &signature, &timestamp, id))
        };
        if let Source::JsonItems(list) = &self.scheme.source {
            let body = sign_items(list, &body, |item| sign(Some(item)))?;
            return Ok(Signed { url, headers, body });
        }
        let text = sign(None)?;
        Ok(place(&self.scheme.source, Signed { url, headers, body }, text))
    }

    fn signed_bytes(
        &self,
        key: &PreparedKey,
        request: Request<'_>,
        item: Option<&Item<'_>>,
        timestamp: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SignError> {
        let form = Form::read(request.body).ok();
        let (request, options) = (&request, &self.options);
        let message = Message { request, form: form.as_ref(), item, timestamp, options };
        let template = self.scheme.signed.first().ok_or(SignError::PartMissing)?;
        let feed = |take: &mut dyn FnMut(&[u8])| {
            message.feed(template, key.text(), take).map_err(|_| SignError::PartMissing)
        };
        // The key may be a part: room for all at once, so that no copy is left where it grew.
        let mut length = 0_usize;
        feed(&mut |part| length = length.saturating_add(part.len()))?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        feed(&mut |part| bytes.extend_from_slice(part))?;
        Ok(bytes)
    }

    /// The draft's URL, with the query field that names what the body names.
    fn url_with_query(&self, draft: Draft<'_>) -> Result<String, SignError> {
        let PayloadCodec::Bound(bindings) = self.scheme.payload else {
            return Ok(draft.url.to_owned());
        };
        let mut url = draft.url.to_owned();
        for binding in bindings {
            let Binding::JsonQuery { path, query: [name, ..] } = binding else { continue };
            let text = std::str::from_utf8(draft.payload).map_err(|_| SignError::PartMissing)?;
            let value = Object::read(text).and_then(|body| body.at(path.iter().copied()));
            let value = value.ok().flatten().and_then(Value::scalar);
            if let Some(value) = value.filter(|_| !url.contains(&format!("{name}="))) {
                url = with_query(&url, name, &value);
            }
        }
        Ok(url)
    }

    /// The draft's headers, the signed time, the headers that can hold only one text, and an id
    /// of our own where the scheme needs a header that the draft does not have.
    fn headers_beside(
        &self,
        draft: Draft<'_>,
        timestamp: &str,
        now: UnixSeconds,
    ) -> Vec<(String, String)> {
        let owned = |header: &Header<'_>| (header.name.to_owned(), header.value.to_owned());
        let mut headers: Vec<_> = draft.headers.iter().map(owned).collect();
        let time = self.scheme.timestamp.as_ref().and_then(|time| time.header.as_ref());
        let mut add = |name: &Text, value: &str| {
            let absent = !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if absent {
                headers.push((name.to_string(), value.to_owned()));
            }
        };
        if let Some(name) = time {
            add(name, timestamp);
        }
        for rule in self.scheme.headers.iter() {
            match &rule.grammar {
                HeaderGrammar::Exactly(text) => add(&rule.name, text),
                HeaderGrammar::Any | HeaderGrammar::Token { .. } => {
                    add(&rule.name, &format!("payhook-{now}"));
                }
                HeaderGrammar::BasicOptions { .. } | HeaderGrammar::SecretOption(_) => {}
            }
        }
        headers
    }
}

fn time_text(unit: TimeUnit, now: UnixSeconds) -> String {
    match unit {
        TimeUnit::Milliseconds => now.get().saturating_mul(1000).to_string(),
        TimeUnit::Seconds | TimeUnit::SecondsOrMilliseconds => now.get().to_string(),
        TimeUnit::Rfc3339 => {
            jiff::Timestamp::from_second(now.get()).map(|time| time.to_string()).unwrap_or_default()
        }
    }
}

fn wrap(codec: &PayloadCodec, payload: &[u8]) -> Vec<u8> {
    match codec {
        PayloadCodec::Body | PayloadCodec::Bound(_) | PayloadCodec::Cipher(_) => payload.to_vec(),
        PayloadCodec::FormBase64(name) => {
            let text = signature::encode(super::scheme::Encoding::Base64, payload);
            format!("{name}={}", percent(&text)).into_bytes()
        }
    }
}

fn write(grammar: &Grammar, signature: &str, timestamp: &str, id: &str) -> String {
    match grammar {
        Grammar::Plain => signature.to_owned(),
        Grammar::Prefixed { prefix, .. } => format!("{prefix}{signature}"),
        Grammar::Named(names) => {
            format!("{},{signature}", names.first().map_or("", |(name, _)| name))
        }
        Grammar::KeyIdPairs => format!("{id}|{signature}"),
        Grammar::KeyValues { separator, signature: name, timestamp: Some(time), .. } => {
            let separator = char::from(*separator);
            format!("{time}={timestamp}{separator}{name}={signature}")
        }
        Grammar::KeyValues { signature: name, timestamp: None, .. } => {
            format!("{name}={signature}")
        }
    }
}

fn place(source: &Source, mut signed: Signed, text: String) -> Signed {
    match source {
        Source::Answer | Source::JsonItems(_) => {}
        Source::Header(name) | Source::HeaderAny(name) => {
            signed.headers.push((name.to_string(), text));
        }
        Source::FormField(name) => {
            let field = format!("{name}={}&", percent(&text));
            signed.body.splice(0..0, field.into_bytes());
        }
        Source::QueryField(name) => signed.url = with_query(&signed.url, name, &text),
    }
    signed
}

/// Writes its signature into every item.
fn sign_items(
    list: &JsonItems,
    body: &[u8],
    sign: impl Fn(&Item<'_>) -> Result<String, SignError>,
) -> Result<Vec<u8>, SignError> {
    let items = items::unsigned(list, body).map_err(|_| SignError::PartMissing)?;
    let mut root: serde_json::Value =
        serde_json::from_slice(body).map_err(|_| SignError::PartMissing)?;
    let elements = root.get_mut(list.list).and_then(serde_json::Value::as_array_mut);
    let elements = elements.ok_or(SignError::PartMissing)?;
    for (element, item) in elements.iter_mut().zip(&items) {
        let mut place = element.get_mut(list.item).ok_or(SignError::PartMissing)?;
        for key in list.signature {
            let serde_json::Value::Object(holder) = place else {
                return Err(SignError::PartMissing);
            };
            place = holder.entry(*key).or_insert_with(|| serde_json::json!({}));
        }
        *place = sign(item)?.into();
    }
    Ok(root.to_string().into_bytes())
}

fn with_query(url: &str, name: &str, value: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{name}={}", percent(value))
}

fn percent(text: &str) -> percent_encoding::PercentEncode<'_> {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}
