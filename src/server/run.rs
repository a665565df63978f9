//! The server's own thread: it binds, accepts, answers health, and drains. Calls are the workers'.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};
use tonic::service::Routes;
use tonic_health::{ServingStatus, server::HealthReporter};

use super::{
    Parts, StartError, Tls,
    accept::{Worker, accept, single_threaded},
    admin::{self, Admin},
    connection::Desk,
    gate::{Served, Shared},
    listener::{self, Bound},
    running::{Started, Stop},
};
use crate::{
    accounts::Repeats,
    limits::MESSAGE_OVERHEAD_BYTES,
    proto::{DESCRIPTOR_SET, payment_webhook_service_server::PaymentWebhookServiceServer},
    service::{Guardrails, PaymentWebhooks, Webhooks},
    telemetry::Metrics,
};

impl Parts {
    /// Runs the server until it is drained or cut.
    pub(super) fn run(
        self,
        tell_started: &std::sync::mpsc::Sender<Result<Started, StartError>>,
        tell_drained: oneshot::Sender<bool>,
        stop: &Stop,
    ) {
        let runtime = match single_threaded() {
            Ok(runtime) => runtime,
            Err(error) => return drop(tell_started.send(Err(error))),
        };
        let whole = runtime.block_on(async {
            match self.begin(stop).await {
                Ok((started, serving)) => {
                    drop(tell_started.send(Ok(started)));
                    serving.until_stopped(stop).await
                }
                Err(error) => {
                    drop(tell_started.send(Err(error)));
                    false
                }
            }
        });
        runtime.shutdown_background();
        // Nobody waits where the server is dropped.
        let _ = tell_drained.send(whole);
    }

    /// Binds everything, then serves: a server that starts is whole.
    async fn begin(self, stop: &Stop) -> Result<(Started, Serving), StartError> {
        let bound = self.settings.listen.iter().map(|l| Bound::new(l, &self.settings.socket));
        let bound = bound.collect::<Result<Vec<_>, _>>()?;
        let admin = self.settings.admin_listen.map(listener::tcp).transpose()?;
        let address = admin.as_ref().and_then(|listener| listener.local_addr().ok());
        let places = bound.iter().filter_map(Bound::place).collect();
        let (served, admin_routes, health) = self.served();
        let shared = Arc::new(Shared::new(self.settings.limits, Arc::clone(&self.metrics)));
        let tracker = TaskTracker::new();
        let ended = CancellationToken::new();
        let desk = Desk {
            served,
            shared: Arc::clone(&shared),
            tls: self.settings.tls.clone(),
            timings: self.settings.timings,
            metrics: Arc::clone(&self.metrics),
            stop: stop.drain.clone(),
        };
        let started = (1..=self.settings.workers.max(1))
            .map(|position| Worker::start(position, desk.clone(), tracker.clone(), ended.clone()));
        let (workers, threads) =
            started.collect::<Result<Vec<_>, _>>()?.into_iter().unzip::<_, _, Vec<_>, _>();
        let serving = Serving {
            parts: self,
            shared,
            tracker,
            threads,
            health,
            ready: Arc::default(),
            ended: ended.drop_guard(),
        };
        report(&serving.health, &[OVERALL, SERVICE, CONFIGURATION], ServingStatus::Serving).await;
        report(&serving.health, &[READINESS], ServingStatus::NotServing).await;
        serving.admin(admin, admin_routes);
        serving.accept(bound, &workers.into(), &stop.drain);
        Ok(((places, address), serving))
    }

    /// What the workers serve, what the admin listener does, and what reports health to both.
    fn served(&self) -> (Served, Routes, HealthReporter) {
        let (health, health_server) = tonic_health::server::health_reporter();
        let limits = self.settings.limits;
        let guardrails = Guardrails {
            body_bytes_max: limits.body_bytes_max,
            header_bytes_max: limits.header_bytes_max,
            headers_max: limits.headers_max,
            audit: self.settings.audit,
            explain_calls_max: limits.calls_max / 2,
        };
        let webhooks = Webhooks::new(
            Arc::clone(&self.accounts),
            Arc::clone(&self.clock),
            Arc::clone(&self.metrics),
            Repeats::new(
                self.settings.repeats.window_seconds.try_into().unwrap_or(i64::MAX),
                self.settings.repeats.entries_max,
            ),
            guardrails,
        );
        let message_bytes_max = limits.body_bytes_max.saturating_add(MESSAGE_OVERHEAD_BYTES);
        let service = PaymentWebhookServiceServer::new(PaymentWebhooks::new(Arc::new(webhooks)))
            .max_decoding_message_size(message_bytes_max);
        let mut others = Routes::new(health_server.clone());
        if self.settings.reflection {
            others = with_reflection(others);
        }
        let served = Served { service, others: others.prepare() };
        (served, Routes::new(health_server).prepare(), health)
    }
}

/// A server that serves.
struct Serving {
    parts: Parts,
    shared: Arc<Shared>,
    tracker: TaskTracker,
    threads: Vec<JoinHandle<()>>,
    health: HealthReporter,
    ready: Arc<AtomicBool>,
    /// Ends the workers, however this ends.
    ended: DropGuard,
}

impl Serving {
    fn admin(&self, listener: Option<TcpListener>, routes: Routes) {
        let Some(listener) = listener else { return };
        let (metrics, ready) = (Arc::clone(&self.parts.metrics), Arc::clone(&self.ready));
        let accounts = Arc::clone(&self.parts.accounts);
        let preface = self.parts.settings.timings.preface;
        tokio::spawn(admin::serve(listener, Admin { routes, metrics, accounts, ready, preface }));
    }

    fn accept(&self, bound: Vec<Bound>, workers: &Arc<[Worker]>, stop: &CancellationToken) {
        let connections = Arc::new(Semaphore::new(self.parts.settings.limits.connections_max));
        for bound in bound {
            // Tracked, so that a drain knows when the listeners are closed.
            let (connections, workers) = (Arc::clone(&connections), Arc::clone(workers));
            self.tracker.spawn(accept(bound, connections, workers, stop.clone()));
        }
        if let Some(tls) = self.parts.settings.tls.clone() {
            let every = self.parts.settings.timings.certificates;
            tokio::spawn(renew(tls, Arc::clone(&self.parts.metrics), every));
        }
    }

    /// Serves until it is stopped, then drains; true when every call under way had finished.
    async fn until_stopped(self, stop: &Stop) -> bool {
        tokio::select! {
            () = stop.drain.cancelled() => {}
            () = self.readiness() => {}
        }
        self.ready.store(false, Ordering::Relaxed);
        let all = [OVERALL, SERVICE, READINESS, CONFIGURATION];
        report(&self.health, &all, ServingStatus::NotServing).await;
        self.tracker.close();
        // The process is gone within the time, so what is left is cut a little before.
        let deadline = Duration::from_secs(self.parts.settings.limits.drain_seconds);
        let deadline = deadline.saturating_sub(ENDING);
        let whole = tokio::select! {
            drained = timeout(deadline, self.drained()) => drained.is_ok(),
            () = stop.cut.cancelled() => false,
        };
        let Self { threads, ended, .. } = self;
        drop(ended);
        for thread in threads {
            // It was told to end, and has nothing to wait for.
            let _ = thread.join();
        }
        whole
    }

    /// Keeps telling whether a variant can be used: one that cannot does not take the pod out,
    /// all of them do.
    async fn readiness(&self) {
        let accounts = &self.parts.accounts;
        let (mut refused, mut seeded) = (false, None);
        loop {
            let none = accounts.variants().is_empty();
            let ready = none || !accounts.ready().is_empty() || !accounts.list().await.is_empty();
            if self.ready.swap(ready, Ordering::Relaxed) != ready {
                let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
                report(&self.health, &[READINESS], status).await;
            }
            if std::mem::replace(&mut refused, accounts.refused().is_some()) != refused {
                let status =
                    if refused { ServingStatus::NotServing } else { ServingStatus::Serving };
                report(&self.health, &[CONFIGURATION], status).await;
            }
            // What can wait until this is told; nobody waits for it.
            seeded.get_or_insert_with(|| tokio::task::spawn_blocking(seed));
            tokio::time::sleep(READINESS_LOOK).await;
        }
    }

    /// Waits until every connection is gone, or no call was under way for a while: who is still
    /// attached then is idle, silent or stuck, and could stay for ever.
    async fn drained(&self) {
        let quiet = async {
            let mut since = Instant::now();
            let mut look = interval(LOOK);
            look.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while since.elapsed() < self.parts.settings.timings.quiet {
                look.tick().await;
                if self.shared.calls() > 0 {
                    since = Instant::now();
                }
            }
        };
        tokio::select! {
            () = self.tracker.wait() => {}
            () = quiet => {}
        }
    }
}

/// Takes renewed certificates.
async fn renew(tls: Arc<Tls>, metrics: Arc<Metrics>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        match tls.refresh() {
            Ok(false) => {}
            Ok(true) => {
                metrics.reloads.inc();
                tracing::info!("Certificates taken");
            }
            Err(error) => {
                metrics.reloads_failed.inc();
                tracing::error!(error, "Certificates refused; the last good ones stay");
            }
        }
    }
}

/// Makes the library's random numbers ready: before the first it measures jitter for 30 ms, for
/// which the first TLS handshake would hold up its worker.
fn seed() {
    // Where there are none, the handshake says so.
    let _ = aws_lc_rs::rand::fill(&mut [0]);
}

async fn report(health: &HealthReporter, services: &[&str], status: ServingStatus) {
    for service in services {
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

/// The server as a whole.
const OVERALL: &str = "";
const SERVICE: &str = "payhook.v1.PaymentWebhookService";
/// Whether a variant can be used.
const READINESS: &str = "readiness";
/// Whether the configuration found last is the active one.
const CONFIGURATION: &str = "configuration";
/// How often readiness is looked at.
const READINESS_LOOK: Duration = Duration::from_secs(1);
/// What the end itself may take: cutting what is attached, and the last lines of the log.
const ENDING: Duration = Duration::from_millis(200);
/// How often a drain looks whether calls are under way.
const LOOK: Duration = Duration::from_millis(20);
