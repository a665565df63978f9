//! One connection: TLS within a deadline, the HTTP/2 preface within a deadline, then streams under
//! bounds until either side is done.

use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Timings,
    batch::Batched,
    gate::{Gate, Served, Shared},
    listener::Accepted,
    opening::{Protocol, opening},
    stall::Streams,
    tls::Tls,
};
use crate::{accounts::Caller, telemetry::Metrics};

/// What every connection of a worker is served with.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) served: Served,
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<Arc<Tls>>,
    pub(super) timings: Timings,
    pub(super) metrics: Arc<Metrics>,
    pub(super) stop: CancellationToken,
}

impl Desk {
    /// Serves one connection to its end. Until its first request it has nothing to lose: a stop
    /// ends it at once.
    pub(super) async fn serve(self, accepted: Accepted) {
        self.metrics.connections.inc();
        // The worker's own reactor takes the socket over: the one that accepted it would wake
        // this thread for every read.
        let _ = match accepted {
            Accepted::Unix(stream, caller) => match UnixStream::from_std(stream) {
                Ok(stream) => self.open(stream, caller).await,
                Err(error) => Err(error),
            },
            Accepted::Tcp(stream) => match TcpStream::from_std(stream) {
                Ok(stream) => self.tcp(stream).await,
                Err(error) => Err(error),
            },
        };
        self.metrics.connections.dec();
    }

    async fn tcp(&self, stream: TcpStream) -> io::Result<()> {
        let Some(tls) = &self.tls else { return self.open(stream, Caller::default()).await };
        let handshake = timeout(self.timings.handshake, tls.acceptor().accept(stream));
        let stream = tokio::select! {
            shaken = handshake => shaken??,
            () = self.stop.cancelled() => return Ok(()),
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let sans = certificates.and_then(<[_]>::first).map(names).unwrap_or_default();
        self.open(stream, Caller { sans, ..Caller::default() }).await
    }

    async fn open<S>(&self, stream: S, caller: Caller) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let opened = tokio::select! {
            opened = opening(stream, self.timings.preface) => opened,
            () = self.stop.cancelled() => return Ok(()),
        };
        let Some((Protocol::Http2, stream)) = opened else { return Ok(()) };
        let gate = Gate::new(self.served.clone(), Arc::clone(&self.shared), caller);
        let batched = Batched::new(stream);
        let streams = Streams::new(self.timings.stall, Arc::clone(&self.metrics));
        let connection = http2::Builder::new(streams)
            .timer(TokioTimer::new())
            .auto_date_header(false)
            .max_concurrent_streams(STREAMS_MAX)
            .max_pending_accept_reset_streams(PENDING_RESETS_MAX)
            .max_local_error_reset_streams(LOCAL_RESETS_MAX)
            .max_header_list_size(HEADER_LIST_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(self.timings.keepalive)
            .keep_alive_timeout(self.timings.keepalive_answer)
            .serve_connection(
                TokioIo::new(batched.clone()),
                service_fn(move |request| {
                    let gate = gate.clone();
                    // The answer's making is large: it takes its memory when it begins and gives
                    // it back when the answer is there. Streams that wait, for their turn or for
                    // their peer to read, are thousands where somebody means harm.
                    async move { Box::pin(gate.answer(request)).await }
                }),
            );
        tokio::pin!(connection);
        tokio::select! {
            ended = batched.drive(connection.as_mut()) => return ended,
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        // The drain's own deadline ends this where the peer does not.
        batched.drive(connection).await
    }
}

/// The names of a client certificate that callers can be allowed by.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let dns = certificate.valid_dns_names().map(str::to_owned);
    let uris = certificate.valid_uri_names().map(str::to_owned);
    dns.chain(uris).collect()
}

/// Bytes that a peer may send ahead on one stream: a webhook and more.
const STREAM_WINDOW_BYTES: u32 = 128 * 1024;
/// Bytes that a peer may send ahead on all its streams. Nobody has taken them yet, so they count
/// against no bound but this: 64 connections hold 16 MiB, beside 24 MiB of bodies in flight.
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;
/// Streams of one connection: more than calls at once, so that ours is the bound that is seen.
pub(super) const STREAMS_MAX: u32 = 100;
/// Streams that the peer reset before they were looked at (CVE-2023-44487).
pub(super) const PENDING_RESETS_MAX: usize = 20;
/// Streams reset because of what the peer did (RUSTSEC-2024-0003); unbounded unless it is set.
pub(super) const LOCAL_RESETS_MAX: usize = 64;
/// Webhook headers travel inside the message: these are the call's own.
pub(super) const HEADER_LIST_BYTES_MAX: u32 = 8 * 1024;

/// Whether bounds hold together: more calls than streams would wait, not be shed.
const _: () = assert!(crate::limits::CALLS_DEFAULT < 100);
const _: () = assert!(PENDING_RESETS_MAX < LOCAL_RESETS_MAX);

impl Default for Timings {
    fn default() -> Self {
        Self {
            preface: Duration::from_secs(2),
            handshake: Duration::from_secs(5),
            stall: Duration::from_secs(30),
            keepalive: Duration::from_secs(30),
            keepalive_answer: Duration::from_secs(20),
            quiet: Duration::from_millis(1500),
            certificates: Duration::from_secs(5),
        }
    }
}
