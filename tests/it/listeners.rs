//! Where a server listens and to whom: Unix sockets and TLS.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixListener,
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use hyper_util::rt::TokioIo;
use payhook::{
    accounts::{CallerRule, SecretRef, VariantSpec},
    config::{self, Listen},
    proto,
    server::{Running, Settings, StartError, Tls},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use tonic::transport::{Channel, Endpoint};

use crate::{
    cases,
    raw::Raw,
    serving::{self, Client},
};

/// A folder of its own, gone at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("payhook-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a folder");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("ours");
        Self(path)
    }

    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        // Swapped in whole, as mounted secrets are.
        let temporary = self.0.join(format!("{name}.new"));
        fs::write(&temporary, content).expect("written");
        fs::rename(&temporary, &path).expect("renamed");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn spec(callers: Vec<CallerRule>) -> VariantSpec {
    let case = cases::cases("stripe").remove(0);
    VariantSpec { callers, ..serving::spec(&case, "shop") }
}

async fn names(channel: Channel) -> Result<Vec<String>, tonic::Status> {
    let listed = Client::new(channel).list_variants(proto::ListVariantsRequest {}).await?;
    Ok(listed.into_inner().variants.into_iter().map(|variant| variant.name).collect())
}

// --- Unix sockets ---

fn on_socket(path: &Path) -> Settings {
    let mut settings = serving::settings();
    settings.listen = vec![Listen::Unix(path.to_owned())];
    settings
}

fn start(settings: Settings, callers: Vec<CallerRule>) -> Running {
    serving::start(vec![spec(callers)], serving::frozen(0), settings)
}

fn refusal(settings: Settings) -> String {
    match serving::try_start(Vec::new(), serving::frozen(0), settings) {
        Err(error @ StartError::Socket { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn by_socket(path: &Path) -> Channel {
    let path = path.to_owned();
    let connector = tower::service_fn(move |_| {
        let path = path.clone();
        async move { tokio::net::UnixStream::connect(path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    endpoint.connect_with_connector(connector).await.expect("it listens")
}

#[tokio::test]
async fn a_socket_has_its_mode_knows_its_peer_and_is_removed_at_the_end() {
    let folder = Folder::new();
    let path = folder.0.join("payhook.sock");
    let ours = rustix::process::geteuid().as_raw();
    for (uid, expected) in [(ours, vec!["shop".to_owned()]), (ours + 1, Vec::new())] {
        let running = start(on_socket(&path), vec![CallerRule::Uid(uid)]);
        assert_eq!(fs::metadata(&path).expect("bound").mode() & 0o777, 0o660);
        assert_eq!(names(by_socket(&path).await).await.expect("served"), expected);
        running.stop();
        assert!(running.drained().await);
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_socket_and_a_port_are_served_together() {
    let folder = Folder::new();
    let path = folder.0.join("payhook.sock");
    let mut settings = serving::settings();
    settings.listen.push(Listen::Unix(path.clone()));
    settings.socket.mode = 0o600;
    let running = start(settings, Vec::new());
    assert_eq!(fs::metadata(&path).expect("bound").mode() & 0o777, 0o600);
    assert_eq!(names(by_socket(&path).await).await.expect("served"), ["shop"]);
    let mut client = serving::client(&running).await;
    client.list_variants(proto::ListVariantsRequest {}).await.expect("served");
}

#[test]
fn a_stale_socket_is_replaced_and_anything_else_is_refused() {
    let folder = Folder::new();
    let path = folder.0.join("payhook.sock");
    drop(UnixListener::bind(&path).expect("bound"));
    assert!(path.exists(), "what a crash leaves behind");
    let running = start(on_socket(&path), Vec::new());
    assert!(refusal(on_socket(&path)).contains("another server"));
    drop(running);
    fs::write(&path, "precious").expect("written");
    assert!(refusal(on_socket(&path)).contains("no socket"));
    assert_eq!(fs::read_to_string(&path).expect("untouched"), "precious");
    fs::remove_file(&path).expect("ours");
    let target = folder.0.join("target.sock");
    drop(UnixListener::bind(&target).expect("bound"));
    std::os::unix::fs::symlink(&target, &path).expect("linked");
    assert!(refusal(on_socket(&path)).contains("symbolic link"));
    assert!(target.exists());
    fs::remove_file(&path).expect("ours");
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o777)).expect("ours");
    assert!(refusal(on_socket(&path)).contains("everybody"));
    fs::set_permissions(&folder.0, fs::Permissions::from_mode(0o1777)).expect("ours");
    drop(start(on_socket(&path), Vec::new()));
    assert!(refusal(on_socket(&folder.0.join("none/payhook.sock"))).contains("folder"));
}

#[test]
fn a_socket_that_somebody_else_took_over_is_left_alone() {
    let folder = Folder::new();
    let path = folder.0.join("payhook.sock");
    let running = start(on_socket(&path), Vec::new());
    fs::remove_file(&path).expect("ours");
    let theirs = UnixListener::bind(&path).expect("bound");
    drop(running);
    assert!(path.exists());
    drop(theirs);
}

// --- TLS ---

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

fn issued(authority: &Issuer, names: Vec<SanType>) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.subject_alt_names = names;
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("signed");
    (certificate.pem(), key.serialize_pem())
}

fn localhost() -> Vec<SanType> {
    vec![SanType::DnsName("localhost".try_into().expect("a name"))]
}

/// A server's TLS from these files.
fn tls(folder: &Folder, authority: &Issuer, client_ca: Option<&Issuer>) -> config::Tls {
    let (certificate, key) = issued(authority, localhost());
    config::Tls {
        certificate: folder.file("tls.crt", &certificate),
        private_key: SecretRef::File(folder.file("tls.key", &key)),
        client_ca: client_ca.map(|authority| folder.file("ca.crt", &authority.pem())),
    }
}

fn client(trusts: &Issuer, identity: Option<(String, String)>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusts.der().clone()).expect("an authority");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key");
            builder.with_client_auth_cert(vec![certificate.expect("PEM")], key).expect("a pair")
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn names_by_tls(running: &Running, config: ClientConfig) -> Result<Vec<String>, String> {
    let address = running.address().expect("TCP");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let connector = tower::service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let stream = tokio::net::TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").expect("a name");
            connector.connect(name, stream).await.map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from_static("http://localhost");
    let channel = endpoint.connect_with_connector(connector).await;
    let channel = channel.map_err(|error| format!("{error:?}"))?;
    names(channel).await.map_err(|status| format!("{status:?}"))
}

fn with_tls(tls: &config::Tls, callers: Vec<CallerRule>) -> Running {
    let mut settings = serving::settings();
    settings.tls = Some(Arc::new(Tls::load(tls).expect("usable")));
    settings.timings.certificates = Duration::from_millis(20);
    settings.timings.handshake = Duration::from_millis(200);
    start(settings, callers)
}

#[tokio::test]
async fn tls_is_served_and_nothing_without_it() {
    let (folder, authority) = (Folder::new(), authority());
    let running = with_tls(&tls(&folder, &authority, None), Vec::new());
    assert_eq!(names_by_tls(&running, client(&authority, None)).await.expect("served"), ["shop"]);
    let stranger = self::authority();
    assert!(names_by_tls(&running, client(&stranger, None)).await.is_err());
    let address = running.address().expect("TCP");
    let closed = tokio::task::spawn_blocking(move || {
        let mut plain = Raw::open(address, &[]);
        // A hello that never gets further than its first bytes.
        let mut slow = Raw::silent(address);
        slow.write(&[22, 3, 1, 2, 0, 1]).expect("open");
        plain.closes() && slow.closes()
    });
    assert!(closed.await.expect("tried"));
}

#[tokio::test]
async fn a_client_is_known_by_the_names_in_its_certificate() {
    let (folder, authority, clients) = (Folder::new(), authority(), authority());
    let spiffe = "spiffe://shop.example/checkout";
    let allowed = vec![CallerRule::San(spiffe.to_owned())];
    let running = with_tls(&tls(&folder, &authority, Some(&clients)), allowed);
    let named = |name: &str| {
        let name = SanType::URI(name.try_into().expect("ASCII"));
        Some(issued(&clients, vec![name]))
    };
    let listed = names_by_tls(&running, client(&authority, named(spiffe))).await;
    assert_eq!(listed.expect("served"), ["shop"]);
    let other = named("spiffe://shop.example/checkout2");
    let listed = names_by_tls(&running, client(&authority, other)).await;
    assert_eq!(listed.expect("served, but may not use it"), Vec::<String>::new());
    assert!(names_by_tls(&running, client(&authority, None)).await.is_err(), "no certificate");
    let forged = Some(issued(&authority, vec![SanType::URI(spiffe.try_into().expect("ASCII"))]));
    assert!(names_by_tls(&running, client(&authority, forged)).await.is_err(), "not our authority");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
    let (folder, first, second) = (Folder::new(), authority(), authority());
    let files = tls(&folder, &first, None);
    let running = with_tls(&files, Vec::new());
    names_by_tls(&running, client(&first, None)).await.expect("served");
    folder.file("tls.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    until(&running, "payhook_reloads_failed_total").await;
    names_by_tls(&running, client(&first, None)).await.expect("the last good one stays");

    // Key and certificate arrive one after the other: in between they do not fit.
    tls(&folder, &second, None);
    until(&running, "payhook_reloads_total").await;
    names_by_tls(&running, client(&second, None)).await.expect("the new one is served");
    assert!(names_by_tls(&running, client(&first, None)).await.is_err());
}

async fn until(running: &Running, metric: &str) {
    for _ in 0..500 {
        if crate::attacks::metric(running, metric).await > 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{metric} stayed 0");
}
