//! The serving layer: listeners, one single-threaded runtime per worker, bounds, drain.
//!
//! Floor 5. The defaults of HTTP/2 servers are unsafe on a port that other processes can reach:
//! every bound is set here.

mod accept;
mod admin;
mod batch;
mod body;
mod connection;
mod gate;
mod listener;
mod opening;
mod process;
mod reload;
mod run;
mod running;
mod stall;
mod tls;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use crate::{
    accounts::{Accounts, Clock},
    config::{self, Limits, Listen, Socket},
    telemetry::Metrics,
};

pub use process::{harden, system_clock};
pub use reload::Reload;
pub use running::Running;
pub use tls::Tls;

/// What a server is made of.
#[derive(Clone)]
pub struct Parts {
    /// The accounts.
    pub accounts: Arc<Accounts>,
    /// The clock.
    pub clock: Clock,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Listeners, bounds and switches.
    pub settings: Settings,
}

/// Listeners, bounds and switches.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Listeners of the service.
    pub listen: Vec<Listen>,
    /// Listener of health and metrics; `None` for none.
    pub admin_listen: Option<SocketAddr>,
    /// Mode and group of Unix sockets.
    pub socket: Socket,
    /// TLS of the service's TCP listeners.
    pub tls: Option<Arc<Tls>>,
    /// Worker threads.
    pub workers: usize,
    /// Bounds.
    pub limits: Limits,
    /// Whether reflection is served.
    pub reflection: bool,
    /// One log line per verdict.
    pub audit: bool,
    /// The window of repeats.
    pub repeats: config::Repeats,
    /// How long peers may take.
    pub timings: Timings,
}

/// How long peers may take. No configuration changes these; tests shorten them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// A client sends the HTTP/2 preface at once; a silent socket is cut after this.
    pub preface: Duration,
    /// A TLS handshake on a working network takes milliseconds.
    pub handshake: Duration,
    /// A stream that nothing moved for this long is reset.
    pub stall: Duration,
    /// A ping after this long without a frame.
    pub keepalive: Duration,
    /// A peer that does not answer the ping within this is gone.
    pub keepalive_answer: Duration,
    /// A drain without calls under way for this long cuts what is still attached.
    pub quiet: Duration,
    /// How often the files of TLS are looked at.
    pub certificates: Duration,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A listener cannot be had.
    #[error("cannot listen on {place}")]
    Listen {
        /// The address or path.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A runtime cannot be made.
    #[error("cannot start a worker")]
    Runtime(#[source] std::io::Error),
    /// The socket's path holds something that is not ours to remove.
    #[error("{} exists and is no socket of ours: {problem}", path.display())]
    Socket {
        /// The path.
        path: PathBuf,
        /// What is there.
        problem: &'static str,
    },
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("settings", &self.settings).finish_non_exhaustive()
    }
}
