//! What checks need from outside this process, handed to them.

use std::{fmt, sync::Arc};

use super::{
    Account, Accounts, Clock,
    certificates::{CertificateError, CertificateSource, HttpsCertificates},
    https::Https,
    post_back::{HttpsPostBack, PostBack},
};
use crate::verify::{CertUrl, CertificateChain, Check, NeedsAnswer, NeedsCertificate, Rejection};

/// The sources of certificates and of the gateways' own answers.
#[derive(Clone)]
pub struct Outside {
    /// Certificates by URL.
    pub certificates: Arc<dyn CertificateSource>,
    /// Answers of gateways.
    pub post_back: Arc<dyn PostBack>,
}

impl Outside {
    /// Over https, to public addresses only.
    pub fn public(clock: Clock) -> Self {
        Self::over(&Https::public(), clock)
    }

    /// Over https, through these connections.
    pub fn over(https: &Https, clock: Clock) -> Self {
        Self {
            certificates: Arc::new(HttpsCertificates::new(https.clone(), clock.clone())),
            post_back: Arc::new(HttpsPostBack::new(https.clone(), clock)),
        }
    }

    /// Hands a check the certificate that it needs: the variant's own ones, where it has any.
    ///
    /// # Errors
    /// [`Rejection::CertificateUnavailable`].
    pub async fn certify<'a>(
        &self,
        account: &Account,
        needs: NeedsCertificate<'a>,
    ) -> Result<Check<'a>, Rejection> {
        match self.chain(account, needs.url()).await {
            Ok(chain) => Ok(needs.with_chain(chain)),
            Err(error) => {
                let variant = account.variant().as_str();
                tracing::warn!(variant, %error, url = needs.url().as_str(), "No certificate");
                Err(Rejection::CertificateUnavailable { what: "the signing certificate" })
            }
        }
    }

    /// The certificates of a URL: the variant's own ones, where it has any.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub async fn chain(
        &self,
        account: &Account,
        url: &CertUrl,
    ) -> Result<Arc<CertificateChain>, CertificateError> {
        match account.fixed_certificates() {
            Some(fixed) => fixed.chain(url).await,
            None => self.certificates.chain(url).await,
        }
    }

    /// Hands a check the answers that it needs. Nobody is asked again once an answer counts.
    ///
    /// # Errors
    /// [`Rejection::CertificateUnavailable`].
    pub async fn confirm<'a>(
        &self,
        account: &Account,
        needs: NeedsAnswer<'a>,
    ) -> Result<Check<'a>, Rejection> {
        let mut answers = Vec::new();
        for question in needs.questions() {
            let answer = self.post_back.ask(question).await.map_err(|error| {
                let variant = account.variant().as_str();
                tracing::warn!(variant, %error, host = question.host, "No answer");
                Rejection::CertificateUnavailable { what: "the gateway's own answer" }
            })?;
            let counts = needs.accepts(&answer);
            answers.push(answer);
            if counts {
                break;
            }
        }
        Ok(needs.with_answers(answers))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Uses these sources, before anything was verified; without a call, the public ones.
    #[must_use]
    pub fn with_outside(self, outside: Outside) -> Self {
        self.0.outside.get_or_init(|| outside);
        self
    }

    /// The sources of what checks need from outside.
    pub fn outside(&self) -> &Outside {
        self.0.outside.get_or_init(|| Outside::public(Arc::clone(&self.0.clock)))
    }
}
