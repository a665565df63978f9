//! Accepts connections and hands each to the worker that has the fewest.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    StartError,
    connection::Desk,
    listener::{Accepted, Bound},
};
use crate::limits::BLOCKING_THREADS_MAX;

/// A thread with a runtime of its own, and how many connections it serves.
#[derive(Debug)]
pub(super) struct Worker {
    queue: mpsc::UnboundedSender<Handed>,
    connections: Arc<AtomicUsize>,
}

/// A connection on its way to a worker. There are never more than connections are allowed, which
/// is what bounds the queue.
#[derive(Debug)]
struct Handed {
    accepted: Accepted,
    place: Seat,
}

/// A connection's place among all, and among its worker's.
#[derive(Debug)]
struct Seat {
    connections: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    /// Starts a worker. It ends when it is told to, or when nobody hands it anything any more and
    /// its last connection is done.
    pub(super) fn start(
        position: usize,
        desk: Desk,
        tracker: TaskTracker,
        cut: CancellationToken,
    ) -> Result<(Self, JoinHandle<()>), StartError> {
        let (queue, handed) = mpsc::unbounded_channel();
        let runtime = single_threaded()?;
        let thread = std::thread::Builder::new()
            .name(format!("payhook-{position}"))
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = work(handed, desk, tracker) => {}
                        () = cut.cancelled() => {}
                    }
                });
                // What is still attached is cut with the runtime.
                runtime.shutdown_background();
            })
            .map_err(StartError::Runtime)?;
        Ok((Self { queue, connections: Arc::default() }, thread))
    }

    fn hand(&self, accepted: Accepted, permit: OwnedSemaphorePermit) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        let place = Seat { connections: Arc::clone(&self.connections), _permit: permit };
        // A worker ends only after the loop that hands out.
        let _ = self.queue.send(Handed { accepted, place });
    }
}

async fn work(mut handed: mpsc::UnboundedReceiver<Handed>, desk: Desk, tracker: TaskTracker) {
    while let Some(Handed { accepted, place }) = handed.recv().await {
        let desk = desk.clone();
        tracker.spawn(async move {
            desk.serve(accepted).await;
            drop(place);
        });
    }
    tracker.wait().await;
}

/// Accepts until it is stopped.
pub(super) async fn accept(
    bound: Bound,
    connections: Arc<Semaphore>,
    workers: Arc<[Worker]>,
    stop: CancellationToken,
) {
    let accepting = async {
        loop {
            let Ok(accepted) = bound.accept().await else {
                // Out of descriptors, most likely: trying again at once would only burn the CPU.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // No more are served than are allowed: this one waits, the kernel's queue holds the
            // rest.
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
            // The first of equals: with one connection each, that is in turn.
            let fewest = workers.iter().min_by_key(|w| w.connections.load(Ordering::Relaxed));
            let Some(worker) = fewest else { return };
            worker.hand(accepted, permit);
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.cancelled() => {}
    }
}

/// A runtime without threads of its own: replies that are ready together leave in one write.
pub(super) fn single_threaded() -> Result<Runtime, StartError> {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build();
    runtime.map_err(StartError::Runtime)
}

/// Pause after an accept that failed.
pub(super) const PAUSE: Duration = Duration::from_millis(50);
