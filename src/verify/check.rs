//! The engine: from unverified bytes to a proof, in steps that cannot be skipped or reordered.

use std::borrow::Cow;

use super::{
    challenge, cipher, credential,
    form::Form,
    freshness::{self, CheckTime},
    grammar::{Entry, SignedTime},
    headers,
    items::{self, Item},
    keys::{Material, PreparedKey},
    outside::{self, NeedsAnswer, NeedsCertificate, Outside},
    payload,
    rejection::Rejection,
    request::{Found, Request},
    running::Made,
    scheme::{Encoding, PayloadCodec, Source, TimeSource},
    signature,
    template::Message,
    verified::{Evidence, Verified},
    verifier::Verifier,
};
use crate::model::{Environment, UnixSeconds};

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
    /// The header that carries the signature, where one does.
    pub(super) carried: Found<'a>,
    pub(super) form: Option<Form<'a>>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) time: Option<SignedTime<'a>>,
    /// The one signature, where the header carries no more.
    pub(super) only: Option<Entry<'a>>,
    pub(super) outside: Outside,
}

/// What carries one signature: an item of the body, or the request itself.
pub(super) type Unit<'i, 'a> = Option<&'i Item<'a>>;

/// What held.
struct Proof<'a> {
    key: &'a PreparedKey,
    /// Live or test, where whoever vouches says so.
    environment: Option<Environment>,
    /// The payload, where the key itself opened it.
    opened: Option<Vec<u8>>,
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
    #[inline]
    pub fn check_with(self, verifier: &'a Verifier) -> Result<Step<'a>, Rejection> {
        let request = self.request;
        let scheme = verifier.scheme();
        if let Some(challenge) = scheme.challenge.filter(|_| request.is_get()) {
            return challenge::answer(challenge, request, verifier).map(Step::Challenge);
        }
        let form = match &scheme.source {
            Source::Answer | Source::FormField(_) => Form::read(request.body).ok(),
            Source::Header(_)
            | Source::HeaderAny(_)
            | Source::JsonItems(_)
            | Source::QueryField(_) => None,
        };
        credential::check(request, &scheme.headers, &verifier.options)?;
        let carried = headers::require(request, scheme)?;
        let items = match &scheme.source {
            Source::JsonItems(list) => items::read(list, &scheme.signed, request.body)?,
            Source::Answer
            | Source::FormField(_)
            | Source::Header(_)
            | Source::HeaderAny(_)
            | Source::QueryField(_) => Vec::new(),
        };
        let outside = Outside::Nothing;
        let (time, only) = (None, None);
        let mut check = Check { request, verifier, carried, form, items, time, only, outside };
        if scheme.source == Source::Answer {
            return outside::step(check);
        }
        // Looked up twice rather than kept: a list of them would be an allocation per webhook.
        check.units().try_for_each(|unit| check.signature_text(unit).map(drop))?;
        payload::check(&scheme.payload, check.form.as_ref())?;
        headers::check(request, &scheme.headers)?;
        let (mut only, mut time) = (None, Found::Absent);
        for unit in check.units() {
            let text = check.signature_text(unit)?;
            scheme.grammar.check(&text).map_err(|problem| check.malformed(problem))?;
            (only, time) = check.require_entry(unit)?;
        }
        check.only = only;
        check.time = check.read_time(time)?;
        outside::step(check)
    }
}

impl<'a> Check<'a> {
    /// Verifies: the signature first, then the freshness of its time.
    ///
    /// # Errors
    /// [`Rejection::SignatureMismatch`], [`Rejection::TimestampTooOld`] and
    /// [`Rejection::TimestampInFuture`].
    #[inline]
    pub fn run(&self, at: CheckTime) -> Result<Verified<'a>, Rejection> {
        let verifier = self.verifier;
        let proof = match &self.outside {
            Outside::Nothing => self.prove(at.now)?,
            Outside::Answers(_) | Outside::Chain(_) => {
                let (key, environment) = self.vouched(at.now)?;
                Proof { key, environment, opened: None }
            }
        };
        let signed_at = self.time.map(|time| time.at);
        if let (Some(signed_at), Some(tolerance)) = (signed_at, verifier.tolerance_seconds) {
            freshness::check(signed_at, at.received_at, tolerance)?;
        }
        let mut evidence = Evidence::new(verifier, proof.key, signed_at, at);
        evidence.environment = proof.environment;
        evidence.signed_id = self.signed_id();
        let payload = match proof.opened {
            Some(plain) => Cow::Owned(plain),
            None => payload::decode(self.request, verifier, self.form.as_ref())?,
        };
        Ok(Verified::new(self.request, payload, verifier, evidence))
    }

    /// The key that holds for every signature; of several items, the first one's.
    fn prove(&self, now: UnixSeconds) -> Result<Proof<'a>, Rejection> {
        let active = || self.verifier.keys.iter().filter(|key| key.is_active(now));
        if let PayloadCodec::Cipher(fields) = self.verifier.scheme.payload {
            let opened = active().find_map(|key| Some((key, self.open(key, fields)?)));
            let (key, plain) = opened.ok_or_else(|| self.mismatch())?;
            return Ok(Proof { key, environment: None, opened: Some(plain) });
        }
        let mut first = None;
        for unit in self.units() {
            let mut matched = None;
            for key in active() {
                if matched.is_none() && self.key_matches(unit, key)? {
                    matched = Some(key);
                }
            }
            let key = matched.ok_or_else(|| self.mismatch())?;
            first.get_or_insert(key);
        }
        let key = first.ok_or_else(|| self.mismatch())?;
        Ok(Proof { key, environment: None, opened: None })
    }

    pub(super) fn units(&self) -> impl Iterator<Item = Unit<'_, 'a>> {
        let request = self.items.is_empty().then_some(None);
        request.into_iter().chain(self.items.iter().map(Some))
    }

    /// Decrypts the payload with a key; `None` where it does not hold the fields that it must.
    fn open(&self, key: &PreparedKey, fields: &[&str]) -> Option<Vec<u8>> {
        let Material::Cipher(secret) = &key.material else { return None };
        let mut opened = None;
        let text = self.signature_text(None).ok()?;
        self.verifier.scheme.grammar.each(&text, &mut |entry| {
            opened = cipher::open(secret, entry.text);
        });
        opened.filter(|plain| payload::holds(plain, fields))
    }

    /// True when one of the signatures is this key's. Every signature is compared with the key,
    /// so that the time taken does not tell which one matched.
    fn key_matches(&self, unit: Unit<'_, 'a>, key: &PreparedKey) -> Result<bool, Rejection> {
        let mut matched = false;
        for template in self.verifier.scheme.signed.iter() {
            let made = key.material.make(self.verifier.scheme.algorithm, |take| {
                self.message(unit).feed(template, key.material.text(), take)
            })?;
            let Some(made) = made else { return Ok(false) };
            matched |= self.any_entry_matches(unit, key, &made)?;
        }
        Ok(matched)
    }

    fn any_entry_matches(
        &self,
        unit: Unit<'_, 'a>,
        key: &PreparedKey,
        made: &Made<'_>,
    ) -> Result<bool, Rejection> {
        let encoding = self.verifier.scheme.encoding;
        let (mut matched, mut named) = (false, false);
        let mut compare = |entry: Entry<'_>| {
            // Where entries name keys, the first one that names ours is the only one that counts.
            let ours = entry.key_id.is_none() || (entry.key_id == key.id.as_deref() && !named);
            named |= ours;
            if !ours || !key.material.makes(entry.algorithm) {
                return;
            }
            if let Some(digest) = signature::decode(encoding, entry.text) {
                matched |= made.matches(digest.as_slice());
            }
        };
        match self.only {
            Some(only) => compare(only),
            None => self.each_entry(unit, &mut compare)?,
        }
        Ok(matched)
    }

    pub(super) fn message<'m>(&'m self, item: Unit<'m, 'a>) -> Message<'m> {
        Message {
            request: self.request,
            form: self.form.as_ref(),
            item,
            timestamp: self.time.map_or("", |time| time.text),
            url: self.verifier.options.text("notification_url"),
        }
    }

    /// The text that holds the signature; for a header that may repeat, its first value.
    pub(super) fn signature_text<'m>(
        &'m self,
        unit: Unit<'m, 'a>,
    ) -> Result<Cow<'m, str>, Rejection> {
        match &self.verifier.scheme.source {
            Source::Answer => Ok(Cow::Borrowed("")),
            Source::Header(name) => match self.carried {
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
                self.field_text(form).map(Cow::Borrowed)
            }
            Source::JsonItems(_) => {
                let item = unit.ok_or_else(|| Rejection::missing(self.carrier()))?;
                Ok(Cow::Borrowed(&item.signature))
            }
            Source::QueryField(_) => {
                let query = self.request.query().unwrap_or_default();
                let form = Form::read(query.as_bytes());
                let form = form.map_err(|_| self.malformed("the query has too many fields"))?;
                self.field_text(&form).map(|text| Cow::Owned(text.to_owned()))
            }
        }
    }

    /// The field of a form that is the carrier.
    fn field_text<'f>(&self, form: &'f Form<'_>) -> Result<&'f str, Rejection> {
        let name = self.carrier();
        let field = form.field(name).map_err(|_| self.malformed("it appears twice"))?;
        let text = field.filter(|text| !text.trim_ascii().is_empty());
        let text = text.ok_or_else(|| Rejection::missing(name))?;
        std::str::from_utf8(text).map_err(|_| self.malformed("not text"))
    }

    pub(super) fn each_entry(
        &self,
        unit: Unit<'_, 'a>,
        see: &mut dyn FnMut(Entry<'_>),
    ) -> Result<(), Rejection> {
        let grammar = &self.verifier.scheme.grammar;
        if let Source::HeaderAny(name) = &self.verifier.scheme.source {
            for text in self.request.values(name) {
                grammar.each(text, see);
            }
            return Ok(());
        }
        grammar.each(&self.signature_text(unit)?, see);
        Ok(())
    }

    /// At least one signature must be usable. Where one header carries one signature, as nearly
    /// all do, it is returned with the time beside it: nobody needs to look for them again.
    fn require_entry(
        &self,
        unit: Unit<'_, 'a>,
    ) -> Result<(Option<Entry<'a>>, Found<'a>), Rejection> {
        let (mut usable, mut count, mut last, mut time) = (false, 0_usize, None, Found::Absent);
        if let Found::One(text) = self.carried {
            time = self.verifier.scheme.grammar.each(text, &mut |entry| {
                usable |= self.is_usable(&entry);
                count = count.saturating_add(1);
                last = Some(entry);
            });
        } else {
            self.each_entry(unit, &mut |entry| usable |= self.is_usable(&entry))?;
        }
        let only = last.filter(|_| count == 1);
        if usable { Ok((only, time)) } else { Err(self.malformed("it holds no usable signature")) }
    }

    /// Of the digest's length in the encoding, or any text at all where texts are compared.
    fn is_usable(&self, entry: &Entry<'_>) -> bool {
        let scheme = self.verifier.scheme();
        let length = entry.algorithm.unwrap_or(scheme.algorithm).digest_bytes();
        match scheme.encoding {
            Encoding::CipherHex => cipher::is_cipher_text(entry.text),
            Encoding::LowerHexText => true,
            Encoding::Base64 if length.is_none() => signature::decode_long(entry.text).is_some(),
            Encoding::Base64 | Encoding::Hex => signature::decode(scheme.encoding, entry.text)
                .is_some_and(|digest| length.is_none_or(|n| digest.as_slice().len() == n)),
        }
    }

    /// The signed time: that of a header of its own, else the one beside the signature.
    fn read_time(&self, beside: Found<'a>) -> Result<Option<SignedTime<'a>>, Rejection> {
        let Some(TimeSource { header, unit }) = &self.verifier.scheme.timestamp else {
            return Ok(None);
        };
        let Some(name) = header else {
            if !matches!(self.carried, Found::One(_)) {
                return Ok(None);
            }
            let time = SignedTime::read(beside, *unit);
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
            Source::FormField(name)
            | Source::Header(name)
            | Source::HeaderAny(name)
            | Source::QueryField(name) => name,
            Source::JsonItems(_) => &ITEM_SIGNATURE,
        }
    }
}

/// What carries the signature where every item of the body has its own.
static ITEM_SIGNATURE: Cow<'static, str> = Cow::Borrowed("the signature of an item");

/// What a refusal names where no header or field carries the signature.
static ANSWER: Cow<'static, str> = Cow::Borrowed("the gateway's answer");
