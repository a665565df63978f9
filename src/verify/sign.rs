//! Makes what a gateway would send: for `payhook sign`, the demo and tests. Uses the same scheme
//! and the same signed bytes as the check, in the other direction.

use super::{
    form::Form,
    keys::Material,
    request::{Header, Request},
    scheme::{Grammar, HeaderGrammar, PayloadCodec, Source, Text, TimeUnit},
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
            return Ok(Signed { headers: Vec::new(), body: draft.payload.to_vec() });
        }
        let Material::Mac(mac) = &key.material else { return Err(SignError::KeyNotOurs) };
        self.sign_with(draft, now, &|message| {
            let mut mac = super::hmac::KeyedMac::clone(mac);
            mac.update(message);
            Some(mac.tag())
        })
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
        let headers = self.headers_beside(draft, &timestamp);
        let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
        let body = wrap(&self.scheme.payload, draft.payload);
        let form = Form::read(&body).ok();
        let request = Request { method: "POST", url: draft.url, headers: &fields, body: &body };
        let url = self.options.text("notification_url");
        let message = Message { request, form: form.as_ref(), timestamp: &timestamp, url };
        let template = self.scheme.signed.first().ok_or(SignError::PartMissing)?;
        let mut bytes = Vec::new();
        message
            .feed(template, key.text(), &mut |part| bytes.extend_from_slice(part))
            .map_err(|_| SignError::PartMissing)?;
        let signature = make(&bytes).ok_or(SignError::KeyNotOurs)?;
        let signature = signature::encode(self.scheme.encoding, &signature);
        let id = key.id.as_deref().unwrap_or_default();
        let text = write(&self.scheme.grammar, &signature, &timestamp, id);
        Ok(place(&self.scheme.source, headers, body, text))
    }

    /// The draft's headers, the signed time and the headers that can hold only one text.
    fn headers_beside(&self, draft: Draft<'_>, timestamp: &str) -> Vec<(String, String)> {
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
            if let HeaderGrammar::Exactly(text) = &rule.grammar {
                add(&rule.name, text);
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
        PayloadCodec::Body => payload.to_vec(),
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
        Grammar::KeyIdPairs => format!("{id}|{signature}"),
        Grammar::KeyValues { separator, signature: name, timestamp: Some(time), .. } => {
            format!("{time}={timestamp}{separator}{name}={signature}")
        }
        Grammar::KeyValues { signature: name, timestamp: None, .. } => {
            format!("{name}={signature}")
        }
    }
}

fn place(
    source: &Source,
    mut headers: Vec<(String, String)>,
    mut body: Vec<u8>,
    text: String,
) -> Signed {
    match source {
        Source::Answer => {}
        Source::Header(name) | Source::HeaderAny(name) => headers.push((name.to_string(), text)),
        Source::FormField(name) => {
            let field = format!("{name}={}&", percent(&text));
            body.splice(0..0, field.into_bytes());
        }
    }
    Signed { headers, body }
}

fn percent(text: &str) -> percent_encoding::PercentEncode<'_> {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
}
