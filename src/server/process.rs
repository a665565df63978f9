//! What the process itself needs: the clock, the settings of a configuration, no memory dumps.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};

use super::Settings;
use crate::{
    accounts::{Clock, SecretRef},
    config::{Config, Tls},
    model::UnixSeconds,
};

/// The system's clock.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        UnixSeconds::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    })
}

/// No core dumps and no debugger: memory holds secrets.
pub fn harden() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if setrlimit(Resource::Core, none).is_err() {
        tracing::warn!("Core dumps could not be switched off");
    }
    if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        tracing::warn!("The process stays dumpable");
    }
}

impl Settings {
    /// The settings of a configuration.
    ///
    /// # Errors
    /// A line that says which TLS file cannot be used.
    pub fn from_config(config: &Config) -> Result<Self, String> {
        let granted = || std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            listen: config.listen.clone(),
            admin_listen: Some(config.admin_listen),
            socket: config.socket.clone(),
            tls: config.tls.as_ref().map(tls).transpose()?.map(Arc::new),
            workers: config.workers.unwrap_or_else(granted),
            limits: config.limits,
            reflection: config.reflection,
            audit: config.audit,
        })
    }
}

fn tls(tls: &Tls) -> Result<ServerConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let certificates = certificates(&tls.certificate)?;
    let key = match &tls.private_key {
        SecretRef::File(path) => PrivateKeyDer::from_pem_file(path),
        SecretRef::Env(name) => {
            PrivateKeyDer::from_pem_slice(std::env::var(name).unwrap_or_default().as_bytes())
        }
        SecretRef::Inline(secret) => PrivateKeyDer::from_pem_slice(secret.expose()),
        SecretRef::Vault { .. } => {
            return Err("tls.private_key: expected {file: path} or {env: NAME}".to_owned());
        }
    };
    let key = key.map_err(|_| format!("tls.private_key: {} is no PEM key", tls.private_key))?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(self::certificates(path)?);
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| format!("tls.client_ca: {error}"))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(certificates, key)
        .map_err(|error| format!("tls.certificate: {error}"))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(path: &std::path::Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| format!("{}: {error}", path.display()))?;
    if read.is_empty() { Err(format!("{}: no certificate", path.display())) } else { Ok(read) }
}
