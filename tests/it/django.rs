//! django-payments' settings as a source of variants.

use crate::config::{Folder, refused, yaml};

#[test]
fn django_payments_settings_become_variants() {
    let folder = Folder::new("django");
    let settings = folder.write(
        "variants.json",
        r#"{
  "stripe": ["payments.stripe.StripeProviderV3",
    {"api_key": "sk_canary", "endpoint_secret": "whsec_canary_0001", "use_token": true}],
  "default": ["payments.dummy.DummyProvider", {}],
  "paypal": ["payments.paypal.PaypalProvider", {"client_id": "a", "secret": "canary"}],
  "own": ["shop.payments.OwnProvider", {}]
}"#,
    );
    let text = format!("payment_variants: {{file: {}}}\n", settings.display());
    let config = yaml(&text).unwrap();
    let names: Vec<_> = config.variants.iter().map(|spec| spec.variant.as_str()).collect();
    assert_eq!(names, ["stripe"]);
    let skipped: Vec<_> = config.skipped.iter().map(|skipped| skipped.variant.as_str()).collect();
    assert_eq!(skipped, ["default", "paypal", "own"]);
    assert!(config.skipped[1].reason.contains("webhook_id"));
    assert_eq!(config.payment_variants_file(), Some(settings.as_path()));
    let effective = config.effective();
    assert!(effective.contains("# not served: own (shop.payments.OwnProvider)"), "{effective}");
    assert!(!effective.contains("canary") && !format!("{config:?}").contains("canary"));
    let twice = format!(
        "{text}variants:\n  stripe:\n    gateway: stripe\n    keys: [{{endpoint_secret: {{env: A}}}}]\n"
    );
    assert!(refused(&twice).contains("configured under variants too"));
}

#[test]
fn django_payments_settings_that_would_not_verify_are_refused() {
    let rows = [
        (
            r#"{"s": ["payments.stripe.StripeProviderV3", {"endpoint_secret": "whsec_canary", "secure_endpoint": false}]}"#,
            "secure_endpoint: false: `secure_endpoint` refused",
        ),
        (
            r#"{"s": ["payments.stripe.StripeProviderV3", {"api_key": "sk_canary"}]}"#,
            "endpoint_secret: is required",
        ),
        (r#"{"s": ["payments.stripe.StripeProviderV3"]}"#, "expected [provider, {arguments}]"),
        (r#"{"s": "whsec_canary"}"#, "expected [provider, {arguments}]"),
        (r#"{"s": [], "s": []}"#, "appears twice"),
        (r#"{"a b": ["x", {}]}"#, "a variant name"),
        (r#"["whsec_canary"]"#, "expected a table"),
        (r#"{"s": ["#, "not readable as JSON"),
    ];
    let folder = Folder::new("django-refused");
    for (json, expected) in rows {
        let path = folder.write("variants.json", json);
        let error = refused(&format!("payment_variants: {{file: {}}}\n", path.display()));
        assert!(error.contains(expected) && !error.contains("canary"), "{json}: {error}");
        assert!(error.starts_with("line 1, column"), "{error}");
    }
}

/// Every provider that django-payments 4.1 ships.
#[test]
fn every_provider_is_served_or_named_with_what_to_do() {
    let served = [
        ("payments.stripe.StripeProviderV3", r#""endpoint_secret": "whsec_canary_0001""#, "stripe"),
        (
            "payments.stripe.providers.StripeProviderV3",
            r#""endpoint_secret": "whsec_canary_0001", "secure_endpoint": true"#,
            "stripe",
        ),
        (
            "payments.braintree.BraintreeProvider",
            r#""merchant_id": "m", "public_key": "p", "private_key": "canary", "sandbox": false"#,
            "braintree",
        ),
        ("payments.dotpay.DotpayProvider", r#""seller_id": 1, "pin": "canary""#, "dotpay"),
    ];
    let named = [
        ("payments.paypal.PaypalProvider", "webhook_id"),
        ("payments.paypal.PaypalCardProvider", "webhook_id"),
        ("payments.sagepay.SagepayProvider", "opayo_form"),
        ("payments.authorizenet.AuthorizeNetProvider", "signature key"),
        ("payments.mercadopago.MercadoPagoProvider", "signing_secret"),
        ("payments.coinbase.CoinbaseProvider", "not signed"),
        ("payments.cybersource.CyberSourceProvider", "no webhooks"),
        ("payments.sofort.SofortProvider", "no webhooks"),
        ("payments.dummy.DummyProvider", "anybody"),
        ("shop.payments.OwnProvider", "does not know"),
    ];
    let folder = Folder::new("django-providers");
    let read = |provider: &str, arguments: &str| {
        let json = format!(r#"{{"it": ["{provider}", {{{arguments}}}]}}"#);
        let path = folder.write("variants.json", json);
        yaml(&format!("payment_variants: {{file: {}}}\n", path.display())).expect(provider)
    };
    for (provider, arguments, gateway) in served {
        let config = read(provider, arguments);
        let [spec] = &config.variants[..] else { panic!("{provider} is served") };
        assert_eq!((spec.variant.as_str(), spec.gateway.name), ("it", gateway));
        assert!(config.skipped.is_empty());
    }
    for (provider, todo) in named {
        let config = read(provider, r#""secret": "canary""#);
        assert!(config.variants.is_empty(), "{provider}");
        let [skipped] = &config.skipped[..] else { panic!("{provider} is named") };
        assert_eq!((skipped.variant.as_str(), skipped.provider.as_str()), ("it", provider));
        assert!(skipped.reason.contains(todo), "{provider}: {}", skipped.reason);
    }
}

#[test]
fn what_is_no_path_of_a_provider_is_not_shown() {
    let folder = Folder::new("django-no-paths");
    let long = format!("payments.{}", "a".repeat(120));
    let swapped = ["sk_live_canary", "whsec_canary==", "payments.can-ary", "a..canary", ".", &long];
    for provider in swapped {
        let json = format!(r#"{{"it": ["{provider}", {{}}]}}"#);
        let path = folder.write("variants.json", json);
        let config = yaml(&format!("payment_variants: {{file: {}}}\n", path.display()));
        let config = config.expect(provider);
        let [skipped] = &config.skipped[..] else { panic!("{provider} is named") };
        assert_eq!(skipped.provider, "not a provider's path", "{provider}");
        let shown = config.effective();
        assert!(shown.contains("# not served: it (\"not a provider's path\")"), "{shown}");
    }
}
