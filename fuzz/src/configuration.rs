//! Configuration in every form: it is read or refused, and what is effective can be read again.

use std::{fs, path::PathBuf, sync::OnceLock};

use payhook::{
    accounts::{SecretRef, VariantSpec},
    config::{Config, ConfigError, Purpose},
};

/// The first byte chooses YAML, TOML or django-payments' JSON, and the purpose.
pub fn config(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let purpose = if kind & 4 == 0 { Purpose::Production } else { Purpose::Development };
    let read = match kind % 4 {
        0 | 1 if reads_files(text) => return,
        0 => Config::from_yaml(text, purpose),
        1 => Config::from_toml(text, purpose),
        _ => django(rest, purpose),
    };
    match read {
        // django-payments' file is a secret as a whole: what it holds counts as inline.
        Ok(config) if kind % 4 > 1 => effective(&config, Purpose::Development, !is_a_key(text)),
        Ok(config) => {
            let hidden = text.matches(CANARY).count() == secrets(&config);
            effective(&config, purpose, hidden);
        }
        Err(error) => refused(&error),
    }
}

/// Files of this machine are nobody's input here.
fn reads_files(text: &str) -> bool {
    text.contains("payment_variants") || text.contains('/')
}

fn django(json: &[u8], purpose: Purpose) -> Result<Config, ConfigError> {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    let name = format!("payhook-fuzz-{}.json", std::process::id());
    let path = PATH.get_or_init(|| std::env::temp_dir().join(name));
    fs::write(path, json).expect("a temporary file");
    let yaml = format!("payment_variants: {{file: {}}}\n", path.display());
    let read = Config::from_yaml(&yaml, purpose);
    fs::remove_file(path).expect("it was written");
    read
}

/// A refusal names keys, places and kinds; what values it was given stays where it is.
fn refused(error: &ConfigError) {
    let problem = match error {
        ConfigError::Syntax { problem, .. } if problem.starts_with("the key ") => return,
        ConfigError::Key { problem, .. } | ConfigError::Syntax { problem, .. } => problem.clone(),
        other => other.to_string(),
    };
    assert!(!problem.contains(CANARY), "{error}");
}

/// What is effective holds no secret, and comes to the same when it is read. Names are shown: the
/// canary is looked for where it stands in no name.
fn effective(config: &Config, purpose: Purpose, hidden: bool) {
    let shown = config.effective();
    let debug = format!("{config:?}");
    assert!(!hidden || !debug.contains(CANARY), "{debug}");
    // In production every secret is a reference, so that nothing is left out.
    if purpose == Purpose::Production {
        let again = Config::from_yaml(&shown, purpose);
        let again = again.unwrap_or_else(|error| panic!("{error}\n{shown}"));
        assert_eq!(again.effective(), shown);
    } else {
        assert!(!hidden || !shown.contains(CANARY), "{shown}");
    }
}

/// Whether the canary stands in a key of JSON.
fn is_a_key(json: &str) -> bool {
    let behind = json.split(CANARY).skip(1).filter_map(|rest| rest.split_once('"'));
    behind.map(|(_, rest)| rest.trim_start()).any(|rest| rest.starts_with(':'))
}

/// How often the canary stands in secrets.
fn secrets(config: &Config) -> usize {
    let references = config.variants.iter().flat_map(VariantSpec::references);
    let inline = references.filter_map(|reference| match reference {
        SecretRef::Inline(secret) => Some(String::from_utf8_lossy(secret.expose())),
        _ => None,
    });
    inline.map(|secret| secret.matches(CANARY).count()).sum()
}

/// Stands where secrets do in the seeds.
pub const CANARY: &str = "canary-secret-0001";
