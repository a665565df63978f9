//! Streams that stop moving are cut: a peer that neither reads its answer nor sends its body would
//! hold memory for as long as it likes, and keepalive does not see it.

use std::{
    cell::Cell,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use futures_util::FutureExt as _;
use hyper::rt::Executor;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::telemetry::Metrics;

/// Runs the streams of a connection.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    stall: Duration,
    metrics: Arc<Metrics>,
}

impl Streams {
    /// Streams that may stand still for this long.
    pub(super) const fn new(stall: Duration, metrics: Arc<Metrics>) -> Self {
        Self { stall, metrics }
    }
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let (stall, metrics) = (self.stall, Arc::clone(&self.metrics));
        // A unary panic is answered by the gate; one inside a stream ends that stream alone.
        let stream = AssertUnwindSafe(stream).catch_unwind().map(move |ended| {
            if ended.is_err() {
                metrics.panics.inc();
                tracing::error!("A stream panicked");
            }
        });
        let stream = MAY_STALL.scope(Cell::new(false), until_stalled(stream, stall));
        if let Some(waiting) = begin(stream) {
            tokio::spawn(waiting);
        }
    }
}

/// Runs a stream as far as it goes, and hands back one that waits for something. Most calls have
/// arrived whole when they are begun and wait for nothing: answered here, in their connection's
/// turn, they need no task, and what they touch is still in the cache. With thousands of calls at
/// hand a task for each would be queued behind all others, and memory would hold all of them.
fn begin<F: Future<Output = ()>>(stream: F) -> Option<Pin<Box<F>>> {
    let mut stream = Box::pin(stream);
    // Nobody is to be woken: a task of its own asks again at once.
    let mut context = Context::from_waker(Waker::noop());
    stream.as_mut().poll(&mut context).is_pending().then_some(stream)
}

/// Lets the stream of this call stand still: it is meant to.
pub(super) fn allow() {
    // Outside of a stream there is nothing to allow.
    let _ = MAY_STALL.try_with(|may| may.set(true));
}

/// Runs a stream until it ends or nothing woke it for this long. Dropping it resets the stream.
async fn until_stalled<F: Future<Output = ()>>(stream: F, stall: Duration) {
    let mut stream = pin!(stream);
    // Most streams are done when they are first looked at and never need a timer.
    let mut timer = pin!(None::<Sleep>);
    let mut begun = false;
    poll_fn(|context| {
        let over = timer.as_mut().as_pin_mut();
        let over = over.is_some_and(|timer| timer.poll(context).is_ready());
        let may_stall = MAY_STALL.try_with(Cell::get).unwrap_or(false);
        if over && !may_stall {
            return std::task::Poll::Ready(());
        }
        if stream.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(());
        }
        if !std::mem::replace(&mut begun, true) {
            // See [`begin`]: it is asked again at once.
            return std::task::Poll::Pending;
        }
        let next = Instant::now().checked_add(stall);
        if let Some(next) = next {
            match timer.as_mut().as_pin_mut() {
                Some(timer) => timer.reset(next),
                None => timer.set(Some(sleep_until(next))),
            }
            // Asks to be woken; a moment that lies ahead is not over yet.
            let _ = timer.as_mut().as_pin_mut().map(|timer| timer.poll(context));
        }
        std::task::Poll::Pending
    })
    .await;
}

tokio::task_local! {
    static MAY_STALL: Cell<bool>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(allowed: bool) -> bool {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let stands_still = async move {
                if allowed {
                    allow();
                }
                std::future::pending::<()>().await;
            };
            let stream = until_stalled(stands_still, Duration::from_millis(10));
            let stream = begin(MAY_STALL.scope(Cell::new(false), stream)).expect("it waits");
            tokio::time::timeout(Duration::from_millis(500), stream).await.is_ok()
        })
    }

    #[test]
    fn a_stream_that_waits_for_nothing_needs_no_task() {
        assert!(begin(async {}).is_none());
        assert!(begin(until_stalled(async {}, Duration::ZERO)).is_none());
    }

    #[test]
    fn a_stream_that_stands_still_is_cut_unless_it_may() {
        assert!(run(false));
        assert!(!run(true));
    }
}
