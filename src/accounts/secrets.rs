//! Where secrets come from. Nothing here prints one.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{task::spawn_blocking, time::timeout};
use zeroize::Zeroizing;

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
                    Some(value) => Ok(trimmed(&Secret::new(value.into_encoded_bytes()), reference)),
                    None => Err(unreadable("it is not set".to_owned())),
                },
                SecretRef::File(path) => {
                    let path = path.clone();
                    let reading = spawn_blocking(move || read_file(&path));
                    match timeout(READ_TIMEOUT, reading).await {
                        Ok(Ok(Ok((secret, warnings)))) => {
                            for warning in warnings {
                                warn_once(&warning);
                            }
                            Ok(trimmed(&secret, reference))
                        }
                        Ok(Ok(Err(error))) => Err(unreadable(error.to_string())),
                        Ok(Err(error)) => Err(unreadable(error.to_string())),
                        Err(_) => Err(unreadable("reading takes too long".to_owned())),
                    }
                }
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

fn read_file(path: &Path) -> io::Result<(Secret, Vec<String>)> {
    let (mut content, facts) = read_whole(path, SECRET_BYTES_MAX)?;
    let warnings = [open_to_all(path, &facts), mounted_alone(path, &mounts())];
    Ok((Secret::new(std::mem::take(&mut *content)), warnings.into_iter().flatten().collect()))
}

/// Reads a regular file at once into memory that is zeroized: a buffer that grew would leave parts
/// of a secret behind.
pub(crate) fn read_whole(
    path: &Path,
    bytes_max: usize,
) -> io::Result<(Zeroizing<Vec<u8>>, fs::Metadata)> {
    // Asked before opening: opening a named pipe would wait for a writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut file = fs::File::open(path)?;
    let facts = file.metadata()?;
    let bytes = usize::try_from(facts.len()).unwrap_or(usize::MAX);
    if bytes > bytes_max {
        return Err(io::Error::other("it is larger than any secret"));
    }
    // One byte more than there is, so that the end is seen.
    let mut content = Zeroizing::new(vec![0; bytes.saturating_add(1)]);
    let mut filled = 0_usize;
    while let Some(rest) = content.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if filled > bytes {
        return Err(io::Error::other("it grew while it was read"));
    }
    content.truncate(filled);
    Ok((content, facts))
}

/// Group members may read: `fsGroup` is how Kubernetes lets a user who is not root read a Secret.
fn open_to_all(path: &Path, facts: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let open = facts.permissions().mode() & 0o004 != 0;
    open.then(|| format!("file {} is readable by every user", path.display()))
}

/// A file that is itself a mount point is what Kubernetes makes of `subPath`; the files of a whole
/// volume are links under `..data` instead, and follow a rotation.
fn mounted_alone(path: &Path, mounts: &BTreeSet<PathBuf>) -> Option<String> {
    let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    mounts.contains(&real).then(|| {
        let path = path.display();
        format!("file {path} is mounted by subPath: a rotated secret arrives only with a restart")
    })
}

/// Where something is mounted. Read once for all secrets that are loaded together: a table that a
/// container got at its start hardly ever changes.
fn mounts() -> Arc<BTreeSet<PathBuf>> {
    static KEPT: Mutex<Option<(Instant, Arc<BTreeSet<PathBuf>>)>> = Mutex::new(None);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((read, mounts)) = kept.as_ref()
        && read.elapsed() < MOUNTS_KEPT
    {
        return Arc::clone(mounts);
    }
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mounts = Arc::new(mount_points(&table).collect());
    *kept = Some((Instant::now(), Arc::clone(&mounts)));
    mounts
}

/// The mount points of a `mountinfo` table: its fifth field, with octal escapes for blanks.
fn mount_points(table: &str) -> impl Iterator<Item = PathBuf> {
    let points = table.lines().filter_map(|line| line.split(' ').nth(4));
    points.map(|point| PathBuf::from(point.replace("\\040", " ")))
}

/// Exactly one newline at the end is the editor's. More whitespace is worth a word; no gateway
/// issues a secret that begins or ends with it, so that it is not part of the secret either.
fn trimmed(secret: &Secret, reference: &SecretRef) -> Secret {
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

/// Below the store's own limit, so that the message says that it is the file.
const READ_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Longer than a load or a refresh takes, and a warning a moment late is none too late.
const MOUNTS_KEPT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_around_a_secret_is_not_part_of_it() {
        let place = SecretRef::Env("A".to_owned());
        for text in ["value", "value\n", "value\r\n", "value\n\n", " value\t"] {
            let read = Secret::new(text.into());
            assert_eq!(trimmed(&read, &place).expose(), b"value", "{text:?}");
        }
        assert!(trimmed(&Secret::new(b"\n".to_vec()), &place).is_empty());
    }

    #[test]
    fn a_file_that_is_a_mount_point_is_found_in_the_table() {
        let table = "36 35 98:0 /a /run/secrets/key rw,noatime master:1 - ext3 /dev/root rw\n\
                     37 35 98:0 /b /run/with\\040blank rw - ext3 /dev/root rw\n";
        let set = |table| mount_points(table).collect::<BTreeSet<_>>();
        let points: Vec<PathBuf> = mount_points(table).collect();
        assert_eq!(points, [Path::new("/run/secrets/key"), Path::new("/run/with blank")]);
        // The same file through a link is the same mount.
        let folder = env::temp_dir().join(format!("payhook-mounted-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (file, link) = (folder.join("key"), folder.join("link"));
        fs::write(&file, "value").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let real = fs::canonicalize(&file).expect("there");
        let mounted = format!("36 35 98:0 /a {} rw - ext3 /dev/root rw\n", real.display());
        for path in [&file, &link] {
            let warning = mounted_alone(path, &set(&mounted)).expect("a mount of its own");
            assert!(warning.contains("subPath") && warning.contains("restart"), "{warning}");
            assert_eq!(mounted_alone(path, &set(table)), None);
        }
        fs::remove_dir_all(&folder).expect("ours");
    }
}
