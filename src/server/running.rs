//! A server that is running: where it listens, and how it is stopped.

use std::{net::SocketAddr, thread::JoinHandle};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Parts, StartError};
use crate::config::Listen;

/// A server that is running. Dropping it stops it without a drain.
#[derive(Debug)]
pub struct Running {
    places: Vec<Listen>,
    admin: Option<SocketAddr>,
    stop: Stop,
    drained: Option<oneshot::Receiver<bool>>,
    main: Option<JoinHandle<()>>,
}

/// The two ways to end a server.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop {
    /// Begins the drain.
    pub(super) drain: CancellationToken,
    /// Ends everything at once.
    pub(super) cut: CancellationToken,
}

/// Where a server that started listens.
pub(super) type Started = (Vec<Listen>, Option<SocketAddr>);

impl Running {
    /// Where the service listens.
    pub fn places(&self) -> &[Listen] {
        &self.places
    }

    /// The first TCP address of the service.
    pub fn address(&self) -> Option<SocketAddr> {
        self.places.iter().find_map(|place| match place {
            Listen::Tcp(address) => Some(*address),
            Listen::Unix(_) => None,
        })
    }

    /// Where health and metrics are.
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Starts the drain: not serving at once, no new connections, calls under way finish.
    pub fn stop(&self) {
        self.stop.drain.cancel();
    }

    /// Waits until the server is gone; true when every call under way had finished.
    pub async fn drained(mut self) -> bool {
        match self.drained.take() {
            Some(drained) => drained.await.unwrap_or(false),
            None => false,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.drain.cancel();
        self.stop.cut.cancel();
        if let Some(main) = self.main.take() {
            // The thread ends at once; a panic in it was reported already.
            let _ = main.join();
        }
    }
}

impl Parts {
    /// Binds the listeners and serves them on threads of their own.
    ///
    /// # Errors
    /// [`StartError`] where a listener or a thread cannot be had.
    pub fn start(self) -> Result<Running, StartError> {
        let stop = Stop::default();
        let stopped = stop.clone();
        let (tell_started, started) = std::sync::mpsc::channel();
        let (tell_drained, drained) = oneshot::channel();
        let main = std::thread::Builder::new()
            .name("payhook-0".to_owned())
            .spawn(move || self.run(&tell_started, tell_drained, &stopped))
            .map_err(StartError::Runtime)?;
        let ended = || StartError::Runtime(std::io::Error::other("the server's thread ended"));
        let (places, admin) = started.recv().map_err(|_| ended())??;
        Ok(Running { places, admin, stop, drained: Some(drained), main: Some(main) })
    }
}
