//! django-payments' `PAYMENT_VARIANTS` as a second source of variants: `{name: [provider, {..}]}`.
//!
//! Providers and their arguments as in django-payments 4.1.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{
    ConfigError, Skipped,
    node::{self, Node, Value},
    table::Table,
};
use crate::{
    accounts::{KeySpec, SecretRef, VariantSpec},
    gateway::{self, Gateway},
    limits::{CONFIG_BYTES_MAX, VARIANTS_MAX},
    model::{Environment, Secret, Variant},
    verify::KeyRole,
};

/// What a provider is to payhook.
struct Provider {
    /// Paths of the class, with the package it may be imported from.
    paths: &'static [&'static str],
    meaning: Meaning,
}

enum Meaning {
    /// Its arguments have what verification needs.
    Gateway {
        name: &'static str,
        /// The arguments that are fields of the key.
        fields: &'static [&'static str],
        environment: fn(&Table<'_>) -> Result<Option<Environment>, ConfigError>,
    },
    /// Its arguments lack something, or it has no signed webhooks.
    Lacking(&'static str),
}

static PROVIDERS: [Provider; 10] = [
    Provider {
        paths: &["payments.stripe.StripeProviderV3", "payments.stripe.providers.StripeProviderV3"],
        meaning: Meaning::Gateway {
            name: "stripe",
            fields: &["endpoint_secret"],
            environment: stripe,
        },
    },
    Provider {
        paths: &["payments.braintree.BraintreeProvider"],
        meaning: Meaning::Gateway {
            name: "braintree",
            fields: &["public_key", "private_key"],
            environment: sandbox,
        },
    },
    Provider {
        paths: &["payments.dotpay.DotpayProvider"],
        meaning: Meaning::Gateway { name: "dotpay", fields: &["pin"], environment: unpinned },
    },
    Provider {
        paths: &["payments.paypal.PaypalProvider", "payments.paypal.PaypalCardProvider"],
        meaning: Meaning::Lacking(
            "it has no webhook id: configure the variant under variants with keys: [{webhook_id}]",
        ),
    },
    Provider {
        paths: &["payments.sagepay.SagepayProvider"],
        meaning: Meaning::Lacking(
            "its cipher is not authenticated: configure the variant under variants as opayo_form",
        ),
    },
    Provider {
        paths: &["payments.authorizenet.AuthorizeNetProvider"],
        meaning: Meaning::Lacking(
            "its transaction key signs no webhook: configure the variant under variants with \
             the signature key",
        ),
    },
    Provider {
        paths: &["payments.mercadopago.MercadoPagoProvider"],
        meaning: Meaning::Lacking(
            "it has no webhook secret: configure the variant under variants with signing_secret",
        ),
    },
    Provider {
        paths: &["payments.coinbase.CoinbaseProvider"],
        meaning: Meaning::Lacking("its callbacks are not signed"),
    },
    Provider {
        paths: &["payments.cybersource.CyberSourceProvider", "payments.sofort.SofortProvider"],
        meaning: Meaning::Lacking("it sends no webhooks that payhook verifies"),
    },
    Provider {
        paths: &["payments.dummy.DummyProvider"],
        meaning: Meaning::Lacking("anybody could confirm a payment with it"),
    },
];

/// Adds the variants of django-payments' settings; names those that are not served.
pub(super) fn read(
    table: &Table<'_>,
    place: &SecretRef,
    variants: &mut Vec<VariantSpec>,
) -> Result<Vec<Skipped>, ConfigError> {
    let text = text(place)
        .map_err(|problem| table.error("payment_variants", &format!("{place}: {problem}")))?;
    let at = table.get("payment_variants").map(|node| node.at).unwrap_or_default();
    let root = node::json(&text, at)?;
    let settings = Table::of("payment_variants".to_owned(), Some(&root))?;
    let mut skipped = Vec::new();
    for (name, node) in settings.entries() {
        let variant =
            Variant::new(name).map_err(|error| settings.error(name, &error.to_string()))?;
        let (path, arguments) = entry(&settings, name, node)?;
        let known = variants.iter().any(|spec| spec.variant == variant);
        match meaning(path) {
            Some(Meaning::Gateway { .. }) if known => {
                return Err(settings.error(name, "is configured under variants too"));
            }
            Some(Meaning::Gateway { name, fields, environment }) => {
                let arguments = Table::of(settings.path_of(variant.as_str()), Some(arguments))?;
                let environment = environment(&arguments)?;
                variants.push(spec(variant, name, fields, environment, &arguments)?);
            }
            // Served from the configuration itself: nothing is missing.
            Some(Meaning::Lacking(_)) | None if known => {}
            Some(Meaning::Lacking(reason)) => skipped.push(skip(name, path, reason)),
            None => skipped.push(skip(name, path, "payhook does not know this provider")),
        }
        if variants.len() > VARIANTS_MAX {
            return Err(settings.error(name, "more variants than payhook serves"));
        }
    }
    Ok(skipped)
}

fn skip(variant: &str, provider: &str, reason: &'static str) -> Skipped {
    let provider = if is_path(provider) { provider } else { "not a provider's path" };
    Skipped { variant: variant.to_owned(), provider: provider.to_owned(), reason }
}

/// Whether it names a class of a module. What stands in its place by mistake may be a secret, and
/// is not shown.
fn is_path(provider: &str) -> bool {
    let identifier = |name: &str| {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        name.starts_with(|first: char| !first.is_ascii_digit()) && name.bytes().all(word)
    };
    let named = provider.contains('.') && provider.split('.').all(identifier);
    named && provider.len() <= PATH_BYTES_MAX
}

fn text(place: &SecretRef) -> Result<Zeroizing<String>, String> {
    let bytes = match place {
        SecretRef::Env(name) => match std::env::var_os(name) {
            Some(value) => value.into_encoded_bytes(),
            None => return Err("it is not set".to_owned()),
        },
        SecretRef::File(path) => {
            let facts = std::fs::metadata(path).map_err(|error| error.to_string())?;
            let bytes = usize::try_from(facts.len()).unwrap_or(usize::MAX);
            if !facts.is_file() || bytes > CONFIG_BYTES_MAX {
                return Err("no file of that size is expected".to_owned());
            }
            std::fs::read(path).map_err(|error| error.to_string())?
        }
        SecretRef::Inline(text) => text.expose().to_vec(),
        SecretRef::Vault { .. } => return Err("expected {file: path} or {env: NAME}".to_owned()),
    };
    String::from_utf8(bytes).map(Zeroizing::new).map_err(|_| "not UTF-8".to_owned())
}

fn entry<'n>(
    settings: &Table<'_>,
    name: &str,
    node: &'n Node,
) -> Result<(&'n str, &'n Node), ConfigError> {
    let Value::List(pair) = &node.value else {
        return Err(settings.error(name, "expected [provider, {arguments}]"));
    };
    match pair.as_slice() {
        [Node { value: Value::Text(path), .. }, arguments] => Ok((path, arguments)),
        _ => Err(settings.error(name, "expected [provider, {arguments}]")),
    }
}

fn meaning(path: &str) -> Option<&'static Meaning> {
    let provider = PROVIDERS.iter().find(|provider| provider.paths.contains(&path));
    provider.map(|provider| &provider.meaning)
}

fn spec(
    variant: Variant,
    gateway: &str,
    names: &[&str],
    environment: Option<Environment>,
    arguments: &Table<'_>,
) -> Result<VariantSpec, ConfigError> {
    let gateway: &'static Gateway = gateway::find(gateway)
        .ok_or_else(|| arguments.error("", "its gateway is not part of this build"))?;
    let mut fields = BTreeMap::new();
    for name in names {
        let value = arguments.text(name)?;
        let value = value.ok_or_else(|| arguments.error(name, "is required to verify"))?;
        let value = SecretRef::Inline(Secret::new(value.as_bytes().to_vec()));
        fields.insert((*name).to_owned(), value);
    }
    Ok(VariantSpec {
        variant,
        gateway,
        environment,
        accounts: Vec::new(),
        callers: Vec::new(),
        keys: vec![KeySpec { label: None, role: KeyRole::Current, expires_at: None, fields }],
        options: BTreeMap::new(),
        option_refs: BTreeMap::new(),
        accept_received_at_max_seconds: 0,
    })
}

/// `secure_endpoint: false` makes django-payments take unsigned webhooks. There is no such switch
/// here, and whoever set it should know.
fn stripe(arguments: &Table<'_>) -> Result<Option<Environment>, ConfigError> {
    if arguments.flag("secure_endpoint", true)? {
        return Ok(None);
    }
    Err(arguments
        .error("secure_endpoint", "false: `secure_endpoint` refused, webhooks are always verified"))
}

/// Braintree's argument `sandbox`, true by default.
fn sandbox(arguments: &Table<'_>) -> Result<Option<Environment>, ConfigError> {
    let test = arguments.flag("sandbox", true)?;
    Ok(Some(if test { Environment::Test } else { Environment::Live }))
}

/// Dotpay's notifications do not say where they are from.
#[expect(clippy::unnecessary_wraps, reason = "one of several functions of one type")]
const fn unpinned(_: &Table<'_>) -> Result<Option<Environment>, ConfigError> {
    Ok(None)
}

const PATH_BYTES_MAX: usize = 128;
