//! What a check needs from outside: a certificate, or the gateway's own answer. The engine says
//! what is missing; the caller hands it in. Nothing is fetched here.

use std::sync::Arc;

use super::{
    answer::{self, Question},
    cert_url::CertUrl,
    certificate::CertificateChain,
    check::{Check, Step},
    keys::PreparedKey,
    rejection::Rejection,
    request::{Found, Request},
    scheme::{Algorithm, AnswerRule, CertificateRule, QuestionForm},
    signature,
};
use crate::model::{Environment, UnixSeconds};

/// What came from outside.
#[derive(Debug)]
pub(crate) enum Outside {
    Answers(Vec<Vec<u8>>),
    Chain(Arc<CertificateChain>),
    Nothing,
}

/// A check that lacks the certificate that signed.
#[derive(Debug)]
pub struct NeedsCertificate<'a> {
    check: Check<'a>,
    url: CertUrl,
}

impl<'a> NeedsCertificate<'a> {
    /// Where the certificate is. Asking anything else for it cannot be written.
    pub const fn url(&self) -> &CertUrl {
        &self.url
    }

    /// Hands in what the URL serves.
    pub fn with_chain(self, chain: Arc<CertificateChain>) -> Check<'a> {
        Check { outside: Outside::Chain(chain), ..self.check }
    }
}

/// A check that lacks the gateway's own answer.
#[derive(Debug)]
pub struct NeedsAnswer<'a> {
    check: Check<'a>,
    rule: &'static AnswerRule,
    questions: Vec<Question<'a>>,
}

impl<'a> NeedsAnswer<'a> {
    /// What to ask, in order, until an answer is accepted: one question, or one for each key.
    pub fn questions(&self) -> &[Question<'a>] {
        &self.questions
    }

    /// Whether an answer is the one that counts.
    pub fn accepts(&self, answer: &[u8]) -> bool {
        answer::accepts(self.rule, answer)
    }

    /// Hands in the answers, in the order of the questions; those that were not asked any more
    /// are left out.
    pub fn with_answers(self, answers: Vec<Vec<u8>>) -> Check<'a> {
        Check { outside: Outside::Answers(answers), ..self.check }
    }
}

/// The step after the request was read.
pub(super) fn step(check: Check<'_>) -> Result<Step<'_>, Rejection> {
    match check.verifier.scheme.algorithm {
        Algorithm::Answer(rule) => asked(check, rule),
        Algorithm::RsaSha256ByCertificate(rule) => {
            let url = cert_url(&check, rule)?;
            Ok(Step::NeedsCertificate(NeedsCertificate { check, url }))
        }
        Algorithm::Aes128CbcKeyAsIv
        | Algorithm::Ed25519
        | Algorithm::HmacSha1
        | Algorithm::HmacSha256
        | Algorithm::HmacSha384
        | Algorithm::HmacSha512
        | Algorithm::Sha256 => Ok(Step::Ready(check)),
    }
}

fn asked<'a>(check: Check<'a>, rule: &'static AnswerRule) -> Result<Step<'a>, Rejection> {
    let served = match rule.certificate {
        Some(certificate) => cert_url(&check, certificate)?.environment(),
        None => None,
    };
    let ask = |key: &[u8]| answer::question(rule, check.request, check.verifier, key, served);
    let questions = match rule.question {
        QuestionForm::Prefixed(_) => vec![ask(&[])?],
        QuestionForm::Spliced { .. } => {
            let keys = check.verifier.keys.iter();
            keys.map(|key| ask(key.text())).collect::<Result<_, _>>()?
        }
    };
    Ok(Step::NeedsAnswer(NeedsAnswer { check, rule, questions }))
}

/// The certificate's URL, before anything is fetched or asked.
fn cert_url(check: &Check<'_>, rule: &CertificateRule) -> Result<CertUrl, Rejection> {
    let trust = check.verifier.trust.as_ref();
    let text = header(check.request, rule.url_header)?;
    let refused = Rejection::CertificateUntrusted { problem: "this variant trusts nobody" };
    trust.ok_or(refused)?.url(text)
}

fn header<'a>(request: Request<'a>, name: &'static str) -> Result<&'a str, Rejection> {
    match request.header(name) {
        Found::One(value) => Ok(value),
        Found::Absent => Err(Rejection::missing(&name.into())),
        Found::Differing => Err(Rejection::malformed(&name.into(), "its repeats differ")),
    }
}

impl<'a> Check<'a> {
    /// The key for which the certificate or the gateway vouches, and for what.
    pub(super) fn vouched(
        &self,
        now: UnixSeconds,
    ) -> Result<(&'a PreparedKey, Option<Environment>), Rejection> {
        match (&self.outside, self.verifier.scheme.algorithm) {
            (Outside::Chain(chain), Algorithm::RsaSha256ByCertificate(rule)) => {
                self.signed_by(chain, rule, now)
            }
            (Outside::Answers(answers), Algorithm::Answer(rule)) => {
                self.confirmed(answers, rule, now)
            }
            (Outside::Answers(_) | Outside::Chain(_) | Outside::Nothing, _) => Err(self.mismatch()),
        }
    }

    fn signed_by(
        &self,
        chain: &Arc<CertificateChain>,
        rule: &CertificateRule,
        now: UnixSeconds,
    ) -> Result<(&'a PreparedKey, Option<Environment>), Rejection> {
        let refused = Rejection::CertificateUntrusted { problem: "this variant trusts nobody" };
        let signer = self.verifier.trust.as_ref().ok_or(refused)?.check(chain, now)?;
        let text = self.carrier.text(None);
        let signature = signature::decode_long(text).ok_or_else(|| self.mismatch())?;
        for key in self.verifier.keys.iter().filter(|key| key.is_active(now)) {
            for template in self.verifier.scheme.signed.iter() {
                let mut message = Vec::new();
                self.message(None)
                    .feed(template, key.text(), &mut |bytes| message.extend_from_slice(bytes))?;
                if signer.signed(&message, &signature) {
                    let simulated = key.text() == rule.simulator_key.as_bytes();
                    let environment =
                        if simulated { Environment::Test } else { signer.environment };
                    return Ok((key, Some(environment)));
                }
            }
        }
        Err(self.mismatch())
    }

    fn confirmed(
        &self,
        answers: &[Vec<u8>],
        rule: &'static AnswerRule,
        now: UnixSeconds,
    ) -> Result<(&'a PreparedKey, Option<Environment>), Rejection> {
        let served = match rule.certificate {
            Some(certificate) => cert_url(self, certificate)?.environment(),
            None => None,
        };
        let environment = answer::serves(rule, answer::host(rule, self.verifier, served));
        let one_for_all = answers.first().filter(|_| !rule.receiver.is_empty());
        let mut positions = self.verifier.keys.iter().zip(0_usize..);
        let found = positions.try_fold(None, |found, (key, position)| {
            let answer = one_for_all.or_else(|| answers.get(position));
            let accepted = answer.is_some_and(|answer| answer::accepts(rule, answer));
            if found.is_some() || !accepted || !key.is_active(now) {
                return Ok(found);
            }
            let ours = rule.receiver.is_empty() || self.receives(rule.receiver, key)?;
            Ok::<_, Rejection>(ours.then_some(key))
        })?;
        Ok((found.ok_or_else(|| self.mismatch())?, environment))
    }

    /// Whether the key is the receiver. `PayPal` writes addresses in lower case whatever the
    /// merchant wrote, so that case does not count.
    fn receives(&self, fields: &[&str], key: &PreparedKey) -> Result<bool, Rejection> {
        let malformed = |problem| Rejection::PayloadMalformed { problem };
        let form = self.form.as_ref();
        let form = form.ok_or_else(|| malformed("the body has more fields than allowed"))?;
        for name in fields {
            let twice = |_| malformed("the receiver appears twice");
            let receiver = form.field(name).map_err(twice)?.unwrap_or_default().trim_ascii();
            if !receiver.is_empty() && receiver.eq_ignore_ascii_case(key.text()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The signed id of the delivery, where only a checksum of the body is signed.
    pub(super) fn signed_id(&self) -> Option<&'a str> {
        let rule = match self.verifier.scheme.algorithm {
            Algorithm::Answer(rule) => rule.certificate?,
            Algorithm::RsaSha256ByCertificate(rule) => rule,
            Algorithm::Aes128CbcKeyAsIv
            | Algorithm::Ed25519
            | Algorithm::HmacSha1
            | Algorithm::HmacSha256
            | Algorithm::HmacSha384
            | Algorithm::HmacSha512
            | Algorithm::Sha256 => return None,
        };
        header(self.request, rule.id_header).ok()
    }
}
