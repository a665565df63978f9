//! One trial: would this signature hold for a changed request or another key? Its answer is the
//! position of a key, not a proof.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Budget, Inquiry};
use crate::verify::{
    carrier::Unit,
    certificate::{CertificateChain, Signer},
    check::{Check, Step, Unverified},
    cipher,
    keys::{Material, PreparedKey},
    payload,
    request::Request,
    running::Made,
    scheme::PayloadCodec,
    signature,
    verifier::Verifier,
};

/// A key that may have signed.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'k> {
    pub(super) material: &'k Material,
    pub(super) id: Option<&'k str>,
}

impl<'k> From<&'k PreparedKey> for Candidate<'k> {
    fn from(key: &'k PreparedKey) -> Self {
        Self { material: &key.material, id: key.id.as_deref() }
    }
}

/// Where trials are made, within a budget.
pub(super) struct Bench<'i> {
    pub(super) budget: Budget,
    own: Vec<Candidate<'i>>,
    verifier: &'i Verifier,
    chain: Option<Arc<CertificateChain>>,
    signer: Option<Signer<'i>>,
}

impl<'i> Bench<'i> {
    /// A bench with the variant's own active keys.
    pub(super) fn new(inquiry: &'i Inquiry<'i>) -> Self {
        let now = inquiry.at.now;
        let own = inquiry.verifier.keys.iter().filter(|key| key.is_active(now));
        let mut bench = Self {
            budget: Budget::default(),
            own: own.map(Candidate::from).collect(),
            verifier: inquiry.verifier,
            chain: inquiry.chain.clone(),
            signer: None,
        };
        if let (Some(trust), Some(chain)) = (&inquiry.verifier.trust, &inquiry.chain) {
            // A chain is a few signatures; it is checked once for all trials.
            let paid = (0..CHAIN_SIGNATURES).all(|_| bench.budget.spend(0));
            bench.signer = if paid { trust.check(chain, now).ok() } else { None };
        }
        bench
    }

    /// Whether one of the variant's own keys signed this request.
    pub(super) fn own_key_signed(&mut self, request: Request<'_>) -> bool {
        let own = std::mem::take(&mut self.own);
        let found = self.signed(request, self.verifier, &own);
        self.own = own;
        found.is_some()
    }

    /// The position of the key that signed this request; of several items, the first one's.
    pub(super) fn signed(
        &mut self,
        request: Request<'_>,
        verifier: &Verifier,
        keys: &[Candidate<'_>],
    ) -> Option<usize> {
        let check = match Unverified::new(request).check_with(verifier).ok()? {
            Step::Ready(check) => check,
            Step::NeedsCertificate(needs) => needs.with_chain(self.chain.clone()?),
            Step::Challenge(_) | Step::NeedsAnswer(_) => return None,
        };
        let mut first = None;
        for unit in check.carrier.units() {
            let position = keys.iter().position(|key| self.matches(&check, unit, *key))?;
            first.get_or_insert(position);
        }
        first
    }

    fn matches(&mut self, check: &Check<'_>, unit: Unit<'_, '_>, key: Candidate<'_>) -> bool {
        let scheme = check.verifier.scheme();
        if let (Material::Cipher(secret), PayloadCodec::Cipher(fields)) =
            (key.material, &scheme.payload)
        {
            let mut opened = None;
            scheme.grammar.each(check.carrier.text(unit), &mut |entry| {
                if self.budget.spend(entry.text.len()) {
                    opened = cipher::open(secret, entry.text);
                }
            });
            return opened.is_some_and(|plain| payload::holds(&plain, fields));
        }
        scheme.signed.iter().any(|template| {
            // The key's own text may be a part of it.
            let capacity = check.request.body.len().saturating_add(MESSAGE_ROOM);
            let mut message = Zeroizing::new(Vec::with_capacity(capacity));
            let fed = check
                .message(unit)
                .feed(template, key.material.text(), &mut |part| message.extend_from_slice(part));
            fed.is_ok() && self.matches_message(check, unit, key, &message)
        })
    }

    fn matches_message(
        &mut self,
        check: &Check<'_>,
        unit: Unit<'_, '_>,
        key: Candidate<'_>,
        message: &[u8],
    ) -> bool {
        if let Some(signer) = &self.signer {
            let signature = signature::decode_long(check.carrier.text(unit));
            return signature.is_some_and(|signature| {
                self.budget.spend(message.len()) && signer.signed(message, &signature)
            });
        }
        let signatures = signatures(check, unit, key);
        if signatures.is_empty() || !self.budget.spend(message.len()) {
            return false;
        }
        let algorithm = check.verifier.scheme().algorithm;
        let encoding = check.verifier.scheme().encoding;
        let mut matched = false;
        key.material.make_of(algorithm, message, &mut |made| {
            // A public key is asked about each signature anew; the first one is paid already.
            let mut paid = true;
            for signature in &signatures {
                let asked = matches!(made, Made::Ed25519(..));
                if asked && matched {
                    break;
                }
                let within =
                    std::mem::take(&mut paid) || !asked || self.budget.spend(message.len());
                matched |= within && made.matches_text(encoding, signature);
            }
        });
        matched
    }
}

/// The signatures that may be this key's, as the check itself reads them.
fn signatures(check: &Check<'_>, unit: Unit<'_, '_>, key: Candidate<'_>) -> Vec<String> {
    let (mut found, mut named) = (Vec::new(), false);
    check.carrier.each_entry(check.verifier.scheme(), unit, &mut |entry| {
        let ours = entry.key_id.is_none() || (entry.key_id == key.id && !named);
        named |= ours;
        if ours && key.material.makes(entry.algorithm) {
            found.push(entry.text.to_owned());
        }
    });
    found
}

/// The ids of keys that a signature names.
pub(super) fn key_ids(request: Request<'_>, verifier: &Verifier) -> Vec<String> {
    let mut ids = Vec::new();
    if let Ok(Step::Ready(check)) = Unverified::new(request).check_with(verifier) {
        check.carrier.each_entry(verifier.scheme(), None, &mut |entry| {
            ids.extend(entry.key_id.map(str::to_owned));
        });
    }
    ids
}

/// Signatures that checking a chain takes, counted as such.
const CHAIN_SIGNATURES: usize = 4;
/// Room for what is signed beside the body.
const MESSAGE_ROOM: usize = 1024;
