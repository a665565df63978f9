//! Polled objects and words, in every form that Braintree's API and SDKs give them.

use serde_json::json;

use crate::{
    gateway::braintree::polled,
    model::{Currency, Dispute, Event, EventType, Money, PaymentStatus, Subject},
    verify::Options,
};

fn polled_as<T>(object_type: &str, object: &str, see: impl FnOnce(&Event<'_>) -> T) -> T {
    let event = polled::object(object_type, object.as_bytes(), &Options::default());
    see(&event.unwrap_or_else(|error| panic!("{error}: {object}")))
}

#[test]
fn a_polled_transaction_reads_alike_in_every_form() {
    let objects = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<transaction><id>t1</id>\
         <status>settled</status><type>sale</type><currency-iso-code>USD</currency-iso-code>\
         <amount>49.99</amount><order-id>o1</order-id><refund-ids type=\"array\"/>\
         <custom-fields>\n  </custom-fields></transaction>"
            .to_owned(),
        json!({"id": "t1", "status": "settled", "type": "sale", "currency_iso_code": "USD",
               "amount": "49.99", "order_id": "o1", "refund_ids": [], "custom_fields": ""})
        .to_string(),
        json!({"transaction": {"id": "t1", "status": "settled", "type": "sale",
               "currencyIsoCode": "USD", "amount": "49.99", "orderId": "o1", "refundIds": []}})
        .to_string(),
        json!({"data": {"node": {"id": "dHJhbnM", "legacyId": "t1", "status": "SETTLED",
               "amount": {"value": "49.99", "currencyCode": "USD"}, "orderId": "o1",
               "refunds": []}}})
        .to_string(),
        "{\"id\":\"t1\",\"status\":\"settled\",\"amount\":49.99,\"currencyIsoCode\":\"USD\",\
         \"orderId\":\"o1\"}"
            .to_owned(),
    ];
    for object in objects {
        polled_as("transaction", &object, |event| {
            assert_eq!(event.object_id.as_deref(), Some("t1"), "{object}");
            assert_eq!(event.merchant_reference.as_deref(), Some("o1"), "{object}");
            assert_eq!(event.status, Some(PaymentStatus::Confirmed), "{object}");
            assert_eq!(event.amount.map(Money::minor_units), Some(4999), "{object}");
        });
    }
}

#[test]
fn a_polled_transaction_tells_of_its_refunds() {
    let with = |refunds: serde_json::Value| {
        json!({"id": "t1", "status": "SETTLED", "amount": {"value": "10.00", "currencyCode": "EUR"},
               "refunds": refunds})
        .to_string()
    };
    let refund = |value: &str, status: &str| json!({"amount": {"value": value}, "status": status});
    let read = |object: &str| {
        polled_as("transaction", object, |event| {
            let Some(Subject::Payment(payment)) = &event.subject else { panic!("{event:?}") };
            (event.status, payment.refunded.map(Money::minor_units))
        })
    };
    let confirmed = Some(PaymentStatus::Confirmed);
    let part = with(json!([refund("4.00", "SETTLED"), refund("6.00", "SETTLING")]));
    assert_eq!(read(&part), (confirmed, Some(400)));
    let whole = with(json!([refund("4.00", "SETTLED"), refund("6.00", "SETTLED")]));
    assert_eq!(read(&whole), (Some(PaymentStatus::Refunded), Some(1000)));
    assert_eq!(read(&with(json!([refund("4.00", "FAILED")]))), (confirmed, None));
    let ids = json!({"id": "t1", "status": "settled", "amount": "10.00", "refundIds": ["r1"]});
    assert_eq!(read(&ids.to_string()), (None, None));
}

#[test]
fn polled_disputes_and_subscriptions_use_the_notifications_parsers() {
    let dispute = json!({"id": "d1", "status": "LOST", "type": "CHARGEBACK",
        "amountDisputed": {"value": "4.00", "currencyCode": "EUR"}, "replyByDate": "2026-10-05",
        "transaction": {"id": "t1", "orderId": "o1",
                        "amount": {"value": "4.00", "currencyCode": "EUR"}}});
    polled_as("dispute", &dispute.to_string(), |event| {
        assert_eq!(event.event_type, EventType::DisputeLost);
        assert_eq!(event.status, Some(PaymentStatus::Refunded));
        let euro = Currency::new("EUR").expect("a code");
        let four = Money::from_minor(400, euro).expect("fits");
        let Some(Subject::Dispute(dispute)) = &event.subject else { panic!("{event:?}") };
        let Dispute { amount, payment_total, .. } = dispute.as_ref();
        assert_eq!((*amount, *payment_total), (Some(four), Some(four)));
    });
    let kinds = [
        ("Active", EventType::SubscriptionUpdated),
        ("Past Due", EventType::SubscriptionPastDue),
        ("CANCELED", EventType::SubscriptionEnded),
    ];
    for (word, kind) in kinds {
        let object = json!({"id": "s1", "status": word, "transactions": []}).to_string();
        polled_as("subscription", &object, |event| {
            assert_eq!((event.event_type, event.status), (kind, None), "{word}");
        });
    }
}

#[test]
fn what_is_no_object_of_its_type_is_refused() {
    let refused = [
        ("transaction", "{}"),
        ("transaction", "[]"),
        ("transaction", "null"),
        ("transaction", "{\"id\":\"a\",\"id\":\"b\"}"),
        ("transaction", "{\"id\":\"a\",\"order_id\":\"b\",\"orderId\":\"b\"}"),
        ("transaction", "<dispute><id>d</id></dispute>"),
        ("transaction", "{\"id\":\"a\"} x"),
        ("customer", "{\"id\":\"a\"}"),
    ];
    for (object_type, object) in refused {
        let read = polled::object(object_type, object.as_bytes(), &Options::default());
        assert!(read.is_err(), "{object_type} {object}");
    }
    let deep = "[".repeat(100_000);
    assert!(polled::object("transaction", deep.as_bytes(), &Options::default()).is_err());
    let deep = format!("{{\"id\":\"a\",\"b\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(polled::object("transaction", deep.as_bytes(), &Options::default()).is_err());
}

#[test]
fn a_bare_word_decides_only_for_a_transaction() {
    let status = |object_type, word| polled::status(object_type, word);
    assert_eq!(status("transaction", "settled"), Some(PaymentStatus::Confirmed));
    assert_eq!(status("transaction", "SUBMITTED_FOR_SETTLEMENT"), Some(PaymentStatus::Confirmed));
    assert_eq!(status("transaction", "authorized"), Some(PaymentStatus::Preauth));
    assert_eq!(status("transaction", "refunded_in_full"), None);
    assert_eq!(status("transaction", "a_new_word"), None);
    assert_eq!(status("transaction_settled", "x"), None);
    assert_eq!(status("dispute", "lost"), None);
    assert_eq!(status("subscription", "Active"), None);
}
