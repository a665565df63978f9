//! What is said about a secret that works and should not stay as it is: once, with its place, and
//! never with its value.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
};

use payhook::{
    accounts::{SecretRef, SecretSource as _, SystemSecrets},
    config::{Config, Purpose},
};
use tracing_subscriber::fmt::MakeWriter;

use crate::{config::Folder, serving};

/// What this thread logs while it lives.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    pub(crate) fn here() -> (Self, tracing::subscriber::DefaultGuard) {
        // Beside a global one: alone, it would share its fate with threads that log nowhere.
        let _ = crate::leaks::logs();
        let log = Self::default();
        let logs = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
        (log, tracing::subscriber::set_default(logs))
    }

    /// The lines since the last look.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_file_that_everybody_reads_and_blanks_around_a_value_are_said_once() {
    let (log, _guard) = Log::here();
    let folder = Folder::new("warnings");
    let rows: [(&str, &str, u32, &[&str]); 7] = [
        ("closed", "CANARY value\n", 0o600, &[]),
        ("group", "CANARY value", 0o640, &[]),
        ("dos", "CANARY value\r\n", 0o600, &[]),
        ("open", "CANARY value", 0o644, &["is readable by every user"]),
        ("twice", "CANARY value\n\n", 0o600, &["has whitespace around its value"]),
        ("front", " CANARY value", 0o600, &["has whitespace around its value"]),
        ("both", "CANARY value\t\n", 0o604, &["is readable by", "has whitespace"]),
    ];
    for (name, content, mode, expected) in rows {
        let path = folder.write(name, content);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let place = SecretRef::File(path);
        for round in 0..3 {
            let read = SystemSecrets.read(&place).await.unwrap();
            assert_eq!(read.expose(), b"CANARY value", "{name}");
            let lines = log.lines();
            let expected = if round == 0 { expected } else { &[] };
            assert_eq!(lines.len(), expected.len(), "{name}: {lines:?}");
            for (line, expected) in lines.iter().zip(expected) {
                assert!(line.contains(expected) && line.contains(&format!("/{name} ")), "{line}");
                assert!(line.contains("WARN") && !line.contains("CANARY"), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn unreadable_places_say_why_and_where() {
    let folder = Folder::new("unreadable");
    let large = folder.write("large", vec![b'x'; 64 * 1024 + 1]);
    let rows = [
        (SecretRef::Env("PAYHOOK_TEST_IS_NOT_SET".to_owned()), "it is not set"),
        (SecretRef::File(folder.0.join("none")), "No such file"),
        (SecretRef::File(folder.0.clone()), "it is not a regular file"),
        (SecretRef::File("/dev/zero".into()), "it is not a regular file"),
        (SecretRef::File(large), "it is larger than any secret"),
        (
            SecretRef::Vault { path: "a/data/b".to_owned(), field: "c".to_owned() },
            "no vault is configured",
        ),
    ];
    for (place, expected) in rows {
        let error = SystemSecrets.read(&place).await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.starts_with(&place.to_string()), "{error}");
    }
    // Some environment variable is always set: PATH finds the tests' own tools.
    let path = SystemSecrets.read(&SecretRef::Env("PATH".to_owned())).await.unwrap();
    assert_eq!(path.expose(), std::env::var("PATH").unwrap().as_bytes());
}

#[tokio::test]
async fn a_short_secret_is_said_once_and_what_cannot_be_used_is_said_when_it_changes() {
    let (log, _guard) = Log::here();
    let folder = Folder::new("short");
    let pin = folder.write("pin", "CANARY");
    fs::set_permissions(&pin, fs::Permissions::from_mode(0o600)).unwrap();
    let yaml = format!(
        "variants: {{shop: {{gateway: dotpay, keys: [{{pin: {{file: {}}}}}]}}}}",
        pin.display()
    );
    let config = Config::from_yaml(&yaml, Purpose::Production).unwrap();
    let accounts = payhook::accounts::Accounts::new(
        config.variants,
        config.revision,
        Arc::new(SystemSecrets),
        serving::frozen(0),
        config.cache,
    );
    accounts.account("shop").await.unwrap();
    let said = log.lines();
    assert!(said.len() == 1 && said[0].contains("the secret is short, 6 bytes"), "{said:?}");
    accounts.refresh().await;
    assert_eq!(log.lines(), Vec::<String>::new());
    for (content, expected) in [
        ("changeme", "Secrets cannot be used"),
        ("changeme", ""),
        ("", "Secrets cannot be used"),
        ("CANARY of sufficient length", "Secrets can be used again"),
    ] {
        fs::write(&pin, content).unwrap();
        accounts.refresh().await;
        let said = log.lines();
        let mine = said.iter().filter(|line| line.contains("Secrets can"));
        assert_eq!(mine.count(), usize::from(!expected.is_empty()), "{content}: {said:?}");
        assert!(said.concat().contains(expected), "{said:?}");
        assert!(!said.concat().contains("CANARY"), "{said:?}");
    }
    fs::write(&pin, "CANARY that is another one").unwrap();
    accounts.refresh().await;
    let said = log.lines().concat();
    assert!(said.contains("Key changed") && said.contains("key-1"), "{said}");
}
