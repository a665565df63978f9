//! One connection: TLS within a deadline, the HTTP/2 preface within a deadline, then streams under
//! bounds until either side is done.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use hyper::server::conn::http2;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{gate::Gate, listener::Accepted};
use crate::accounts::Caller;

/// Serves one connection to its end.
pub(super) async fn serve(
    accepted: Accepted,
    tls: Option<TlsAcceptor>,
    gate: Gate,
    stop: CancellationToken,
) {
    match (accepted, tls) {
        (Accepted::Unix(stream, caller), _) => {
            streams(stream, gate.with_caller(caller), stop).await;
        }
        (Accepted::Tcp(stream), None) => {
            streams(stream, gate.with_caller(Caller::default()), stop).await;
        }
        (Accepted::Tcp(stream), Some(acceptor)) => {
            let Ok(Ok(stream)) = timeout(TLS_DEADLINE, acceptor.accept(stream)).await else {
                return;
            };
            let certificates = stream.get_ref().1.peer_certificates();
            let sans = certificates.and_then(<[_]>::first).map(names).unwrap_or_default();
            streams(stream, gate.with_caller(Caller { sans, ..Caller::default() }), stop).await;
        }
    }
}

async fn streams<S>(mut stream: S, gate: Gate, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // A peer that says nothing would stay for ever: HTTP/2's own keepalive starts only after this.
    let mut preface = [0_u8; PREFACE.len()];
    let read = tokio::select! {
        read = timeout(PREFACE_DEADLINE, stream.read_exact(&mut preface)) => read,
        () = stop.cancelled() => return,
    };
    if !matches!(read, Ok(Ok(_))) || &preface != PREFACE {
        return;
    }
    let io = TokioIo::new(Rewound { first: Bytes::from_static(PREFACE), rest: stream });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(20)
        .max_local_error_reset_streams(64)
        .max_header_list_size(8 * 1024)
        .initial_stream_window_size(512 * 1024)
        .initial_connection_window_size(1024 * 1024)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .serve_connection(io, TowerToHyperService::new(gate));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = stop.cancelled() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // The drain's own deadline ends this where the peer does not.
        let _ = connection.await;
    }
}

/// The names of a client certificate that callers can be allowed by.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let dns = certificate.valid_dns_names().map(str::to_owned);
    let uris = certificate.valid_uri_names().map(str::to_owned);
    dns.chain(uris).collect()
}

/// A stream whose first bytes were read already.
struct Rewound<S> {
    first: Bytes,
    rest: S,
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.rest).poll_read(context, buffer);
        }
        let length = self.first.len().min(buffer.remaining());
        buffer.put_slice(self.first.get(..length).unwrap_or_default());
        self.first.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.rest).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.rest).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.rest).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.rest).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.rest.is_write_vectored()
    }
}

/// RFC 9113, section 3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// A client sends it at once; a silent socket is cut.
const PREFACE_DEADLINE: Duration = Duration::from_secs(2);
/// A TLS handshake on a working network takes milliseconds.
const TLS_DEADLINE: Duration = Duration::from_secs(5);
/// Streams of one connection: more than calls at once, so that ours is the bound that is seen.
const STREAMS_MAX: u32 = 100;
