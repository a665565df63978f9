//! Replies that are ready together leave in one write.
//!
//! The HTTP/2 library flushes after every frame that is larger than a few hundred bytes: one
//! system call per reply, which costs more than verifying a webhook. Here a flush only notes that
//! there is something to send; it is sent when the connection has been polled and has nothing more
//! to say.

use std::{
    future::poll_fn,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream whose writes are collected. Clones are the same stream.
#[derive(Debug)]
pub(super) struct Batched<S>(Arc<Mutex<Collected<S>>>);

impl<S> Clone for Batched<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct Collected<S> {
    stream: S,
    bytes: Vec<u8>,
    sent: usize,
    /// Bytes that were read in this turn.
    read: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Batched<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(Collected { stream, bytes: Vec::new(), sent: 0, read: 0 })))
    }

    /// Runs the connection that reads and writes this stream, and sends what it wrote whenever it
    /// waits. It reads so much in a turn, then others have theirs. May be dropped and called again.
    pub(super) async fn drive<C, E>(&self, mut connection: Pin<&mut C>) -> io::Result<()>
    where
        C: Future<Output = Result<(), E>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        poll_fn(|context| {
            self.lock().read = 0;
            if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                return Poll::Ready(ended.map_err(io::Error::other));
            }
            match self.lock().send(context) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, Collected<S>> {
        // One task alone uses it: never held by another, and whole after a panic in between.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Collected<S> {
    /// Sends everything, or as much as the peer takes.
    fn send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent = self.sent.saturating_add(sent);
        }
        // TLS collects on its own account, too.
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Makes room for a write: sends first where enough was collected.
    fn room(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.bytes.len() < BATCH_BYTES { Poll::Ready(Ok(())) } else { self.send(context) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Batched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut collected = self.lock();
        if collected.read >= TURN_BYTES {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut collected.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        collected.read = collected.read.saturating_add(read);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Batched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut collected = self.lock();
        ready!(collected.room(context))?;
        collected.bytes.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut collected = self.lock();
        ready!(collected.room(context))?;
        let before = collected.bytes.len();
        for slice in slices {
            collected.bytes.extend_from_slice(slice);
        }
        Poll::Ready(Ok(collected.bytes.len().saturating_sub(before)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Sent when the connection waits.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut collected = self.lock();
        ready!(collected.send(context))?;
        Pin::new(&mut collected.stream).poll_shutdown(context)
    }
}

/// As much is collected before it is sent anyway; a frame more may come on top.
const BATCH_BYTES: usize = 32 * 1024;
/// As much is read before other connections have their turn: calls are answered in the turn that
/// reads them, so this bounds how long it takes. Two windows: a peer that waits for answers never
/// sends as much, and all of them leave in one write.
const TURN_BYTES: usize = 512 * 1024;
/// What a connection keeps for the next batch.
const KEPT_BYTES: usize = 4 * 1024;

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(test)
    }

    #[test]
    fn writes_of_one_poll_leave_together_when_it_waits() {
        run(async {
            let (mut theirs, ours) = tokio::io::duplex(64);
            let batched = Batched::new(ours);
            let mut stream = batched.clone();
            let mut writes = Box::pin(async move {
                for _ in 0..3 {
                    stream.write_all(b"reply").await?;
                    stream.flush().await?;
                }
                std::future::pending::<io::Result<()>>().await
            });
            let mut read = [0; 64];
            tokio::select! {
                ended = batched.drive(writes.as_mut()) => panic!("{ended:?}"),
                length = theirs.read(&mut read) => assert_eq!(length.expect("open"), 15),
            }
        });
    }

    #[test]
    fn others_have_their_turn_while_a_peer_sends_on_and_on() {
        run(async {
            let (mut theirs, ours) = tokio::io::duplex(4 * TURN_BYTES);
            theirs.write_all(&vec![0; 3 * TURN_BYTES]).await.expect("room");
            let batched = Batched::new(ours);
            let (mut stream, read) = (batched.clone(), std::cell::Cell::new(0));
            let mut reads = std::pin::pin!(async {
                let mut buffer = vec![0; 20_000];
                loop {
                    read.set(read.get() + stream.read(&mut buffer).await?);
                }
                #[expect(unreachable_code, reason = "says what the loop's errors are")]
                Ok::<(), io::Error>(())
            });
            let mut drive = std::pin::pin!(batched.drive(reads.as_mut()));
            for turn in 1..=3 {
                assert!(futures_util::poll!(drive.as_mut()).is_pending());
                let most = turn * (TURN_BYTES + 20_000);
                assert!((turn * TURN_BYTES..=most).contains(&read.get()), "{}", read.get());
            }
        });
    }

    #[test]
    fn nothing_is_lost_where_the_peer_is_slow_or_the_connection_ends() {
        run(async {
            let (mut theirs, ours) = tokio::io::duplex(1000);
            let batched = Batched::new(ours);
            let mut stream = batched.clone();
            let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
            let expected = sent.clone();
            let mut writes = Box::pin(async move {
                for piece in sent.chunks(5000) {
                    stream.write_all(piece).await?;
                    stream.flush().await?;
                }
                stream.shutdown().await
            });
            let mut read = Vec::new();
            let drive = batched.drive(writes.as_mut());
            let (driven, length) = tokio::join!(drive, theirs.read_to_end(&mut read));
            driven.expect("whole");
            length.expect("whole");
            assert_eq!(read, expected);
        });
    }
}
