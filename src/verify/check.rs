//! The engine: from unverified bytes to a proof, in steps that cannot be skipped or reordered.

use std::borrow::Cow;

use super::{
    challenge,
    form::Form,
    freshness,
    grammar::{Entry, SignedTime},
    hmac::KeyedMac,
    keys::{Material, PreparedKey},
    outside::{self, NeedsAnswer, NeedsCertificate, Outside},
    payload,
    rejection::Rejection,
    request::{Found, Request},
    scheme::{Encoding, HeaderGrammar, HeaderRule, Source, TimeSource},
    signature,
    template::Message,
    verified::{Evidence, Verified},
    verifier::Verifier,
};
use crate::model::UnixSeconds;

/// A webhook that nobody has checked. Its bytes go in and do not come out again.
///
/// ```compile_fail
/// use payhook::verify::{Request, Unverified};
/// let request = Request { method: "POST", url: "", headers: &[], body: b"{}" };
/// let unverified = Unverified::new(request);
/// let body = unverified.payload(); // only a verified webhook has a payload
/// ```
#[derive(Debug)]
pub struct Unverified<'a> {
    request: Request<'a>,
}

/// What is still missing after the request was read.
#[derive(Debug)]
pub enum Step<'a> {
    /// The gateway only asks who listens: answer with this text. Nothing was verified.
    Challenge(String),
    /// The gateway's own answer.
    NeedsAnswer(NeedsAnswer<'a>),
    /// The certificate that signed.
    NeedsCertificate(NeedsCertificate<'a>),
    /// Everything is there.
    Ready(Check<'a>),
}

/// A webhook with everything that its verification needs.
#[derive(Debug)]
pub struct Check<'a> {
    pub(super) request: Request<'a>,
    pub(super) verifier: &'a Verifier,
    pub(super) form: Option<Form<'a>>,
    pub(super) time: Option<SignedTime<'a>>,
    pub(super) outside: Outside,
}

/// The two times that a check needs.
#[derive(Clone, Copy, Debug)]
pub struct CheckTime {
    /// The clock: validity of keys and certificates.
    pub now: UnixSeconds,
    /// When the application received the webhook: freshness only.
    pub received_at: UnixSeconds,
}

impl CheckTime {
    /// Both times are now.
    pub const fn now(now: UnixSeconds) -> Self {
        Self { now, received_at: now }
    }
}

impl<'a> Unverified<'a> {
    /// Takes the request as it arrived.
    pub const fn new(request: Request<'a>) -> Self {
        Self { request }
    }

    /// Finds the signature and says what its verification needs.
    ///
    /// # Errors
    /// [`Rejection::SignatureMissing`] and [`Rejection::SignatureMalformed`]; for signatures in
    /// the body also [`Rejection::PayloadMalformed`], for certificates
    /// [`Rejection::CertificateUntrusted`].
    pub fn check_with(self, verifier: &'a Verifier) -> Result<Step<'a>, Rejection> {
        let request = self.request;
        let scheme = verifier.scheme();
        if let Some(challenge) = scheme.challenge.filter(|_| request.is_get()) {
            return challenge::answer(challenge, request, verifier).map(Step::Challenge);
        }
        let form = match &scheme.source {
            Source::Answer | Source::FormField(_) => Form::read(request.body).ok(),
            Source::Header(_) | Source::HeaderAny(_) => None,
        };
        require_headers(request, verifier)?;
        let mut check = Check { request, verifier, form, time: None, outside: Outside::Nothing };
        if scheme.source == Source::Answer {
            return outside::step(check);
        }
        let text = check.signature_text()?;
        payload::check(&scheme.payload, check.form.as_ref())?;
        check_header_grammar(request, &scheme.headers)?;
        scheme.grammar.check(&text).map_err(|problem| check.malformed(problem))?;
        check.require_entry()?;
        check.time = check.read_time()?;
        outside::step(check)
    }
}

impl<'a> Check<'a> {
    /// Verifies: the signature first, then the freshness of its time.
    ///
    /// # Errors
    /// [`Rejection::SignatureMismatch`], [`Rejection::TimestampTooOld`] and
    /// [`Rejection::TimestampInFuture`].
    pub fn run(self, at: CheckTime) -> Result<Verified<'a>, Rejection> {
        let verifier = self.verifier;
        let (key, environment) = match self.outside {
            Outside::Nothing => (self.matching_key(at.now)?, None),
            Outside::Answers(_) | Outside::Chain(_) => self.vouched(at.now)?,
        };
        let signed_at = self.time.map(|time| time.at);
        if let (Some(signed_at), Some(tolerance)) = (signed_at, verifier.tolerance_seconds) {
            freshness::check(signed_at, at.received_at, tolerance)?;
        }
        let signed_id = self.signed_id();
        let evidence =
            Evidence { environment, signed_id, ..Evidence::new(verifier, key, signed_at, at) };
        let payload = payload::decode(&verifier.scheme.payload, self.request, self.form.as_ref())?;
        Ok(Verified::new(self.request, payload, verifier, evidence))
    }

    fn matching_key(&self, now: UnixSeconds) -> Result<&'a PreparedKey, Rejection> {
        let mut active = self.verifier.keys.iter().filter(|key| key.is_active(now));
        let matched = active.try_fold(None, |found, key| match found {
            Some(found) => Ok(Some(found)),
            None => Ok::<_, Rejection>(self.key_matches(key)?.then_some(key)),
        })?;
        matched.ok_or_else(|| self.mismatch())
    }

    /// True when one of the signatures is this key's. Every signature is compared with the key,
    /// so that the time taken does not tell which one matched.
    fn key_matches(&self, key: &PreparedKey) -> Result<bool, Rejection> {
        let Material::Mac(keyed) = &key.material else { return Ok(false) };
        let mut matched = false;
        for template in self.verifier.scheme.signed.iter() {
            let mut mac = KeyedMac::clone(keyed);
            self.message().feed(template, &[], &mut |bytes| mac.update(bytes))?;
            matched |= self.any_entry_matches(key, &mac)?;
        }
        Ok(matched)
    }

    fn any_entry_matches(&self, key: &PreparedKey, mac: &KeyedMac) -> Result<bool, Rejection> {
        let encoding = self.verifier.scheme.encoding;
        let (mut matched, mut named) = (false, false);
        self.each_entry(&mut |entry| {
            // Where entries name keys, the first one that names ours is the only one that counts.
            let ours = entry.key_id.is_none() || (entry.key_id == key.id.as_deref() && !named);
            named |= ours;
            if !ours {
                return;
            }
            if let Some(digest) = signature::decode(encoding, entry.text) {
                matched |= mac.matches(digest.as_slice());
            }
        })?;
        Ok(matched)
    }

    pub(super) fn message(&self) -> Message<'_> {
        Message {
            request: self.request,
            form: self.form.as_ref(),
            timestamp: self.time.map_or("", |time| time.text),
            url: self.verifier.options.text("notification_url"),
        }
    }

    /// The text that holds the signature; for a header that may repeat, its first value.
    pub(super) fn signature_text(&self) -> Result<Cow<'_, str>, Rejection> {
        match &self.verifier.scheme.source {
            Source::Answer => Ok(Cow::Borrowed("")),
            Source::Header(name) => match self.request.header(name) {
                Found::One(text) => Ok(Cow::Borrowed(text)),
                Found::Absent => Err(Rejection::missing(name)),
                Found::Differing => Err(self.malformed("its repeats differ")),
            },
            Source::HeaderAny(name) => {
                let mut values = self.request.values(name).filter(|value| !value.is_empty());
                values.next().map(Cow::Borrowed).ok_or_else(|| Rejection::missing(name))
            }
            Source::FormField(name) => {
                let form = self.form.as_ref().ok_or_else(|| Rejection::missing(name))?;
                let field = form.field(name).map_err(|_| self.malformed("it appears twice"))?;
                let text = field.filter(|text| !text.trim_ascii().is_empty());
                let text = text.ok_or_else(|| Rejection::missing(name))?;
                let text = std::str::from_utf8(text).map_err(|_| self.malformed("not text"))?;
                Ok(Cow::Borrowed(text))
            }
        }
    }

    fn each_entry(&self, see: &mut dyn FnMut(Entry<'_>)) -> Result<(), Rejection> {
        let grammar = &self.verifier.scheme.grammar;
        if let Source::HeaderAny(name) = &self.verifier.scheme.source {
            self.request.values(name).for_each(|text| grammar.each(text, see));
            return Ok(());
        }
        grammar.each(&self.signature_text()?, see);
        Ok(())
    }

    /// At least one signature must be usable: of the digest's length in the encoding, or any text
    /// at all where texts are compared.
    fn require_entry(&self) -> Result<(), Rejection> {
        let scheme = self.verifier.scheme();
        let length = scheme.algorithm.digest_bytes();
        let mut usable = false;
        self.each_entry(&mut |entry| {
            usable |= match scheme.encoding {
                Encoding::LowerHexText => true,
                Encoding::Base64 if length.is_none() => {
                    signature::decode_long(entry.text).is_some()
                }
                Encoding::Base64 | Encoding::Hex => signature::decode(scheme.encoding, entry.text)
                    .is_some_and(|digest| length.is_none_or(|n| digest.as_slice().len() == n)),
            };
        })?;
        if usable { Ok(()) } else { Err(self.malformed("it holds no usable signature")) }
    }

    fn read_time(&self) -> Result<Option<SignedTime<'a>>, Rejection> {
        let Some(TimeSource { header, unit }) = &self.verifier.scheme.timestamp else {
            return Ok(None);
        };
        let Some(name) = header else {
            let Source::Header(carrier) = &self.verifier.scheme.source else { return Ok(None) };
            let Found::One(text) = self.request.header(carrier) else { return Ok(None) };
            let time = self.verifier.scheme.grammar.time(text, *unit);
            return time.map(Some).map_err(|problem| self.malformed(problem));
        };
        let Found::One(text) = self.request.header(name) else {
            return Err(Rejection::malformed(name, "its repeats differ"));
        };
        let at = freshness::read(text, *unit)
            .ok_or_else(|| Rejection::malformed(name, "it is not a time"))?;
        Ok(Some(SignedTime { text, at }))
    }

    fn malformed(&self, problem: &'static str) -> Rejection {
        Rejection::malformed(self.carrier(), problem)
    }

    pub(super) fn mismatch(&self) -> Rejection {
        Rejection::SignatureMismatch { carrier: self.carrier().clone() }
    }

    fn carrier(&self) -> &Cow<'static, str> {
        match &self.verifier.scheme.source {
            Source::Answer => &ANSWER,
            Source::FormField(name) | Source::Header(name) | Source::HeaderAny(name) => name,
        }
    }
}

/// Presence first, for every header that the scheme needs: an absent one is a missing signature
/// whatever the others hold.
fn require_headers(request: Request<'_>, verifier: &Verifier) -> Result<(), Rejection> {
    let scheme = verifier.scheme();
    let source = match &scheme.source {
        Source::Header(name) => Some(name),
        Source::Answer | Source::FormField(_) | Source::HeaderAny(_) => None,
    };
    let time = scheme.timestamp.as_ref().and_then(|time| time.header.as_ref());
    let rules = scheme.headers.iter().map(|rule| &rule.name);
    for name in source.into_iter().chain(time).chain(rules) {
        if request.header(name) == Found::Absent {
            return Err(Rejection::missing(name));
        }
    }
    Ok(())
}

fn check_header_grammar(request: Request<'_>, rules: &[HeaderRule]) -> Result<(), Rejection> {
    for HeaderRule { name, grammar } in rules {
        let Found::One(value) = request.header(name) else {
            return Err(Rejection::malformed(name, "its repeats differ"));
        };
        let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let holds = match grammar {
            HeaderGrammar::Any => true,
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

/// What a refusal names where no header or field carries the signature.
static ANSWER: Cow<'static, str> = Cow::Borrowed("the gateway's answer");
