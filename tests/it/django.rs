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
