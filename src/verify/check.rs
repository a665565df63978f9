//! The engine: from unverified bytes to a proof, in steps that cannot be skipped or reordered.

use std::borrow::Cow;

use super::{
    carrier::{self, Carrier, Unit},
    challenge, cipher, credential,
    form::Form,
    freshness::{self, CheckTime},
    grammar::{Entry, SignedTime},
    headers,
    keys::{Material, PreparedKey},
    outside::{self, NeedsAnswer, NeedsCertificate, Outside},
    payload,
    rejection::Rejection,
    request::{Found, Request},
    running::Made,
    scheme::{PayloadCodec, Scheme, Source, TimeSource},
    template::Message,
    verified::{Proof, Verified},
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
    pub(super) carrier: Carrier<'a>,
    pub(super) form: Option<Form<'a>>,
    pub(super) time: Option<SignedTime<'a>>,
    /// The one signature of a header, where that names neither algorithm nor key.
    pub(super) only: Option<&'a str>,
    pub(super) outside: Outside,
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
        let scheme = verifier.scheme();
        if let Some(challenge) = &scheme.challenge
            && self.request.is_get()
        {
            return challenge::answer(challenge, self.request, verifier).map(Step::Challenge);
        }
        let form = match &scheme.source {
            Source::Answer | Source::FormField(_) => Form::read(self.request.body).ok(),
            Source::Header(_)
            | Source::HeaderAny(_)
            | Source::JsonItems(_)
            | Source::QueryField(_) => None,
        };
        credential::check(&self.request, &scheme.headers, &verifier.options)?;
        // What finds and reads is marked to be inlined: a text that is returned through memory is
        // written in halves and read back whole, which the processor waits for.
        let carrier = Carrier::find(&self.request, scheme, form.as_ref())?;
        let (only, time) = if matches!(carrier, Carrier::Nothing) {
            (None, None)
        } else {
            payload::check(&scheme.payload, form.as_ref())?;
            headers::check(&self.request, &scheme.headers)?;
            let contents = carrier.require(scheme)?;
            (contents.only, read_time(&self.request, scheme, contents.time, &carrier)?)
        };
        let (request, outside) = (self.request, Outside::Nothing);
        if scheme.algorithm.asks_outside() {
            let check = Check { request, verifier, carrier, form, time, only, outside };
            return outside::step(check);
        }
        // A check is large: it is made where it is returned.
        Ok(Step::Ready(Check { request, verifier, carrier, form, time, only, outside }))
    }
}

/// The signed time: that of a header of its own, else the one beside the signature.
#[inline]
fn read_time<'a>(
    request: &Request<'a>,
    scheme: &Scheme,
    beside: Found<'a>,
    carrier: &Carrier<'a>,
) -> Result<Option<SignedTime<'a>>, Rejection> {
    let Some(TimeSource { header, unit }) = &scheme.timestamp else { return Ok(None) };
    let Some(name) = header else {
        if !matches!(carrier, Carrier::Header(_)) {
            return Ok(None);
        }
        let time = SignedTime::read(beside, *unit);
        return time.map(Some).map_err(|problem| carrier::malformed(scheme, problem));
    };
    let Found::One(text) = request.header(name) else {
        return Err(Rejection::malformed(name, "its repeats differ"));
    };
    let at = freshness::read(text, *unit)
        .ok_or_else(|| Rejection::malformed(name, "it is not a time"))?;
    Ok(Some(SignedTime { text, at }))
}

impl<'a> Check<'a> {
    /// Verifies: the signature first, then the freshness of its time.
    ///
    /// # Errors
    /// [`Rejection::SignatureMismatch`], [`Rejection::TimestampTooOld`] and
    /// [`Rejection::TimestampInFuture`].
    pub fn run(&self, at: CheckTime) -> Result<Verified<'a>, Rejection> {
        let verifier = self.verifier;
        let mut opened = None;
        let (key, environment) = match &self.outside {
            Outside::Nothing => (self.prove(at.now, &mut opened)?, None),
            Outside::Answers(_) | Outside::Chain(_) => self.vouched(at.now)?,
        };
        let signed_at = self.time.map(|time| time.at);
        if let (Some(signed_at), Some(tolerance)) = (signed_at, verifier.tolerance_seconds) {
            freshness::check(signed_at, at.received_at, tolerance)?;
        }
        let payload = match opened {
            Some(plain) => Cow::Owned(plain),
            None => payload::decode(self.request, verifier, self.form.as_ref())?,
        };
        let received_at = at.received_at;
        let signed_id = self.signed_id();
        let proof = Proof { verifier, key, signed_at, received_at, environment, signed_id };
        Ok(Verified::new(self.request, payload, proof))
    }

    /// The key that holds for every signature; of several items, the first one's. Where the key
    /// itself opens the payload, that is left in `opened`.
    fn prove(
        &self,
        now: UnixSeconds,
        opened: &mut Option<Vec<u8>>,
    ) -> Result<&'a PreparedKey, Rejection> {
        let active = || self.verifier.keys.iter().filter(|key| key.is_active(now));
        if let PayloadCodec::Cipher(fields) = self.verifier.scheme.payload {
            for key in active() {
                *opened = self.open(key, fields);
                if opened.is_some() {
                    return Ok(key);
                }
            }
            return Err(self.mismatch());
        }
        let signer = |unit| {
            for key in active() {
                if self.key_matches(unit, key)? {
                    return Ok(key);
                }
            }
            Err(self.mismatch())
        };
        let Carrier::Items(items) = &self.carrier else { return signer(None) };
        let mut first = None;
        for item in items {
            let key = signer(Some(item))?;
            first.get_or_insert(key);
        }
        first.ok_or_else(|| self.mismatch())
    }

    /// Decrypts the payload with a key; `None` where it does not hold the fields that it must.
    fn open(&self, key: &PreparedKey, fields: &[&str]) -> Option<Vec<u8>> {
        let Material::Cipher(secret) = &key.material else { return None };
        let mut opened = None;
        self.verifier.scheme.grammar.each(self.carrier.text(None), &mut |entry| {
            opened = cipher::open(secret, entry.text);
        });
        opened.filter(|plain| payload::holds(plain, fields))
    }

    /// True when one of the signatures is this key's. Every signature is compared with the key,
    /// so that the time taken does not tell which one matched.
    fn key_matches(&self, unit: Unit<'_, 'a>, key: &PreparedKey) -> Result<bool, Rejection> {
        let (scheme, material) = (self.verifier.scheme(), &key.material);
        let mut matched = false;
        for template in scheme.signed.iter() {
            material.make(
                scheme.algorithm,
                |take| self.message(unit).feed(template, material.text(), take),
                &mut |made| matched |= self.any_entry_matches(unit, key, made),
            )?;
        }
        Ok(matched)
    }

    fn any_entry_matches(&self, unit: Unit<'_, 'a>, key: &PreparedKey, made: &Made<'_>) -> bool {
        let encoding = self.verifier.scheme.encoding;
        if let Some(only) = self.only {
            return made.matches_text(encoding, only);
        }
        let scheme = self.verifier.scheme();
        let (mut matched, mut named) = (false, false);
        self.carrier.each_entry(scheme, unit, &mut |entry: Entry<'_>| {
            // Where entries name keys, the first one that names ours is the only one that counts.
            let ours = entry.key_id.is_none() || (entry.key_id == key.id.as_deref() && !named);
            named |= ours;
            if ours && key.material.makes(entry.algorithm) {
                matched |= made.matches_text(encoding, entry.text);
            }
        });
        matched
    }

    pub(super) fn message<'m>(&'m self, item: Unit<'m, 'a>) -> Message<'m> {
        Message {
            request: &self.request,
            form: self.form.as_ref(),
            item,
            timestamp: self.time.as_ref().map_or("", |time| time.text),
            options: &self.verifier.options,
        }
    }

    pub(super) fn mismatch(&self) -> Rejection {
        Rejection::SignatureMismatch { carrier: carrier::name(self.verifier.scheme()).clone() }
    }
}
