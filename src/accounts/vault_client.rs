//! Secrets from `HashiCorp` Vault or `OpenBao`: one GET over HTTPS per field, KV version 2.
//!
//! Vault's HTTP API: "KV secrets engine - version 2", `GET /:mount/data/:path`, and "Kubernetes
//! auth method", `POST /auth/:mount/login`.

use std::{path::PathBuf, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    sync::Mutex,
    time::{Duration, Instant},
};
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    secrets::{Reading, SecretError, SecretSource, SystemSecrets},
    spec::SecretRef,
    vault::{VaultAuth, VaultSettings},
};
use crate::{limits::SECRET_BYTES_MAX, model::Secret};

/// Reads references into a vault from it, and all others from the system.
#[derive(Debug)]
pub struct VaultSecrets {
    settings: VaultSettings,
    account_token: PathBuf,
    login: Mutex<Option<Login>>,
}

/// A token from a login, and when to log in again.
#[derive(Debug)]
struct Login {
    token: Secret,
    until: Instant,
}

/// Why a vault did not answer with a secret. Never quotes what it sent.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    Answer(&'static str),
    Connection(String),
    Status(u16),
}

impl VaultSecrets {
    /// A client of this vault. Nothing is connected before the first read.
    pub fn new(settings: VaultSettings) -> Self {
        Self { settings, account_token: SERVICE_ACCOUNT_TOKEN.into(), login: Mutex::new(None) }
    }

    /// The same with another file of the service account's token.
    #[must_use]
    pub fn with_account_token(mut self, path: PathBuf) -> Self {
        self.account_token = path;
        self
    }

    async fn field(&self, path: &str, field: &str) -> Result<Secret, Problem> {
        let token = self.token().await?;
        let mut answer = self.ask(Method::GET, path, Some(&token), Bytes::new()).await;
        if answer == Err(Problem::Status(403)) && self.forget(&token).await {
            // A login that the vault revoked early: once more with a new one.
            let token = self.token().await?;
            answer = self.ask(Method::GET, path, Some(&token), Bytes::new()).await;
        }
        let answer = Zeroizing::new(answer?);
        let read: KeyValues = serde_json::from_slice(&answer)
            .map_err(|_| Problem::Answer("its answer is not that of a KV version 2 secret"))?;
        let value = read.data.data.0.into_iter().find(|(name, _)| name == field);
        let (_, value) = value.ok_or(Problem::Answer("the secret has no such text field"))?;
        Ok(Secret::new(value.trim_ascii().as_bytes().to_vec()))
    }

    async fn token(&self) -> Result<Arc<Secret>, Problem> {
        let (role, mount) = match &self.settings.auth {
            VaultAuth::Token(place) => return read_system(place).await.map(Arc::new),
            VaultAuth::Kubernetes { role, mount } => (role, mount),
        };
        // Held while logging in, so that many variants make one login.
        let mut login = self.login.lock().await;
        if let Some(login) = login.as_ref().filter(|login| Instant::now() < login.until) {
            return Ok(Arc::new(Secret::new(login.token.expose().to_vec())));
        }
        let jwt = read_system(&SecretRef::File(self.account_token.clone())).await?;
        let jwt = std::str::from_utf8(jwt.expose())
            .map_err(|_| Problem::Answer("the service account's token is not text"))?;
        let body = serde_json::json!({ "role": role, "jwt": jwt }).to_string();
        let path = format!("auth/{mount}/login");
        let answer = self.ask(Method::POST, &path, None, Bytes::from(body)).await?;
        let answer = Zeroizing::new(answer);
        let mut read: LoggedIn = serde_json::from_slice(&answer)
            .map_err(|_| Problem::Answer("its answer is not that of a login"))?;
        let token = Secret::new(read.auth.client_token.as_bytes().to_vec());
        read.auth.client_token.zeroize();
        // Two thirds of the lease, so that a token never runs out while it is in use.
        let lease = Duration::from_secs(read.auth.lease_duration.min(LEASE_SECONDS_MAX));
        let until = Instant::now() + lease * 2 / 3;
        let copy = Arc::new(Secret::new(token.expose().to_vec()));
        *login = Some(Login { token, until });
        Ok(copy)
    }

    /// Forgets the login that gave this token; false where there is none to forget.
    async fn forget(&self, token: &Secret) -> bool {
        let mut login = self.login.lock().await;
        let same = login.as_ref().is_some_and(|login| login.token.expose() == token.expose());
        if same {
            *login = None;
        }
        matches!(self.settings.auth, VaultAuth::Kubernetes { .. })
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Bytes,
    ) -> Result<Vec<u8>, Problem> {
        let uri: Uri = self.settings.address.parse().map_err(|_| Problem::Answer("bad address"))?;
        let host = uri.host().unwrap_or_default();
        let (bare, port) = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(443));
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Problem::Answer("its address has no usable host name"))?;
        let tls = tokio_rustls::TlsConnector::from(Arc::new(self.tls().await?));
        let stream = TcpStream::connect((bare, port)).await.map_err(|e| connection(&e))?;
        let stream = tls.connect(name, stream).await.map_err(|e| connection(&e))?;
        let (mut sender, io) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| connection(&e))?;
        let driver = Driver(tokio::spawn(async move {
            // An error of the connection shows in the answer as well.
            let _ = io.await;
        }));
        let authority = uri.authority().map_or(host, http::uri::Authority::as_str);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/v1/{path}"))
            .header(http::header::HOST, authority)
            .header("x-vault-request", "true");
        if let Some(namespace) = &self.settings.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            let mut value = http::HeaderValue::from_bytes(token.expose())
                .map_err(|_| Problem::Answer("the vault's token holds bytes that no header may"))?;
            value.set_sensitive(true);
            request = request.header("x-vault-token", value);
        }
        let request = request.body(Full::new(body));
        let request = request.map_err(|_| Problem::Answer("the path or namespace is unusable"))?;
        let response = sender.send_request(request).await.map_err(|e| connection(&e))?;
        if response.status() != StatusCode::OK {
            return Err(Problem::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), SECRET_BYTES_MAX).collect().await;
        let body = body.map_err(|_| Problem::Answer("its answer broke off or is too large"))?;
        drop(driver);
        Ok(body.to_bytes().to_vec())
    }

    async fn tls(&self) -> Result<ClientConfig, Problem> {
        let mut roots = RootCertStore::empty();
        match &self.settings.ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let pem = read_system(&SecretRef::File(path.clone())).await?;
                let certificates = CertificateDer::pem_slice_iter(pem.expose()).flatten();
                let (added, _) = roots.add_parsable_certificates(certificates);
                if added == 0 {
                    return Err(Problem::Answer("the file of vault.ca holds no certificate"));
                }
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Problem::Connection(error.to_string()))?;
        Ok(config.with_root_certificates(roots).with_no_client_auth())
    }
}

impl SecretSource for VaultSecrets {
    fn read<'a>(&'a self, reference: &'a SecretRef) -> Reading<'a> {
        let SecretRef::Vault { path, field } = reference else {
            return SystemSecrets.read(reference);
        };
        Box::pin(async move {
            let read = tokio::time::timeout(ANSWER_TIMEOUT, self.field(path, field)).await;
            let problem = match read {
                Ok(Ok(secret)) => return Ok(secret),
                Ok(Err(Problem::Answer(text))) => text.to_owned(),
                Ok(Err(Problem::Connection(text))) => format!("cannot be reached: {text}"),
                Ok(Err(Problem::Status(403))) => "the vault refuses access (403)".to_owned(),
                Ok(Err(Problem::Status(404))) => "the vault has no such secret (404)".to_owned(),
                Ok(Err(Problem::Status(code))) => format!("the vault answers {code}"),
                Err(_) => "the vault does not answer in time".to_owned(),
            };
            Err(SecretError::Unreadable { place: reference.to_string(), problem })
        })
    }
}

/// Ends its connection when it is dropped, whatever state a request is in.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Deserialize)]
struct KeyValues {
    data: Versioned,
}

#[derive(Deserialize)]
struct Versioned {
    data: Fields,
}

/// The text fields of a secret; others cannot be secrets here.
#[derive(Deserialize)]
#[serde(from = "std::collections::BTreeMap<String, serde_json::Value>")]
struct Fields(Vec<(String, Zeroizing<String>)>);

impl From<std::collections::BTreeMap<String, serde_json::Value>> for Fields {
    fn from(map: std::collections::BTreeMap<String, serde_json::Value>) -> Self {
        let texts = map.into_iter().filter_map(|(name, value)| match value {
            serde_json::Value::String(text) => Some((name, Zeroizing::new(text))),
            serde_json::Value::Array(_)
            | serde_json::Value::Bool(_)
            | serde_json::Value::Null
            | serde_json::Value::Number(_)
            | serde_json::Value::Object(_) => None,
        });
        Self(texts.collect())
    }
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    lease_duration: u64,
}

async fn read_system(place: &SecretRef) -> Result<Secret, Problem> {
    let read = SystemSecrets.read(place).await;
    read.map_err(|error| Problem::Connection(error.to_string()))
}

fn connection(error: &impl std::fmt::Display) -> Problem {
    Problem::Connection(error.to_string())
}

/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// Below the store's own limit, so that the message says that it is the vault.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1_700);
/// A lease that is longer is not believed.
const LEASE_SECONDS_MAX: u64 = 24 * 60 * 60;
