//! Questions over https to hosts that are known beforehand: no redirects, no proxies, bounded in
//! time and size, and only to addresses that are public.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderValue, Request, header::HOST};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Duration, timeout},
};

use crate::limits::{ANSWER_BYTES_MAX, ANSWER_TIMEOUT_MS};

/// A connection that is being made.
pub type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// Connects to port 443 of a host.
pub type Connect = Arc<dyn Fn(String) -> Connecting + Send + Sync>;

/// Asks over https.
#[derive(Clone)]
pub struct Https {
    connect: Connect,
    tls: Option<Arc<ClientConfig>>,
}

/// Why there is no answer. Never quotes one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpsError {
    /// No connection, or it broke.
    #[error("cannot be reached: {0}")]
    Connection(String),
    /// Not done in time.
    #[error("no answer within {ANSWER_TIMEOUT_MS} ms")]
    Late,
    /// Another status than 200; a redirect is one too.
    #[error("answered with HTTP status {0}")]
    Status(u16),
    /// More bytes than allowed.
    #[error("answered with more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

impl Https {
    /// Asks through these connections and trusts these roots: tests reach a loopback host.
    pub fn new(connect: Connect, roots: RootCertStore) -> Self {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|tls| Arc::new(tls.with_root_certificates(roots).with_no_client_auth()));
        Self { connect, tls: tls.ok() }
    }

    /// Asks public addresses only, and trusts the public roots.
    pub fn public() -> Self {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        Self::new(Arc::new(|host| Box::pin(connect_public(host))), roots)
    }

    /// Sends a request to a host and takes the body of its answer, if that is a 200.
    pub(super) async fn ask(
        &self,
        host: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Vec<u8>, HttpsError> {
        let limit = Duration::from_millis(ANSWER_TIMEOUT_MS);
        timeout(limit, self.exchange(host, request)).await.unwrap_or(Err(HttpsError::Late))
    }

    async fn exchange(
        &self,
        host: &str,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Vec<u8>, HttpsError> {
        let unusable = |problem: &str| HttpsError::Connection(problem.to_owned());
        let tls = self.tls.clone().ok_or_else(|| unusable("there is no usable TLS"))?;
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| unusable("its host name is unusable"))?;
        let value = HeaderValue::from_str(host);
        request.headers_mut().insert(HOST, value.map_err(|_| unusable("its host is unusable"))?);
        let stream = (self.connect)(host.to_owned()).await.map_err(|e| broken(&e))?;
        let tls = tokio_rustls::TlsConnector::from(tls);
        let stream = tls.connect(name, stream).await.map_err(|e| broken(&e))?;
        let connected = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connected.map_err(|e| broken(&e))?;
        let driver = Driver(tokio::spawn(async move {
            // An error of the connection shows in the answer as well.
            let _ = connection.await;
        }));
        let response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(HttpsError::Status(status));
        }
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        drop(driver);
        match body {
            Ok(body) => Ok(body.to_bytes().to_vec()),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => {
                Err(HttpsError::TooLarge)
            }
            Err(error) => Err(HttpsError::Connection(error.to_string())),
        }
    }
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Https").finish_non_exhaustive()
    }
}

/// Ends its connection when it is dropped, whatever state a request is in.
struct Driver(tokio::task::JoinHandle<()>);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn broken(error: &impl fmt::Display) -> HttpsError {
    HttpsError::Connection(error.to_string())
}

/// Resolves and connects in one step: the address that was looked at is the one that is used, so
/// that a name that changes its address in between gains nothing.
async fn connect_public(host: String) -> io::Result<TcpStream> {
    let addresses = lookup_host((host.as_str(), 443)).await?;
    let mut last = io::Error::new(io::ErrorKind::PermissionDenied, "it has no public address");
    for address in addresses.filter(|address| is_public(address.ip())) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether an address is one of the public internet. What wraps an IPv4 address counts as that.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// IANA's registry of special addresses, IPv4.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

/// IANA's registry of special addresses, IPv6: only `2000::/3` is handed out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let inside = |octets: &[u8]| {
        <[u8; 4]>::try_from(octets).is_ok_and(|octets| is_public_v4(Ipv4Addr::from(octets)))
    };
    let octets = address.octets();
    match address.segments() {
        // NAT64 and 6to4 lead to the IPv4 address inside.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => octets.get(12..).is_some_and(inside),
        [0x2002, ..] => octets.get(2..6).is_some_and(inside),
        // Teredo, benchmarks, ORCHID and documentation.
        [0x2001, 0..=0x01ff | 0x0db8, ..] | [0x3fff, ..] => false,
        [first, ..] => (0x2000..=0x3fff).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_connected_to() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "5f00::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().expect("an address")), "{text}");
        }
        let public = [
            "1.1.1.1",
            "64.4.250.36",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1",
            "2002:808:808::",
            "64:ff9b::808:808",
        ];
        for text in public {
            assert!(is_public(text.parse().expect("an address")), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused() {
        for host in ["localhost", "127.0.0.1", "::1"] {
            let refused = connect_public(host.to_owned()).await.expect_err(host);
            assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied, "{host}");
        }
    }
}
