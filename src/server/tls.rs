//! TLS of the service's listeners: a certificate that is renewed on disk is taken without a
//! restart; one that cannot be used changes nothing.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use arc_swap::ArcSwap;
use rustls::{
    RootCertStore, ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::{accounts::SecretRef, config, limits::SECRET_BYTES_MAX, model::Secret};

/// The certificate, its key and the authority of clients, as they are now.
pub struct Tls {
    files: Files,
    current: ArcSwap<ServerConfig>,
    seen: Mutex<[u8; 32]>,
}

impl Tls {
    /// Reads the files that a configuration names.
    ///
    /// # Errors
    /// A line that says which file cannot be used.
    pub fn load(tls: &config::Tls) -> Result<Self, String> {
        let files = Files::new(tls);
        let (seen, config) = files.read()?.into_config()?;
        let (current, seen) = (ArcSwap::from_pointee(config), Mutex::new(seen));
        Ok(Self { files, current, seen })
    }

    /// Looks at the files again; true where what is served changed.
    ///
    /// # Errors
    /// A line that says which file cannot be used. The last good ones stay.
    pub fn refresh(&self) -> Result<bool, String> {
        let read = self.files.read()?;
        let Ok(mut seen) = self.seen.lock() else { return Ok(false) };
        if *seen == read.hash() {
            return Ok(false);
        }
        // Not tried again until the files change once more: one line in the log is enough.
        *seen = read.hash();
        let (_, config) = read.into_config()?;
        self.current.store(Arc::new(config));
        Ok(true)
    }

    /// What a new connection is answered with. Connections under way keep what they began with.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.files.certificate).finish_non_exhaustive()
    }
}

/// Where everything is.
struct Files {
    certificate: PathBuf,
    private_key: KeyPlace,
    client_ca: Option<PathBuf>,
}

enum KeyPlace {
    File(PathBuf),
    Fixed(Secret),
}

impl Files {
    fn new(tls: &config::Tls) -> Self {
        let private_key = match &tls.private_key {
            SecretRef::File(path) => KeyPlace::File(path.clone()),
            SecretRef::Env(name) => {
                let value = std::env::var(name).unwrap_or_default();
                KeyPlace::Fixed(Secret::new(value.into_bytes()))
            }
            SecretRef::Inline(secret) => KeyPlace::Fixed(Secret::new(secret.expose().to_vec())),
            // Refused where the configuration is read; no key is no TLS.
            SecretRef::Vault { .. } => KeyPlace::Fixed(Secret::new(Vec::new())),
        };
        let (certificate, client_ca) = (tls.certificate.clone(), tls.client_ca.clone());
        Self { certificate, private_key, client_ca }
    }

    fn read(&self) -> Result<Pem, String> {
        let private_key = match &self.private_key {
            KeyPlace::File(path) => Secret::new(read("tls.private_key", path)?),
            KeyPlace::Fixed(secret) => Secret::new(secret.expose().to_vec()),
        };
        let certificate = read("tls.certificate", &self.certificate)?;
        let client_ca = self.client_ca.as_deref().map(|path| read("tls.client_ca", path));
        Ok(Pem { certificate, private_key, client_ca: client_ca.transpose()? })
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, String> {
    let describe = |problem: &dyn fmt::Display| format!("{key}: {}: {problem}", path.display());
    let bytes = fs::read(path).map_err(|error| describe(&error))?;
    if bytes.len() > SECRET_BYTES_MAX { Err(describe(&"too large")) } else { Ok(bytes) }
}

/// What the files hold.
struct Pem {
    certificate: Vec<u8>,
    private_key: Secret,
    client_ca: Option<Vec<u8>>,
}

impl Pem {
    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let parts = [&self.certificate, self.private_key.expose()];
        for part in parts.into_iter().chain(self.client_ca.as_deref()) {
            hash.update(Sha256::digest(part));
        }
        hash.finalize().into()
    }

    fn into_config(self) -> Result<([u8; 32], ServerConfig), String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chain = certificates("tls.certificate", &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(self.private_key.expose())
            .map_err(|_| "tls.private_key: no PEM key".to_owned())?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &self.client_ca {
            None => builder.with_no_client_auth(),
            Some(pem) => builder.with_client_cert_verifier(client_verifier(pem, provider)?),
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| format!("tls.certificate: {error}"))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok((self.hash(), config))
    }
}

fn client_verifier(
    pem: &[u8],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls.client_ca", pem)? {
        roots.add(certificate).map_err(|error| format!("tls.client_ca: {error}"))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    builder.build().map_err(|error| format!("tls.client_ca: {error}"))
}

fn certificates(key: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let read = read.map_err(|_| format!("{key}: no PEM certificates"))?;
    if read.is_empty() { Err(format!("{key}: no certificate")) } else { Ok(read) }
}
