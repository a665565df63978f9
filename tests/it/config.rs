//! Configuration: every mistake is named with its place, nothing of a secret is shown.

use std::{fs, path::PathBuf};

use payhook::{
    accounts::{CallerRule, SecretRef},
    config::{Config, ConfigError, Listen, Purpose},
    model::{Environment, UnixSeconds},
    verify::KeyRole,
};

const FULL: &str = r#"
listen: [127.0.0.1:6001, "unix:/run/payhook/payhook.sock"]
admin_listen: 0.0.0.0:6002
socket: {mode: "0600", group: shop}
runtime: {workers: auto}
limits:
  body_bytes_max: 2097152
  header_bytes_max: 4096
  headers_max: 64
  in_flight_bytes_max: 8388608
  calls_max: 32
  connections_max: 16
  deadline_ms: 1500
  drain_seconds: 7
cache: {ttl_seconds: 60, max_stale_seconds: 600, negative_seconds: 1, variants_max: 5}
repeats: {window_seconds: 3600, entries_max: 1000}
log: {level: debug, format: json}
audit: true
reflection: true
variants:
  shop.eu:
    gateway: stripe
    environment: live
    accounts: [acct_1]
    callers:
      - uid: 1000
      - san: spiffe://shop/web
      - token: {env: SHOP_TOKEN}
    keys:
      - label: autumn
        endpoint_secret: {file: /run/secrets/stripe/new}
      - role: previous
        expires_at: 2030-01-31T00:00:00Z
        endpoint_secret: {env: STRIPE_OLD}
    options: {tolerance_seconds: 600, accept_received_at_max_seconds: 604800}
"#;

pub(crate) fn yaml(text: &str) -> Result<Config, ConfigError> {
    Config::from_yaml(text, Purpose::Production)
}

pub(crate) fn refused(text: &str) -> String {
    yaml(text).expect_err(text).to_string()
}

/// A directory that is removed at the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("payhook-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn every_key_is_read() {
    let config = yaml(FULL).unwrap();
    assert_eq!(config.listen[0], Listen::Tcp("127.0.0.1:6001".parse().unwrap()));
    assert_eq!(config.listen[1], Listen::Unix(PathBuf::from("/run/payhook/payhook.sock")));
    assert_eq!(config.admin_listen.to_string(), "0.0.0.0:6002");
    assert_eq!((config.socket.mode, config.socket.group.as_deref()), (0o600, Some("shop")));
    assert_eq!(config.workers, None);
    let limits = config.limits;
    assert_eq!((limits.body_bytes_max, limits.header_bytes_max), (2_097_152, 4_096));
    assert_eq!((limits.headers_max, limits.in_flight_bytes_max), (64, 8_388_608));
    assert_eq!((limits.calls_max, limits.connections_max), (32, 16));
    assert_eq!((limits.deadline_ms, limits.drain_seconds), (1_500, 7));
    let cache = config.cache;
    assert_eq!((cache.ttl_seconds, cache.max_stale_seconds, cache.negative_seconds), (60, 600, 1));
    assert_eq!((config.repeats.window_seconds, config.repeats.entries_max), (3_600, 1_000));
    assert_eq!(config.log.level, "debug");
    assert!(config.audit && config.reflection);
    let [spec] = config.variants.as_slice() else { panic!("one variant") };
    assert_eq!((spec.variant.as_str(), spec.gateway.name), ("shop.eu", "stripe"));
    assert_eq!(spec.environment, Some(Environment::Live));
    assert_eq!(spec.accounts, ["acct_1"]);
    let token = CallerRule::Token(SecretRef::Env("SHOP_TOKEN".to_owned()));
    let san = CallerRule::San("spiffe://shop/web".to_owned());
    assert_eq!(spec.callers, [CallerRule::Uid(1000), san, token]);
    let [newest, old] = spec.keys.as_slice() else { panic!("two keys") };
    assert_eq!((newest.label.as_deref(), newest.role), (Some("autumn"), KeyRole::Current));
    let file = SecretRef::File(PathBuf::from("/run/secrets/stripe/new"));
    assert_eq!(newest.fields["endpoint_secret"], file);
    assert_eq!(
        (old.role, old.expires_at),
        (KeyRole::Previous, Some(UnixSeconds::new(1_896_048_000)))
    );
    assert_eq!(spec.options["tolerance_seconds"], 600);
    assert_eq!(spec.accept_received_at_max_seconds, 604_800);
}

#[test]
fn an_empty_table_is_the_defaults() {
    let config = yaml("{}").unwrap();
    assert_eq!(config.listen, [Listen::Tcp("127.0.0.1:50051".parse().unwrap())]);
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:50052");
    assert_eq!((config.socket.mode, config.workers), (0o660, Some(1)));
    assert_eq!(config.limits.in_flight_bytes_max, 25_165_824);
    assert_eq!((config.cache.ttl_seconds, config.cache.negative_seconds), (300, 5));
    assert!(!config.audit && !config.reflection && config.variants.is_empty());
}

/// Errors point at the character that an editor should jump to.
#[test]
fn lines_and_columns_are_exact() {
    let variant = |rest: &str| format!("variants:\n  shop:\n    gateway: stripe\n{rest}");
    let rows = [
        ("lisen: 127.0.0.1:1\n".to_owned(), "line 1, column 1: lisen: unknown key"),
        (
            "\n\n# c\nlimits:\n  calls_mx: 1\n".to_owned(),
            "line 5, column 3: limits.calls_mx: unknown",
        ),
        ("limits: {headers_max: 1, x: 2}\n".to_owned(), "line 1, column 26: limits.x: unknown key"),
        (
            "limits:\n  calls_max: 99999\n".to_owned(),
            "line 2, column 14: limits.calls_max: expected",
        ),
        ("cache: {ttl_seconds: 0}\n".to_owned(), "line 1, column 22: cache.ttl_seconds: expected"),
        ("audit: 1\n".to_owned(), "line 1, column 8: audit: expected true or false"),
        ("log:\n  level: loud\n".to_owned(), "line 2, column 10: log.level: expected error"),
        ("listen: here\n".to_owned(), "line 1, column 9: listen: expected an address"),
        ("variants:\n  \"a b\": {}\n".to_owned(), "line 2, column 3: variants.a b: a variant name"),
        (
            "variants:\n  shop: {}\n".to_owned(),
            "line 2, column 9: variants.shop.gateway: is required",
        ),
        (
            "variants:\n  shop:\n    gateway: strip\n".to_owned(),
            "line 3, column 14: variants.shop.gateway: no such",
        ),
        (variant("    kees: []\n"), "line 4, column 5: variants.shop.kees: unknown key"),
        (
            variant("    keys:\n      - role: current\n"),
            "line 5, column 9: variants.shop.keys[0].endpoint_secret: is required",
        ),
        (
            variant("    keys:\n      - role: old\n        endpoint_secret: {env: A}\n"),
            "line 5, column 15: variants.shop.keys[0].role: expected current, previous or next",
        ),
        (
            variant("    keys:\n      - endpoint_secrt: {env: A}\n"),
            "line 5, column 9: variants.shop.keys[0].endpoint_secrt: unknown key",
        ),
        (
            variant("    keys:\n      - endpoint_secret: whsec_canary\n"),
            "line 5, column 26: variants.shop.keys[0].endpoint_secret: expected {file: path}",
        ),
        (
            variant(
                "    keys:\n      - endpoint_secret: {env: A}\n    options:\n      tolerance_seconds: 0\n",
            ),
            "line 7, column 26: variants.shop.options.tolerance_seconds: expected a whole number from 1 to 86400",
        ),
        ("a: [1\n".to_owned(), "line 1, column 4: not readable as YAML"),
        ("audit: true\naudit: false\n".to_owned(), "line 2, column 1: the key audit appears twice"),
    ];
    for (text, expected) in rows {
        let error = refused(&text);
        assert!(error.starts_with(expected), "{text}\n got: {error}\nwant: {expected}");
    }
    let toml = |text: &str| Config::from_toml(text, Purpose::Production).unwrap_err().to_string();
    assert!(toml("audit = true\nlisen = 1\n").starts_with("line 2, column 1: lisen: unknown key"));
    let error = toml("[limits]\ncalls_max = 99999\n");
    assert!(error.starts_with("line 2, column 13: limits.calls_max: expected"), "{error}");
    let error = toml("audit = true\naudit = false\n");
    assert!(error.starts_with("line 2, column 1: a key appears twice"), "{error}");
}

#[test]
fn sixty_broken_configurations_are_refused_and_show_no_secret() {
    let folder = Folder::new("broken");
    let broken = crate::broken::broken();
    assert!(broken.len() >= 60, "{}", broken.len());
    for (number, content) in broken.iter().enumerate() {
        let path = folder.write("payhook.yaml", content);
        let start: String = String::from_utf8_lossy(content).chars().take(200).collect();
        let error = Config::load(&path, Purpose::Production).map(drop).expect_err(&start);
        for text in [error.to_string(), format!("{error:?}")] {
            assert!(!text.contains("canary"), "{number}: {text}");
            assert!(text.len() < 700, "{number}: {text}");
        }
    }
    assert!(Config::load(&folder.0, Purpose::Production).is_err(), "a directory is no file");
    assert!(Config::load(&folder.0.join("none"), Purpose::Production).is_err());
}

#[test]
fn a_secret_may_stand_in_the_file_in_development_only() {
    let text = "variants:\n  shop:\n    gateway: stripe\n    keys: [{endpoint_secret: whsec_canary_0001}]\n";
    let error = refused(text);
    assert!(error.contains("never stands in the file") && !error.contains("canary"), "{error}");
    let config = Config::from_yaml(text, Purpose::Development).unwrap();
    assert!(matches!(config.variants[0].keys[0].fields["endpoint_secret"], SecretRef::Inline(_)));
    let effective = config.effective();
    assert!(!effective.contains("canary") && effective.contains("(inline)"), "{effective}");
    assert!(!format!("{config:?}").contains("canary"));
    let other = Config::from_yaml(&text.replace("0001", "0002"), Purpose::Development).unwrap();
    assert_eq!(config.revision, other.revision, "a secret's value is no part of the revision");
    let audited = format!("audit: true\n{text}");
    assert_ne!(
        config.revision,
        Config::from_yaml(&audited, Purpose::Development).unwrap().revision
    );
}

#[test]
fn yaml_and_toml_say_the_same_and_the_effective_configuration_is_its_own_source() {
    let toml = r#"
listen = ["127.0.0.1:6001"]
[cache]
ttl_seconds = 60
[variants.shop]
gateway = "stripe"
accounts = ["0123", "yes", "a: b"]
[[variants.shop.keys]]
label = "autumn"
endpoint_secret = {file = "/run/secrets/stripe"}
"#;
    let yaml_text = "listen: [127.0.0.1:6001]\ncache: {ttl_seconds: 60}\nvariants:\n  shop:\n    \
                     gateway: stripe\n    accounts: [\"0123\", \"yes\", \"a: b\"]\n    keys:\n      \
                     - label: autumn\n        endpoint_secret: {file: /run/secrets/stripe}\n";
    let from_toml = Config::from_toml(toml, Purpose::Production).unwrap();
    let from_yaml = yaml(yaml_text).unwrap();
    assert_eq!(from_toml.effective(), from_yaml.effective());
    assert_eq!(from_toml.revision, from_yaml.revision);
    for text in [FULL, yaml_text] {
        let config = yaml(text).unwrap();
        let again = yaml(&config.effective()).expect("it reads its own output");
        assert_eq!(again.effective(), config.effective());
        assert_eq!(again.variants, config.variants);
        assert_eq!(again.revision, config.revision);
    }
    let full = yaml(FULL).unwrap();
    let toml = Folder::new("toml");
    let path = toml.write("payhook.toml", "audit = true\n");
    assert!(Config::load(&path, Purpose::Production).unwrap().audit);
    assert!(full.revision.len() >= 8);
}
