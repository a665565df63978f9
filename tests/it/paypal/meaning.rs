//! What PayPal's events and objects mean, beyond the vectors: every row of the status table, and
//! typed subjects.

use payhook::{
    gateway::{self, ParseError},
    model::{Event, Subject},
    verify::Options,
};
use serde_json::{Value, json};

use super::{LIVE_URL, NOW, delivery, judge, root, verifier};

/// Reads an event as if PayPal had sent it.
fn read(event_type: &str, resource: Value, see: impl FnOnce(&Event<'_>)) -> Result<(), ParseError> {
    let body = json!({
        "id": "WH-9", "event_type": event_type, "create_time": "2023-11-14T22:13:15.013Z",
        "event_version": "1.0", "resource_version": "2.0", "resource": resource,
    });
    let body = body.to_string();
    let root = root(|_| {});
    let headers = delivery("id-1", LIVE_URL, body.as_bytes());
    let shop = verifier(json!({ "trust_anchors": root.pem }));
    judge(&shop, &headers, body.as_bytes(), &root.leaf(|_| {}), NOW, |verified| {
        let events = (gateway::find("paypal").unwrap().parse)(verified)?;
        let [event] = &events[..] else { panic!("one event") };
        see(event);
        Ok(())
    })
    .expect("genuine")
}

fn outcome(event_type: &str, resource: Value) -> String {
    let mut text = String::new();
    read(event_type, resource, |event| {
        let status = event.status.map_or("-", |status| status.as_str());
        text = format!("{} {} {status}", event.subject_kind.as_str(), event.event_type.as_str());
    })
    .unwrap();
    text
}

#[test]
fn orders_are_what_happened_to_their_units() {
    let order = |captures: &[&str], authorizations: &[&str]| {
        let list = |statuses: &[&str]| -> Vec<_> {
            statuses.iter().map(|status| json!({ "id": "X", "status": status })).collect()
        };
        json!({ "id": "O", "status": "APPROVED", "purchase_units": [
            { "payments": { "captures": list(captures), "authorizations": list(authorizations) } },
        ] })
    };
    let rows: [(&[&str], &[&str], &str); 13] = [
        (&[], &[], "checkout CHECKOUT_APPROVED waiting"),
        (&["COMPLETED", "PENDING"], &[], "checkout PAYMENT_PROCESSING waiting"),
        (&["DECLINED", "COMPLETED"], &[], "checkout CHECKOUT_COMPLETED confirmed"),
        (&["PARTIALLY_REFUNDED"], &[], "checkout CHECKOUT_COMPLETED confirmed"),
        (&["REFUNDED", "REFUNDED"], &[], "checkout REFUND_SUCCEEDED refunded"),
        (&["REFUNDED", "DECLINED"], &[], "checkout CHECKOUT_FAILED rejected"),
        (&["FAILED"], &[], "checkout CHECKOUT_FAILED rejected"),
        (&["COMPLETED"], &["CAPTURED"], "checkout CHECKOUT_COMPLETED confirmed"),
        (&[], &["CREATED", "VOIDED"], "checkout PAYMENT_AUTHORIZED preauth"),
        (&[], &["PARTIALLY_CAPTURED"], "checkout PAYMENT_AUTHORIZED preauth"),
        (&[], &["PENDING", "DENIED"], "checkout PAYMENT_PROCESSING waiting"),
        (&[], &["VOIDED", "DENIED"], "checkout PAYMENT_CANCELLED cancelled"),
        (&[], &["DENIED"], "checkout CHECKOUT_FAILED rejected"),
    ];
    for (captures, authorizations, expected) in rows {
        let resource = order(captures, authorizations);
        assert_eq!(outcome("CHECKOUT.ORDER.APPROVED", resource), expected, "{captures:?}");
    }
    let completed = |intent| json!({ "id": "O", "status": "COMPLETED", "intent": intent });
    let outcome = |kind, resource| outcome(kind, resource);
    let done = "checkout CHECKOUT_COMPLETED confirmed";
    assert_eq!(outcome("CHECKOUT.ORDER.COMPLETED", completed("CAPTURE")), done);
    let held = "checkout PAYMENT_AUTHORIZED preauth";
    assert_eq!(outcome("CHECKOUT.ORDER.COMPLETED", completed("AUTHORIZE")), held);
    let voided = "checkout PAYMENT_CANCELLED cancelled";
    assert_eq!(outcome("CHECKOUT.ORDER.VOIDED", json!({ "id": "O" })), voided);
    assert_eq!(outcome("CHECKOUT.ORDER.SOMETHING", json!({ "id": "O" })), "other UNRECOGNIZED -");
}

#[test]
fn types_and_states_of_the_other_families() {
    let id = json!({ "id": "X" });
    let status = |status: &str| json!({ "id": "X", "status": status });
    let outcome_code =
        |code: &str| json!({ "dispute_id": "D", "dispute_outcome": { "outcome_code": code } });
    let stage = |stage: &str| json!({ "dispute_id": "D", "dispute_life_cycle_stage": stage });
    let invoice = |status: &str| json!({ "invoice": { "id": "I", "status": status } });
    let rows = [
        ("PAYMENT.AUTHORIZATION.CREATED", status("DENIED"), "payment PAYMENT_FAILED rejected"),
        ("PAYMENT.AUTHORIZATION.CREATED", status("EXPIRED"), "payment PAYMENT_EXPIRED cancelled"),
        ("PAYMENT.AUTHORIZATION.VOIDED", status("VOIDED"), "payment PAYMENT_CANCELLED cancelled"),
        ("PAYMENT.SALE.DENIED", id.clone(), "payment PAYMENT_FAILED rejected"),
        (
            "PAYMENT.SALE.REVERSED",
            json!({ "id": "S", "state": "completed" }),
            "payment DISPUTE_FUNDS_WITHDRAWN -",
        ),
        (
            "PAYMENT.SALE.REFUNDED",
            json!({ "id": "R", "state": "completed", "sale_id": "S" }),
            "refund REFUND_SUCCEEDED -",
        ),
        ("PAYMENT.CAPTURE.REFUNDED", status("PENDING"), "refund REFUND_PENDING -"),
        ("PAYMENT.REFUND.PENDING", status("PENDING"), "refund REFUND_PENDING -"),
        ("CUSTOMER.DISPUTE.CREATED", stage("CHARGEBACK"), "dispute DISPUTE_OPENED -"),
        (
            "CUSTOMER.DISPUTE.RESOLVED",
            outcome_code("RESOLVED_SELLER_FAVOUR"),
            "dispute DISPUTE_WON confirmed",
        ),
        (
            "CUSTOMER.DISPUTE.RESOLVED",
            outcome_code("RESOLVED_BUYER_FAVOUR"),
            "dispute DISPUTE_LOST -",
        ),
        ("CUSTOMER.DISPUTE.RESOLVED", json!({ "dispute_id": "D" }), "dispute DISPUTE_CLOSED -"),
        (
            "BILLING.SUBSCRIPTION.RE-ACTIVATED",
            status("ACTIVE"),
            "subscription SUBSCRIPTION_UPDATED -",
        ),
        ("INVOICING.INVOICE.UPDATED", invoice("MARKED_AS_PAID"), "invoice INVOICE_PAID confirmed"),
        (
            "INVOICING.INVOICE.REFUNDED",
            invoice("MARKED_AS_REFUNDED"),
            "invoice REFUND_SUCCEEDED refunded",
        ),
        ("INVOICING.INVOICE.UPDATED", invoice("NEW_WORD"), "invoice UNRECOGNIZED -"),
        ("PAYMENT.PAYOUTSBATCH.SUCCESS", json!({}), "payout PAYOUT_PAID -"),
        ("PAYMENT.PAYOUTS-ITEM.CANCELED", json!({}), "payout PAYOUT_CANCELLED -"),
        ("PAYMENT.PAYOUTS-ITEM.UNCLAIMED", json!({}), "payout PAYOUT_CREATED -"),
        (
            "PAYMENT.REFERENCED-PAYOUT-ITEM.FAILED",
            json!({ "item_id": "P" }),
            "payout PAYOUT_FAILED -",
        ),
        ("BILLING.PLAN.CREATED", id.clone(), "other UNRECOGNIZED -"),
        ("IDENTITY.AUTHORIZATION-CONSENT.REVOKED", id.clone(), "other UNRECOGNIZED -"),
        ("CUSTOMER.ACCOUNT-LIMITATION.ADDED", id, "other UNRECOGNIZED -"),
    ];
    for (event_type, resource, expected) in rows {
        assert_eq!(outcome(event_type, resource), expected, "{event_type}");
    }
}

#[test]
fn subjects_are_typed() {
    let refund = json!({
        "id": "R1", "status": "COMPLETED", "custom_id": "", "invoice_id": "inv-1",
        "amount": { "currency_code": "EUR", "value": "5.00" },
        "seller_payable_breakdown": { "total_refunded_amount": { "currency_code": "EUR", "value": "15.00" } },
        "links": [{ "rel": "self", "href": "https://x/v2/payments/refunds/R1" },
                  { "rel": "up", "href": "https://x/v2/payments/captures/C1" }],
        "payer": { "payer_id": "P1" },
    });
    read("PAYMENT.CAPTURE.REFUNDED", refund, |event| {
        let Some(Subject::Refund(refund)) = &event.subject else { panic!("{event:?}") };
        assert_eq!(event.merchant_reference.as_deref(), Some("inv-1"));
        assert_eq!(refund.amount.map(|it| it.minor_units()), Some(500));
        assert_eq!(refund.payment_refunded_total.map(|it| it.minor_units()), Some(1500));
        assert_eq!(refund.references.gateway_charge_id.as_deref(), Some("C1"));
        assert_eq!(refund.references.gateway_customer_id.as_deref(), Some("P1"));
        assert_eq!(event.environment, Some(payhook::model::Environment::Live));
        assert_eq!(
            event.occurred_at.map(|at| (at.seconds(), at.nanos())),
            Some((1_699_999_995, 13_000_000))
        );
    })
    .unwrap();
    let capture = |related: Value| {
        json!({ "id": "C1", "status": "COMPLETED", "final_capture": true,
            "amount": { "currency_code": "EUR", "value": "5.00" },
            "supplementary_data": { "related_ids": related } })
    };
    for (related, whole) in
        [(json!({ "order_id": "O1" }), true), (json!({ "authorization_id": "A1" }), false)]
    {
        read("PAYMENT.CAPTURE.COMPLETED", capture(related), |event| {
            let Some(Subject::Payment(payment)) = &event.subject else { panic!("{event:?}") };
            assert_eq!(payment.captured.is_some(), whole, "one of several is no total");
        })
        .unwrap();
    }
    let denied = json!({ "id": "C1", "status": "DECLINED", "processor_response": { "response_code": "5120" } });
    read("PAYMENT.CAPTURE.DENIED", denied, |event| {
        let Some(Subject::Payment(payment)) = &event.subject else { panic!("{event:?}") };
        let failure = payment.failure.as_ref().unwrap();
        assert_eq!(failure.code.as_deref(), Some("insufficient_funds"));
        assert_eq!(failure.gateway_code.as_deref(), Some("5120"));
    })
    .unwrap();
    let dispute = json!({
        "dispute_id": "D1", "reason": "UNAUTHORISED", "status": "OPEN", "dispute_life_cycle_stage": "INQUIRY",
        "seller_response_due_date": "2023-11-24T22:13:20Z", "dispute_amount": { "currency_code": "EUR", "value": "3" },
        "disputed_transactions": [
            { "seller_transaction_id": "T1", "gross_amount": { "currency_code": "EUR", "value": "4" }, "seller": { "merchant_id": "M1" } },
            { "gross_amount": { "currency_code": "EUR", "value": "6" } }],
    });
    read("CUSTOMER.DISPUTE.CREATED", dispute, |event| {
        let Some(Subject::Dispute(dispute)) = &event.subject else { panic!("{event:?}") };
        assert_eq!(event.account.as_deref(), Some("M1"));
        assert_eq!(dispute.reason.as_deref(), Some("unauthorised"));
        assert_eq!(dispute.payment_total.map(|it| it.minor_units()), Some(1000));
        assert_eq!(dispute.evidence_due_at.map(|it| it.seconds()), Some(1_700_864_000));
        assert_eq!(dispute.references.gateway_charge_id.as_deref(), Some("T1"));
    })
    .unwrap();
}

#[test]
fn amounts_are_exact_or_refused() {
    let sale = |amount: Value| json!({ "id": "S", "state": "completed", "amount": amount });
    let amount = |value: Value| {
        let mut found = None;
        read("PAYMENT.SALE.COMPLETED", sale(value), |event| {
            found = event.amount.map(|money| money.minor_units());
        })
        .map(|()| found)
    };
    assert_eq!(amount(json!({ "currency": "USD", "total": "21.00" })), Ok(Some(2100)));
    assert_eq!(amount(json!({ "currency_code": "USD", "value": "-21.5" })), Ok(Some(2150)));
    assert_eq!(amount(json!({ "currency_code": "USD", "value": 21.5 })), Ok(Some(2150)));
    assert_eq!(amount(json!({ "currency_code": "KWD", "value": "1.234" })), Ok(Some(1234)));
    assert_eq!(amount(json!({ "value": "1.00" })), Ok(None));
    assert_eq!(amount(json!({ "currency_code": "EURO", "value": "1.00" })), Ok(None));
    assert_eq!(amount(json!({ "currency_code": "USD", "value": null })), Ok(None));
    assert_eq!(amount(Value::Null), Ok(None));
    for bad in [
        json!({ "currency_code": "USD", "value": "NaN" }),
        json!({ "currency_code": "USD", "value": "1.001" }),
        json!({ "currency_code": "USD", "value": "1,00" }),
        json!({ "currency_code": "USD", "value": "" }),
        json!({ "currency_code": "USD", "value": true }),
        json!({ "currency_code": "JPY", "value": "1.5" }),
        json!({ "value": "NaN" }),
        json!("1.00"),
        json!([1]),
    ] {
        assert!(amount(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn objects_of_the_api_are_read_through_the_same_table() {
    let polled = gateway::find("paypal").unwrap().polled.unwrap();
    let read = |kind: &str, object: Value| {
        let text = object.to_string();
        let event = (polled.object)(kind, text.as_bytes(), &Options::default()).unwrap();
        event.status.map_or("-", |status| status.as_str())
    };
    assert_eq!(read("capture", json!({ "id": "C", "status": "PARTIALLY_REFUNDED" })), "confirmed");
    assert_eq!(read("capture", json!({ "id": "C", "status": "REFUNDED" })), "refunded");
    assert_eq!(read("sale", json!({ "id": "S", "state": "partially_refunded" })), "confirmed");
    assert_eq!(read("authorization", json!({ "id": "A", "status": "VOIDED" })), "cancelled");
    assert_eq!(read("order", json!({ "id": "O", "status": "PAYER_ACTION_REQUIRED" })), "input");
    assert_eq!(
        read("order", json!({ "id": "O", "status": "COMPLETED", "intent": "AUTHORIZE" })),
        "preauth"
    );
    assert_eq!(read("refund", json!({ "id": "R", "status": "FAILED" })), "confirmed");
    assert_eq!(read("dispute", json!({ "dispute_id": "D", "status": "OPEN" })), "-");
    assert!((polled.object)("webhook", b"{}", &Options::default()).is_err());
    let bare = |kind, word| (polled.status)(kind, word).map(|status| status.as_str());
    assert_eq!(bare("capture", "COMPLETED"), Some("confirmed"));
    assert_eq!(bare("sale", "denied"), Some("rejected"));
    assert_eq!(bare("order", "VOIDED"), Some("cancelled"));
    assert_eq!(bare("order", "COMPLETED"), None, "the intent decides");
    assert_eq!(bare("dispute", "RESOLVED"), None, "the outcome decides");
    assert_eq!(bare("capture", "*"), None);
    assert_eq!(bare("webhook", "COMPLETED"), None);
}
