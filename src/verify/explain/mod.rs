//! Why a webhook was probably refused: cheap repairs are tried until one would have matched.
//!
//! Only after a refusal: an [`Inquiry`] needs the [`Rejection`]. Only for people: what comes out is
//! a word and a line of text. Nothing here can make a proof, so that no cause turns a refusal into
//! a pass. Everything is read from the [`Scheme`], nothing is known of a gateway by name. What is
//! tried is bounded by a budget.

mod budget;
mod cause;
mod headers;
mod keys;
mod layout;
mod repairs;
mod signs;
mod times;
mod trial;

use std::sync::Arc;

pub use budget::Cost;
pub use cause::Cause;

use self::{budget::Budget, trial::Bench};
use super::{
    certificate::CertificateChain,
    freshness::CheckTime,
    rejection::Rejection,
    request::Request,
    scheme::{Part, Scheme, Source},
    verifier::Verifier,
};
use crate::limits::EXPLAIN_BODY_BYTES_MAX;

/// A refused webhook and what may be compared with it.
#[derive(Clone, Debug)]
pub struct Inquiry<'a> {
    /// The request as it was refused.
    pub request: Request<'a>,
    /// The verifier that refused it.
    pub verifier: &'a Verifier,
    /// Why.
    pub rejection: &'a Rejection,
    /// When.
    pub at: CheckTime,
    /// The certificate that its URL served, where the scheme has one.
    pub chain: Option<Arc<CertificateChain>>,
    /// Other variants of the same gateway, by name: only those that the same caller may use.
    pub others: &'a [(&'a str, &'a Verifier)],
}

/// What was found. Never a proof.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// The most likely cause.
    pub cause: Option<Cause>,
    /// One line for a developer; empty where nothing was found.
    pub hint: String,
    /// What looking for it took.
    pub cost: Cost,
}

/// A cause and its line.
type Found = (Option<Cause>, String);

impl Finding {
    /// Whether a cause is looked for after this refusal. A body that carries its signature and
    /// cannot be read counts: most of the causes lie in bodies.
    pub const fn is_looked_for(rejection: &Rejection) -> bool {
        match rejection {
            Rejection::PayloadMalformed { .. }
            | Rejection::SignatureMalformed { .. }
            | Rejection::SignatureMismatch { .. }
            | Rejection::SignatureMissing { .. }
            | Rejection::TimestampInFuture { .. }
            | Rejection::TimestampTooOld { .. } => true,
            Rejection::BodySubstituted { .. }
            | Rejection::CertificateUnavailable { .. }
            | Rejection::CertificateUntrusted { .. }
            | Rejection::PayloadUndecodable { .. } => false,
        }
    }
}

/// Looks for the cause of a refusal.
pub fn explain(inquiry: &Inquiry<'_>) -> Finding {
    let mut bench = Bench::new(inquiry);
    let found = match inquiry.rejection {
        Rejection::SignatureMissing { .. } => signs::redirected(inquiry.request)
            .or_else(|| headers::renamed(inquiry, &mut bench))
            .or_else(|| in_body(inquiry, &mut bench)),
        Rejection::SignatureMalformed { .. } => headers::outdated(inquiry)
            .or_else(|| times::another_form(inquiry))
            .or_else(|| in_body(inquiry, &mut bench)),
        Rejection::SignatureMismatch { .. } => mismatch(inquiry, &mut bench),
        Rejection::PayloadMalformed { .. } => {
            signs::redirected(inquiry.request).or_else(|| in_body(inquiry, &mut bench))
        }
        Rejection::TimestampInFuture { ahead_seconds, .. } => {
            Some(times::compared(inquiry, ahead_seconds.saturating_neg()))
        }
        Rejection::TimestampTooOld { age_seconds, .. } => {
            Some(times::compared(inquiry, *age_seconds))
        }
        Rejection::BodySubstituted { .. }
        | Rejection::CertificateUnavailable { .. }
        | Rejection::CertificateUntrusted { .. }
        | Rejection::PayloadUndecodable { .. } => None,
    };
    let (cause, hint) = found.unwrap_or_default();
    Finding { cause, hint, cost: bench.budget.cost() }
}

/// A signature was found and no key matches: first what costs nothing and leaves no doubt, then
/// what most often goes wrong, then the rest.
fn mismatch(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let body = inquiry.request.body;
    let small = body.len() <= EXPLAIN_BODY_BYTES_MAX;
    let scheme = inquiry.verifier.scheme();
    let certain = signs::redirected(inquiry.request)
        .or_else(|| signs::empty(inquiry.request).filter(|_| covers_body(scheme)))
        .or_else(|| signs::unreadable(inquiry.request));
    if certain.is_some() {
        return certain;
    }
    if small {
        let tried = keys::expired(inquiry, bench)
            .or_else(|| keys::simulator(inquiry, bench))
            .or_else(|| repairs::tried(inquiry, bench))
            .or_else(|| layout::tried(inquiry, bench, layout::COMMON))
            .or_else(|| keys::rewritten(inquiry, bench))
            .or_else(|| keys::of_others(inquiry, bench))
            .or_else(|| times::another_unit(inquiry, bench))
            .or_else(|| layout::tried(inquiry, bench, layout::RARE));
        if tried.is_some() {
            return tried;
        }
    }
    keys::named(inquiry)
        .or_else(|| signs::of_body(inquiry.request))
        .or_else(|| keys::of_api(inquiry))
        .or_else(|| keys::public_id(inquiry).filter(|_| small))
        .or_else(|| Some((None, nothing(small))))
}

/// The signature lies in the body, so that a changed body shows as a missing or broken one.
fn in_body(inquiry: &Inquiry<'_>, bench: &mut Bench<'_>) -> Option<Found> {
    let scheme = inquiry.verifier.scheme();
    match &scheme.source {
        Source::Answer | Source::FormField(_) | Source::JsonItems(_) => {}
        Source::Header(_) | Source::HeaderAny(_) | Source::QueryField(_) => return None,
    }
    let request = inquiry.request;
    let certain = signs::empty(request).or_else(|| signs::unreadable(request));
    if certain.is_some() {
        return certain;
    }
    if request.body.len() <= EXPLAIN_BODY_BYTES_MAX
        && let Some(tried) = repairs::tried(inquiry, bench)
    {
        return Some(tried);
    }
    signs::of_body(request)
}

/// Whether a part of the body is signed.
fn covers_body(scheme: &Scheme) -> bool {
    let of_body = |part: &Part| match part {
        Part::Body | Part::BodyCrc32 | Part::FormField(_) | Part::ItemField { .. } => true,
        Part::Group(_)
        | Part::Header(_)
        | Part::Key
        | Part::Literal(_)
        | Part::Method
        | Part::Path
        | Part::QueryLower(_)
        | Part::Timestamp
        | Part::Url => false,
    };
    scheme.signed.iter().any(|template| template.iter().any(of_body))
}

fn nothing(small: bool) -> String {
    let text = if small {
        "no cheap repair matches: either the secret is another endpoint's, or the body was changed; \
         compare its SHA-256 with that of the bytes that the web server received"
    } else {
        "the body is too large for repairs to be tried; compare its SHA-256 with that of the bytes \
         that the web server received"
    };
    text.to_owned()
}

/// A text of the sender's as it may be shown: a short name, or nothing.
fn shown(text: &str) -> &str {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let fits = (1..=SHOWN_BYTES_MAX).contains(&text.len()) && text.bytes().all(name);
    if fits { text } else { "another name" }
}

/// Longest name that is shown: what a sender writes does not fill a log.
const SHOWN_BYTES_MAX: usize = 64;
