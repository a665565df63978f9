//! The transition rules: every case and sequence, and what holds for every order of delivery.

use std::{collections::BTreeSet, fs};

use payhook::model::{
    Advice, Currency, EventType, Facts, Money, PaymentState, PaymentStatus, Timestamp, Transition,
    transition::{Movement, transition},
};
use serde_json::Value;

mod events;
mod properties;
mod reversals;
mod totals;

fn rows() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/transitions.jsonl");
    let text = fs::read_to_string(path).expect("vectors");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn money(value: Option<&Value>) -> Option<Money> {
    let value = value.filter(|value| !value.is_null())?;
    let currency = Currency::new(value["currency_code"].as_str()?)?;
    Money::from_minor(value["minor_units"].as_i64()?, currency).ok()
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

fn time(value: Option<&Value>) -> Option<Timestamp> {
    value.and_then(Value::as_i64).map(Timestamp::from_seconds)
}

fn status(value: Option<&Value>) -> Option<PaymentStatus> {
    value.and_then(Value::as_str).and_then(PaymentStatus::from_name)
}

fn movements(value: Option<&Value>) -> Vec<Movement> {
    let list = value.and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter()
        .map(|it| Movement {
            gateway_id: text(it.get("gateway_id")).expect("an id"),
            amount: money(it.get("amount")).expect("an amount"),
        })
        .collect()
}

fn state(value: &Value) -> PaymentState {
    PaymentState {
        status: status(value.get("status")),
        total: money(value.get("total")),
        captured: money(value.get("captured")),
        refunded: money(value.get("refunded")),
        last_event_at: time(value.get("last_event_at")),
        last_event_id: text(value.get("last_event_id")),
        merchant_reference: text(value.get("merchant_reference")),
        movements: movements(value.get("movements")),
    }
}

fn facts(value: &Value) -> Facts {
    Facts {
        id: text(value.get("id")),
        event_type: value.get("type").and_then(Value::as_str).and_then(EventType::from_name),
        status: status(value.get("status")),
        occurred_at: time(value.get("occurred_at")),
        merchant_reference: text(value.get("merchant_reference")),
        requested: money(value.get("requested")),
        captured: money(value.get("captured")),
        refunded: money(value.get("refunded")),
        gateway_id: text(value.get("gateway_id")),
        amount: ["amount", "refund_amount", "dispute_amount"]
            .iter()
            .find_map(|name| money(value.get(*name))),
        ..Facts::default()
    }
}

/// What an application does with an answer: `docs/transitions.md` in code.
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

fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::Unspecified => "UNSPECIFIED",
        Advice::Apply => "APPLY",
        Advice::NoOp => "NO_OP",
        Advice::Stale => "STALE",
        Advice::Conflict => "CONFLICT",
    }
}

/// Where the answer is not what the row expects; only what the row names is compared.
fn wrong(answer: &Transition, expect: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |name: &str, equal: bool| {
        if expect.get(name).is_some() && !equal {
            wrong.push(format!("{name}: expected {}, came to {answer:?}", expect[name]));
        }
    };
    compare("advice", expect["advice"] == advice(answer.advice));
    compare("rule", expect["rule"] == answer.rule);
    compare("status", status(expect.get("status")) == answer.status);
    compare("captured", money(expect.get("captured")) == answer.captured);
    compare("refunded", money(expect.get("refunded")) == answer.refunded);
    compare("movements", movements(expect.get("movements")) == answer.movements);
    let mut named: Vec<_> =
        answer.discrepancies.iter().map(|it| format!("{it:?}").to_ascii_uppercase()).collect();
    named.sort();
    compare("discrepancies", expect.get("discrepancies") == Some(&named.into()));
    wrong
}

#[test]
fn every_case_and_sequence_comes_to_what_it_expects() {
    let (mut run, mut failures) = (0, Vec::new());
    for row in rows() {
        run += 1;
        let current = (!row["current"].is_null()).then(|| state(&row["current"]));
        if row["sequence"] != true {
            let answer = transition(current.as_ref(), &facts(&row["event"]));
            for problem in wrong(&answer, &row["expect"]) {
                failures.push(format!("{}: {problem}", row["id"]));
            }
            continue;
        }
        let mut current = current.expect("a sequence begins somewhere");
        let events = row["events"].as_array().expect("events");
        let steps = row["expect"]["steps"].as_array().expect("steps");
        assert_eq!(events.len(), steps.len());
        for (event, step) in events.iter().zip(steps) {
            let facts = facts(event);
            let answer = transition(Some(&current), &facts);
            for problem in wrong(&answer, step) {
                failures.push(format!("{} {}: {problem}", row["id"], event["id"]));
            }
            store(&mut current, &facts, &answer);
        }
        let last = state(&row["expect"]["final"]);
        if current != last {
            failures.push(format!("{}: ends in {current:?}, expected {last:?}", row["id"]));
        }
    }
    assert!(run >= 342, "only {run} rows");
    assert!(failures.is_empty(), "{} problems:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_rule_is_reached_by_some_row() {
    let mut reached = BTreeSet::new();
    for row in rows() {
        if row["sequence"] == true {
            continue;
        }
        let current = (!row["current"].is_null()).then(|| state(&row["current"]));
        reached.insert(transition(current.as_ref(), &facts(&row["event"])).rule);
    }
    assert_eq!(reached.len(), 24, "{reached:?}");
    let page = page();
    for rule in reached {
        assert!(page.contains(&format!("`{rule}`")), "{rule} is not in the documentation");
    }
}

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/transitions.md");
    fs::read_to_string(path).expect("the page")
}

#[test]
fn every_test_that_the_documentation_names_exists() {
    let sources = [
        include_str!("transitions.rs"),
        include_str!("transitions/events.rs"),
        include_str!("transitions/properties.rs"),
        include_str!("transitions/reversals.rs"),
        include_str!("transitions/totals.rs"),
    ];
    let page = page();
    let name = |text: &&str| {
        let letters = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        letters && text.matches('_').count() >= 4
    };
    let names: Vec<_> = page.split('`').filter(name).collect();
    assert!(names.len() >= 15, "only {} tests are named", names.len());
    for name in names {
        let known = sources.iter().any(|source| source.contains(&format!("fn {name}()")));
        assert!(known, "{name} is no test");
    }
}

fn usd(minor: i64) -> Option<Money> {
    Currency::new("USD").and_then(|usd| Money::from_minor(minor, usd).ok())
}

fn waiting() -> PaymentState {
    PaymentState { status: Some(PaymentStatus::Waiting), total: usd(2000), ..Default::default() }
}

/// Events of one payment, each at a time of its own.
fn deck() -> Vec<Facts> {
    let at = |id: &str, seconds| Facts {
        id: Some(id.to_owned()),
        occurred_at: Some(Timestamp::from_seconds(seconds)),
        requested: usd(2000),
        ..Facts::default()
    };
    let line = |id: &str, seconds, status| Facts { status: Some(status), ..at(id, seconds) };
    let refund = |id: &str, seconds, gateway_id: &str, minor| Facts {
        event_type: Some(EventType::RefundSucceeded),
        gateway_id: Some(gateway_id.to_owned()),
        amount: usd(minor),
        ..at(id, seconds)
    };
    vec![
        line("a", 1, PaymentStatus::Preauth),
        Facts { captured: usd(2000), ..line("b", 2, PaymentStatus::Confirmed) },
        refund("c", 3, "re_1", 700),
        refund("d", 4, "re_2", 1300),
        Facts {
            event_type: Some(EventType::RefundFailed),
            status: Some(PaymentStatus::Confirmed),
            ..refund("e", 5, "re_1", 700)
        },
        line("f", 6, PaymentStatus::Rejected),
        Facts { event_type: Some(EventType::Unrecognized), ..at("g", 7) },
    ]
}

fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for rest in permutations(length - 1) {
        for position in 0..=rest.len() {
            let mut order = rest.clone();
            order.insert(position, length - 1);
            all.push(order);
        }
    }
    all
}

#[test]
fn the_line_ends_in_the_same_status_in_every_order() {
    let full = Facts {
        event_type: Some(EventType::RefundSucceeded),
        status: Some(PaymentStatus::Refunded),
        refunded: usd(2000),
        gateway_id: None,
        amount: None,
        ..deck()[3].clone()
    };
    let line = [deck()[0].clone(), deck()[1].clone(), full];
    for subset in 1_u32..8 {
        let set: Vec<_> = (0..3).filter(|bit| subset & (1 << bit) != 0).collect();
        let ends: BTreeSet<_> = permutations(set.len())
            .into_iter()
            .map(|order| {
                let mut current = waiting();
                for step in order {
                    let facts = &line[set[step]];
                    let answer = transition(Some(&current), facts);
                    store(&mut current, facts, &answer);
                }
                current.status.expect("a status").as_str()
            })
            .collect();
        assert_eq!(ends.len(), 1, "{set:?}: {ends:?}");
    }
}

#[test]
fn nothing_is_lost_in_any_order_and_totals_fall_only_by_reversal() {
    let deck = deck();
    for order in permutations(deck.len()) {
        let (mut current, mut conflict) = (waiting(), false);
        for step in &order {
            let (facts, before) = (&deck[*step], current.clone());
            let answer = transition(Some(&current), facts);
            conflict |= answer.advice == Advice::Conflict;
            if facts.status.is_none() && facts.event_type == Some(EventType::Unrecognized) {
                assert_eq!(answer.advice, Advice::NoOp, "an event that proves nothing");
            }
            store(&mut current, facts, &answer);
            let fell = |old: Option<Money>, new: Option<Money>| {
                new.map_or(0, Money::minor_units) < old.map_or(0, Money::minor_units)
            };
            if fell(before.refunded, current.refunded) || fell(before.captured, current.captured) {
                assert_eq!(answer.rule, "refund-reversed", "{order:?}");
            }
        }
        let money =
            matches!(current.status, Some(PaymentStatus::Confirmed | PaymentStatus::Refunded));
        assert!(money || conflict, "{order:?} ends in {:?} without a conflict", current.status);
    }
}
