//! Parts of a scheme whose proof comes from outside: which certificates may sign, and how the
//! gateway is asked.

use crate::model::Environment;

/// Which certificates may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateRule {
    /// The header that names the certificate's URL.
    pub url_header: &'static str,
    /// The header with the signed id of the delivery: another body under it is no repeat.
    pub id_header: &'static str,
    /// The hosts that serve certificates, and for what.
    pub hosts: &'static [(&'static str, Environment)],
    /// The path in front of the certificate's id.
    pub path: &'static str,
    /// The names of certificates that sign, and for what.
    pub names: &'static [(&'static str, Environment)],
    /// The text that stands for the key in the gateway's simulator, which anybody can use.
    pub simulator_key: &'static str,
}

/// How the gateway is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerRule {
    /// The hosts that answer, and for what; the first is asked where nothing else is said.
    pub hosts: &'static [(&'static str, Environment)],
    /// The option that names the host.
    pub host_option: Option<&'static str>,
    /// The path that is asked.
    pub path: &'static str,
    /// What is asked.
    pub question: QuestionForm,
    /// The one answer that counts.
    pub accepts: AnswerForm,
    /// Form fields of which one must be the key: the gateway vouches for any receiver.
    pub receiver: &'static [&'static str],
    /// The option with the client credentials that the question needs.
    pub credentials: Option<&'static str>,
    /// The rule of the certificate that the webhook names beside.
    pub certificate: Option<&'static CertificateRule>,
}

/// What a question holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionForm {
    /// This text, then the raw body.
    Prefixed(&'static str),
    /// A JSON object: members from headers, the key, and the raw body as it is.
    Spliced {
        /// Member names, and the headers that fill them.
        headers: &'static [(&'static str, &'static str)],
        /// The member that holds the key.
        key: &'static str,
        /// The member that holds the body.
        body: &'static str,
    },
}

/// The one answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// Exactly these bytes.
    Exactly(&'static str),
    /// A JSON object whose member `verification_status` is this.
    VerificationStatus(&'static str),
}
