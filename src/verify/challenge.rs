//! Endpoint challenges: the gateway asks by GET whether we know the key.

use super::{
    form::Form, keys::KeyRole, rejection::Rejection, request::Request, scheme::Challenge,
    signature::to_hex, verifier::Verifier,
};

/// The answer `id|MAC of the value`, under the first current key.
///
/// The pattern stays strict: whoever can make us sign chosen text could otherwise sign a payload.
/// Lower-case hexadecimal cannot be the base64 of XML.
pub(crate) fn answer(
    challenge: &Challenge,
    request: Request<'_>,
    verifier: &Verifier,
) -> Result<String, Rejection> {
    let malformed =
        || Rejection::PayloadMalformed { problem: "the challenge is not lower-case hex" };
    let query = request.query().unwrap_or_default();
    let query = Form::read(query.as_bytes()).map_err(|_| malformed())?;
    let value = query.field(challenge.field).map_err(|_| malformed())?.ok_or_else(malformed)?;
    let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let length = challenge.digits_min..=challenge.digits_max;
    if !length.contains(&value.len()) || !value.iter().all(digits) {
        return Err(malformed());
    }
    let missing = || Rejection::SignatureMissing { carrier: challenge.field.into() };
    let current = verifier.keys.iter().find(|key| key.role == KeyRole::Current);
    let key = current.or_else(|| verifier.keys.first()).ok_or_else(missing)?;
    let code = key.material.sign(verifier.scheme.algorithm, value).ok_or_else(missing)?;
    let id = key.id.as_deref().ok_or_else(missing)?;
    Ok(format!("{id}|{}", to_hex(&code)))
}
