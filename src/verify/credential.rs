//! Credentials beside a signature: a token or a name and password in a header, where the variant
//! sets them. They never stand in for the signature.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ctutils::CtEq as _;
use sha2::{Digest as _, Sha256};

use super::{
    options::Options,
    rejection::Rejection,
    request::{Found, Request},
    scheme::{HeaderGrammar, HeaderRule},
};
use crate::model::Secret;

/// Checks the credentials that the variant sets, before anything else.
pub(crate) fn check(
    request: &Request<'_>,
    rules: &[HeaderRule],
    options: &Options,
) -> Result<(), Rejection> {
    for HeaderRule { name, grammar } in rules {
        let Some(expected) = expected(grammar, options) else { continue };
        let found = match request.header(name) {
            Found::One(value) => value,
            Found::Absent => return Err(Rejection::missing(name)),
            Found::Differing => return Err(Rejection::malformed(name, "its repeats differ")),
        };
        let found = match grammar {
            HeaderGrammar::BasicOptions { .. } => basic(found)
                .ok_or_else(|| Rejection::malformed(name, "it is no basic authentication"))?,
            HeaderGrammar::Any
            | HeaderGrammar::Exactly(_)
            | HeaderGrammar::SecretOption(_)
            | HeaderGrammar::Token { .. } => found.as_bytes().to_vec(),
        };
        // Digests have one length, so that not even that of the credential can be told.
        let (found, expected) = (Sha256::digest(found), Sha256::digest(expected));
        if !found.as_slice().ct_eq(expected.as_slice()).to_bool() {
            return Err(Rejection::SignatureMismatch { carrier: name.clone() });
        }
    }
    Ok(())
}

/// What the header must hold; `None` where the variant sets no credential.
fn expected(grammar: &HeaderGrammar, options: &Options) -> Option<Vec<u8>> {
    let secret = |name: &str| options.secret(name).map(Secret::trimmed);
    match grammar {
        HeaderGrammar::SecretOption(option) => secret(option).map(|it| it.expose().to_vec()),
        HeaderGrammar::BasicOptions { username, password } => {
            let (name, password) = (options.text(username), secret(password));
            if name.is_none() && password.is_none() {
                return None;
            }
            let mut text = name.unwrap_or_default().trim_ascii().as_bytes().to_vec();
            text.push(b':');
            text.extend_from_slice(password.as_ref().map_or(&[], |secret| secret.expose()));
            Some(text)
        }
        HeaderGrammar::Any | HeaderGrammar::Exactly(_) | HeaderGrammar::Token { .. } => None,
    }
}

/// `name:password` of a basic authentication; the word `Basic` comes in any case.
fn basic(value: &str) -> Option<Vec<u8>> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim_ascii()).ok()?;
    (scheme.eq_ignore_ascii_case("basic") && decoded.contains(&b':')).then_some(decoded)
}
