//! Histories of a payment: what holds for every order of delivery, over longer histories than the
//! exhaustive tests can run.

use payhook::model::{
    Advice, Currency, EventType, Facts, Money, PaymentState, PaymentStatus, Timestamp, Transition,
    transition::transition,
};

const TOTAL: i64 = 2000;
const STEPS_MAX: usize = 16;

/// Four bytes are one delivery: what, when, how much, of which movement.
pub fn transitions(data: &[u8]) {
    let deliveries: Vec<_> =
        data.chunks_exact(4).take(STEPS_MAX).enumerate().map(|(at, it)| facts(at, it)).collect();
    let history = deliver(&deliveries, started());
    history.iter().for_each(step_holds);
    money_is_not_lost(&history);
    let line: Vec<_> = data.chunks_exact(4).take(STEPS_MAX).enumerate().map(on_the_line).collect();
    order_does_not_matter(&line);
}

struct Step {
    facts: Facts,
    answer: Transition,
    before: PaymentState,
    after: PaymentState,
}

fn usd(minor: i64) -> Money {
    let currency = Currency::new("USD").expect("three letters");
    Money::from_minor(minor, currency).expect("small")
}

fn started() -> PaymentState {
    let status = Some(PaymentStatus::Waiting);
    PaymentState { status, total: Some(usd(TOTAL)), ..PaymentState::default() }
}

/// No time, or one of a few: ties are likely.
fn time(byte: u8) -> Option<Timestamp> {
    let point = i64::from(byte % 8);
    (point > 0).then(|| Timestamp::from_seconds(super::NOW + point))
}

fn facts(position: usize, bytes: &[u8]) -> Facts {
    let (what, when, much, which) = (bytes[0], bytes[1], bytes[2], bytes[3]);
    let amount = usd(i64::from(much % 24) * 100);
    let movement = Some(format!("re_{}", which % 3));
    // One in sixteen is delivered again under the id of another.
    let id = if which & 0xf0 == 0 { "again".to_owned() } else { format!("event-{position}") };
    let facts = Facts { id: Some(id), occurred_at: time(when), ..Facts::default() };
    let proves = |status| Facts { status: Some(status), ..facts.clone() };
    let refund = |event_type, status| Facts {
        event_type: Some(event_type),
        status,
        gateway_id: movement.clone().filter(|_| which & 4 == 0),
        amount: Some(amount).filter(|_| which & 8 == 0),
        refunded: Some(amount).filter(|_| when & 16 != 0),
        ..facts.clone()
    };
    match what % 14 {
        0 => proves(PaymentStatus::Waiting),
        1 => proves(PaymentStatus::Input),
        2 => proves(PaymentStatus::Rejected),
        3 => proves(PaymentStatus::Cancelled),
        4 => proves(PaymentStatus::Error),
        5 => Facts { requested: Some(amount), ..proves(PaymentStatus::Preauth) },
        6 => Facts { captured: Some(amount), ..proves(PaymentStatus::Confirmed) },
        7 => proves(PaymentStatus::Confirmed),
        8 => proves(PaymentStatus::Refunded),
        9 => refund(EventType::RefundSucceeded, None),
        10 => refund(EventType::DisputeLost, None),
        11 => refund(EventType::RefundFailed, Some(PaymentStatus::Confirmed)),
        12 => refund(EventType::DisputeWon, Some(PaymentStatus::Confirmed)),
        _ => facts,
    }
}

fn deliver(deliveries: &[Facts], start: PaymentState) -> Vec<Step> {
    let mut state = start;
    let mut steps = Vec::new();
    for facts in deliveries {
        let before = state.clone();
        let answer = transition(Some(&before), facts);
        store(&mut state, facts, &answer);
        steps.push(Step { facts: facts.clone(), answer, before, after: state.clone() });
    }
    steps
}

/// What the contract tells an application to do.
fn store(state: &mut PaymentState, facts: &Facts, answer: &Transition) {
    match answer.advice {
        Advice::Apply => {
            state.status = answer.status;
            state.captured = answer.captured;
            state.refunded = answer.refunded;
            state.movements.clone_from(&answer.movements);
            state.last_event_at = state.last_event_at.max(facts.occurred_at);
            state.last_event_id.clone_from(&facts.id);
        }
        Advice::NoOp => state.movements.clone_from(&answer.movements),
        Advice::Unspecified | Advice::Stale | Advice::Conflict => {}
    }
}

fn step_holds(step: &Step) {
    let Step { facts, answer, before, after } = step;
    let units = |money: Option<Money>| money.map_or(0, Money::minor_units);
    let told = || format!("{facts:?}\nbefore {before:?}\nafter {after:?}\n{answer:?}");
    assert_ne!(answer.advice, Advice::Unspecified, "{}", told());
    assert!(units(after.captured) >= units(before.captured), "{}", told());
    // Totals fall only by a reversal.
    if answer.rule != "refund-reversed" {
        assert!(units(after.refunded) >= units(before.refunded), "{}", told());
        assert!(after.movements.len() >= before.movements.len(), "{}", told());
    }
    // What proves nothing confirms nothing.
    if after.status == Some(PaymentStatus::Confirmed) && before.status != after.status {
        assert_eq!(facts.status, Some(PaymentStatus::Confirmed), "{}", told());
    }
    match answer.advice {
        Advice::Stale | Advice::Conflict => assert_eq!(before, after),
        Advice::NoOp => {
            let counted = PaymentState { movements: after.movements.clone(), ..before.clone() };
            assert_eq!(*after, counted, "{}", told());
        }
        Advice::Apply | Advice::Unspecified => {}
    }
    // The same event again changes nothing.
    if answer.advice != Advice::Conflict {
        let again = deliver(std::slice::from_ref(facts), after.clone());
        assert_eq!(again[0].after, *after, "{}", told());
    }
}

fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Preauth => 1,
        PaymentStatus::Confirmed => 2,
        PaymentStatus::Refunded => 3,
        PaymentStatus::Waiting
        | PaymentStatus::Input
        | PaymentStatus::Rejected
        | PaymentStatus::Cancelled
        | PaymentStatus::Error => 0,
    }
}

/// A confirmed or refunded event is never lost unless some step said so.
fn money_is_not_lost(history: &[Step]) {
    let conflict = history.iter().any(|step| step.answer.advice == Advice::Conflict);
    let again = history.iter().filter(|step| step.facts.id.as_deref() == Some("again")).count() > 1;
    let Some(last) = history.last().filter(|_| !conflict && !again) else { return };
    let claims = |step: &Step| match step.facts.event_type {
        Some(EventType::RefundFailed | EventType::DisputeWon) => 0,
        Some(_) | None => step.facts.status.map_or(0, rank),
    };
    let mut highest = history.iter().map(claims).max().unwrap_or(0);
    if history.iter().any(|step| step.answer.rule == "refund-reversed") {
        highest = highest.min(rank(PaymentStatus::Confirmed));
    }
    if highest >= rank(PaymentStatus::Confirmed) {
        let reached = last.after.status.map_or(0, rank);
        let told = history.iter().map(|step| format!("{:?}: {:?}\n", step.facts, step.answer));
        assert!(reached >= highest, "{}", told.collect::<String>());
    }
}

/// An event of the line from preauth to refunded, of one amount.
fn on_the_line((position, bytes): (usize, &[u8])) -> Facts {
    let id = Some(format!("event-{position}"));
    let facts = Facts { id, occurred_at: time(bytes[1]), ..Facts::default() };
    match bytes[0] % 5 {
        0 => Facts { status: Some(PaymentStatus::Preauth), ..facts },
        1 => Facts {
            status: Some(PaymentStatus::Confirmed),
            captured: Some(usd(TOTAL)),
            requested: Some(usd(TOTAL)),
            ..facts
        },
        2 => Facts { status: Some(PaymentStatus::Confirmed), ..facts },
        3 => Facts { status: Some(PaymentStatus::Refunded), ..facts },
        _ => Facts {
            status: Some(PaymentStatus::Refunded),
            event_type: Some(EventType::RefundSucceeded),
            refunded: Some(usd(TOTAL)),
            ..facts
        },
    }
}

/// Sets over preauth, confirmed and refunded end in the same status in every order.
fn order_does_not_matter(line: &[Facts]) {
    let proved = line.iter().filter_map(|facts| facts.status).max_by_key(|status| rank(*status));
    let Some(proved) = proved else { return };
    let (mut by_time, mut backwards) = (line.to_vec(), line.to_vec());
    by_time.sort_by_key(|facts| facts.occurred_at);
    backwards.reverse();
    for order in [line.to_vec(), by_time, backwards] {
        let last = deliver(&order, started()).pop().and_then(|step| step.after.status);
        assert_eq!(last, Some(proved), "{order:?}");
    }
}
