//! The second listener: health, metrics and nothing else. It carries no payload and is never shed.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, service::Routes};
use tower::Service as _;

use crate::telemetry::Metrics;

/// Whether the server is ready: the same state that grpc.health.v1 serves.
pub(super) type Ready = Arc<std::sync::atomic::AtomicBool>;

/// Serves the admin listener until it is stopped.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Routes,
    metrics: Arc<Metrics>,
    ready: Ready,
    stop: CancellationToken,
) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(super::run::ACCEPT_PAUSE).await;
            continue;
        };
        let (routes, metrics, ready, stop) =
            (routes.clone(), Arc::clone(&metrics), Arc::clone(&ready), stop.clone());
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request| {
                answer(request, routes.clone(), Arc::clone(&metrics), Arc::clone(&ready))
            });
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(READ_DEADLINE);
            builder
                .http2()
                .timer(TokioTimer::new())
                .max_concurrent_streams(32)
                .max_local_error_reset_streams(64)
                .max_header_list_size(8 * 1024)
                .keep_alive_interval(Some(std::time::Duration::from_secs(30)));
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = connection => {}
                () = stop.cancelled() => {}
            }
            drop(permit);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    mut routes: Routes,
    metrics: Arc<Metrics>,
    ready: Ready,
) -> Result<Response<Body>, std::convert::Infallible> {
    let path = request.uri().path();
    if path.starts_with("/grpc.health.v1.") {
        return routes.call(request).await;
    }
    let get = request.method() == Method::GET;
    let serving = ready.load(std::sync::atomic::Ordering::Relaxed);
    let (status, content_type, body) = match path {
        "/healthz" if get => (StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" if get && serving => (StatusCode::OK, TEXT, "ready\n".to_owned()),
        "/readyz" if get => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "not ready\n".to_owned()),
        "/metrics" if get => (StatusCode::OK, OPEN_METRICS, metrics.text()),
        _ => (StatusCode::NOT_FOUND, TEXT, "not found\n".to_owned()),
    };
    let mut response = Response::new(Body::new(http_body_util::Full::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    Ok(response)
}

/// Probes and a scraper or two.
const CONNECTIONS_MAX: usize = 32;
/// A probe sends its request at once.
const READ_DEADLINE: std::time::Duration = std::time::Duration::from_secs(2);
const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
