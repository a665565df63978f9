//! Certificates that a gateway signs with: the chain to a trusted anchor, validity, name and key.

use std::{
    fmt,
    ops::RangeInclusive,
    sync::{Arc, Mutex, Weak},
};

use aws_lc_rs::rsa::PublicEncryptingKey;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject as _};
use webpki::{EndEntityCert, Error, KeyUsage, VerifiedPath, aws_lc_rs as algorithms};

use super::{
    cert_url::{AllowedHost, CertUrl},
    options::Options,
    outline::Outline,
    rejection::Rejection,
    scheme::CertificateRule,
};
use crate::{
    limits::{CERTIFICATES_MAX, RSA_BITS_MAX, RSA_BITS_MIN},
    model::{Environment, UnixSeconds},
};

/// The certificates that one URL serves: first the one that signs, then those that lead to an
/// anchor. Holding one proves nothing; [`super::Check::run`] checks it against the clock.
#[derive(Clone, Debug)]
pub struct CertificateChain {
    certificates: Vec<CertificateDer<'static>>,
    /// Of each certificate, in the same order.
    outlines: Vec<Outline>,
    problem: Option<&'static str>,
}

impl CertificateChain {
    /// Reads PEM text. What cannot be read is kept as a chain that nothing trusts.
    pub fn from_pem(text: &[u8]) -> Self {
        let blocks = CertificateDer::pem_slice_iter(text).take(CERTIFICATES_MAX.saturating_add(1));
        let certificates: Vec<_> = match blocks.collect() {
            Ok(certificates) => certificates,
            Err(_) => return Self::unusable("what its URL serves is no PEM text"),
        };
        if certificates.is_empty() {
            return Self::unusable("what its URL serves holds no certificate");
        }
        if certificates.len() > CERTIFICATES_MAX {
            return Self::unusable("its URL serves more certificates than a chain has");
        }
        let outlines = certificates.iter().map(|certificate| Outline::read(certificate));
        match outlines.collect::<Option<Vec<_>>>() {
            Some(outlines) => Self { certificates, outlines, problem: None },
            None => Self::unusable("what its URL serves is no certificate"),
        }
    }

    /// The moment when the first of its certificates ends; `None` for what is no chain.
    pub fn not_after(&self) -> Option<UnixSeconds> {
        self.outlines.iter().map(|outline| outline.not_after).min()
    }

    const fn unusable(problem: &'static str) -> Self {
        Self { certificates: Vec::new(), outlines: Vec::new(), problem: Some(problem) }
    }

    /// Whether every issuer between the signer and the anchor may issue certificates.
    fn may_issue(&self, path: &VerifiedPath<'_>) -> bool {
        path.intermediate_certificates().all(|issuer| {
            let issuer = issuer.der();
            let mut known = self.certificates.iter().zip(&self.outlines);
            let known = known.find(|(certificate, _)| **certificate == issuer);
            known.is_some_and(|(_, outline)| outline.may_issue())
        })
    }
}

/// Who may vouch for a certificate.
#[derive(Clone)]
pub(crate) enum Anchors {
    /// Given by the operator, with what webpki does not look at.
    Configured(Vec<TrustAnchor<'static>>, Vec<Outline>),
    /// The public roots, handed in by the caller.
    Public(&'static [TrustAnchor<'static>]),
}

impl Anchors {
    /// Reads PEM text.
    pub(crate) fn from_pem(text: &str) -> Result<Self, &'static str> {
        let (mut anchors, mut outlines) = (Vec::new(), Vec::new());
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let certificate = certificate.map_err(|_| "expected certificates in PEM")?;
            let anchor = webpki::anchor_from_trusted_cert(&certificate);
            let anchor = anchor.map_err(|_| "one of its certificates cannot be read")?;
            let outline = Outline::read(&certificate);
            let outline = outline.ok_or("one of its certificates cannot be read")?;
            anchors.push(anchor.to_owned());
            outlines.push(outline);
        }
        if anchors.is_empty() {
            return Err("expected at least one certificate in PEM");
        }
        Ok(Self::Configured(anchors, outlines))
    }

    fn as_slice(&self) -> &[TrustAnchor<'static>] {
        match self {
            Self::Configured(anchors, _) => anchors,
            Self::Public(anchors) => anchors,
        }
    }

    /// Whether an anchor is valid, and may issue certificates.
    fn is_usable(&self, anchor: &TrustAnchor<'_>, now: UnixSeconds) -> bool {
        match self {
            Self::Public(_) => true,
            Self::Configured(anchors, outlines) => {
                anchors.iter().zip(outlines).any(|(known, outline)| {
                    known.subject == anchor.subject
                        && known.subject_public_key_info == anchor.subject_public_key_info
                        && outline.is_valid(now)
                        && outline.may_issue()
                })
            }
        }
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, count) = match self {
            Self::Configured(anchors, _) => ("configured", anchors.len()),
            Self::Public(anchors) => ("public", anchors.len()),
        };
        write!(f, "{count} {kind} anchors")
    }
}

/// What a variant trusts.
#[derive(Debug)]
pub(crate) struct Trust {
    rule: &'static CertificateRule,
    hosts: Vec<AllowedHost>,
    environment: Option<Environment>,
    anchors: Option<Anchors>,
    vouched: Mutex<Option<Vouched>>,
}

/// A chain that held. Nothing but the clock can change that: a chain and what is trusted are never
/// changed, only replaced. So it holds on until the first of its certificates, or of the anchors
/// that were valid, ends.
#[derive(Debug)]
struct Vouched {
    /// Weak, so that it holds no chain that nobody serves any more; an allocation to which it
    /// points is no other chain's.
    chain: Weak<CertificateChain>,
    held: RangeInclusive<UnixSeconds>,
    environment: Environment,
}

impl Trust {
    /// What the options of a variant say; they were checked when they were loaded.
    pub(crate) fn new(rule: &'static CertificateRule, options: &Options) -> Self {
        let environment = match options.text("environment") {
            Some("live") => Some(Environment::Live),
            Some("test") => Some(Environment::Test),
            Some(_) | None => None,
        };
        let texts = |name: &str| {
            let list = options.value(name).and_then(|value| value.as_array());
            list.map(|list| list.iter().filter_map(|text| text.as_str()).collect::<Vec<_>>())
        };
        let allowed = texts("allowed_cert_hosts");
        let known = rule.hosts.iter().filter(|(name, serves)| {
            let listed = allowed.as_ref().is_none_or(|allowed| allowed.contains(name));
            // PayPal: sandbox certificates vouch for sandbox money only.
            listed && (environment != Some(Environment::Live) || *serves == Environment::Live)
        });
        let known = known
            .map(|(name, serves)| AllowedHost { name: (*name).into(), environment: Some(*serves) });
        let others = texts("insecure_cert_hosts").unwrap_or_default();
        let others =
            others.into_iter().map(|name| AllowedHost { name: name.into(), environment: None });
        let anchors = options.text("trust_anchors").map(Anchors::from_pem);
        Self {
            rule,
            hosts: known.chain(others).collect(),
            environment,
            anchors: anchors.and_then(Result::ok),
            vouched: Mutex::default(),
        }
    }

    /// Uses the public roots where the operator gave no anchors of his own.
    pub(crate) fn or_public(&mut self, roots: &'static [TrustAnchor<'static>]) {
        self.anchors.get_or_insert(Anchors::Public(roots));
    }

    /// The URL, before anything is fetched.
    pub(crate) fn url(&self, text: &str) -> Result<CertUrl, Rejection> {
        let refused = || untrusted("its URL is none that this variant allows");
        CertUrl::read(text, self.rule, &self.hosts).ok_or_else(refused)
    }

    /// Checks a chain at a moment, and says what its name vouches for. A chain that held is looked
    /// up: its signatures cost several times what the webhook's own does.
    pub(crate) fn check<'c>(
        &self,
        chain: &'c Arc<CertificateChain>,
        now: UnixSeconds,
    ) -> Result<Signer<'c>, Rejection> {
        if let Some(signer) = self.vouched(chain, now) {
            return Ok(signer);
        }
        let signer = self.check_whole(chain, now)?;
        let ends = chain.not_after().into_iter().chain(self.anchors_end(now)).min();
        if let (Some(end), Ok(mut vouched)) = (ends, self.vouched.try_lock()) {
            let (chain, environment) = (Arc::downgrade(chain), signer.environment);
            *vouched = Some(Vouched { chain, held: now..=end, environment });
        }
        Ok(signer)
    }

    /// The signer of a chain that held before and still does. Waits for nobody: where another
    /// thread is looking, the chain is checked again.
    fn vouched<'c>(
        &self,
        chain: &'c Arc<CertificateChain>,
        now: UnixSeconds,
    ) -> Option<Signer<'c>> {
        let vouched = self.vouched.try_lock().ok()?;
        let known = vouched.as_ref()?;
        let same = known.chain.as_ptr() == Arc::as_ptr(chain) && known.held.contains(&now);
        let certificate = EndEntityCert::try_from(chain.certificates.first().filter(|_| same)?);
        Some(Signer { certificate: certificate.ok()?, environment: known.environment })
    }

    /// When the first of the operator's anchors that are valid ends.
    fn anchors_end(&self, now: UnixSeconds) -> Option<UnixSeconds> {
        match self.anchors.as_ref()? {
            Anchors::Public(_) => None,
            Anchors::Configured(_, outlines) => {
                let valid = outlines.iter().filter(|outline| outline.is_valid(now));
                valid.map(|outline| outline.not_after).min()
            }
        }
    }

    fn check_whole<'c>(
        &self,
        chain: &'c CertificateChain,
        now: UnixSeconds,
    ) -> Result<Signer<'c>, Rejection> {
        if let Some(problem) = chain.problem {
            return Err(untrusted(problem));
        }
        let no_chain = || untrusted("it has no chain to a trusted anchor");
        let (leaf, intermediates) = chain.certificates.split_first().ok_or_else(no_chain)?;
        let outline = chain.outlines.first().ok_or_else(no_chain)?;
        let certificate = EndEntityCert::try_from(leaf)
            .map_err(|_| untrusted("it is no certificate of version 3"))?;
        let anchors = self.anchors.as_ref().ok_or_else(no_chain)?;
        let seconds = u64::try_from(now.get()).map_err(|_| untrusted("it is not valid yet"))?;
        // A path that is refused here is not the last one: webpki goes on to the next.
        let usable = |path: &VerifiedPath<'_>| {
            if !anchors.is_usable(path.anchor(), now) {
                return Err(Error::UnknownIssuer);
            }
            if chain.may_issue(path) { Ok(()) } else { Err(Error::EndEntityUsedAsCa) }
        };
        certificate
            .verify_for_usage(
                ALGORITHMS,
                anchors.as_slice(),
                intermediates,
                UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds)),
                KeyUsage::server_auth(),
                None,
                Some(&usable),
            )
            .map_err(|error| untrusted(problem(&error)))?;
        if !outline.may_sign() {
            return Err(untrusted("it belongs to an authority, not to a signer"));
        }
        let environment = self.named(&certificate, outline)?;
        check_key(&certificate)?;
        Ok(Signer { certificate, environment })
    }

    /// The name must be one of the rule's, exactly: a wildcard for the whole company is not the
    /// key that signs webhooks. The common name counts only where nothing else names the subject.
    fn named(
        &self,
        certificate: &EndEntityCert<'_>,
        outline: &Outline,
    ) -> Result<Environment, Rejection> {
        let is = |name: &str, found: &[u8]| found.eq_ignore_ascii_case(name.as_bytes());
        let carries = |name: &str| {
            if outline.has_alternative_name {
                certificate.valid_dns_names().any(|found| is(name, found.as_bytes()))
            } else {
                matches!(outline.common_names.as_slice(), [only] if is(name, only))
            }
        };
        let mut allowed = self.rule.names.iter().filter(|(_, vouches)| {
            self.environment != Some(Environment::Live) || *vouches == Environment::Live
        });
        let found = allowed.find(|(name, _)| carries(name));
        found.map(|(_, vouches)| *vouches).ok_or_else(|| untrusted("its name is another"))
    }
}

/// A certificate whose chain, validity, name and key were checked.
pub(crate) struct Signer<'c> {
    certificate: EndEntityCert<'c>,
    /// What its name vouches for.
    pub(crate) environment: Environment,
}

impl Signer<'_> {
    /// RSA PKCS#1 v1.5 with SHA-256.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = algorithms::RSA_PKCS1_2048_8192_SHA256;
        self.certificate.verify_signature(algorithm, message, signature).is_ok()
    }
}

/// An RSA key of at least 2048 bits: shorter ones can be factored, other kinds cannot have made
/// the signature.
fn check_key(certificate: &EndEntityCert<'_>) -> Result<(), Rejection> {
    let key = certificate.subject_public_key_info();
    let key = PublicEncryptingKey::from_der(key.as_ref());
    let key = key.map_err(|_| untrusted("its key is no usable RSA key"))?;
    let allowed = (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&key.key_size_bits());
    if allowed { Ok(()) } else { Err(untrusted("its RSA key has too few or too many bits")) }
}

/// What an operator can act on; everything else is a chain that leads nowhere.
fn problem(error: &Error) -> &'static str {
    if matches!(error, Error::CertExpired { .. }) {
        "it or one of its issuers has expired"
    } else if matches!(error, Error::CertNotValidYet { .. }) {
        "it or one of its issuers is not valid yet"
    } else if matches!(error, Error::CaUsedAsEndEntity) {
        "it belongs to an authority, not to a signer"
    } else if matches!(error, Error::EndEntityUsedAsCa) {
        "one of its issuers is no authority"
    } else if matches!(error, Error::RequiredEkuNotFoundContext(_)) {
        "it is meant for another use"
    } else {
        "it has no chain to a trusted anchor"
    }
}

const fn untrusted(problem: &'static str) -> Rejection {
    Rejection::CertificateUntrusted { problem }
}

/// What may sign a certificate: no SHA-1, no MD5, no RSA key below 2048 bits.
const ALGORITHMS: &[&dyn rustls_pki_types::SignatureVerificationAlgorithm] = &[
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
    algorithms::RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
    algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];
