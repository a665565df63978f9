//! The first bytes of a connection, within a deadline: a peer that says nothing would stay for
//! ever, for HTTP/2's own keepalive starts only after its preface.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf as _, Bytes};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf},
    time::timeout,
};

/// What a connection opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Anything that is not HTTP/2's preface.
    Http1,
    /// HTTP/2 by prior knowledge.
    Http2,
}

/// Reads until the protocol is known; `None` where the peer is silent, slow or gone.
pub(super) async fn opening<S>(mut stream: S, within: Duration) -> Option<(Protocol, Rewound<S>)>
where
    S: AsyncRead + Unpin,
{
    let mut first = Vec::with_capacity(PREFACE.len());
    let read = async {
        loop {
            let mut rest = (&mut stream).take(missing(&first));
            if rest.read_buf(&mut first).await? == 0 {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            if !PREFACE.starts_with(&first) {
                return Ok(Protocol::Http1);
            }
            if first.len() == PREFACE.len() {
                return Ok(Protocol::Http2);
            }
        }
    };
    let protocol = timeout(within, read).await.ok()?.ok()?;
    Some((protocol, Rewound { first: first.into(), rest: stream }))
}

fn missing(first: &[u8]) -> u64 {
    u64::try_from(PREFACE.len().saturating_sub(first.len())).unwrap_or(0)
}

/// A stream whose first bytes were read already.
#[derive(Debug)]
pub(super) struct Rewound<S> {
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
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    const WITHIN: Duration = Duration::from_millis(50);

    fn opened(pieces: &'static [&'static [u8]]) -> Option<(Protocol, Vec<u8>)> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (mut theirs, ours) = tokio::io::duplex(64);
            let sends = async {
                for piece in pieces {
                    tokio::io::AsyncWriteExt::write_all(&mut theirs, piece).await.expect("room");
                    tokio::task::yield_now().await;
                }
                tokio::time::sleep(WITHIN).await;
                tokio::time::sleep(WITHIN).await;
                drop(theirs);
            };
            let (found, ()) = tokio::join!(opening(ours, WITHIN), sends);
            let (protocol, mut stream) = found?;
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.expect("the rest");
            Some((protocol, all))
        })
    }

    #[test]
    fn the_protocol_is_known_by_its_first_bytes_and_none_is_lost() {
        let (protocol, all) =
            opened(&[b"PRI * HTTP/2.0\r\n", b"\r\nSM\r\n\r\nmore"]).expect("open");
        assert_eq!(
            (protocol, all.as_slice()),
            (Protocol::Http2, &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"[..])
        );
        let (protocol, all) = opened(&[b"P", b"OST / HTTP/1.1\r\n"]).expect("open");
        assert_eq!((protocol, all.as_slice()), (Protocol::Http1, &b"POST / HTTP/1.1\r\n"[..]));
    }

    #[test]
    fn silence_and_half_a_preface_are_cut() {
        assert_eq!(opened(&[]), None);
        assert_eq!(opened(&[b"PRI * HT"]), None);
    }
}
