//! `payhook demo`: the real server on a free loopback port, throw-away keys, samples of every
//! gateway, and what must be refused.

mod accounts;
mod table;
mod world;

use std::sync::Arc;

use tonic::{Status, transport::Channel};

use self::{
    table::{Outcome, Table},
    world::World,
};
use super::{Exit, ToolError};
use crate::{
    accounts::{Account, Accounts},
    config::{Config, Listen, Purpose},
    gateway::Sample,
    model::UnixSeconds,
    proto::{self, payment_webhook_service_client::PaymentWebhookServiceClient},
    server::{self, Parts, Settings},
    telemetry::Metrics,
    verify::Signed,
};

/// Runs the demo: exit 0 only if every outcome is right.
///
/// # Errors
/// A server that does not start, or cannot be reached.
pub(super) async fn run() -> Result<Exit, ToolError> {
    let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
    let clock = server::system_clock();
    let world = World::new()?;
    let accounts = accounts::throw_away(clock.clone(), &world)?;
    let defaults = Config::from_yaml("{}", Purpose::Development).map_err(|e| internal(&e))?;
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mut settings = Settings::from_config(&defaults).map_err(|e| internal(&e))?;
    settings.listen = vec![Listen::Tcp(loopback)];
    settings.admin_listen = None;
    let metrics = Arc::new(Metrics::default());
    let parts = Parts { accounts: Arc::clone(&accounts), clock: clock.clone(), metrics, settings };
    let running = parts.start().map_err(|error| ToolError::new(Exit::Unavailable, error))?;
    let address = running.address().ok_or_else(|| internal(&"no address"))?;
    let client = PaymentWebhookServiceClient::connect(format!("http://{address}")).await;
    let client = client.map_err(|error| ToolError::new(Exit::Unavailable, error))?;
    let mut demo = Demo { client, table: Table::new(address), now: clock(), world };
    for account in accounts.list().await {
        demo.gateway(&account).await;
    }
    demo.unknown_variant(&accounts).await;
    let right = demo.table.print()?;
    running.stop();
    Ok(if right { Exit::Ok } else { Exit::Refused })
}

struct Demo {
    client: PaymentWebhookServiceClient<Channel>,
    table: Table,
    now: UnixSeconds,
    world: World,
}

impl Demo {
    async fn gateway(&mut self, account: &Account) {
        let title = account.gateway().title;
        self.table.section(title, &account.verifier().scheme().name);
        for sample in account.gateway().samples {
            match self.world.sign(account, sample, self.now) {
                Err(problem) => self.table.broken(sample.title, &problem),
                Ok(signed) => {
                    let outcome = self.send(account.variant().as_str(), signed).await;
                    self.table.genuine(sample, &outcome);
                }
            }
        }
        if let Some(sample) = account.gateway().samples.first() {
            self.forgeries(account, sample).await;
        }
    }

    /// The same webhook, changed: each change must be refused for its own reason.
    async fn forgeries(&mut self, account: &Account, sample: &Sample) {
        let variant = account.variant().as_str();
        let Ok(genuine) = self.world.sign(account, sample, self.now) else { return };
        let tampered = one_digit_changed(&genuine);
        let outcome = self.send(variant, tampered).await;
        let mismatch = ["SIGNATURE_MISMATCH", "PAYLOAD_MALFORMED", "SIGNATURE_MALFORMED"];
        self.table.refused("one digit changed", &mismatch, &outcome);
        let own: Vec<_> = account.verifier().scheme().carriers().collect();
        if own.iter().any(|name| genuine.headers.iter().any(|(header, _)| header == name)) {
            let mut bare = genuine.clone();
            bare.headers.retain(|(header, _)| !own.contains(&header.as_str()));
            let outcome = self.send(variant, bare).await;
            self.table.refused("signature removed", &["SIGNATURE_MISSING"], &outcome);
        }
        if let Some(tolerance) = account.verifier().tolerance_seconds() {
            let then = self.now.get().saturating_sub(tolerance).saturating_sub(60);
            if let Ok(stale) = self.world.sign(account, sample, UnixSeconds::new(then)) {
                let outcome = self.send(variant, stale).await;
                let title = format!("replayed after {} s", tolerance.saturating_add(60));
                self.table.refused(&title, &["TIMESTAMP_TOO_OLD"], &outcome);
            }
        }
        let other = accounts::other_key(account, &self.world);
        if let Some(forged) = other.and_then(|other| self.world.sign(&other, sample, self.now).ok())
        {
            let outcome = self.send(variant, forged).await;
            self.table.refused("signed with another key", &["SIGNATURE_MISMATCH"], &outcome);
        }
    }

    async fn unknown_variant(&mut self, accounts: &Arc<Accounts>) {
        self.table.section("No gateway", "a variant that is not configured");
        let first = accounts.list().await.into_iter().next();
        let signed = first.as_ref().and_then(|account| {
            let sample = account.gateway().samples.first()?;
            self.world.sign(account, sample, self.now).ok()
        });
        if let Some(signed) = signed {
            let outcome = self.send("nobody", signed).await;
            self.table.refused("genuine, to an unknown variant", &["VARIANT_UNKNOWN"], &outcome);
        }
    }

    async fn send(&mut self, variant: &str, signed: Signed) -> Outcome {
        let headers = signed.headers.into_iter();
        let webhook = proto::WebhookRequest {
            variant: variant.to_owned(),
            body: signed.body.into(),
            headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
            method: "POST".to_owned(),
            url: signed.url,
            received_at: None,
        };
        let request = proto::VerifyAndParseRequest { webhook: Some(webhook) };
        match self.client.verify_and_parse(request).await {
            Ok(response) => Outcome::Verified(Box::new(response.into_inner())),
            Err(status) => Outcome::Refused(reason(&status)),
        }
    }
}

/// The webhook with its last digit changed: that of the URL, where the gateway adds fields to it,
/// else that of the body.
fn one_digit_changed(genuine: &Signed) -> Signed {
    let next = |digit: u8| if digit == b'9' { b'0' } else { digit.saturating_add(1) };
    let mut changed = genuine.clone();
    let mut url = genuine.url.clone().into_bytes();
    let bytes = if genuine.url == accounts::URL { &mut changed.body } else { &mut url };
    if let Some(byte) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *byte = next(*byte);
    }
    changed.url = String::from_utf8(url).unwrap_or_default();
    changed
}

fn reason(status: &Status) -> String {
    let reason = status.metadata().get("x-payhook-reason").and_then(|text| text.to_str().ok());
    reason.map_or_else(|| format!("{:?} {}", status.code(), status.message()), str::to_owned)
}
