//! Certificate URLs: which ones may be asked for at all.
//!
//! No URL parser decides here. Parsers that browsers use turn full-width dots, soft hyphens, tabs
//! and backslashes into a host name that looks right; the raw bytes are matched against one
//! anchored pattern instead, and only text that matches becomes a [`CertUrl`].

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use super::scheme::CertificateRule;
use crate::{limits::CERTIFICATE_ID_BYTES_MAX, model::Environment};

/// A host that may serve certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AllowedHost {
    pub(crate) name: String,
    /// What it serves; `None` for a host that only configuration knows.
    pub(crate) environment: Option<Environment>,
}

/// The URL of a certificate on an allowed host: `https://HOST[:443]PATH ID` and nothing else.
///
/// Nothing but the engine makes one, so that fetching an attacker's URL cannot be written.
///
/// ```compile_fail
/// use payhook::verify::CertUrl;
/// let url = CertUrl { text: "https://attacker.example/".to_owned() };
/// ```
#[derive(Clone)]
pub struct CertUrl {
    text: String,
    host: String,
    target: String,
    environment: Option<Environment>,
}

impl CertUrl {
    /// Matches the text; `None` for anything but an allowed URL.
    pub(crate) fn read(text: &str, rule: &CertificateRule, hosts: &[AllowedHost]) -> Option<Self> {
        let rest = text.strip_prefix("https://")?;
        hosts.iter().find_map(|host| {
            let rest = rest.strip_prefix(host.name.as_str())?;
            let rest = rest.strip_prefix(":443").unwrap_or(rest);
            let id = rest.strip_prefix(rule.path)?;
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let shaped = (1..=CERTIFICATE_ID_BYTES_MAX).contains(&id.len());
            (shaped && id.bytes().all(allowed)).then(|| Self {
                text: text.to_owned(),
                host: host.name.clone(),
                target: format!("{}{id}", rule.path),
                environment: host.environment,
            })
        })
    }

    /// The URL as the gateway wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL without a port: two ways to write one URL are one.
    pub fn canonical(&self) -> String {
        format!("https://{}{}", self.host, self.target)
    }

    /// The host: one of the allowed ones, as it is configured.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The path, which starts with a slash and has neither query nor fragment.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What the host serves, where the gateway says so.
    pub const fn environment(&self) -> Option<Environment> {
        self.environment
    }
}

impl PartialEq for CertUrl {
    fn eq(&self, other: &Self) -> bool {
        (&self.host, &self.target) == (&other.host, &other.target)
    }
}

impl Eq for CertUrl {}

impl Hash for CertUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.host, &self.target).hash(state);
    }
}

impl fmt::Debug for CertUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
