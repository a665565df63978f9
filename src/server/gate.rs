//! What stands before the service on every connection: a permit before the body is read, bodies
//! counted while they arrive, a deadline, and a net under panics.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::{sync::Semaphore, time::timeout};
use tonic::{body::Body, service::Routes};
use tower::Service;

use crate::{
    accounts::Caller,
    config::Limits,
    service::status::{self, Refusal},
    telemetry::Metrics,
};

/// The bounds that all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    calls: Arc<Semaphore>,
    bytes: Arc<AtomicUsize>,
    limits: Limits,
    metrics: Arc<Metrics>,
}

impl Shared {
    pub(super) fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        let calls = Arc::new(Semaphore::new(limits.calls_max));
        Self { calls, bytes: Arc::new(AtomicUsize::new(0)), limits, metrics }
    }
}

/// The gate of one connection.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    routes: Routes,
    shared: Arc<Shared>,
    caller: Caller,
}

impl Gate {
    pub(super) fn new(routes: Routes, shared: Arc<Shared>) -> Self {
        Self { routes, shared, caller: Caller::default() }
    }

    pub(super) fn with_caller(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Incoming>> for Gate {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Answer {
        let shared = Arc::clone(&self.shared);
        let exempt = request.uri().path().starts_with("/grpc.health.v1.");
        let permit = if exempt {
            None
        } else {
            // Taken before a byte of the body is read: that is what bounds memory.
            let Ok(permit) = Arc::clone(&shared.calls).try_acquire_owned() else {
                shared.metrics.shed.inc();
                return refused(&Refusal::Overloaded);
            };
            Some(permit)
        };
        let deadline = deadline(&request, shared.limits.deadline_ms);
        let caller = self.caller.clone();
        let counted = (Arc::clone(&shared.bytes), shared.limits.in_flight_bytes_max);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(caller);
        let body = Counted { body, held: 0, total: counted.0, bytes_max: counted.1 };
        let request = Request::from_parts(parts, Body::new(body));
        let mut routes = self.routes.clone();
        Box::pin(async move {
            shared.metrics.in_flight.inc();
            let call = AssertUnwindSafe(routes.call(request)).catch_unwind();
            // A health watch is open on purpose.
            let done = if exempt { Ok(call.await) } else { timeout(deadline, call).await };
            shared.metrics.in_flight.dec();
            drop(permit);
            match done {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => {
                    shared.metrics.panics.inc();
                    tracing::error!("A call panicked");
                    Ok(answer(&Refusal::Panicked))
                }
                Err(_) => {
                    shared.metrics.timeouts.inc();
                    Ok(answer(&Refusal::TimedOut))
                }
            }
        })
    }
}

fn refused(refusal: &Refusal) -> Answer {
    let answer = answer(refusal);
    Box::pin(async move { Ok(answer) })
}

fn answer(refusal: &Refusal) -> Response<Body> {
    status::status(refusal, status::Context::default()).into_http()
}

/// Ours, or the client's where it is shorter.
fn deadline(request: &Request<Incoming>, deadline_ms: u64) -> Duration {
    let ours = Duration::from_millis(deadline_ms);
    let header = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok());
    header.and_then(grpc_timeout).map_or(ours, |theirs| theirs.min(ours))
}

/// Up to eight digits and a unit.
fn grpc_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let plain = (1..=8).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let count: u64 = digits.parse().ok().filter(|_| plain)?;
    match unit {
        "H" => Some(Duration::from_secs(count.saturating_mul(3600))),
        "M" => Some(Duration::from_secs(count.saturating_mul(60))),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

/// A request body whose bytes count against the bound of all bodies in flight.
#[derive(Debug)]
struct Counted {
    body: Incoming,
    held: usize,
    total: Arc<AtomicUsize>,
    bytes_max: usize,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        let Some(frame) = frame else { return Poll::Ready(None) };
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Poll::Ready(Some(Err(tonic::Status::from_error(error.into())))),
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.held = self.held.saturating_add(length);
        let total = self.total.fetch_add(length, Ordering::Relaxed).saturating_add(length);
        if total > self.bytes_max {
            let status = status::status(&Refusal::Overloaded, status::Context::default());
            return Poll::Ready(Some(Err(status)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.total.fetch_sub(self.held, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_timeout_is_read_to_the_letter() {
        assert_eq!(grpc_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout("5S"), Some(Duration::from_secs(5)));
        for bad in ["", "5", "S", "+5S", "123456789S", "5x", "5 S"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }
}
