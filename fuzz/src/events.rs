//! What the contract promises of every event, whatever the payload was.

use std::collections::BTreeSet;

use payhook::{
    gateway::{Gateway, idempotency_key},
    limits::EVENTS_MAX,
    model::{Coverage, Event, EventType, Money},
    verify::{Assurance, Verified},
};

/// Reads a verified webhook twice and looks at every event.
pub fn read(gateway: &'static Gateway, verified: &Verified<'_>) {
    let events = (gateway.parse)(verified);
    assert_eq!(events, (gateway.parse)(verified), "{}: read in two ways", gateway.name);
    let Ok(events) = events else { return };
    assert!(events.len() <= EVENTS_MAX, "{} events", events.len());
    let mut keys = BTreeSet::new();
    for (position, event) in events.iter().enumerate() {
        let key = idempotency_key(gateway.name, event, verified.payload(), position);
        assert!(key.starts_with(&format!("{}:", gateway.name)), "{key}");
        assert!(key.len() <= 512 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{key}");
        keys.insert(key);
        look(gateway, verified, event);
    }
    assert!(keys.len() == events.len() || events.len() > 1, "one event has one key");
}

fn look(gateway: &Gateway, verified: &Verified<'_>, event: &Event<'_>) {
    let name = gateway.name;
    if event.event_type == EventType::Unrecognized {
        assert_eq!(event.status, None, "{name}: an unknown type proves a status: {event:?}");
    }
    assert_ne!(event.event_type, EventType::EndpointChallenge, "{name}: {event:?}");
    let typed = event.coverage == Coverage::Typed;
    assert_eq!(event.subject.is_some(), typed, "{name}: {event:?}");
    if let Some(subject) = &event.subject {
        assert_eq!(subject.kind(), event.subject_kind, "{name}: {event:?}");
    }
    if !event.unsigned_fields.is_empty() {
        let body = verified.evidence().assurance == Assurance::BodySigned;
        assert!(body, "{name}: {event:?}");
    }
    if let Some(amount) = event.amount {
        money(amount);
    }
}

/// Never negative, and its text is the same amount.
pub fn money(money: Money) {
    assert!(money.minor_units() >= 0);
    assert_eq!(Money::from_decimal(&money.decimal(), money.currency()), Ok(money));
    assert_eq!(Money::from_minor(money.minor_units(), money.currency()), Ok(money));
}
