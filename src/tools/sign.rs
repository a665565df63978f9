//! `payhook sign`: what the gateway would send.

use std::io::Write as _;

use prost::Message as _;

use super::{
    Exit, ToolError,
    cli::{SignArgs, SignFormat},
    json, offline,
};
use crate::{
    config::Purpose,
    proto,
    verify::{Draft, Header},
};

/// Signs stdin and prints what was asked for.
///
/// # Errors
/// A configuration or secret that cannot be used, or a scheme that cannot be signed here.
pub(super) async fn run(args: &SignArgs) -> Result<(), ToolError> {
    let clock = offline::clock(args.at.as_deref())?;
    let mut config = offline::config(&args.account.config, Purpose::Development)?;
    let accounts = offline::accounts(&mut config, clock.clone());
    let account = accounts.account(&args.account.variant).await;
    let account = account.map_err(|error| ToolError::new(Exit::Config, error))?;
    let payload = offline::stdin()?;
    let given = args.headers.iter().map(|line| offline::header(line));
    let given = given.collect::<Result<Vec<_>, _>>()?;
    let headers: Vec<_> = given.iter().map(|(name, value)| Header { name, value }).collect();
    let draft = Draft { url: &args.url, headers: &headers, payload: &payload };
    let signed = account.verifier().sign(draft, clock());
    let signed = signed.map_err(|error| ToolError::new(Exit::Config, error))?;
    let mut out = std::io::stdout().lock();
    match args.format {
        SignFormat::Body => out.write_all(&signed.body)?,
        SignFormat::Headers => {
            for (name, value) in &signed.headers {
                writeln!(out, "{name}: {value}")?;
            }
        }
        SignFormat::Binary | SignFormat::Request => {
            let headers = signed.headers.into_iter();
            let webhook = proto::WebhookRequest {
                variant: args.account.variant.clone(),
                body: signed.body.into(),
                headers: headers.map(|(name, value)| proto::HttpHeader { name, value }).collect(),
                method: "POST".to_owned(),
                url: signed.url,
                received_at: None,
            };
            let request = proto::VerifyAndParseRequest { webhook: Some(webhook) };
            if args.format == SignFormat::Binary {
                out.write_all(&request.encode_to_vec())?;
            } else {
                writeln!(out, "{}", json::print("VerifyAndParseRequest", &request)?)?;
            }
        }
    }
    Ok(())
}
