//! The vault client against a stub on loopback that delays, refuses, hangs, talks nonsense and
//! breaks off.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use payhook::accounts::{
    SecretError, SecretRef, SecretSource, VaultAuth, VaultSecrets, VaultSettings,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::config::{Folder, yaml};

const SECRET: &str = "whsec_canary_of_the_vault";

#[derive(Clone)]
enum Answer {
    Break,
    Hang,
    Late(Duration, String),
    Now(String),
}

/// A TLS server that answers every request with the same, or by a login.
struct Stub {
    settings: VaultSettings,
    folder: Folder,
    answer: Arc<Mutex<Answer>>,
    login: Arc<Mutex<Answer>>,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

fn http(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn kv(fields: &str) -> Answer {
    Answer::Now(http("200 OK", &format!("{{\"data\":{{\"data\":{fields},\"metadata\":{{}}}}}}")))
}

async fn stub(name: &str) -> Stub {
    let folder = Folder::new(name);
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let ca = folder.write("ca.pem", authority.as_ref().pem());
    let token = folder.write("token", "hvs.canary-token\n");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(Mutex::new(Answer::Break));
    let login = Arc::new(Mutex::new(logged_in(3_600)));
    let requests = Arc::new(Mutex::new(Vec::new()));
    let connections = Arc::new(AtomicUsize::new(0));
    tokio::spawn(serve(
        listener,
        tokio_rustls::TlsAcceptor::from(Arc::new(tls)),
        (Arc::clone(&answer), Arc::clone(&login)),
        Arc::clone(&requests),
        Arc::clone(&connections),
    ));
    let settings = VaultSettings {
        address: format!("https://localhost:{port}"),
        auth: VaultAuth::Token(Arc::new(SecretRef::File(token))),
        ca: Some(ca),
        namespace: Some("shop".to_owned()),
    };
    Stub { settings, folder, answer, login, requests, connections }
}

async fn serve(
    listener: TcpListener,
    tls: tokio_rustls::TlsAcceptor,
    (answer, logins): (Arc<Mutex<Answer>>, Arc<Mutex<Answer>>),
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        connections.fetch_add(1, Ordering::SeqCst);
        let Ok(mut stream) = tls.accept(stream).await else { continue };
        let mut request = vec![0_u8; 16 * 1024];
        let mut length = 0;
        // Headers and body of these requests come in one or two pieces.
        while !String::from_utf8_lossy(&request[..length]).contains("\r\n\r\n") {
            let Ok(read @ 1..) = stream.read(&mut request[length..]).await else { break };
            length += read;
        }
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let login = text.starts_with("POST ");
        requests.lock().unwrap().push(text);
        let now = if login { logins.lock() } else { answer.lock() }.unwrap().clone();
        let text = match now {
            Answer::Break => String::new(),
            Answer::Hang => {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0_u8; 1]).await;
                });
                continue;
            }
            Answer::Late(delay, text) => {
                tokio::time::sleep(delay).await;
                text
            }
            Answer::Now(text) => text,
        };
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}

/// An answer to a login, with all that a vault sends beside the token.
fn logged_in(lease_seconds: u64) -> Answer {
    let body = format!(
        r#"{{"request_id":"a","lease_id":"","renewable":false,"data":null,"wrap_info":null,"auth":{{"client_token":"hvs.login","accessor":"b","policies":["default"],"metadata":{{"role":"payhook"}},"lease_duration":{lease_seconds},"renewable":true,"entity_id":"c","token_type":"service","orphan":true}},"mount_type":""}}"#
    );
    Answer::Now(http("200 OK", &body))
}

fn place() -> SecretRef {
    SecretRef::Vault { path: "secret/data/payhook/stripe".to_owned(), field: "key".to_owned() }
}

impl Stub {
    fn set(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    async fn read(&self, source: &VaultSecrets) -> Result<String, String> {
        let read = source.read(&place()).await;
        let text = |secret: payhook::model::Secret| String::from_utf8(secret.expose().to_vec());
        read.map(|secret| text(secret).unwrap()).map_err(|error: SecretError| error.to_string())
    }
}

#[tokio::test]
async fn a_field_is_read_with_the_token_and_the_namespace() {
    let stub = stub("vault-read").await;
    stub.set(kv(&format!(r#"{{"other":1,"key":"{SECRET}\n"}}"#)));
    let source = VaultSecrets::new(stub.settings.clone());
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    let requests = stub.requests.lock().unwrap().clone();
    assert!(requests[0].starts_with("GET /v1/secret/data/payhook/stripe HTTP/1.1\r\n"));
    assert!(requests[0].contains("x-vault-token: hvs.canary-token\r\n"));
    assert!(requests[0].contains("x-vault-namespace: shop\r\n"));
    assert!(!format!("{source:?}").contains("canary"));
}

#[tokio::test]
async fn other_places_are_read_from_the_system() {
    let stub = stub("vault-system").await;
    let file = SecretRef::File(stub.folder.write("secret", "value\n"));
    let source = VaultSecrets::new(stub.settings.clone());
    assert_eq!(source.read(&file).await.unwrap().expose(), b"value");
    assert_eq!(stub.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn every_bad_answer_is_an_error_that_shows_no_secret() {
    let stub = stub("vault-bad").await;
    let source = VaultSecrets::new(stub.settings.clone());
    let huge = format!(r#"{{"key":"{}"}}"#, "canary".repeat(20_000));
    let rows = [
        (Answer::Break, "cannot be reached"),
        (Answer::Now(http("403 Forbidden", SECRET)), "refuses access (403)"),
        (Answer::Now(http("404 Not Found", "{}")), "no such secret (404)"),
        (Answer::Now(http("500 Oops", SECRET)), "answers 500"),
        (Answer::Now(http("302 Found\r\nlocation: https://localhost/", "")), "answers 302"),
        (Answer::Now(http("200 OK", "<html>canary</html>")), "not that of a KV version 2"),
        (Answer::Now(http("200 OK", r#"{"data":{"key":"canary"}}"#)), "not that of a KV version 2"),
        (Answer::Now("canary canary\r\n\r\n".to_owned()), "cannot be reached"),
        (Answer::Now("HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{".to_owned()), "broke off"),
        (kv(&huge), "too large"),
        (kv(r#"{"other":"canary"}"#), "no such text field"),
        (kv(r#"{"key":1234}"#), "no such text field"),
        (Answer::Hang, "does not answer in time"),
    ];
    for (answer, expected) in rows {
        stub.set(answer);
        let began = std::time::Instant::now();
        let error = stub.read(&source).await.unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(!error.contains("canary"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10), "{expected}");
    }
    let good = http("200 OK", &format!(r#"{{"data":{{"data":{{"key":"{SECRET}"}}}}}}"#));
    stub.set(Answer::Late(Duration::from_millis(50), good));
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET), "it recovers");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (stub, other) = (stub("vault-ca").await, stub("vault-other-ca").await);
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    for ca in [other.settings.ca.clone(), None, Some(PathBuf::from("/nowhere"))] {
        let source = VaultSecrets::new(VaultSettings { ca, ..stub.settings.clone() });
        assert!(stub.read(&source).await.is_err());
    }
    assert_eq!(stub.requests.lock().unwrap().len(), 0, "no token reached it");
}

#[tokio::test]
async fn a_service_account_logs_in_once_and_again_after_a_refusal() {
    let stub = stub("vault-kubernetes").await;
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    let (role, mount) = ("payhook".to_owned(), "kubernetes".to_owned());
    let auth = VaultAuth::Kubernetes { role, mount };
    let token = stub.folder.write("jwt", "canary.jwt\n");
    let source = VaultSecrets::new(VaultSettings { auth, ..stub.settings.clone() })
        .with_account_token(token);
    for _ in 0..3 {
        assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    }
    let count = |method: &str| {
        let requests = stub.requests.lock().unwrap();
        requests.iter().filter(|request| request.starts_with(method)).count()
    };
    assert_eq!((count("POST /v1/auth/kubernetes/login"), count("GET ")), (1, 3));
    assert!(stub.requests.lock().unwrap()[1].contains("x-vault-token: hvs.login"));
    stub.set(Answer::Now(http("403 Forbidden", "")));
    assert!(stub.read(&source).await.is_err());
    assert_eq!((count("POST "), count("GET ")), (2, 5), "one login more, one more try");
    assert!(!format!("{source:?}").contains("hvs."));
}

#[test]
fn references_into_a_vault_need_one() {
    let variant = "variants:\n  shop:\n    gateway: stripe\n    keys:\n      - endpoint_secret: \
                   {vault: {path: secret/data/shop, field: key}}\n";
    let vault = "vault: {address: \"https://vault:8200\", auth: {token: {file: /run/token}}}\n";
    assert!(yaml(variant).unwrap_err().to_string().contains("none is configured"));
    let config = yaml(&format!("{vault}{variant}")).unwrap();
    assert_eq!(config.vault.as_ref().unwrap().address, "https://vault:8200");
    let again = yaml(&config.effective()).unwrap();
    assert_eq!((again.vault, again.revision), (config.vault, config.revision));
    for bad in ["http://vault", "https://", "https://vault/path", "vault:8200"] {
        let text = vault.replace("https://vault:8200", bad);
        assert!(yaml(&text).is_err(), "{bad}");
    }
    for bad in ["../secret", "/secret", "a//b", "a b", "a?b"] {
        let text = format!("{vault}{}", variant.replace("secret/data/shop", bad));
        assert!(yaml(&text).is_err(), "{bad}");
    }
}

impl Stub {
    /// A client that logs in with a service account whose token is in this file.
    fn by_service_account(&self, mount: &str) -> (VaultSecrets, PathBuf) {
        let auth = VaultAuth::Kubernetes { role: "payhook".to_owned(), mount: mount.to_owned() };
        let token = self.folder.write("jwt", "canary.jwt.1\n");
        let source = VaultSecrets::new(VaultSettings { auth, ..self.settings.clone() });
        (source.with_account_token(token.clone()), token)
    }

    fn logins(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().filter(|request| request.starts_with("POST ")).cloned().collect()
    }
}

#[tokio::test]
async fn a_login_names_role_mount_and_namespace_and_many_reads_share_it() {
    let stub = stub("vault-mount").await;
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    let (source, _) = stub.by_service_account("kubernetes/eu");
    let reads = (0..20).map(|_| stub.read(&source));
    for read in futures_util::future::join_all(reads).await {
        assert_eq!(read.as_deref(), Ok(SECRET));
    }
    let logins = stub.logins();
    assert_eq!(logins.len(), 1);
    assert!(logins[0].starts_with("POST /v1/auth/kubernetes/eu/login HTTP/1.1\r\n"));
    assert!(logins[0].contains("x-vault-namespace: shop\r\n"));
    assert!(!logins[0].contains("x-vault-token"), "nobody is logged in yet");
}

#[tokio::test]
async fn a_login_is_renewed_after_two_thirds_of_its_lease_with_the_token_of_then() {
    let stub = stub("vault-lease").await;
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    let (source, token) = stub.by_service_account("kubernetes");
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    let pass = async |seconds| {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        tokio::time::resume();
    };
    pass(2_390).await;
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    assert_eq!(stub.logins().len(), 1, "still good");
    // Kubernetes renews the service account's token in its file.
    std::fs::write(token, "canary.jwt.2\n").unwrap();
    pass(20).await;
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    let logins = stub.logins();
    assert_eq!(logins.len(), 2);
    assert!(logins[0].contains("canary.jwt.1") && logins[1].contains("canary.jwt.2"));
    // A lease without length is none: every read logs in.
    *stub.login.lock().unwrap() = logged_in(0);
    pass(2_410).await;
    for _ in 0..3 {
        assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
    }
    assert_eq!(stub.logins().len(), 5);
}

#[tokio::test]
async fn a_login_that_fails_says_why_and_shows_neither_token() {
    let stub = stub("vault-login").await;
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    let (source, token) = stub.by_service_account("kubernetes");
    let rows = [
        (Answer::Now(http("403 Forbidden", "canary")), "refuses access (403)"),
        (Answer::Now(http("400 Bad Request", "canary")), "answers 400"),
        (Answer::Now(http("500 Oops", "canary")), "answers 500"),
        (Answer::Now(http("200 OK", "<html>canary</html>")), "not that of a login"),
        (Answer::Now(http("200 OK", r#"{"auth":null}"#)), "not that of a login"),
        (Answer::Break, "cannot be reached"),
        (Answer::Hang, "does not answer in time"),
    ];
    for (answer, expected) in rows {
        *stub.login.lock().unwrap() = answer;
        let error = stub.read(&source).await.unwrap_err();
        assert!(error.contains(expected) && !error.contains("canary"), "{expected}: {error}");
    }
    std::fs::remove_file(&token).unwrap();
    let error = stub.read(&source).await.unwrap_err();
    assert!(error.contains("jwt") && error.contains("No such file"), "{error}");
    std::fs::write(&token, "canary.jwt.3").unwrap();
    *stub.login.lock().unwrap() = logged_in(3_600);
    assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET), "it recovers");
}

#[tokio::test]
async fn a_token_that_an_agent_renews_in_its_file_is_used_from_then_on() {
    let stub = stub("vault-agent").await;
    stub.set(kv(&format!(r#"{{"key":"{SECRET}"}}"#)));
    let source = VaultSecrets::new(stub.settings.clone());
    for token in ["hvs.canary-first", "s.canary-second"] {
        stub.folder.write("token", format!("{token}\n"));
        assert_eq!(stub.read(&source).await.as_deref(), Ok(SECRET));
        let last = stub.requests.lock().unwrap().last().cloned().unwrap();
        assert!(last.contains(&format!("x-vault-token: {token}\r\n")), "{token}");
    }
    // A version that was deleted is no secret.
    stub.set(kv("null"));
    assert!(stub.read(&source).await.unwrap_err().contains("not that of a KV version 2"));
}
