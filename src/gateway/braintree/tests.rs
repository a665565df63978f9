//! Facts about the signature's carrier and about every kind, beyond the vectors.

use std::{borrow::Cow, collections::BTreeMap};

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use super::{GATEWAY, SCHEME, kinds};
use crate::{
    gateway::ParseError,
    model::{
        Event, EventType, FraudStatus, Money, PaymentStatus, Secret, Subject, SubjectKind,
        UnixSeconds,
    },
    verify::{
        CheckTime, Draft, KeyInput, KeyRole, Options, Rejection, Request, Step, Unverified,
        Verifier,
    },
};

mod carrier;
mod polled;
mod pollution;

const PUBLIC: &str = "fakepublickey0001";
const NOW: CheckTime = CheckTime::now(UnixSeconds::new(1_790_000_000));

fn key(role: KeyRole, id: &str, secret: &str) -> KeyInput {
    let secret = Secret::new(secret.into());
    let (label, expires_at, id) = (None, None, Some(id.into()));
    KeyInput { label, role, expires_at, id, secret, bytes_min: 1, is_api_key: false }
}

fn verifier_of(keys: Vec<KeyInput>) -> Verifier {
    Verifier::new(Cow::Borrowed(&SCHEME), keys, Options::default()).expect("usable keys")
}

fn verifier() -> Verifier {
    verifier_of(vec![key(KeyRole::Current, PUBLIC, "fake-private-key-0001")])
}

fn percent(bytes: &[u8]) -> String {
    percent_encode(bytes, NON_ALPHANUMERIC).to_string()
}

/// The two fields of a signed notification, decoded.
fn signed(verifier: &Verifier, xml: &str) -> (String, String) {
    let draft = Draft { url: "", headers: &[], payload: xml.as_bytes() };
    let body = verifier.sign(draft, UnixSeconds::new(0)).expect("signed").body;
    let mut fields: BTreeMap<_, _> = std::str::from_utf8(&body)
        .expect("text")
        .split('&')
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| {
            let value = percent_encoding::percent_decode_str(value).decode_utf8().expect("text");
            (name.to_owned(), value.into_owned())
        })
        .collect();
    let mut take = |name| fields.remove(name).expect("a field");
    (take("bt_signature"), take("bt_payload"))
}

fn form(signature: &str, payload: &[u8]) -> Vec<u8> {
    format!("bt_signature={}&bt_payload={}", percent(signature.as_bytes()), percent(payload))
        .into_bytes()
}

fn outcome(verifier: &Verifier, method: &str, url: &str, body: &[u8]) -> Result<String, Rejection> {
    let request = Request { method, url, headers: &[], body };
    match Unverified::new(request).check_with(verifier)? {
        Step::Challenge(text) => Ok(text),
        step @ (Step::NeedsAnswer(_) | Step::NeedsCertificate(_)) => panic!("{step:?}"),
        Step::Ready(check) => check
            .run(NOW)
            .map(|verified| String::from_utf8(verified.payload().to_vec()).expect("text")),
    }
}

fn post(verifier: &Verifier, body: &[u8]) -> Result<String, Rejection> {
    outcome(verifier, "POST", "", body)
}

fn notification(kind: &str, subject: &str) -> String {
    format!("<notification><kind>{kind}</kind><subject>{subject}</subject></notification>")
}

/// Signs, verifies and parses; hands the one event over.
fn event<T>(kind: &str, subject: &str, see: impl FnOnce(&Event<'_>) -> T) -> Result<T, ParseError> {
    let verifier = verifier();
    let (signature, payload) = signed(&verifier, &notification(kind, subject));
    let body = form(&signature, payload.as_bytes());
    let request = Request { method: "POST", url: "", headers: &[], body: &body };
    let Ok(Step::Ready(check)) = Unverified::new(request).check_with(&verifier) else {
        panic!("{kind} is no webhook")
    };
    let proof = check.run(NOW).expect("signed by us");
    let events = (GATEWAY.parse)(&proof)?;
    Ok(see(events.first().expect("one event")))
}

#[test]
fn every_kind_is_read_and_no_kind_twice() {
    assert!(kinds::KINDS.is_sorted_by(|left, right| left.0 < right.0));
    for (kind, _) in kinds::KINDS {
        // A subject without the kind's object proves nothing, and is no error.
        let read = event(kind, "<nothing/>", |event| (event.event_type, event.status));
        assert_eq!(read, Ok((EventType::Unrecognized, None)), "{kind}");
    }
    let unknown = event("a_new_kind", "<a/>", |event| {
        (event.subject_kind, event.gateway_type.as_deref().map(str::to_owned))
    });
    assert_eq!(unknown, Ok((SubjectKind::Other, Some("a_new_kind".to_owned()))));
}

#[test]
fn amounts_follow_their_currency() {
    let minor = |code: &str, amount: &str| {
        let subject = format!(
            "<transaction><id>t</id><status>settled</status><type>sale</type>{code}\
             <amount>{amount}</amount></transaction>"
        );
        let read = |event: &Event<'_>| event.amount.map(Money::minor_units);
        event("transaction_settled", &subject, read)
    };
    let code = |code: &str| format!("<currency-iso-code>{code}</currency-iso-code>");
    let inexact = Err(ParseError::AmountInexact { path: "amount" });
    assert_eq!(minor(&code("HUF"), "100"), Ok(Some(10_000)));
    assert_eq!(minor(&code("TWD"), "100.00"), Ok(Some(10_000)));
    assert_eq!(minor(&code("JPY"), "500.00"), Ok(Some(500)));
    assert_eq!(minor(&code("JPY"), "500.5"), inexact);
    assert_eq!(minor(&code("USD"), "1.001"), inexact);
    assert_eq!(minor(&code("USD"), "1e3"), inexact);
    assert_eq!(minor(&code("USD"), ""), Ok(None));
    assert_eq!(minor(&code("DOLLAR"), "1.00"), Ok(None));
    assert_eq!(minor("", "1.00"), Ok(None));
    assert_eq!(minor("", "one"), inexact);
}

#[test]
fn a_dispute_tells_its_extent() {
    let status = |kind: &str, dispute: &str| {
        event(kind, &format!("<dispute><id>d</id>{dispute}</dispute>"), |event| {
            (event.event_type, event.status)
        })
    };
    let whole = "<kind>chargeback</kind><amount-disputed>40.00</amount-disputed>\
                 <transaction><id>t</id><amount>40.0</amount></transaction>";
    let part = "<amount-disputed>39.99</amount-disputed>\
                <transaction><id>t</id><amount>40.00</amount></transaction>";
    let question = "<kind>retrieval</kind><amount-disputed>40.00</amount-disputed>\
                    <transaction><id>t</id><amount>40.00</amount></transaction>";
    let no_total = "<kind>chargeback</kind><amount-disputed>40.00</amount-disputed>";
    for kind in ["dispute_lost", "dispute_accepted", "dispute_auto_accepted", "dispute_expired"] {
        let lost = EventType::DisputeLost;
        assert_eq!(status(kind, whole), Ok((lost, Some(PaymentStatus::Refunded))), "{kind}");
        assert_eq!(status(kind, part), Ok((lost, Some(PaymentStatus::Confirmed))), "{kind}");
        assert_eq!(status(kind, no_total), Ok((lost, None)), "{kind}");
        assert_eq!(status(kind, question), Ok((EventType::DisputeClosed, None)), "{kind}");
    }
    let won = (EventType::DisputeWon, Some(PaymentStatus::Confirmed));
    assert_eq!(status("dispute_won", part), Ok(won));
    assert_eq!(status("dispute_won", question), Ok((EventType::DisputeClosed, None)));
}

#[test]
fn a_declined_transaction_says_why() {
    let subject = "<transaction><id>t</id><status>processor_declined</status>\
        <processor-response-code>2001</processor-response-code>\
        <processor-response-text>Insufficient Funds</processor-response-text>\
        <customer><id>c</id></customer><custom-fields><token>abc</token></custom-fields>\
        <risk-data><decision>Review</decision></risk-data></transaction>";
    let checked = event("transaction_retried", subject, |event| {
        let Some(Subject::Payment(payment)) = &event.subject else { panic!("{event:?}") };
        let failure = payment.failure.as_ref().expect("a failure");
        assert_eq!(failure.code.as_deref(), Some("insufficient_funds"));
        assert_eq!(failure.gateway_code.as_deref(), Some("2001"));
        assert_eq!(failure.message.as_deref(), Some("Insufficient Funds"));
        assert_eq!(payment.references.gateway_customer_id.as_deref(), Some("c"));
        assert_eq!(payment.references.metadata, [("token".into(), "abc".into())]);
        assert_eq!(payment.fraud_status, Some(FraudStatus::Review));
    });
    assert_eq!(checked, Ok(()));
}
