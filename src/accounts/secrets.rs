//! Where secrets come from. Nothing here prints one.

use std::{collections::BTreeMap, env, path::Path, pin::Pin, time::Duration};

use tokio::{fs, io::AsyncReadExt as _, time::timeout};

use super::spec::SecretRef;
use crate::{limits::SECRET_BYTES_MAX, model::Secret};

/// Why a secret cannot be read right now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Not there, or not readable.
    #[error("{place}: {problem}")]
    Unreadable {
        /// Where it should be.
        place: String,
        /// What went wrong.
        problem: String,
    },
}

/// A read that is under way.
pub(super) type Reading<'a> =
    Pin<Box<dyn Future<Output = Result<Secret, SecretError>> + Send + 'a>>;

/// Reads secrets by reference.
pub trait SecretSource: Send + Sync {
    /// Reads one secret.
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a>;
}

/// Files and environment variables: how Kubernetes, Vault agents and CSI drivers hand secrets over.
#[derive(Debug, Default)]
pub struct SystemSecrets;

impl SecretSource for SystemSecrets {
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a> {
        Box::pin(async move {
            let unreadable =
                |problem: String| SecretError::Unreadable { place: reference.to_string(), problem };
            match reference {
                SecretRef::Inline(secret) => Ok(Secret::new(secret.expose().to_vec())),
                SecretRef::Env(name) => match env::var_os(name) {
                    Some(value) => Ok(Secret::new(value.into_encoded_bytes())),
                    None => Err(unreadable("it is not set".to_owned())),
                },
                SecretRef::File(path) => match timeout(READ_TIMEOUT, read_file(path)).await {
                    Ok(Ok(bytes)) => Ok(without_newline(bytes)),
                    Ok(Err(error)) => Err(unreadable(error.to_string())),
                    Err(_) => Err(unreadable("reading takes too long".to_owned())),
                },
            }
        })
    }
}

/// Secrets by the name of their environment variable or file, for tests.
#[derive(Debug, Default)]
pub struct FixedSecrets {
    values: BTreeMap<String, Secret>,
}

impl FixedSecrets {
    /// Secrets by name.
    pub const fn new(values: BTreeMap<String, Secret>) -> Self {
        Self { values }
    }
}

impl SecretSource for FixedSecrets {
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a> {
        let name = match reference {
            SecretRef::Inline(secret) => {
                let secret = Secret::new(secret.expose().to_vec());
                return Box::pin(async move { Ok(secret) });
            }
            SecretRef::Env(name) => name.clone(),
            SecretRef::File(path) => path.display().to_string(),
        };
        Box::pin(async move {
            let found = self.values.get(&name);
            let absent = || SecretError::Unreadable {
                place: reference.to_string(),
                problem: "it is not there".to_owned(),
            };
            found.map(|secret| Secret::new(secret.expose().to_vec())).ok_or_else(absent)
        })
    }
}

async fn read_file(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = fs::File::open(path).await?;
    let metadata = file.metadata().await?;
    warn_about_mode(path, &metadata);
    let mut bytes = Vec::new();
    let limit = u64::try_from(SECRET_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).await?;
    if bytes.len() > SECRET_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than any secret"));
    }
    Ok(bytes)
}

fn warn_about_mode(path: &Path, metadata: &std::fs::Metadata) {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o004 != 0 {
        tracing::warn!(file = %path.display(), "Secret file is readable by everybody");
    }
}

/// Exactly one trailing newline is the editor's, not the secret's.
fn without_newline(mut bytes: Vec<u8>) -> Secret {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    Secret::new(bytes)
}

/// A file on a hanging mount must not hold a call for longer than its deadline.
const READ_TIMEOUT: Duration = Duration::from_secs(2);
