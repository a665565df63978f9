//! Headers that arrive under other names, and signatures of another generation.

use super::{Cause, Found, Inquiry, shown, trial::Bench};
use crate::verify::{
    request::{Found as Field, Header, Request},
    scheme::{Blanks, Grammar, Scheme, Source},
};

/// A header that the scheme needs, and the one that probably is it.
struct Renamed<'a> {
    expected: &'a str,
    arrived: &'a str,
    /// Whether the names say the same, once a proxy's additions are taken off.
    same: bool,
}

/// Headers that the scheme needs are absent, and others are there that hold what they should.
pub(super) fn renamed(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let request = inquiry.request;
    let mut renamed = Vec::new();
    for expected in needed(inquiry.verifier.scheme()) {
        if request.header(expected) == Field::Absent {
            renamed.push(like(request, expected)?);
        }
    }
    let first = renamed.first()?;
    if !renamed.iter().all(|header| header.same) {
        // A common ending alone says little: the signature decides.
        let headers: Vec<_> = request
            .headers
            .iter()
            .map(|header| {
                let own = renamed.iter().find(|it| it.arrived == header.name);
                Header { name: own.map_or(header.name, |it| it.expected), value: header.value }
            })
            .collect();
        if !bench.own_key_signed(Request { headers: &headers, ..request }) {
            return None;
        }
    }
    let (expected, arrived) = (first.expected, shown(first.arrived));
    let hint = format!(
        "{expected} arrives as {arrived}: a proxy or the server's gateway interface renamed it; \
         hand headers over under the names that the gateway sent"
    );
    Some((Some(Cause::HeaderRenamed), hint))
}

/// The headers that must be there, by the scheme.
fn needed(scheme: &Scheme) -> impl Iterator<Item = &str> {
    let rules = scheme.headers.iter().filter(|rule| !rule.grammar.is_credential());
    scheme.carriers().chain(rules.map(|rule| rule.name.as_ref()))
}

fn like<'a>(request: Request<'a>, expected: &'a str) -> Option<Renamed<'a>> {
    let wanted = bare(expected);
    let arrived = request.headers.iter().map(|header| header.name);
    let same = arrived.clone().find(|name| bare(name) == wanted);
    if let Some(arrived) = same {
        return Some(Renamed { expected, arrived, same: true });
    }
    let last = |name: &str| name.rsplit('-').next().map(str::to_owned);
    let ending = last(&wanted)?;
    let arrived = arrived.clone().find(|name| last(&bare(name)).as_ref() == Some(&ending))?;
    Some(Renamed { expected, arrived, same: false })
}

/// A header's name without what proxies and CGI put before it or make of it.
fn bare(name: &str) -> String {
    let lower = name.to_ascii_lowercase().replace('_', "-");
    let mut rest = lower.as_str();
    while let Some(after) = PREFIXES.iter().find_map(|prefix| rest.strip_prefix(prefix)) {
        rest = after;
    }
    rest.to_owned()
}

/// The signature's text holds signatures, and none that counts.
pub(super) fn outdated(inquiry: &Inquiry<'_>) -> Option<Found> {
    let scheme = inquiry.verifier.scheme();
    let (Source::Header(name) | Source::HeaderAny(name)) = &scheme.source else { return None };
    let text = inquiry.request.values(name).next()?;
    let (arrived, expected) = match &scheme.grammar {
        Grammar::KeyValues { separator, signature, timestamp, blanks } => {
            let trim = |text: &'_ str| match blanks {
                Blanks::Kept => text.to_owned(),
                Blanks::Trimmed => text.trim().to_owned(),
            };
            let entries =
                text.split(char::from(*separator)).filter_map(|entry| entry.split_once('='));
            let mut keys = entries
                .filter(|(_, value)| value.len() >= SIGNATURE_BYTES_MIN)
                .map(|(key, _)| trim(key));
            let other = keys.next().filter(|key| Some(key.as_str()) != timestamp.as_deref())?;
            (other, signature.to_string())
        }
        Grammar::Named(names) => {
            let (other, _) = text.split(' ').find_map(|entry| entry.split_once(','))?;
            let known = names.iter().any(|(name, _)| *name == other);
            let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            (Some(other.to_owned()).filter(|_| !known)?, names.join(" or "))
        }
        Grammar::Prefixed { prefix, .. } => {
            let (other, signature) = text.split_once('=')?;
            let own = prefix.trim_end_matches('=');
            let another = signature.len() >= SIGNATURE_BYTES_MIN && other != own;
            (Some(other.to_owned()).filter(|_| another)?, own.to_owned())
        }
        Grammar::KeyIdPairs | Grammar::Plain => return None,
    };
    let arrived = shown(&arrived);
    let hint = format!(
        "{name} holds {arrived} and no {expected}: {arrived} proves nothing here; a test tool or \
         an old endpoint version sends it"
    );
    (arrived != expected).then_some((Some(Cause::SchemeOutdated), hint))
}

/// What is put before a header's name: CGI, and proxies that keep the original.
const PREFIXES: [&str; 4] = ["http-", "x-forwarded-", "x-original-", "x-"];
/// Shorter values are no signatures: a SHA-1 in base64 has 28 characters.
const SIGNATURE_BYTES_MIN: usize = 27;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_before_a_name_is_taken_off() {
        for name in [
            "Stripe-Signature",
            "HTTP_STRIPE_SIGNATURE",
            "X-Stripe-Signature",
            "stripe_signature",
            "X-Forwarded-Stripe-Signature",
            "HTTP_X_STRIPE_SIGNATURE",
        ] {
            assert_eq!(bare(name), "stripe-signature", "{name}");
        }
        assert_eq!(bare("X-Shopify-Hmac-Sha256"), "shopify-hmac-sha256");
    }
}
