//! One configured variant for each scheme, and for each grammar that configuration can describe.

use std::{collections::BTreeMap, sync::OnceLock};

use payhook::{
    gateway::{self, Gateway, KeyFields},
    model::Secret,
    verify::{KeyRole, Options, Request, Verifier},
};

use super::{certificates, proofs};

/// A variant with a key that is known here.
pub struct Setup {
    /// The gateway's name.
    pub gateway: &'static str,
    /// The fields of its key.
    pub key: &'static [(&'static str, &'static str)],
    /// Its options, as JSON.
    pub options: &'static str,
    /// Whether a request carries a signature, computed by other means than payhook's.
    pub proof: fn(&Request<'_>) -> bool,
}

impl Setup {
    /// The gateway.
    pub fn gateway(&self) -> &'static Gateway {
        gateway::find(self.gateway).expect("a gateway of the table")
    }

    /// Its options, the certificates' anchor included.
    pub fn values(&self) -> BTreeMap<String, serde_json::Value> {
        let mut values: BTreeMap<String, _> = serde_json::from_str(self.options).expect("options");
        if self.gateway == "paypal" {
            let anchor = certificates::world().anchor.clone();
            values.insert("trust_anchors".to_owned(), anchor.into());
        }
        values
    }

    fn prepare(&self) -> Verifier {
        let secret = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), Secret::new(value.as_bytes().to_vec()))
        };
        let fields = self.key.iter().map(secret).collect();
        let key = KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields };
        let options = Options::new(self.values(), BTreeMap::new());
        self.gateway().verifier(vec![key], options).expect("a usable setup")
    }
}

/// The setup that a byte chooses, and its verifier, made once.
pub fn choose(byte: u8, among: fn(&Setup) -> bool) -> (&'static Setup, &'static Verifier) {
    static VERIFIERS: OnceLock<Vec<Verifier>> = OnceLock::new();
    let verifiers = VERIFIERS.get_or_init(|| SETUPS.iter().map(Setup::prepare).collect());
    let chosen: Vec<_> = SETUPS.iter().zip(verifiers).filter(|(setup, _)| among(setup)).collect();
    chosen[usize::from(byte) % chosen.len()]
}

const fn text(
    gateway: &'static str,
    key: &'static [(&'static str, &'static str)],
    options: &'static str,
    proof: fn(&Request<'_>) -> bool,
) -> Setup {
    Setup { gateway, key, options, proof }
}

const SECRET: &[(&str, &str)] = &[("signing_secret", proofs::SECRET)];

/// Every setup. New ones go to the end: inputs name them by position.
pub static SETUPS: &[Setup] = &[
    text("stripe", &[("endpoint_secret", proofs::STRIPE)], "{}", proofs::stripe),
    text("paypal", &[("webhook_id", proofs::WEBHOOK_ID)], "{}", proofs::paypal),
    text(
        "braintree",
        &[("public_key", proofs::BRAINTREE.0), ("private_key", proofs::BRAINTREE.1)],
        r#"{"default_currency":"USD"}"#,
        proofs::braintree,
    ),
    text("paypal_ipn", &[("receiver_email", proofs::RECEIVER)], "{}", proofs::paypal_ipn),
    text("adyen", &[("hmac_key", proofs::ADYEN)], "{}", proofs::adyen),
    text("authorizenet", SECRET, r#"{"default_currency":"USD"}"#, proofs::authorizenet),
    text("checkout", SECRET, "{}", proofs::checkout),
    text("dotpay", &[("pin", proofs::SECRET)], "{}", proofs::dotpay),
    text("gocardless", SECRET, "{}", proofs::gocardless),
    text("mercadopago", SECRET, "{}", proofs::mercadopago),
    text("mollie", SECRET, "{}", proofs::mollie),
    text("opayo_form", &[("encryption_key", "FAKEsagepaykey16")], OPAYO, proofs::opayo_form),
    text("paddle", SECRET, "{}", proofs::paddle),
    text("paystack", SECRET, "{}", proofs::paystack),
    text("razorpay", SECRET, "{}", proofs::razorpay),
    text("shopify", SECRET, "{}", proofs::shopify),
    text("square", SECRET, "{}", proofs::square),
    text(
        "standard_webhooks",
        &[("signing_secret", proofs::STANDARD)],
        r#"{"paths":{"object_id":"data.id","amount":"data.amount","currency":"data.currency"},
        "status_map":{"payment.succeeded":"confirmed","payment.failed":"rejected"}}"#,
        proofs::standard_webhooks,
    ),
    text(
        "generic_hmac",
        SECRET,
        r#"{"scheme":{"algorithm":"sha256","header":"X-Signature","encoding":"hex","prefix":"sha256=","template":"{body}"},
        "paths":{"id":"id","type":"type","object_id":"payment.id","amount":"payment.amount","currency":"payment.currency"},
        "status_map":{"paid":"confirmed","refused":"rejected"},"amount_unit":"major"}"#,
        proofs::over_x_signature,
    ),
    text(
        "generic_hmac",
        SECRET,
        r#"{"scheme":{"algorithm":"sha512","header":"X-Signature","encoding":"base64","header_grammar":"kv","separator":";",
        "signature_key":"s","timestamp_key":"t","timestamp_unit":"ms","template":"{method} {path}\n{timestamp}.{body}"},
        "paths":{"type":"type","amount":"amount","currency":"currency"},"status_map":{"paid":"confirmed"}}"#,
        proofs::generic_pairs,
    ),
    text(
        "generic_hmac",
        SECRET,
        r#"{"scheme":{"algorithm":"sha1","header":"X-Signature","encoding":"hex","timestamp_header":"X-Time",
        "timestamp_unit":"rfc3339","template":"{header:X-Nonce}|{timestamp}|{url}|{body}"},"paths":{"type":"type"}}"#,
        proofs::generic_beside,
    ),
    text("lemonsqueezy", SECRET, "{}", proofs::over_x_signature),
];

const OPAYO: &str = r#"{"insecure_unauthenticated_cipher":true}"#;
