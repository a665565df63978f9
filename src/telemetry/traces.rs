//! Spans for an OpenTelemetry collector. Off unless `OTEL_EXPORTER_OTLP_ENDPOINT` is set; the
//! other variables of OpenTelemetry (sampler, headers, resource) mean what they always do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use http::HeaderMap;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator as _},
    trace::TracerProvider as _,
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tokio::sync::Notify;
use tracing::{Instrument as _, Span, field::Empty, instrument::Instrumented};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

/// Sends spans until it is dropped; then it sends what is left.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Traces {
    /// Starts sending where the environment names a collector.
    ///
    /// # Errors
    /// A line that says why the exporter cannot be made.
    pub(super) fn start() -> Result<Option<Self>, String> {
        if std::env::var_os(ENDPOINT).is_none_or(|endpoint| endpoint.is_empty()) {
            return Ok(None);
        }
        let stop = Arc::new(Notify::new());
        let (tell, told) = mpsc::channel();
        let stopped = Arc::clone(&stop);
        // A runtime of its own: what is left is sent when the others have ended.
        let thread = std::thread::Builder::new()
            .name("payhook-traces".to_owned())
            .spawn(move || send(&tell, &stopped))
            .map_err(|error| error.to_string())?;
        let ended = |_| "the thread that sends spans ended".to_owned();
        let exporter = told.recv().map_err(ended)??;
        let name = Resource::builder().with_service_name("payhook").build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(name).build();
        ON.store(true, Ordering::Relaxed);
        Ok(Some(Self { provider, stop, thread: Some(thread) }))
    }

    /// What turns our spans into theirs: calls alone, never what libraries say.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer: SdkTracer = self.provider.tracer("payhook");
        let calls = filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET);
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(calls)
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        ON.store(false, Ordering::Relaxed);
        // A collector that is gone does not hold up the end for long.
        let _ = self.provider.shutdown_with_timeout(LAST_BATCH);
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn send(tell: &mpsc::Sender<Result<SpanExporter, String>>, stop: &Notify) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(tell.send(Err(error.to_string()))),
    };
    runtime.block_on(async {
        let exporter = SpanExporter::builder().with_tonic().build();
        let exporter = exporter.map_err(|error| format!("{ENDPOINT}: {error}"));
        if tell.send(exporter).is_ok() {
            stop.notified().await;
        }
    });
}

/// The span of a call, below its caller's where the metadata names one.
#[derive(Debug)]
pub struct Trace(Span);

impl Trace {
    /// The span of a call of this path.
    pub fn of(headers: &HeaderMap, path: &str) -> Self {
        if !ON.load(Ordering::Relaxed) {
            return Self(Span::none());
        }
        let method = path.rsplit('/').next().unwrap_or_default();
        let span = tracing::info_span!(target: TARGET, "call", otel.name = method,
            otel.kind = "server", rpc.system = "grpc", variant = Empty, outcome = Empty);
        // Without a subscriber of ours there is no span to set it on.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Metadata(headers)));
        Self(span)
    }

    /// Runs the call inside.
    pub fn over<F: Future>(self, call: F) -> Instrumented<F> {
        call.instrument(self.0)
    }
}

/// Says what the call that is under way came to.
pub fn note(variant: &str, outcome: &str) {
    if ON.load(Ordering::Relaxed) {
        Span::current().record("variant", variant).record("outcome", outcome);
    }
}

struct Metadata<'a>(&'a HeaderMap);

impl Extractor for Metadata<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

static ON: AtomicBool = AtomicBool::new(false);
const TARGET: &str = "payhook::call";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const LAST_BATCH: Duration = Duration::from_secs(1);
