//! What stands before the service on every connection: a permit before the body is read, a
//! deadline, and a net under panics.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::time::timeout;
use tonic::{Status, body::Body, service::Routes};
use tower::Service as _;

use super::{body::Counted, stall};
use crate::{
    accounts::Caller,
    config::Limits,
    limits::MESSAGE_OVERHEAD_BYTES,
    proto::payment_webhook_service_server::PaymentWebhookServiceServer,
    service::{
        PaymentWebhooks,
        status::{self, Refusal},
    },
    telemetry::{Metrics, Trace},
};

/// The bounds that all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    calls: AtomicUsize,
    streams: AtomicUsize,
    bytes: AtomicUsize,
    limits: Limits,
    /// The answer to everything over the limits, made once: under a flood it is the common one.
    overloaded: Status,
    /// The same as a response's headers.
    refusal: HeaderMap,
    metrics: Arc<Metrics>,
}

impl Shared {
    pub(super) fn new(limits: Limits, metrics: Arc<Metrics>) -> Self {
        let overloaded = status::status(&Refusal::Overloaded, status::Context::default());
        let (calls, streams, bytes) = Default::default();
        let (parts, _) = overloaded.clone().into_http::<Body>().into_parts();
        Self { calls, streams, bytes, limits, overloaded, refusal: parts.headers, metrics }
    }

    /// Calls under way.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Refuses a call because of a limit.
    fn shed(&self) -> Response<Body> {
        self.metrics.shed.inc();
        let mut response = Response::new(Body::empty());
        response.headers_mut().clone_from(&self.refusal);
        response
    }

    /// Bytes that each connection has to itself: a webhook's, out of a quarter of all.
    const fn own_bytes(&self) -> usize {
        let quarter = self.limits.in_flight_bytes_max / 4;
        let share = match quarter.checked_div(self.limits.connections_max) {
            Some(share) => share,
            None => 0,
        };
        if share < OWN_BYTES_MAX { share } else { OWN_BYTES_MAX }
    }

    /// Bytes that all share: what is left beside those.
    const fn shared_bytes_max(&self) -> usize {
        let own = self.own_bytes().saturating_mul(self.limits.connections_max);
        self.limits.in_flight_bytes_max.saturating_sub(own)
    }

    /// Bytes that a call may hold: a unary call holds one message, a stream one at a time.
    const fn held_bytes_max(&self) -> usize {
        self.limits.body_bytes_max.saturating_add(MESSAGE_OVERHEAD_BYTES)
    }
}

/// One connection: its peer, and its share of the bounds.
#[derive(Debug)]
struct Connection {
    shared: Arc<Shared>,
    caller: Caller,
    probes: AtomicUsize,
    /// Calls under way on it.
    calls: AtomicUsize,
}

/// What is served behind the gate.
#[derive(Clone, Debug)]
pub(super) struct Served {
    /// The service itself: called without a router in between, for it has nearly all calls.
    pub(super) service: PaymentWebhookServiceServer<PaymentWebhooks>,
    /// Health and reflection, and the answer to paths that do not exist.
    pub(super) others: Routes,
}

impl Served {
    async fn call(mut self, request: Request<Counted>) -> Result<Response<Body>, Infallible> {
        if request.uri().path().starts_with(SERVICE) {
            self.service.call(request).await
        } else {
            self.others.call(request).await
        }
    }
}

/// The gate of one connection.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    served: Served,
    connection: Arc<Connection>,
}

impl Gate {
    pub(super) fn new(served: Served, shared: Arc<Shared>, caller: Caller) -> Self {
        let (probes, calls) = Default::default();
        Self { served, connection: Arc::new(Connection { shared, caller, probes, calls }) }
    }

    /// Answers one request.
    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let shared = Arc::clone(&self.connection.shared);
        let exempt = request.uri().path().starts_with(HEALTH);
        // Taken before a byte of the body is read: that is what bounds memory.
        let call = if exempt { self.probe() } else { self.call() };
        let Some(call) = call else { return Ok(shared.shed()) };
        let deadline = deadline(request.headers(), shared.limits.deadline_ms);
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(self.connection.caller.clone());
        let body = Counted::new(body, Arc::clone(&call));
        let request = Request::from_parts(parts, body);
        let trace = Trace::of(request.headers(), request.uri().path());
        let answer = trace.over(self.served.call(request));
        let answer = AssertUnwindSafe(answer).catch_unwind();
        let answered = if exempt {
            // A health watch is open, and silent, on purpose.
            stall::allow();
            Ok(answer.await)
        } else {
            timeout(deadline, answer).await
        };
        Ok(match answered {
            Ok(Ok(Ok(response))) if call.stays_within_streams() => response,
            Ok(Ok(Ok(_))) => shared.shed(),
            Ok(Err(_)) => {
                shared.metrics.panics.inc();
                tracing::error!("A call panicked");
                refused(&Refusal::Panicked)
            }
            Err(_) => {
                shared.metrics.timeouts.inc();
                refused(&Refusal::TimedOut)
            }
        })
    }

    fn call(&self) -> Option<Arc<Call>> {
        let shared = &self.connection.shared;
        let alone = self.connection.calls.load(Ordering::Relaxed) == 0;
        if !take(&shared.calls, shared.limits.calls_max) {
            if !alone {
                return None;
            }
            // Whatever others hold, a peer that has nothing gets one call: connections are
            // bounded, so these are.
            shared.calls.fetch_add(1, Ordering::Relaxed);
        }
        self.connection.calls.fetch_add(1, Ordering::Relaxed);
        shared.metrics.in_flight.inc();
        Some(Arc::new(Call::new(&self.connection, Kind::Counted, alone)))
    }

    fn probe(&self) -> Option<Arc<Call>> {
        take(&self.connection.probes, PROBES_MAX)
            .then(|| Arc::new(Call::new(&self.connection, Kind::Probe, false)))
    }
}

fn refused(refusal: &Refusal) -> Response<Body> {
    status::status(refusal, status::Context::default()).into_http()
}

/// Counts one more, unless there are as many as there may be.
fn take(counter: &AtomicUsize, most: usize) -> bool {
    if counter.fetch_add(1, Ordering::Relaxed) < most {
        return true;
    }
    counter.fetch_sub(1, Ordering::Relaxed);
    false
}

/// Which bound a call counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// All calls of the server.
    Counted,
    /// Health: exempt, and few on one connection.
    Probe,
}

/// A call's place among all calls, and the bytes that it holds. Both are given back when the
/// handler is done and the request's body is gone: that is at once for a unary call, and at the
/// end of a stream.
#[derive(Debug)]
pub(super) struct Call {
    connection: Arc<Connection>,
    kind: Kind,
    held: AtomicUsize,
    /// Bytes that count against nothing: the first call of a connection has some of its own.
    own_bytes: usize,
    streaming: AtomicUsize,
}

impl Call {
    fn new(connection: &Arc<Connection>, kind: Kind, alone: bool) -> Self {
        let (held, streaming) = Default::default();
        let own_bytes = if alone { connection.shared.own_bytes() } else { 0 };
        Self { connection: Arc::clone(connection), kind, held, own_bytes, streaming }
    }

    /// Counts bytes of a body that arrived.
    ///
    /// # Errors
    /// The status to refuse the call with, where all bodies together are over their bound.
    pub(super) fn hold(&self, bytes: usize) -> Result<(), Box<Status>> {
        let shared = &self.connection.shared;
        let held = self.held.load(Ordering::Relaxed);
        let bytes = bytes.min(shared.held_bytes_max().saturating_sub(held));
        self.held.fetch_add(bytes, Ordering::Relaxed);
        let more = self.counted(held.saturating_add(bytes)).saturating_sub(self.counted(held));
        let total = shared.bytes.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        if more > 0 && total > shared.shared_bytes_max() {
            shared.metrics.shed.inc();
            return Err(Box::new(shared.overloaded.clone()));
        }
        Ok(())
    }

    /// How many of the bytes that it holds count against the bound of all.
    const fn counted(&self, held: usize) -> usize {
        held.saturating_sub(self.own_bytes)
    }

    /// A call whose body is still open after its answer began is a stream. Streams stay as long
    /// as clients like, so they get half of the permits: a unary call always finds some.
    fn stays_within_streams(self: &Arc<Self>) -> bool {
        if self.kind == Kind::Probe || Arc::strong_count(self) == 1 {
            return true;
        }
        let shared = &self.connection.shared;
        let within = take(&shared.streams, shared.limits.calls_max.div_ceil(2));
        self.streaming.store(usize::from(within), Ordering::Relaxed);
        within
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let shared = &self.connection.shared;
        let held = *self.held.get_mut();
        shared.bytes.fetch_sub(self.counted(held), Ordering::Relaxed);
        shared.streams.fetch_sub(*self.streaming.get_mut(), Ordering::Relaxed);
        match self.kind {
            Kind::Counted => {
                shared.metrics.in_flight.dec();
                shared.calls.fetch_sub(1, Ordering::Relaxed);
                self.connection.calls.fetch_sub(1, Ordering::Relaxed);
            }
            Kind::Probe => {
                self.connection.probes.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }
}

/// Ours, or the client's where it is shorter.
fn deadline(headers: &HeaderMap, deadline_ms: u64) -> Duration {
    let ours = Duration::from_millis(deadline_ms);
    let header = headers.get("grpc-timeout").and_then(|value| value.to_str().ok());
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

const SERVICE: &str = "/payhook.v1.PaymentWebhookService/";
/// Health is never shed: a probe that fails under load would get the pod killed.
const HEALTH: &str = "/grpc.health.v1.";
/// A webhook has a few KiB.
const OWN_BYTES_MAX: usize = 64 * 1024;
/// Health calls at once on one connection: a client watches one or two services.
const PROBES_MAX: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_timeout_is_read_to_the_letter() {
        assert_eq!(grpc_timeout("100m"), Some(Duration::from_millis(100)));
        assert_eq!(grpc_timeout("5S"), Some(Duration::from_secs(5)));
        for bad in ["", "5", "S", "+5S", "123456789S", "5x", "5 S", "ü", "5ü"] {
            assert_eq!(grpc_timeout(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_shorter_deadline_holds() {
        let mut headers = HeaderMap::new();
        assert_eq!(deadline(&headers, 2000), Duration::from_secs(2));
        headers.insert("grpc-timeout", http::HeaderValue::from_static("5m"));
        assert_eq!(deadline(&headers, 2000), Duration::from_millis(5));
        headers.insert("grpc-timeout", http::HeaderValue::from_static("5M"));
        assert_eq!(deadline(&headers, 2000), Duration::from_secs(2));
    }
}
