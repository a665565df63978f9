//! Headers that a scheme needs beside its signature: whether they are there, and what they hold.

use super::{
    rejection::Rejection,
    request::{Found, Request},
    scheme::{HeaderGrammar, HeaderRule, Scheme, Source},
};

/// Presence first, for every header that the scheme needs: an absent one is a missing signature
/// whatever the others hold. Returns the header that carries the signature, where one does.
#[inline]
pub(super) fn require<'a>(request: &Request<'a>, scheme: &Scheme) -> Result<Found<'a>, Rejection> {
    let carried = match &scheme.source {
        Source::Header(name) => match request.header(name) {
            Found::Absent => return Err(Rejection::missing(name)),
            found @ (Found::Differing | Found::One(_)) => found,
        },
        Source::Answer
        | Source::FormField(_)
        | Source::HeaderAny(_)
        | Source::JsonItems(_)
        | Source::QueryField(_) => Found::Absent,
    };
    let time = scheme.timestamp.as_ref().and_then(|time| time.header.as_ref());
    let rules = scheme.headers.iter().filter(|rule| !rule.grammar.is_credential());
    let rules = rules.map(|rule| &rule.name);
    for name in time.into_iter().chain(rules) {
        if request.header(name) == Found::Absent {
            return Err(Rejection::missing(name));
        }
    }
    Ok(carried)
}

/// What each of them may hold.
pub(super) fn check(request: &Request<'_>, rules: &[HeaderRule]) -> Result<(), Rejection> {
    for HeaderRule { name, grammar } in rules.iter().filter(|rule| !rule.grammar.is_credential()) {
        let Found::One(value) = request.header(name) else {
            return Err(Rejection::malformed(name, "its repeats differ"));
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let holds = match grammar {
            HeaderGrammar::Any
            | HeaderGrammar::BasicOptions { .. }
            | HeaderGrammar::SecretOption(_) => true,
            HeaderGrammar::Exactly(text) => value == text,
            HeaderGrammar::Token { bytes_max } => {
                value.len() <= *bytes_max && value.bytes().all(token)
            }
        };
        if !holds {
            return Err(Rejection::malformed(name, "it holds something else than expected"));
        }
    }
    Ok(())
}
