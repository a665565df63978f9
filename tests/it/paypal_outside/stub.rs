//! A host on loopback that speaks TLS under PayPal's names and answers what it is told to.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http::Response;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use payhook::accounts::{Connect, Https};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::{TcpListener, TcpStream};

/// A request as the host saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) host: String,
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

/// What the host answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Body(String),
    Hangs,
    Status(u16, &'static str),
}

type Script = Arc<dyn Fn(&Seen) -> Answer + Send + Sync>;

/// The host, and everything it saw.
#[derive(Clone)]
pub(crate) struct Stub {
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    address: SocketAddr,
    roots: RootCertStore,
}

impl Stub {
    /// Listens on a free port for as long as the runtime lives.
    pub(crate) async fn start(script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let names = ["api.paypal.com", "api-m.paypal.com", "ipnpb.paypal.com"];
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], der)
            .unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let stub = Self {
            script: Arc::new(Mutex::new(Arc::new(script))),
            seen: Arc::default(),
            connections: Arc::default(),
            down: Arc::default(),
            address: listener.local_addr().unwrap(),
            roots,
        };
        tokio::spawn(stub.clone().serve(listener, Arc::new(tls)));
        stub
    }

    async fn serve(self, listener: TcpListener, tls: Arc<ServerConfig>) {
        while let Ok((stream, _)) = listener.accept().await {
            let (stub, tls) = (self.clone(), tokio_rustls::TlsAcceptor::from(Arc::clone(&tls)));
            tokio::spawn(async move {
                let Ok(stream) = tls.accept(stream).await else { return };
                let service = service_fn(|request| stub.clone().answer(request));
                let server = hyper::server::conn::http1::Builder::new();
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }

    async fn answer(
        self,
        request: http::Request<hyper::body::Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let mut seen = Seen {
            method: request.method().to_string(),
            target: request.uri().to_string(),
            host: header("host"),
            authorization: header("authorization"),
            content_type: header("content-type"),
            body: String::new(),
        };
        let body = request.into_body().collect().await.unwrap().to_bytes();
        seen.body = body.iter().map(|byte| char::from(*byte)).collect();
        let script = Arc::clone(&self.script.lock().unwrap());
        let answer = script(&seen);
        self.seen.lock().unwrap().push(seen);
        let (status, location, body) = match answer {
            Answer::Body(body) => (200, "", body),
            Answer::Status(status, location) => (status, location, String::new()),
            Answer::Hangs => std::future::pending().await,
        };
        let response = Response::builder().status(status).header("location", location);
        Ok(response.body(Full::new(Bytes::from(body))).unwrap())
    }

    /// Connections to this host, whatever name was asked for.
    pub(crate) fn https(&self) -> Https {
        let stub = self.clone();
        let connect: Connect = Arc::new(move |_| {
            let stub = stub.clone();
            stub.connections.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                if stub.down.load(Ordering::SeqCst) {
                    return Err(std::io::ErrorKind::ConnectionRefused.into());
                }
                TcpStream::connect(stub.address).await
            })
        });
        Https::new(connect, self.roots.clone())
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn roots(&self) -> RootCertStore {
        self.roots.clone()
    }

    pub(crate) fn answers(&self, script: impl Fn(&Seen) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    pub(crate) fn down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}
