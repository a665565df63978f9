//! What holds for every order of delivery: exhaustive over small sets of events.

use payhook::model::{
    Advice, EventType, Facts, Money, PaymentState, PaymentStatus, Timestamp, transition::transition,
};

use super::{store, totals::usd};

const START: i64 = 1_700_000_000;

/// One delivered event and the times it may have.
#[derive(Clone, Debug)]
struct Delivery {
    id: &'static str,
    facts: Facts,
}

fn paid(id: &'static str, status: PaymentStatus, captured: Option<i64>) -> Delivery {
    let facts = Facts {
        id: Some(id.to_owned()),
        status: Some(status),
        requested: Some(usd(2000)),
        captured: captured.map(usd),
        ..Facts::default()
    };
    Delivery { id, facts }
}

fn proves(id: &'static str, status: Option<PaymentStatus>) -> Delivery {
    Delivery { id, facts: Facts { id: Some(id.to_owned()), status, ..Facts::default() } }
}

/// A refund that tells its own amount, or the cumulative one, or both.
fn refund(id: &'static str, own: Option<(&'static str, i64)>, total: Option<i64>) -> Delivery {
    let whole = total == Some(2000);
    let part = total.is_some().then_some(PaymentStatus::Confirmed);
    let facts = Facts {
        id: Some(id.to_owned()),
        event_type: Some(EventType::RefundSucceeded),
        status: if whole { Some(PaymentStatus::Refunded) } else { part },
        refunded: total.map(usd),
        gateway_id: own.map(|(id, _)| id.to_owned()),
        amount: own.map(|(_, amount)| usd(amount)),
        ..Facts::default()
    };
    Delivery { id, facts }
}

fn taken_back(id: &'static str, movement: &'static str, amount: i64) -> Delivery {
    let facts = Facts {
        id: Some(id.to_owned()),
        event_type: Some(EventType::RefundFailed),
        status: Some(PaymentStatus::Confirmed),
        gateway_id: Some(movement.to_owned()),
        amount: Some(usd(amount)),
        ..Facts::default()
    };
    Delivery { id, facts }
}

/// Every event that the properties are about.
fn everything() -> Vec<Delivery> {
    use PaymentStatus as S;
    let mut all = vec![
        paid("auth", S::Preauth, None),
        paid("paid", S::Confirmed, Some(2000)),
        paid("paid-silent", S::Confirmed, None),
        paid("refunded-status", S::Refunded, None),
        refund("own-part", Some(("re_1", 700)), None),
        refund("own-part-again", Some(("re_1", 700)), None),
        refund("own-rest", Some(("re_2", 1300)), None),
        refund("own-whole", Some(("re_3", 2000)), None),
        refund("sum-part", None, Some(700)),
        refund("sum-whole", None, Some(2000)),
        taken_back("back-1", "re_1", 700),
        taken_back("back-3", "re_3", 2000),
        proves("silent", None),
    ];
    for status in [S::Waiting, S::Input, S::Rejected, S::Cancelled, S::Error] {
        all.push(proves(status.as_str(), Some(status)));
    }
    all
}

/// A step taken: what it said, and the payment before and after.
struct Taken {
    delivery: Delivery,
    advice: Advice,
    rule: &'static str,
    before: PaymentState,
    after: PaymentState,
}

fn deliver(order: &[Delivery], start: PaymentState) -> Vec<Taken> {
    let mut state = start;
    let mut taken = Vec::new();
    for delivery in order {
        let before = state.clone();
        let answer = transition(Some(&before), &delivery.facts);
        store(&mut state, &delivery.facts, &answer);
        let (advice, rule) = (answer.advice, answer.rule);
        taken.push(Taken {
            delivery: delivery.clone(),
            advice,
            rule,
            before,
            after: state.clone(),
        });
    }
    taken
}

fn started() -> PaymentState {
    let status = Some(PaymentStatus::Waiting);
    PaymentState { status, total: Some(usd(2000)), ..PaymentState::default() }
}

/// Calls `each` with every ordered choice of `length` different events out of `events`, every
/// event at its place in `times`.
fn every_order(
    events: &[Delivery],
    length: usize,
    chosen: &mut Vec<Delivery>,
    each: &mut impl FnMut(&[Delivery]),
) {
    if chosen.len() == length {
        return each(chosen);
    }
    for event in events {
        if chosen.iter().any(|other| other.id == event.id) {
            continue;
        }
        chosen.push(event.clone());
        every_order(events, length, chosen, each);
        chosen.pop();
    }
}

/// The same events in every order of time, ties and events without a time included. Only the order
/// matters to the rules, so a timing that skips a point in time is one that was run already.
fn every_timing(order: &[Delivery], each: &mut impl FnMut(&[Delivery])) {
    let points = order.len() + 1;
    for choice in 0..points.pow(u32::try_from(order.len()).expect("small")) {
        let mut timed = order.to_vec();
        let mut used = vec![false; points];
        let mut left = choice;
        for delivery in &mut timed {
            let point = left % points;
            let seconds = START + i64::try_from(point).expect("small");
            delivery.facts.occurred_at = (point > 0).then(|| Timestamp::from_seconds(seconds));
            used[point] = true;
            left /= points;
        }
        let skips = |pair: &[bool]| !pair[0] && pair[1];
        if !used[1..].windows(2).any(skips) {
            each(&timed);
        }
    }
}

/// Every order of up to three events out of [`everything`], with every timing: 129,168 histories.
fn every_history(each: &mut impl FnMut(&[Taken])) -> usize {
    let events = everything();
    let mut count = 0;
    for length in 1..=3 {
        every_order(&events, length, &mut Vec::new(), &mut |order| {
            every_timing(order, &mut |timed| {
                count += 1;
                each(&deliver(timed, started()));
            });
        });
    }
    count
}

fn describe(history: &[Taken]) -> String {
    let step = |step: &Taken| {
        let at = step.delivery.facts.occurred_at.map(|time| time.seconds() - START);
        format!("{}@{at:?}: {:?} {}", step.delivery.id, step.advice, step.rule)
    };
    history.iter().map(step).collect::<Vec<_>>().join("; ")
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

#[test]
fn sets_over_preauth_confirmed_refunded_end_in_the_same_status_in_every_order() {
    let line: Vec<_> = everything()
        .into_iter()
        .filter(|event| {
            ["auth", "paid", "paid-silent", "refunded-status", "sum-whole"].contains(&event.id)
        })
        .collect();
    for length in 1..=4 {
        every_order(&line, length, &mut Vec::new(), &mut |order| {
            let proved =
                order.iter().filter_map(|event| event.facts.status).max_by_key(|s| rank(*s));
            every_timing(order, &mut |timed| {
                let history = deliver(timed, started());
                let last = history.last().expect("a step").after.status;
                assert_eq!(last, proved, "{}", describe(&history));
            });
        });
    }
}

#[test]
fn partial_refunds_end_in_the_same_totals_in_every_order_after_the_money() {
    let events: Vec<_> = everything()
        .into_iter()
        .filter(|event| ["own-part", "own-part-again", "own-rest", "sum-part"].contains(&event.id))
        .collect();
    for length in 1..=4 {
        every_order(&events, length, &mut Vec::new(), &mut |order| {
            let has = |id| order.iter().any(|event| event.id == id);
            let first = has("own-part") || has("own-part-again") || has("sum-part");
            let own = has("own-part") || has("own-part-again");
            let mut expected = if first { 700 } else { 0 };
            if has("own-rest") {
                // Without re_1 in the ledger the cumulative 700 may be part of re_2.
                expected = if own { 2000 } else { 1300 };
            }
            every_timing(order, &mut |timed| {
                let start = PaymentState { captured: Some(usd(2000)), ..started() };
                let start = PaymentState { status: Some(PaymentStatus::Confirmed), ..start };
                let history = deliver(timed, start);
                let last = &history.last().expect("a step").after;
                assert_eq!(last.refunded, Some(usd(expected)), "{}", describe(&history));
                let whole = last.status == Some(PaymentStatus::Refunded);
                assert_eq!(whole, expected == 2000, "{}", describe(&history));
            });
        });
    }
}

#[test]
fn a_confirmed_or_refunded_event_is_never_lost_unless_a_step_said_conflict() {
    let histories = every_history(&mut |history| {
        let conflict = history.iter().any(|step| step.advice == Advice::Conflict);
        let reversed = history.iter().any(|step| step.rule == "refund-reversed");
        if conflict {
            return;
        }
        let claims = |step: &Taken| match step.delivery.facts.event_type {
            Some(EventType::RefundFailed) => 0,
            Some(_) | None => step.delivery.facts.status.map_or(0, rank),
        };
        let mut highest = history.iter().map(claims).max().unwrap_or(0);
        if reversed {
            highest = highest.min(rank(PaymentStatus::Confirmed));
        }
        // An authorization may be voided; captured and refunded money may not be forgotten.
        if highest >= rank(PaymentStatus::Confirmed) {
            let last = history.last().expect("a step").after.status.map_or(0, rank);
            assert!(last >= highest, "{}", describe(history));
        }
    });
    assert_eq!(histories, 18 * 2 + 18 * 17 * 6 + 18 * 17 * 16 * 26);
}

#[test]
fn totals_fall_only_by_a_reversal() {
    let mut reversals = 0_usize;
    every_history(&mut |history| {
        for step in history {
            let units = |money: Option<Money>| money.map_or(0, |money| money.minor_units());
            let (before, after) = (&step.before, &step.after);
            assert!(units(after.captured) >= units(before.captured), "{}", describe(history));
            if step.rule == "refund-reversed" {
                reversals += 1;
                continue;
            }
            assert!(units(after.refunded) >= units(before.refunded), "{}", describe(history));
            assert!(after.movements.len() >= before.movements.len(), "{}", describe(history));
        }
    });
    assert!(reversals > 100, "only {reversals} reversals");
}

#[test]
fn an_event_that_proves_nothing_never_confirms() {
    every_history(&mut |history| {
        for step in history {
            if step.delivery.facts.status.is_none() && step.rule != "refund-reversed" {
                let raised = step.after.status != step.before.status;
                let refunded = step.after.status == Some(PaymentStatus::Refunded);
                assert!(!raised || refunded, "{}", describe(history));
            }
            if step.after.status == Some(PaymentStatus::Confirmed)
                && step.before.status != Some(PaymentStatus::Confirmed)
            {
                let proved = step.delivery.facts.status;
                assert_eq!(proved, Some(PaymentStatus::Confirmed), "{}", describe(history));
            }
        }
    });
}

#[test]
fn nothing_is_stored_unless_the_advice_says_so() {
    every_history(&mut |history| {
        for step in history {
            let (before, after) = (&step.before, &step.after);
            match step.advice {
                Advice::Apply => assert_eq!(after.last_event_id.as_deref(), Some(step.delivery.id)),
                Advice::NoOp => {
                    let counted =
                        PaymentState { movements: after.movements.clone(), ..before.clone() };
                    assert_eq!(*after, counted, "{}", describe(history));
                }
                Advice::Stale | Advice::Conflict => assert_eq!(before, after),
                Advice::Unspecified => panic!("a state was given"),
            }
        }
    });
}

#[test]
fn every_event_delivered_twice_changes_nothing_the_second_time() {
    every_history(&mut |history| {
        let last = history.last().expect("a step");
        let again = deliver(std::slice::from_ref(&last.delivery), last.after.clone());
        assert_eq!(again[0].after, last.after, "{}", describe(history));
    });
}
