//! Starts workers, hands out connections, and drains.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    sync::{Semaphore, mpsc, oneshot},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    Parts, StartError, admin, connection,
    gate::{Gate, Shared},
    listener::{self, Accepted, Bound},
};
use crate::{
    config::Listen,
    limits::MESSAGE_OVERHEAD_BYTES,
    proto::{DESCRIPTOR_SET, payment_webhook_service_server::PaymentWebhookServiceServer},
    service::{Guardrails, PaymentWebhooks, Webhooks},
};

/// A server that is running. Dropping it stops it without a drain.
#[derive(Debug)]
pub struct Running {
    places: Vec<Listen>,
    admin: Option<SocketAddr>,
    stop: CancellationToken,
    cut: CancellationToken,
    drained: Option<oneshot::Receiver<bool>>,
    main: Option<JoinHandle<()>>,
}

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
        self.stop.cancel();
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
        self.stop.cancel();
        self.cut.cancel();
        if let Some(main) = self.main.take() {
            // The thread ends within the drain's deadline; a panic in it was reported already.
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
        let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
        let tokens = (stop.clone(), cut.clone());
        let (tell_started, started) = std::sync::mpsc::channel();
        let (tell_drained, drained) = oneshot::channel();
        let main = std::thread::Builder::new()
            .name("payhook".to_owned())
            .spawn(move || self.run(&tell_started, tell_drained, tokens))
            .map_err(StartError::Runtime)?;
        let ended = || StartError::Runtime(std::io::Error::other("the server's thread ended"));
        let (places, admin) = started.recv().map_err(|_| ended())??;
        Ok(Running { places, admin, stop, cut, drained: Some(drained), main: Some(main) })
    }

    /// The server's own thread: its first worker, and everything that is not a worker's.
    fn run(
        self,
        tell_started: &std::sync::mpsc::Sender<Result<Started, StartError>>,
        tell_drained: oneshot::Sender<bool>,
        (stop, cut): (CancellationToken, CancellationToken),
    ) {
        let runtime = match single_threaded() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell_started.send(Err(error))),
        };
        let whole = runtime.block_on(async {
            let (bound, admin) = match self.bind().await {
                Ok(bound) => bound,
                Err(error) => {
                    drop(tell_started.send(Err(error)));
                    return false;
                }
            };
            let places = bound.iter().filter_map(Bound::place).collect();
            let address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
            let serving = self.serve(bound, admin, stop, cut);
            drop(tell_started.send(Ok((places, address))));
            serving.await
        });
        // What is still attached is cut with the runtime.
        runtime.shutdown_background();
        // Nobody may wait for it.
        let _ = tell_drained.send(whole);
    }

    async fn bind(&self) -> Result<(Vec<Bound>, Option<TcpListener>), StartError> {
        let mut bound = Vec::new();
        for listen in &self.settings.listen {
            bound.push(Bound::new(listen, &self.settings.socket).await?);
        }
        let admin = match self.settings.admin_listen {
            Some(address) => Some(listener::tcp(address).await?),
            None => None,
        };
        Ok((bound, admin))
    }

    /// The service's routes, and what reports its health.
    fn routes(&self) -> (Routes, Routes, HealthReporter) {
        let (health, health_server) = tonic_health::server::health_reporter();
        let limits = self.settings.limits;
        let guardrails = Guardrails {
            body_bytes_max: limits.body_bytes_max,
            header_bytes_max: limits.header_bytes_max,
            headers_max: limits.headers_max,
            audit: self.settings.audit,
        };
        let webhooks = Webhooks::new(
            Arc::clone(&self.accounts),
            Arc::clone(&self.clock),
            Arc::clone(&self.metrics),
            guardrails,
        );
        let message_bytes_max = limits.body_bytes_max.saturating_add(MESSAGE_OVERHEAD_BYTES);
        let service = PaymentWebhookServiceServer::new(PaymentWebhooks::new(Arc::new(webhooks)))
            .max_decoding_message_size(message_bytes_max);
        let mut routes = Routes::new(service).add_service(health_server.clone());
        if self.settings.reflection {
            routes = with_reflection(routes);
        }
        (routes.prepare(), Routes::new(health_server).prepare(), health)
    }

    async fn serve(
        &self,
        bound: Vec<Bound>,
        admin: Option<TcpListener>,
        stop: CancellationToken,
        cut: CancellationToken,
    ) -> bool {
        let (routes, admin_routes, health) = self.routes();
        let ready = Arc::new(AtomicBool::new(true));
        report(&health, ServingStatus::Serving).await;
        let admin_stop = CancellationToken::new();
        if let Some(listener) = admin {
            let (metrics, ready) = (Arc::clone(&self.metrics), Arc::clone(&ready));
            let stop = admin_stop.clone();
            tokio::spawn(admin::serve(listener, admin_routes, metrics, ready, stop));
        }
        let shared = Arc::new(Shared::new(self.settings.limits, Arc::clone(&self.metrics)));
        let gate = Gate::new(routes, shared);
        let tls = self.settings.tls.clone().map(TlsAcceptor::from);
        let tracker = TaskTracker::new();
        let workers = self.workers(&gate, tls.as_ref(), &tracker, &stop);
        let connections = Arc::new(Semaphore::new(self.settings.limits.connections_max));
        let accepting: Vec<_> = bound
            .into_iter()
            .map(|bound| {
                tokio::spawn(accept(bound, Arc::clone(&connections), workers.clone(), stop.clone()))
            })
            .collect();
        stop.cancelled().await;
        ready.store(false, Ordering::Relaxed);
        report(&health, ServingStatus::NotServing).await;
        for task in accepting {
            // Ends at once: it watches the same token.
            let _ = task.await;
        }
        tracker.close();
        let deadline = Duration::from_secs(self.settings.limits.drain_seconds);
        let whole = tokio::select! {
            waited = tokio::time::timeout(deadline, tracker.wait()) => waited.is_ok(),
            () = cut.cancelled() => false,
        };
        admin_stop.cancel();
        whole
    }

    /// The queues of the workers: the first worker is this thread.
    fn workers(
        &self,
        gate: &Gate,
        tls: Option<&TlsAcceptor>,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Vec<mpsc::UnboundedSender<Handed>> {
        let mut queues = Vec::new();
        for position in 0..self.settings.workers.max(1) {
            let (sender, receiver) = mpsc::unbounded_channel();
            let worker = work(
                receiver,
                gate.clone(),
                tls.cloned(),
                tracker.clone(),
                stop.clone(),
                Arc::clone(&self.metrics),
            );
            if position == 0 {
                tokio::spawn(worker);
            } else if let Ok(runtime) = single_threaded() {
                let ended = tracker.clone();
                let spawned = std::thread::Builder::new()
                    .name(format!("payhook-{position}"))
                    .spawn(move || {
                        runtime.block_on(async {
                            worker.await;
                            ended.wait().await;
                        });
                        runtime.shutdown_background();
                    });
                if spawned.is_err() {
                    tracing::error!("A worker could not be started");
                    continue;
                }
            }
            queues.push(sender);
        }
        queues
    }
}

/// Where a server that started listens.
type Started = (Vec<Listen>, Option<SocketAddr>);

/// A connection on its way to a worker, with its place among all connections.
type Handed = (Accepted, tokio::sync::OwnedSemaphorePermit);

/// Accepts connections and hands them to the workers in turn.
async fn accept(
    bound: Bound,
    connections: Arc<Semaphore>,
    workers: Vec<mpsc::UnboundedSender<Handed>>,
    stop: CancellationToken,
) {
    let mut turn = workers.iter().cycle();
    loop {
        // No more are accepted than are served: the kernel's queue holds the rest.
        let permit = tokio::select! {
            permit = Arc::clone(&connections).acquire_owned() => permit,
            () = stop.cancelled() => return,
        };
        let accepted = tokio::select! {
            accepted = bound.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match (accepted, permit, turn.next()) {
            (Ok(accepted), Ok(permit), Some(worker)) => {
                // A worker ends only after this loop.
                let _ = worker.send((accepted, permit));
            }
            // Out of descriptors, most likely: trying again at once would only burn the CPU.
            (Err(_), _, _) => tokio::time::sleep(ACCEPT_PAUSE).await,
            (_, Err(_), _) | (_, _, None) => return,
        }
    }
}

/// Serves the connections that a worker is handed.
async fn work(
    mut queue: mpsc::UnboundedReceiver<Handed>,
    gate: Gate,
    tls: Option<TlsAcceptor>,
    tracker: TaskTracker,
    stop: CancellationToken,
    metrics: Arc<crate::telemetry::Metrics>,
) {
    while let Some((accepted, permit)) = queue.recv().await {
        let (gate, tls, stop, metrics) =
            (gate.clone(), tls.clone(), stop.clone(), Arc::clone(&metrics));
        tracker.spawn(async move {
            metrics.connections.inc();
            connection::serve(accepted, tls, gate, stop).await;
            metrics.connections.dec();
            drop(permit);
        });
    }
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for service in ["", "payhook.v1.PaymentWebhookService", "readiness"] {
        health.set_service_status(service, status).await;
    }
}

fn with_reflection(routes: Routes) -> Routes {
    let build = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (build().build_v1(), build().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => routes.add_service(v1).add_service(v1alpha),
        // The descriptor set is compiled in: a test asks for it.
        (Err(_), _) | (_, Err(_)) => routes,
    }
}

fn single_threaded() -> Result<Runtime, StartError> {
    Builder::new_current_thread().enable_all().build().map_err(StartError::Runtime)
}

/// Pause after an accept that failed.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
