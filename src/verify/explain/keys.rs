//! Keys that may have signed instead: retired ones, those of other variants, and what the
//! configured text becomes when it is read as it was meant.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    Cause, Found, Inquiry, shown,
    signs::found,
    trial::{Bench, Candidate},
};
use crate::{
    limits::EXPLAIN_OTHERS_MAX,
    model::Secret,
    verify::{
        hmac::KeyedMac,
        keys::{Material, PreparedKey, SECRET_PREFIX},
        scheme::{Algorithm, CertificateRule, Grammar, KeyForm, Part, Scheme},
        signature,
    },
};

/// A key that is not accepted any more.
pub(super) fn expired(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let ended = inquiry.verifier.keys.iter().filter(|key| !key.is_active(inquiry.at.now));
    let ended: Vec<_> = ended.collect();
    let candidates: Vec<_> = ended.iter().map(|key| Candidate::from(*key)).collect();
    let position = bench.signed(inquiry.request, inquiry.verifier, &candidates)?;
    let label = ended.get(position).map_or("", |key| key.label());
    let hint = format!(
        "{label} matches, and it has expired: the gateway still signs with the retired key; end \
         the rotation there, or let the key live longer here"
    );
    Some((Some(Cause::ExpiredKey), hint))
}

/// The gateway's simulator, which signs for everybody.
pub(super) fn simulator(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let rule = certificate_rule(inquiry.verifier.scheme())?;
    let material = Material::Text(Secret::new(rule.simulator_key.as_bytes().to_vec()));
    let candidate = Candidate { material: &material, id: None };
    bench.signed(inquiry.request, inquiry.verifier, &[candidate])?;
    let hint = "the gateway's simulator sent it: it signs with a fixed id, for anybody; on a \
                variant that is pinned to test, allow_simulator accepts it";
    Some(found(Cause::Simulator, hint))
}

/// A key of another variant that the same caller may use.
pub(super) fn of_others(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let now = inquiry.at.now;
    for (name, verifier) in inquiry.others.iter().take(EXPLAIN_OTHERS_MAX) {
        let active = verifier.keys.iter().filter(|key| key.is_active(now));
        let candidates: Vec<_> = active.map(Candidate::from).collect();
        if bench.signed(inquiry.request, verifier, &candidates).is_some() {
            let hint = format!(
                "the key of variant {name} matches: the webhook was sent to the wrong variant, or \
                 the two endpoints' secrets are mixed up (test and live, platform and account)"
            );
            return Some((Some(Cause::OtherVariant), hint));
        }
    }
    None
}

/// The configured text, read as it was meant.
pub(super) fn rewritten(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let scheme = inquiry.verifier.scheme();
    let now = inquiry.at.now;
    for key in inquiry.verifier.keys.iter().filter(|key| key.is_active(now)) {
        for (cause, hint, material) in readings(scheme, key) {
            let candidate = Candidate { material: &material, id: key.id.as_deref() };
            if bench.signed(inquiry.request, inquiry.verifier, &[candidate]).is_some() {
                return Some((Some(cause), format!("{}: {hint}", key.label())));
            }
        }
    }
    None
}

type Reading = (Cause, &'static str, Material);

/// What a configured text may have been meant to be.
fn readings(scheme: &Scheme, key: &PreparedKey) -> Vec<Reading> {
    let raw = key.raw.expose();
    let mut made = Vec::new();
    let clean = Secret::new(raw.iter().copied().filter(|byte| !is_stray(*byte)).collect());
    if !clean.is_empty() && clean.expose() != raw {
        let hint = "it matches without the blanks, quotes or invisible marks in the configured \
                    secret; write the secret again";
        made.extend(Material::new(scheme, &clean).ok().map(|it| (Cause::SecretStray, hint, it)));
    }
    let mut add = |hint: &'static str, bytes: Option<Zeroizing<Vec<u8>>>| {
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        let mac = bytes.and_then(|bytes| KeyedMac::new(scheme.algorithm, &bytes));
        made.extend(mac.map(|mac| (Cause::SecretPrefix, hint, Material::Mac(Box::new(mac)))));
    };
    let decoded = |text: &[u8]| STANDARD.decode(text).ok().map(Zeroizing::new);
    let rest = without_prefix(raw);
    match scheme.key_form {
        KeyForm::Text => {
            let prefixed = |text: &[u8]| Some(Zeroizing::new([SECRET_PREFIX, text].concat()));
            let encoded = Zeroizing::new(STANDARD.encode(raw));
            add(PREFIX_STRIPPED, prefixed(raw).filter(|_| rest.is_none()));
            add(TEXT_DECODED, prefixed(encoded.as_bytes()).filter(|_| rest.is_none()));
            add(TEXT_DECODED, Some(Zeroizing::new(encoded.as_bytes().to_vec())));
            add(PREFIX_KEPT, rest.map(|rest| Zeroizing::new(rest.to_vec())));
            add(TEXT_KEPT, decoded(rest.unwrap_or(raw)));
            add(TEXT_KEPT, signature::hex(raw).map(Zeroizing::new));
        }
        KeyForm::Base64 | KeyForm::Hex | KeyForm::StandardWebhooks => {
            add(TEXT_SIGNS, Some(Zeroizing::new(raw.to_vec())));
            add(TEXT_SIGNS, rest.map(|rest| Zeroizing::new(rest.to_vec())));
            let prefixed = [SECRET_PREFIX, raw].concat();
            add(TEXT_SIGNS, Some(Zeroizing::new(prefixed)).filter(|_| rest.is_none()));
        }
        KeyForm::Aes128 | KeyForm::Sha1OfText => {}
    }
    made
}

/// Bytes that no secret holds: blanks, quotes, and those of a byte order mark or of a blank
/// without width.
const fn is_stray(byte: u8) -> bool {
    byte.is_ascii_whitespace() || !byte.is_ascii() || matches!(byte, b'"' | b'\'' | b'`')
}

/// The text after a prefix such as `whsec_`.
fn without_prefix(text: &[u8]) -> Option<&[u8]> {
    let at = text.iter().position(|byte| *byte == b'_')?;
    let (prefix, rest) = text.split_at_checked(at)?;
    let shaped = (2..=PREFIX_BYTES_MAX).contains(&at) && prefix.iter().all(u8::is_ascii_lowercase);
    rest.split_first().filter(|_| shaped).map(|(_, rest)| rest)
}

/// The list of signatures names keys, and none of ours.
pub(super) fn named(inquiry: &Inquiry<'_>) -> Option<Found> {
    let scheme = inquiry.verifier.scheme();
    if scheme.grammar != Grammar::KeyIdPairs {
        return None;
    }
    let ids = super::trial::key_ids(inquiry.request, inquiry.verifier);
    let keys = &inquiry.verifier.keys;
    let ours = |id: &String| keys.iter().any(|key| key.id.as_deref() == Some(id.as_str()));
    if ids.is_empty() || ids.iter().any(ours) {
        return None;
    }
    let names: Vec<_> = ids.iter().take(NAMES_MAX).map(|id| shown(id)).collect();
    let hint = format!(
        "the signature names {} and not the configured public key: the key pair of another \
         environment or user is configured",
        names.join(", ")
    );
    Some((Some(Cause::PublicKeyOther), hint))
}

/// The configured secret has the shape of an API key.
pub(super) fn of_api(inquiry: &Inquiry<'_>) -> Option<Found> {
    let shaped = |key: &&PreparedKey| {
        let raw = key.raw.expose();
        let may_sign = key.is_api_key;
        API_KEYS.iter().any(|(prefix, public)| raw.starts_with(prefix) && (*public || !may_sign))
    };
    let key = inquiry.verifier.keys.iter().find(shaped)?;
    let hint = format!(
        "{}: the configured secret looks like an API key; webhooks are signed with the secret of \
         the webhook endpoint, which the gateway's dashboard shows beside its URL",
        key.label()
    );
    Some((Some(Cause::SecretIsApiKey), hint))
}

/// Where the key is a public id that is signed, an id of another endpoint is the usual mistake:
/// nothing can be tried for it.
pub(super) fn public_id(inquiry: &Inquiry<'_>) -> Option<Found> {
    let scheme = inquiry.verifier.scheme();
    certificate_rule(scheme)?;
    let signed = scheme.signed.iter().any(|template| template.contains(&Part::Key));
    signed.then(|| {
        let hint = "the certificate is genuine and no repair of the body matches: the configured \
                    webhook id is probably another webhook's (each URL, and sandbox and live, have \
                    their own); else the body was changed";
        found(Cause::WebhookId, hint)
    })
}

const fn certificate_rule(scheme: &Scheme) -> Option<&'static CertificateRule> {
    match scheme.algorithm {
        Algorithm::RsaSha256ByCertificate(rule) => Some(rule),
        Algorithm::Aes128CbcKeyAsIv
        | Algorithm::Answer(_)
        | Algorithm::Ed25519
        | Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha384
        | Algorithm::HmacSha512
        | Algorithm::Sha256 => None,
    }
}

const PREFIX_STRIPPED: &str = "it matches with whsec_ before the configured secret: configure the \
                               whole text, prefix included";
const PREFIX_KEPT: &str = "it matches without the prefix of the configured secret";
const TEXT_DECODED: &str = "it matches once the configured secret is base64 again: configure the \
                            text as the gateway shows it, not decoded";
const TEXT_KEPT: &str = "it matches once the configured secret is decoded: this sender signs with \
                         the bytes, not with the text";
const TEXT_SIGNS: &str = "it matches with the configured text itself as the key: this sender does \
                          not decode it";

/// How API keys begin that are taken for signing secrets, and whether such a key is public: one
/// that is signs nothing anywhere.
const API_KEYS: [(&[u8], bool); 9] = [
    (b"sk_", false),
    (b"rk_", false),
    (b"pk_", true),
    (b"rzp_live_", true),
    (b"rzp_test_", true),
    (b"shpat_", false),
    (b"EAAA", false),
    (b"APP_USR-", false),
    (b"pdl_live_apikey_", false),
];
/// Longest prefix of a secret.
const PREFIX_BYTES_MAX: usize = 8;
/// Public keys that are shown.
const NAMES_MAX: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_short_words() {
        assert_eq!(without_prefix(b"whsec_abc_d"), Some(&b"abc_d"[..]));
        for text in [&b"abc"[..], b"_abc", b"a_b", b"WHSEC_abc", b"toolongprefix_abc"] {
            assert_eq!(without_prefix(text), None);
        }
    }
}
