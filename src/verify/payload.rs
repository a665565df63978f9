//! Takes the payload out of the body, where the gateway wraps it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{form::Form, rejection::Rejection, request::Request, scheme::PayloadCodec};

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
    codec: &PayloadCodec,
    request: Request<'a>,
    form: Option<&Form<'_>>,
) -> Result<Cow<'a, [u8]>, Rejection> {
    match codec {
        PayloadCodec::Body => Ok(Cow::Borrowed(request.body)),
        PayloadCodec::FormBase64(name) => {
            let text = form_text(name, form)?;
            let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\n').collect();
            let bytes = STANDARD.decode(text);
            bytes.map(Cow::Owned).map_err(|_| Rejection::PayloadUndecodable { problem: "base64" })
        }
    }
}

fn form_text<'f>(name: &str, form: Option<&'f Form<'_>>) -> Result<&'f [u8], Rejection> {
    let field = form.map(|form| form.field(name)).transpose();
    let field = field
        .map_err(|_| Rejection::PayloadMalformed { problem: "the payload field appears twice" })?;
    let text = field.flatten().filter(|text| !text.trim_ascii().is_empty());
    text.ok_or(Rejection::PayloadMalformed { problem: "the payload field is absent or blank" })
}
