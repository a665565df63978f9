//! Where secrets come from. Nothing here prints one.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::Duration,
};

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
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Secret, SecretError>> + Send + 'a>>;

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
                    Some(value) => Ok(trimmed(value.into_encoded_bytes(), reference)),
                    None => Err(unreadable("it is not set".to_owned())),
                },
                SecretRef::File(path) => match timeout(READ_TIMEOUT, read_file(path)).await {
                    Ok(Ok(bytes)) => Ok(trimmed(bytes, reference)),
                    Ok(Err(error)) => Err(unreadable(error.to_string())),
                    Err(_) => Err(unreadable("reading takes too long".to_owned())),
                },
                SecretRef::Vault { .. } => Err(unreadable("no vault is configured".to_owned())),
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
            SecretRef::Vault { path, field } => format!("{path}#{field}"),
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
    // Asked before opening: opening a named pipe would wait for a writer.
    if !fs::metadata(path).await?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let file = fs::File::open(path).await?;
    warn_about_mode(path, &file.metadata().await?);
    warn_about_sub_path(path).await;
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
        warn_once(&format!("file {} is readable by every user", path.display()));
    }
}

/// A file that is itself a mount point is what Kubernetes makes of `subPath`; the files of a whole
/// volume are links under `..data` instead, and follow a rotation.
async fn warn_about_sub_path(path: &Path) {
    let real = fs::canonicalize(path).await.unwrap_or_else(|_| path.to_path_buf());
    let table = fs::read_to_string("/proc/self/mountinfo").await.unwrap_or_default();
    if mount_points(&table).any(|point| point == real) {
        let path = path.display();
        warn_once(&format!(
            "file {path} is mounted by subPath: a rotated secret arrives only with a restart"
        ));
    }
}

/// The mount points of a `mountinfo` table: its fifth field, with octal escapes for blanks.
fn mount_points(table: &str) -> impl Iterator<Item = PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    points.map(|point| PathBuf::from(point.replace("\\040", " ")))
}

/// Exactly one newline at the end is the editor's. More whitespace is worth a word; no gateway
/// issues a secret that begins or ends with it, so that it is not part of the secret either.
fn trimmed(bytes: Vec<u8>, reference: &SecretRef) -> Secret {
    let secret = Secret::new(bytes);
    let raw = secret.expose();
    let line = raw.strip_suffix(b"\n").map_or(raw, |line| line.strip_suffix(b"\r").unwrap_or(line));
    let value = line.trim_ascii();
    if value.len() != line.len() {
        warn_once(&format!("{reference} has whitespace around its value, which is ignored"));
    }
    Secret::new(value.to_vec())
}

/// Says a thing once per process: secrets are read again and again.
fn warn_once(problem: &str) {
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() < SAID_MAX && !said.contains(problem) {
        said.insert(problem.to_owned());
        tracing::warn!(problem, "A secret needs attention");
    }
}

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Warnings that are remembered: every configured place has at most three.
const SAID_MAX: usize = 30_000;

/// A file on a hanging mount must not hold a call for longer than its deadline.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_around_a_secret_is_not_part_of_it() {
        let place = SecretRef::Env("A".to_owned());
        for text in ["value", "value\n", "value\r\n", "value\n\n", " value\t"] {
            assert_eq!(trimmed(text.into(), &place).expose(), b"value", "{text:?}");
        }
        assert!(trimmed(b"\n".to_vec(), &place).is_empty());
    }

    #[test]
    fn a_file_that_is_a_mount_point_is_found_in_the_table() {
        let table = "36 35 98:0 /a /run/secrets/key rw,noatime master:1 - ext3 /dev/root rw\n\
                     37 35 98:0 /b /run/with\\040blank rw - ext3 /dev/root rw\n";
        let points: Vec<PathBuf> = mount_points(table).collect();
        assert_eq!(points, [Path::new("/run/secrets/key"), Path::new("/run/with blank")]);
    }
}
