//! Takes the payload out of the body, where the gateway wraps it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    form::Form,
    json::{Object, Value},
    rejection::Rejection,
    request::Request,
    scheme::{Binding, PayloadCodec, Presence},
    shape, template,
    verifier::Verifier,
};

/// Checks before the signature what would otherwise be hashed in two readings.
///
/// Braintree's SDKs refuse other characters than these before they hash ("illegal characters").
pub(crate) fn check(codec: &PayloadCodec, form: Option<&Form<'_>>) -> Result<(), Rejection> {
    let PayloadCodec::FormBase64(name) = codec else { return Ok(()) };
    let text = form_text(name, form)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(byte);
    if text.iter().all(allowed) {
        Ok(())
    } else {
        Err(Rejection::PayloadMalformed { problem: "the payload field has other characters" })
    }
}

/// The payload, after the signature held.
pub(crate) fn decode<'a>(
    request: Request<'a>,
    verifier: &Verifier,
    form: Option<&Form<'_>>,
) -> Result<Cow<'a, [u8]>, Rejection> {
    match &verifier.scheme.payload {
        PayloadCodec::Body | PayloadCodec::Cipher(_) => Ok(Cow::Borrowed(request.body)),
        PayloadCodec::Bound(bindings) => {
            bindings.iter().try_for_each(|binding| bound(binding, request, verifier, form))?;
            Ok(Cow::Borrowed(request.body))
        }
        PayloadCodec::FormBase64(name) => {
            let text = form_text(name, form)?;
            let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').collect();
            let bytes = STANDARD.decode(text);
            bytes.map(Cow::Owned).map_err(|_| undecodable("base64"))
        }
    }
}

/// Whether decrypted text holds these fields, each once and as text.
pub(crate) fn holds(plain: &[u8], fields: &[&str]) -> bool {
    let Ok(text) = std::str::from_utf8(plain) else { return false };
    fields.iter().all(|name| {
        let mut values = text.split('&').filter_map(|pair| pair.split_once('='));
        values.by_ref().any(|(key, _)| key == *name) && values.all(|(key, _)| key != *name)
    })
}

fn bound(
    binding: &Binding,
    request: Request<'_>,
    verifier: &Verifier,
    form: Option<&Form<'_>>,
) -> Result<(), Rejection> {
    let field = |name| {
        let field = form.map(|form| form.field(name)).transpose();
        field.map(Option::flatten).map_err(|_| undecodable("a field appears twice"))
    };
    match *binding {
        Binding::FormOption { field: name, option } => {
            let expected = verifier.options.text(option);
            let own = field(name)?.unwrap_or_default();
            let meant = expected.is_none_or(|text| own == text.as_bytes());
            if meant {
                return Ok(());
            }
            Err(Rejection::SignatureMismatch { carrier: Cow::Borrowed(name) })
        }
        Binding::FormShape { field: name, shape, required } => {
            let value = field(name)?.unwrap_or_default();
            let absent = value.is_empty() && required == Presence::Optional;
            if absent || shape::fits(shape, value) {
                return Ok(());
            }
            Err(undecodable("a signed field has another shape than expected"))
        }
        Binding::JsonQuery { path, query } => {
            let signed = template::query_value(request, query)?;
            let text = std::str::from_utf8(request.body).map_err(|_| undecodable("not UTF-8"))?;
            let named = Object::read(text)
                .and_then(|body| body.at(path.iter().copied()))
                .map_err(|_| undecodable("not JSON"))?;
            if named.and_then(Value::scalar).as_deref() == signed.as_deref() {
                return Ok(());
            }
            Err(undecodable("the body names another object than the signed query"))
        }
    }
}

const fn undecodable(problem: &'static str) -> Rejection {
    Rejection::PayloadUndecodable { problem }
}

fn form_text<'f>(name: &str, form: Option<&'f Form<'_>>) -> Result<&'f [u8], Rejection> {
    let field = form.map(|form| form.field(name)).transpose();
    let field = field
        .map_err(|_| Rejection::PayloadMalformed { problem: "the payload field appears twice" })?;
    let text = field.flatten().filter(|text| !text.trim_ascii().is_empty());
    text.ok_or(Rejection::PayloadMalformed { problem: "the payload field is absent or blank" })
}
