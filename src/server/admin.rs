//! The second listener: health, metrics and nothing else. It carries no payload and is never shed.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, service::Routes};
use tower::Service as _;

use super::{
    accept, connection,
    opening::{Protocol, opening},
};
use crate::{
    accounts::Accounts,
    model::UnixSeconds,
    telemetry::{KeyReading, Metrics, Readings},
};

/// What the admin listener answers with.
#[derive(Clone, Debug)]
pub(super) struct Admin {
    pub(super) routes: Routes,
    pub(super) metrics: Arc<Metrics>,
    pub(super) accounts: Arc<Accounts>,
    /// Whether the server is ready: the same state that grpc.health.v1 serves.
    pub(super) ready: Arc<AtomicBool>,
    pub(super) preface: Duration,
}

/// Serves the admin listener for as long as its runtime lives: health is told until the end.
pub(super) async fn serve(listener: TcpListener, admin: Admin) {
    let mut open = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(accept::PAUSE).await;
            continue;
        };
        open.retain(|connection: &CancellationToken| !connection.is_cancelled());
        if open.len() >= CONNECTIONS_MAX {
            // The newest wins: a probe is answered whoever sits on the others.
            if let Some(oldest) = open.pop_front() {
                oldest.cancel();
            }
        }
        let (admin, end) = (admin.clone(), CancellationToken::new());
        open.push_back(end.clone());
        tokio::spawn(async move {
            let _over = end.clone().drop_guard();
            tokio::select! {
                () = admin.connection(stream) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

impl Admin {
    async fn connection(self, stream: TcpStream) {
        // A peer that is gone is found out by the read.
        let _ = stream.set_nodelay(true);
        let Some((protocol, stream)) = opening(stream, self.preface).await else { return };
        let preface = self.preface;
        let io = TokioIo::new(stream);
        let service = service_fn(move |request| self.clone().answer(request));
        // Either way the connection is over; what its peer did wrong is the peer's.
        let _ = match protocol {
            Protocol::Http1 => {
                let mut builder = http1::Builder::new();
                builder.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(preface);
                timeout(HTTP1_DEADLINE, builder.serve_connection(io, service)).await.is_ok()
            }
            Protocol::Http2 => {
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(STREAMS_MAX)
                    .max_pending_accept_reset_streams(connection::PENDING_RESETS_MAX)
                    .max_local_error_reset_streams(connection::LOCAL_RESETS_MAX)
                    .max_header_list_size(connection::HEADER_LIST_BYTES_MAX)
                    .initial_stream_window_size(WINDOW_BYTES)
                    .initial_connection_window_size(WINDOW_BYTES)
                    .keep_alive_interval(Some(Duration::from_secs(30)))
                    .keep_alive_timeout(Duration::from_secs(20));
                builder.serve_connection(io, service).await.is_ok()
            }
        };
    }

    async fn answer(mut self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let path = request.uri().path();
        if path.starts_with("/grpc.health.v1.") {
            return self.routes.call(request).await;
        }
        let get = request.method() == Method::GET;
        let serving = self.ready.load(Ordering::Relaxed);
        let (status, content_type, body) = match path {
            "/healthz" if get => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            "/readyz" if get => {
                let ready = (StatusCode::OK, "ready");
                let not = (StatusCode::SERVICE_UNAVAILABLE, "not ready");
                let (status, word) = if serving { ready } else { not };
                (status, TEXT, self.detailed(word))
            }
            "/metrics" if get => (StatusCode::OK, OPEN_METRICS, self.scraped()),
            _ => (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
        };
        let mut response = Response::new(Body::new(http_body_util::Full::from(body)));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Ok(response)
    }
}

impl Admin {
    /// How ready it is, then what is wrong and does not take the pod out, a line each: names and
    /// places, never a value.
    fn detailed(&self, word: &str) -> String {
        let mut lines = vec![word.to_owned()];
        if let Some(problem) = self.accounts.refused() {
            lines.push(format!("configuration refused, the last good one stays: {problem}"));
        }
        if self.accounts.needs_restart() {
            lines.push("settings beside the variants changed: a restart takes them".to_owned());
        }
        for state in self.accounts.states() {
            if let Some(problem) = &state.problem {
                let served = match state.loaded_at {
                    Some(_) => "the last good secrets are served",
                    None => "not served",
                };
                lines.push(format!("variant {}, {served}: {problem}", state.variant.as_str()));
            }
        }
        let more = lines.len().saturating_sub(DETAIL_LINES_MAX);
        if more > 0 {
            lines.truncate(DETAIL_LINES_MAX);
            lines.push(format!("and {more} more"));
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }

    fn scraped(&self) -> String {
        let states = self.accounts.states();
        let configured = states.iter().map(|state| (state.variant.as_str(), state.gateway.name));
        self.metrics.configured(configured);
        let held = states.iter().filter(|state| state.loaded_at.is_some());
        let keys = held.flat_map(|state| {
            state.keys.iter().map(move |key| KeyReading {
                variant: state.variant.as_str().to_owned(),
                key: key.label.clone(),
                role: key.role.as_str(),
                held_since: key.held_since.map(UnixSeconds::get),
                last_used_at: key.last_used.map(UnixSeconds::get),
            })
        });
        let troubled = states.iter().filter(|state| state.problem.is_some());
        let counts = self.accounts.counts();
        self.metrics.text(Readings {
            revision: self.accounts.revision(),
            refused: self.accounts.refused().is_some(),
            troubled: troubled.map(|state| state.variant.as_str().to_owned()).collect(),
            keys: keys.collect(),
            secret_hits: counts.hits,
            secret_reads: counts.source_reads,
            secret_reads_failed: counts.source_failures,
            secrets_served_stale: counts.stale_served,
        })
    }
}

/// Lines of detail about readiness: who needs more reads `ListVariants`.
const DETAIL_LINES_MAX: usize = 50;
/// Probes and a scraper or two.
const CONNECTIONS_MAX: usize = 32;
/// Health calls at once on one connection.
const STREAMS_MAX: u32 = 32;
/// Nothing here has a body to speak of.
const WINDOW_BYTES: u32 = 64 * 1024;
/// One request and its answer.
const HTTP1_DEADLINE: Duration = Duration::from_secs(10);
const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
