//! The health check for images without a shell.

use std::time::Duration;

use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{Exit, ToolError, cli::ProbeArgs};

/// Asks `grpc.health.v1` once.
///
/// # Errors
/// [`Exit::Unavailable`] when the server cannot be reached or is not serving.
pub(super) async fn run(args: &ProbeArgs) -> Result<(), ToolError> {
    let unavailable = |error: &dyn std::fmt::Display| {
        ToolError::new(Exit::Unavailable, format!("{}: {error}", args.address))
    };
    let timeout = Duration::from_millis(args.timeout_ms);
    let endpoint = Endpoint::from_shared(format!("http://{}", args.address))
        .map_err(|error| unavailable(&error))?
        .connect_timeout(timeout)
        .timeout(timeout);
    let channel = endpoint.connect().await.map_err(|error| unavailable(&error))?;
    let request = HealthCheckRequest { service: args.service.clone() };
    let answer = HealthClient::new(channel).check(request).await;
    let answer = answer.map_err(|status| unavailable(&status.message()))?;
    let status = answer.into_inner().status();
    if status == ServingStatus::Serving { Ok(()) } else { Err(unavailable(&status.as_str_name())) }
}
