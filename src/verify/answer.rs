//! Questions to a gateway: what is asked, and which answer counts.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    rejection::Rejection,
    request::{Found, Request},
    scheme::{AnswerForm, AnswerRule, QuestionForm},
    verifier::Verifier,
};
use crate::model::{Environment, Secret};

/// A question to the gateway, to be sent by POST over https.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The host: one of the gateway's own.
    pub host: &'a str,
    /// The path, which starts with a slash.
    pub path: &'static str,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// The credentials for a token, where the question needs one.
    pub credentials: Option<Credentials<'a>>,
}

/// OAuth client credentials.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// The client's id.
    pub client_id: &'a str,
    /// The client's secret.
    pub client_secret: &'a Secret,
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The question about a request under one key. `served` is what the webhook's certificate host
/// serves, where it names one.
pub(crate) fn question<'a>(
    rule: &AnswerRule,
    request: Request<'_>,
    verifier: &'a Verifier,
    key: &[u8],
    served: Option<Environment>,
) -> Result<Question<'a>, Rejection> {
    let (content_type, body) = match rule.question {
        QuestionForm::Prefixed(prefix) => {
            let body = [prefix.as_bytes(), request.body].concat();
            ("application/x-www-form-urlencoded", body)
        }
        QuestionForm::Spliced { headers, key: name, body } => {
            ("application/json", splice(request, headers, (name, key), body)?)
        }
    };
    let host = host(rule, verifier, served);
    let credentials = rule.credentials.and_then(|option| credentials(verifier, option));
    Ok(Question { host, path: rule.path, content_type, body, credentials })
}

/// True for the one answer that counts.
pub(crate) fn accepts(rule: &AnswerRule, answer: &[u8]) -> bool {
    match rule.accepts {
        AnswerForm::Exactly(text) => answer == text.as_bytes(),
        AnswerForm::VerificationStatus(status) => serde_json::from_slice::<Status<'_>>(answer)
            .is_ok_and(|answer| answer.verification_status == status),
    }
}

/// The host: the option's, else the one of the variant's environment, else the one that fits the
/// certificate. Never one that the body chooses: a sandbox vouches for anybody's test money.
pub(crate) fn host<'a>(
    rule: &AnswerRule,
    verifier: &'a Verifier,
    served: Option<Environment>,
) -> &'a str {
    let options = &verifier.options;
    if let Some(host) = rule.host_option.and_then(|name| options.text(name)) {
        return host;
    }
    let wanted = match options.text("environment") {
        Some("live") => Environment::Live,
        Some("test") => Environment::Test,
        Some(_) | None => served.unwrap_or(Environment::Live),
    };
    let mut hosts = rule.hosts.iter();
    hosts.find(|(_, serves)| *serves == wanted).map_or("", |(name, _)| *name)
}

/// What a host vouches for.
pub(crate) fn serves(rule: &AnswerRule, host: &str) -> Option<Environment> {
    rule.hosts.iter().find(|(name, _)| *name == host).map(|(_, serves)| *serves)
}

fn credentials<'a>(verifier: &'a Verifier, option: &str) -> Option<Credentials<'a>> {
    let client_id = verifier.options.value(option)?.get("client_id")?.as_str()?;
    let client_secret = verifier.options.secret(&format!("{option}.client_secret"))?;
    Some(Credentials { client_id, client_secret })
}

/// The body goes in as it is: written anew it would have another checksum. So it must be one JSON
/// object and nothing else, or it could close the member and bring members of its own.
fn splice(
    request: Request<'_>,
    headers: &[(&str, &'static str)],
    key: (&str, &[u8]),
    body: &str,
) -> Result<Vec<u8>, Rejection> {
    let malformed = || Rejection::PayloadMalformed { problem: "the body is no JSON object" };
    let event: &RawValue = serde_json::from_slice(request.body).map_err(|_| malformed())?;
    let event = event.get();
    if !event.starts_with('{') {
        return Err(malformed());
    }
    let mut members = serde_json::Map::new();
    for (name, header) in headers {
        match request.header(header) {
            Found::One(value) => members.insert((*name).to_owned(), value.into()),
            Found::Absent => return Err(Rejection::missing(&(*header).into())),
            Found::Differing => {
                return Err(Rejection::malformed(&(*header).into(), "its repeats differ"));
            }
        };
    }
    let (name, key) = key;
    let key = std::str::from_utf8(key).map_err(|_| malformed())?;
    members.insert(name.to_owned(), key.into());
    let mut text = serde_json::Value::Object(members).to_string();
    text.truncate(text.len().saturating_sub(1));
    Ok(format!("{text},\"{body}\":{event}}}").into_bytes())
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    verification_status: std::borrow::Cow<'a, str>,
}
