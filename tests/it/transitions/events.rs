//! What the rules take from an event.

use payhook::model::{
    Checkout, Currency, Dispute, Event, EventType, Facts, Invoice, Money, Payment, PaymentState,
    PaymentStatus, Payout, Refund, Subject, SubjectKind,
    transition::{Movement, transition},
};

use super::totals::usd;

fn event(
    event_type: EventType,
    status: Option<PaymentStatus>,
    subject: Subject<'static>,
) -> Event<'static> {
    Event {
        event_type,
        status,
        subject_kind: subject.kind(),
        subject: Some(subject),
        ..Event::envelope()
    }
}

#[test]
fn a_refund_event_about_a_payment_tells_the_cumulative_total() {
    let payment = Payment {
        requested: Some(usd(2000)),
        captured: Some(usd(2000)),
        refunded: Some(usd(700)),
        ..Payment::default()
    };
    let mut event = event(
        EventType::RefundSucceeded,
        Some(PaymentStatus::Confirmed),
        Subject::Payment(Box::new(payment)),
    );
    event.amount = Some(usd(700));
    let facts = Facts::from_event(&event);
    assert_eq!((facts.refunded, facts.amount), (Some(usd(700)), None));
    assert_eq!((facts.requested, facts.captured), (Some(usd(2000)), Some(usd(2000))));
}

#[test]
fn a_refund_tells_its_own_amount_and_the_total_where_it_has_one() {
    let refund = Refund {
        gateway_refund_id: Some("re_1".into()),
        amount: Some(usd(700)),
        payment_refunded_total: Some(usd(900)),
        ..Refund::default()
    };
    let event = event(EventType::RefundFailed, None, Subject::Refund(Box::new(refund)));
    let facts = Facts::from_event(&event);
    assert_eq!((facts.gateway_id.as_deref(), facts.amount), (Some("re_1"), Some(usd(700))));
    assert_eq!((facts.refunded, facts.requested), (Some(usd(900)), None));
}

#[test]
fn a_dispute_tells_its_amount_and_the_payments() {
    let dispute = Dispute {
        gateway_dispute_id: Some("dp_1".into()),
        amount: Some(usd(300)),
        payment_total: Some(usd(2000)),
        ..Dispute::default()
    };
    let event = event(EventType::DisputeLost, None, Subject::Dispute(Box::new(dispute)));
    let facts = Facts::from_event(&event);
    assert_eq!((facts.gateway_id.as_deref(), facts.payment_total), (Some("dp_1"), Some(usd(2000))));
}

#[test]
fn an_object_id_never_stands_in_for_a_refund_id() {
    let refund = Refund { amount: Some(usd(700)), ..Refund::default() };
    let mut event = event(EventType::RefundSucceeded, None, Subject::Refund(Box::new(refund)));
    event.object_id = Some("payment-1".into());
    assert_eq!(Facts::from_event(&event).gateway_id, None);
}

#[test]
fn a_checkout_is_captured_only_when_it_is_paid() {
    for paid in [false, true] {
        let checkout = Checkout { amount: Some(usd(2000)), paid, ..Checkout::default() };
        let event =
            event(EventType::CheckoutCompleted, None, Subject::Checkout(Box::new(checkout)));
        let facts = Facts::from_event(&event);
        assert_eq!(facts.requested, Some(usd(2000)));
        assert_eq!(facts.captured, paid.then(|| usd(2000)));
    }
}

#[test]
fn an_invoice_is_captured_only_when_it_is_confirmed() {
    for status in [PaymentStatus::Rejected, PaymentStatus::Confirmed] {
        let invoice =
            Invoice { amount_due: Some(usd(20)), amount_paid: Some(usd(20)), ..Invoice::default() };
        let event =
            event(EventType::InvoicePaid, Some(status), Subject::Invoice(Box::new(invoice)));
        let paid = status == PaymentStatus::Confirmed;
        assert_eq!(Facts::from_event(&event).captured, paid.then(|| usd(20)));
    }
}

#[test]
fn the_one_amount_of_a_payment_is_what_was_asked_for() {
    let confirmed = Some(PaymentStatus::Confirmed);
    let bare = Event {
        event_type: EventType::PaymentCaptured,
        subject_kind: SubjectKind::Payment,
        status: confirmed,
        amount: Some(usd(1)),
        ..Event::envelope()
    };
    assert_eq!(Facts::from_event(&bare).requested, Some(usd(1)));
    let typed = Subject::Payment(Box::default());
    let typed = Event { subject: Some(typed), ..bare.clone() };
    assert_eq!(Facts::from_event(&typed).requested, Some(usd(1)));
    let refund = Event { event_type: EventType::RefundSucceeded, ..bare };
    assert_eq!(Facts::from_event(&refund).requested, None, "the amount is the refund's");
}

#[test]
fn the_amount_of_a_payout_is_not_the_payments() {
    let euro = Money::from_minor(5, Currency::new("EUR").expect("letters")).expect("fits");
    let payout = Payout { amount: Some(euro), ..Payout::default() };
    let mut event = event(EventType::PayoutPaid, None, Subject::Payout(Box::new(payout)));
    event.amount = Some(euro);
    let event_type = Some(EventType::PayoutPaid);
    assert_eq!(Facts::from_event(&event), Facts { event_type, ..Facts::default() });
}

#[test]
fn only_six_types_count_or_take_back_money() {
    let counts = [EventType::RefundSucceeded, EventType::DisputeLost];
    let takes_back = [
        EventType::RefundFailed,
        EventType::RefundCancelled,
        EventType::DisputeWon,
        EventType::DisputeFundsReinstated,
    ];
    let state = PaymentState {
        status: Some(PaymentStatus::Confirmed),
        captured: Some(usd(2000)),
        refunded: Some(usd(700)),
        movements: vec![Movement { gateway_id: "re_1".to_owned(), amount: usd(700) }],
        ..PaymentState::default()
    };
    for event_type in EventType::ALL {
        let about = |id: &str, amount| Facts {
            event_type: Some(event_type),
            gateway_id: Some(id.to_owned()),
            amount: Some(usd(amount)),
            ..Facts::default()
        };
        let new = transition(Some(&state), &about("re_2", 100));
        let known = transition(Some(&state), &about("re_1", 700));
        let grew = new.refunded == Some(usd(800));
        let fell = known.refunded == Some(usd(0));
        assert_eq!(grew, counts.contains(&event_type), "{}", event_type.as_str());
        assert_eq!(fell, takes_back.contains(&event_type), "{}", event_type.as_str());
    }
}
