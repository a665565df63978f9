//! Asking a gateway whether it sent a webhook.

use std::{borrow::Cow, fmt, pin::Pin, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{
    HeaderValue, Request,
    header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
};
use http_body_util::Full;
use moka::sync::Cache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    Clock,
    https::{Https, HttpsError},
};
use crate::{
    limits::{TOKEN_SECONDS_EARLY, TOKEN_SECONDS_MAX, VARIANTS_MAX},
    model::{Secret, UnixSeconds},
    verify::{Credentials, Question},
};

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The gateway cannot be asked, or does not say.
    #[error("the gateway cannot be asked: {problem}")]
    Unavailable {
        /// What went wrong.
        problem: String,
    },
}

/// An answer that is under way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, AnswerError>> + Send + 'a>>;

/// Asks a gateway.
pub trait PostBack: Send + Sync {
    /// Sends a question and returns the body of the answer, as it is.
    fn ask<'a>(&'a self, question: &'a Question<'a>) -> Asking<'a>;
}

/// Asks over https; keeps tokens until they end.
pub struct HttpsPostBack {
    https: Https,
    clock: Clock,
    tokens: Cache<[u8; 32], Arc<Mutex<Option<Token>>>>,
}

/// A token, and when it must not be used any more.
struct Token {
    value: Secret,
    until: UnixSeconds,
}

impl HttpsPostBack {
    /// Asks through these connections; time is this clock's.
    pub fn new(https: Https, clock: Clock) -> Self {
        let tokens = Cache::new(u64::try_from(VARIANTS_MAX).unwrap_or(u64::MAX));
        Self { https, clock, tokens }
    }

    async fn answer(&self, question: &Question<'_>) -> Result<Vec<u8>, HttpsError> {
        let Some(credentials) = question.credentials else {
            return self.post(question, None).await;
        };
        let slot = self.slot(question.host, credentials);
        let mut answer = self.with_token(question, &slot, credentials).await;
        // Taken back before its time: once more with a new one.
        if answer == Err(HttpsError::Status(401)) {
            answer = self.with_token(question, &slot, credentials).await;
        }
        answer
    }

    async fn with_token(
        &self,
        question: &Question<'_>,
        slot: &Mutex<Option<Token>>,
        credentials: Credentials<'_>,
    ) -> Result<Vec<u8>, HttpsError> {
        let token = self.token(slot, question.host, credentials).await?;
        let answer = self.post(question, Some(&token)).await;
        if answer == Err(HttpsError::Status(401)) {
            let mut slot = slot.lock().await;
            // Another call may have got a new one meanwhile.
            if slot.as_ref().is_some_and(|kept| kept.value.expose() == token.expose()) {
                *slot = None;
            }
        }
        answer
    }

    fn slot(&self, host: &str, credentials: Credentials<'_>) -> Arc<Mutex<Option<Token>>> {
        let mut key = Sha256::new();
        for part in [host.as_bytes(), credentials.client_id.as_bytes()] {
            key.update(Sha256::digest(part));
        }
        key.update(Sha256::digest(credentials.client_secret.expose()));
        self.tokens.get_with(key.finalize().into(), Arc::default)
    }

    /// The kept token, or a new one. Its lock is held meanwhile, so that many calls get one.
    async fn token(
        &self,
        slot: &Mutex<Option<Token>>,
        host: &str,
        credentials: Credentials<'_>,
    ) -> Result<Secret, HttpsError> {
        let mut slot = slot.lock().await;
        let copy = |token: &Token| Secret::new(token.value.expose().to_vec());
        let now = (self.clock)();
        if let Some(token) = slot.as_ref().filter(|token| now < token.until) {
            return Ok(copy(token));
        }
        let pair = Zeroizing::new(
            [credentials.client_id.as_bytes(), b":", credentials.client_secret.expose()].concat(),
        );
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_slice())));
        let request = Request::post("/v1/oauth2/token")
            .header(AUTHORIZATION, sensitive(&basic)?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(USER_AGENT, AGENT)
            .body(Full::new(Bytes::from_static(b"grant_type=client_credentials")));
        let request = request.map_err(|_| unusable("its token request is unusable"))?;
        let answer = Zeroizing::new(self.https.ask(host, request).await?);
        let granted: Granted<'_> = serde_json::from_slice(&answer)
            .map_err(|_| unusable("its answer is not that of a token request"))?;
        let seconds = granted.expires_in.clamp(0, TOKEN_SECONDS_MAX);
        let seconds = seconds.saturating_sub(TOKEN_SECONDS_EARLY);
        let token = Token {
            value: Secret::new(granted.access_token.as_bytes().to_vec()),
            until: UnixSeconds::new(now.get().saturating_add(seconds)),
        };
        let value = copy(&token);
        *slot = Some(token);
        Ok(value)
    }

    async fn post(
        &self,
        question: &Question<'_>,
        token: Option<&Secret>,
    ) -> Result<Vec<u8>, HttpsError> {
        let mut request = Request::post(question.path)
            .header(CONTENT_TYPE, question.content_type)
            // PayPal refuses post-backs that do not say who asks.
            .header(USER_AGENT, AGENT);
        if let Some(token) = token {
            let token = std::str::from_utf8(token.expose());
            let token = token.map_err(|_| unusable("its token is not text"))?;
            let bearer = Zeroizing::new(format!("Bearer {token}"));
            request = request.header(AUTHORIZATION, sensitive(&bearer)?);
        }
        let request = request.body(Full::new(Bytes::from(question.body.clone())));
        let request = request.map_err(|_| unusable("the question is unusable"))?;
        self.https.ask(question.host, request).await
    }
}

impl PostBack for HttpsPostBack {
    fn ask<'a>(&'a self, question: &'a Question<'a>) -> Asking<'a> {
        Box::pin(async move {
            let answer = self.answer(question).await;
            answer.map_err(|error| AnswerError::Unavailable { problem: error.to_string() })
        })
    }
}

impl fmt::Debug for HttpsPostBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsPostBack").finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    access_token: Cow<'a, str>,
    expires_in: i64,
}

fn sensitive(text: &str) -> Result<HeaderValue, HttpsError> {
    let value = HeaderValue::from_str(text);
    let mut value = value.map_err(|_| unusable("a credential holds bytes that no header may"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn unusable(problem: &str) -> HttpsError {
    HttpsError::Connection(problem.to_owned())
}

const AGENT: &str = concat!("payhook/", env!("CARGO_PKG_VERSION"));
