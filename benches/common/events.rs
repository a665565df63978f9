//! The two sizes that everything is measured with: a checkout of about 3.6 KB and an invoice of
//! about 32 KB, printed as Stripe prints its events. Made up here; nobody's data.

use serde_json::{Value, json};

/// A `checkout.session.completed` of about 3.6 KB.
pub fn e3() -> String {
    envelope("evt_1QbenchE3checkoutsession", "checkout.session.completed", &session())
}

/// An `invoice.paid` of about 32 KB: most of it is lines.
pub fn e30() -> String {
    envelope("evt_1QbenchE30invoicepaid000", "invoice.paid", &invoice())
}

fn envelope(id: &str, kind: &str, object: &Value) -> String {
    let event = json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": 1_790_000_000,
        "data": { "object": object }, "livemode": false, "pending_webhooks": 1,
        "request": { "id": null, "idempotency_key": null }, "type": kind
    });
    serde_json::to_string_pretty(&event).expect("a tree of plain values")
}

fn session() -> Value {
    serde_json::from_str(SESSION).expect("written below")
}

fn invoice() -> Value {
    let mut invoice: Value = serde_json::from_str(INVOICE).expect("written below");
    invoice["lines"]["data"] = (0..16).map(line).collect();
    invoice
}

fn line(at: usize) -> Value {
    json!({
        "id": format!("il_1QbenchQbenchQbench{at:02}"), "object": "line_item", "amount": 2990,
        "currency": "eur", "description": format!("1 × Plan number {at} (at €29.90 / month)"),
        "discount_amounts": [], "discountable": true, "discounts": [],
        "invoice": "in_1QbenchQbenchQbench01", "livemode": false,
        "metadata": { "order_id": format!("order-1002{at:02}"), "tenant": "t-7781" },
        "parent": { "invoice_item_details": null, "subscription_item_details": {
            "invoice_item": null, "proration": false,
            "proration_details": { "credited_items": null },
            "subscription": "sub_1QbenchQbenchQbench01",
            "subscription_item": format!("si_QbenchQbench{at:02}") },
            "type": "subscription_item_details" },
        "period": { "end": 1_790_086_400, "start": 1_787_400_000 }, "pretax_credit_amounts": [],
        "pricing": { "price_details": { "price": format!("price_1QbenchQbenchQ{at:02}"),
            "product": format!("prod_Qbench{at:02}") }, "type": "price_details",
            "unit_amount_decimal": "2990" },
        "quantity": 1, "taxes": [ { "amount": 498, "tax_behavior": "inclusive",
            "tax_rate_details": { "tax_rate": "txr_1QbenchQbenchQbench01" },
            "taxability_reason": "standard_rated", "taxable_amount": 2492,
            "type": "tax_rate_details" } ]
    })
}

/// A checkout session as the API documents it.
const SESSION: &str = r#"{
    "id": "cs_test_b1QbenchQbenchQbenchQbenchQbenchQbenchQbenchQbenchQbenchQb",
    "object": "checkout.session",
    "adaptive_pricing": { "enabled": false }, "after_expiration": null,
    "allow_promotion_codes": false, "amount_subtotal": 4200, "amount_total": 4998,
    "automatic_tax": {
        "enabled": true, "liability": { "type": "self" }, "provider": "stripe",
        "status": "complete"
    },
    "billing_address_collection": "auto",
    "cancel_url": "https://shop.example/payments/process/bench/?cancelled=1",
    "client_reference_id": "b3d0a1de-62f2-4a58-a3fc-0a3f15d3a5b7",
    "collected_information": { "business_name": null, "individual_name": null,
        "shipping_details": null },
    "consent_collection": { "payment_method_reuse_agreement": null,
        "promotions": "none", "terms_of_service": "none" },
    "created": 1789999000, "currency": "eur", "currency_conversion": null,
    "custom_fields": [], "custom_text": { "after_submit": null, "shipping_address": null,
        "submit": null, "terms_of_service_acceptance": null },
    "customer": "cus_QbenchQbench01", "customer_creation": "always",
    "customer_details": {
        "address": { "city": "Linz", "country": "AT", "line1": "Beispielgasse 12",
            "line2": null, "postal_code": "4020", "state": null },
        "email": "someone@example.test", "name": "Some One", "phone": null,
        "tax_exempt": "none", "tax_ids": []
    },
    "customer_email": null, "discounts": [], "expires_at": 1790086400, "invoice": null,
    "invoice_creation": { "enabled": false, "invoice_data": { "account_tax_ids": null,
        "custom_fields": null, "description": null, "footer": null, "issuer": null,
        "metadata": {}, "rendering_options": null } },
    "livemode": false, "locale": "de",
    "metadata": { "order_id": "order-100234", "cart": "c-7781", "campaign": "a" },
    "mode": "payment",
    "payment_intent": "pi_3QbenchQbenchQbench01", "payment_link": null,
    "payment_method_collection": "if_required",
    "payment_method_configuration_details": null,
    "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
    "payment_method_types": ["card"], "payment_status": "paid",
    "phone_number_collection": { "enabled": false },
    "setup_intent": null, "shipping_address_collection":
        { "allowed_countries": ["AT", "DE"] }, "shipping_cost": null,
    "shipping_options": [], "status": "complete", "submit_type": "pay", "subscription": null,
    "success_url": "https://shop.example/payments/process/bench/?done={CHECKOUT_SESSION_ID}",
    "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 798 },
    "ui_mode": "hosted", "url": null
}"#;

/// An invoice as the API documents it, its lines left out.
const INVOICE: &str = r#"{
    "id": "in_1QbenchQbenchQbench01", "object": "invoice", "account_country": "AT",
    "account_name": "Shop", "amount_due": 47840, "amount_overpaid": 0,
    "amount_paid": 47840, "amount_remaining": 0, "amount_shipping": 0, "application": null,
    "attempt_count": 1, "attempted": true, "auto_advance": false,
    "automatic_tax": { "disabled_reason": null, "enabled": false, "liability": null,
        "provider": null, "status": null },
    "billing_reason": "subscription_cycle", "collection_method": "charge_automatically",
    "created": 1789999000, "currency": "eur", "customer": "cus_QbenchQbench01",
    "customer_address": null, "customer_email": "someone@example.test",
    "customer_name": "Some One", "default_payment_method": null, "description": null,
    "discounts": [], "due_date": null, "ending_balance": 0, "footer": null,
    "hosted_invoice_url": "https://invoice.example.test/i/acct_bench/test_bench?s=ap",
    "lines": { "object": "list", "data": [], "has_more": false, "total_count": 16,
        "url": "/v1/invoices/in_1QbenchQbenchQbench01/lines" },
    "livemode": false, "metadata": { "order_id": "order-100234" },
    "number": "BENCH-0042", "parent": { "quote_details": null,
        "subscription_details": { "metadata": { "order_id": "order-100234" },
            "subscription": "sub_1QbenchQbenchQbench01" },
        "type": "subscription_details" },
    "period_end": 1789999000, "period_start": 1787400000,
    "status": "paid", "status_transitions": { "finalized_at": 1789999500,
        "marked_uncollectible_at": null, "paid_at": 1790000000, "voided_at": null },
    "subtotal": 40200, "total": 47840, "total_excluding_tax": 40200, "total_taxes": []
}"#;
