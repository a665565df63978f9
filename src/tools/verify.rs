//! `payhook verify` and `payhook map-status`: the real service, called in process.

use std::{io::Write as _, sync::Arc};

use prost::Message as _;
use tonic::{Request, Status};

use super::{
    Exit, ToolError,
    cli::{ConfigArgs, VerifyArgs},
    json, offline,
};
use crate::{
    accounts::{Clock, Repeats},
    config::{Config, Purpose},
    proto::{self, payment_webhook_service_server::PaymentWebhookService as _},
    service::{Guardrails, PaymentWebhooks, Webhooks},
    telemetry::Metrics,
};

/// Verifies stdin; prints the response or the refusal.
///
/// # Errors
/// [`Exit::Refused`] where the webhook is refused.
pub(super) async fn verify(args: &VerifyArgs) -> Result<(), ToolError> {
    let clock = offline::clock(args.at.as_deref())?;
    let config = offline::config(&args.account.config, Purpose::Development)?;
    let mut headers = match &args.headers_file {
        Some(path) => offline::headers_file(path)?,
        None => Vec::new(),
    };
    for line in &args.headers {
        headers.push(offline::header(line)?);
    }
    let webhook = proto::WebhookRequest {
        variant: args.account.variant.clone(),
        body: offline::stdin()?.into(),
        headers: headers
            .into_iter()
            .map(|(name, value)| proto::HttpHeader { name, value })
            .collect(),
        method: args.method.clone(),
        url: args.url.clone(),
        received_at: None,
    };
    let request = proto::VerifyAndParseRequest { webhook: Some(webhook) };
    match service(config, clock).verify_and_parse(Request::new(request)).await {
        Ok(response) => show(&json::print("VerifyAndParseResponse", response.get_ref())?),
        Err(status) => Err(refused(&status, args.explain)),
    }
}

/// Maps a request from stdin; prints the response.
///
/// # Errors
/// [`Exit::Refused`] where the request or its webhook is refused.
pub(super) async fn map_status(args: &ConfigArgs) -> Result<(), ToolError> {
    let config = offline::config(args, Purpose::Development)?;
    let text = String::from_utf8(offline::stdin()?)
        .map_err(|_| ToolError::new(Exit::Refused, "stdin is not UTF-8"))?;
    let request: proto::MapStatusRequest = json::read("MapStatusRequest", &text)?;
    let service = service(config, offline::clock(None)?);
    match service.map_status(Request::new(request)).await {
        Ok(response) => show(&json::print("MapStatusResponse", response.get_ref())?),
        Err(status) => Err(refused(&status, false)),
    }
}

fn service(mut config: Config, clock: Clock) -> PaymentWebhooks {
    let guardrails = Guardrails {
        body_bytes_max: config.limits.body_bytes_max,
        header_bytes_max: config.limits.header_bytes_max,
        headers_max: config.limits.headers_max,
        audit: false,
        ..Guardrails::default()
    };
    let accounts = offline::accounts(&mut config, clock.clone());
    let metrics = Arc::new(Metrics::default());
    PaymentWebhooks::new(Arc::new(Webhooks::new(
        accounts,
        clock,
        metrics,
        Repeats::new(0, 0),
        guardrails,
    )))
}

fn show(text: &str) -> Result<(), ToolError> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(ToolError::from)
}

/// The refusal as text: the reason, and the diagnostics where they were asked for.
fn refused(status: &Status, explain: bool) -> ToolError {
    let reason = status.metadata().get("x-payhook-reason").and_then(|text| text.to_str().ok());
    let mut message = format!("{}: {}", reason.unwrap_or("INTERNAL"), status.message());
    let details = tonic_types::pb::Status::decode(status.details()).unwrap_or_default().details;
    let found = details.iter().find(|any| any.type_url.ends_with("ErrorDiagnostics"));
    if let Some(any) = found.filter(|_| explain)
        && let Ok(diagnostics) = proto::ErrorDiagnostics::decode(any.value.as_slice())
        && let Ok(text) = json::print("ErrorDiagnostics", &diagnostics)
    {
        if !diagnostics.hint.is_empty() {
            let cause = diagnostics.cause().as_str_name().trim_start_matches("MISMATCH_CAUSE_");
            message = format!("{message}\n{cause}: {}", diagnostics.hint);
        }
        message.push('\n');
        message.push_str(&text);
    }
    ToolError::new(Exit::Refused, message)
}
