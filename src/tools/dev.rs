//! `payhook serve --dev` without a configuration: a variant per gateway with throw-away secrets, on
//! loopback. It is written as a configuration and read like one, so that it can be kept.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Exit, ToolError};
use crate::{
    gateway::{GATEWAYS, Gateway},
    verify::{
        Options,
        scheme::{Algorithm, KeyForm, Source},
    },
};

/// Where the development server listens unless it is told otherwise: as without `--dev`.
const PORT: u16 = 50_051;

/// The configuration as YAML. The secrets are random: fixed ones would be known to everybody, and
/// with them anybody could sign where this is run by mistake.
///
/// # Errors
/// No random numbers.
pub(super) fn yaml(port: Option<u16>) -> Result<String, ToolError> {
    let port = port.unwrap_or(PORT);
    // Any free port is any free port for both.
    let admin = if port == 0 { 0 } else { port.saturating_add(1) };
    let mut text = format!(
        "# payhook serve --dev: throw-away secrets, others at every start. Only for development.\n\
         # Keep them as dev.yaml, then: payhook serve --dev --config dev.yaml\n\
         # Sign with them: payhook sign --config dev.yaml --variant stripe < body.json\n\
         listen: 127.0.0.1:{port}\n\
         admin_listen: 127.0.0.1:{admin}\n\
         variants:\n"
    );
    for gateway in GATEWAYS {
        variant(gateway, &mut text)?;
    }
    text.push_str(END);
    Ok(text)
}

fn variant(gateway: &Gateway, text: &mut String) -> Result<(), ToolError> {
    let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
    let options = gateway.example();
    let described = Options::new(options.clone(), BTreeMap::new());
    let scheme = gateway.scheme(&described).map_err(|error| internal(&error))?;
    // Only the gateway itself can sign for these.
    let theirs = matches!(scheme.algorithm, Algorithm::RsaSha256ByCertificate(_));
    if theirs || scheme.source == Source::Answer || gateway.keys.is_empty() {
        return Ok(());
    }
    let mut fields = Vec::new();
    for field in gateway.keys {
        fields.push(format!("{}: \"{}\"", field.name, random(scheme.key_form)?));
    }
    // JSON is YAML.
    let options = serde_json::to_string(&options).map_err(|error| internal(&error))?;
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "  {name}:\n    gateway: {name}\n    environment: test\n    keys: [{{{}}}]\n    options: {options}\n",
        fields.join(", "),
        name = gateway.name,
    );
    Ok(())
}

/// 32 random bytes as hexadecimal text, which is a key in every form here.
pub(super) fn random(form: KeyForm) -> Result<String, ToolError> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| ToolError::new(Exit::Internal, "the system has no random numbers"))?;
    let hex = |text: String, byte: &u8| format!("{text}{byte:02x}");
    let text = bytes.iter().fold(String::new(), hex);
    Ok(match form {
        KeyForm::Aes128 => text.chars().take(16).collect(),
        KeyForm::Base64
        | KeyForm::Hex
        | KeyForm::Sha1OfText
        | KeyForm::StandardWebhooks
        | KeyForm::Text => text,
    })
}

const END: &str = "# end of the development configuration\n";
