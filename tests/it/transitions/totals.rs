//! Money in the transitions: extents, ledgers, reversals and what fails closed.

use payhook::model::{
    Advice, Currency, Discrepancy, EventType, Facts, FraudStatus, Money, PaymentState,
    PaymentStatus, Timestamp, Transition,
    transition::{MOVEMENTS_MAX, Movement, transition},
};

pub fn usd(minor_units: i64) -> Money {
    Money::from_minor(minor_units, Currency::new("USD").expect("letters")).expect("fits")
}

fn eur(minor_units: i64) -> Money {
    Money::from_minor(minor_units, Currency::new("EUR").expect("letters")).expect("fits")
}

pub fn movement(id: &str, amount: i64) -> Movement {
    Movement { gateway_id: id.to_owned(), amount: usd(amount) }
}

pub fn of(status: PaymentStatus) -> PaymentState {
    PaymentState { status: Some(status), ..PaymentState::default() }
}

pub fn confirmed() -> PaymentState {
    PaymentState {
        total: Some(usd(2000)),
        captured: Some(usd(2000)),
        last_event_at: Some(Timestamp::from_seconds(100)),
        ..of(PaymentStatus::Confirmed)
    }
}

/// The answer for [`confirmed`].
pub fn to_confirmed(facts: &Facts) -> Transition {
    transition(Some(&confirmed()), facts)
}

pub fn refund(id: &'static str, amount: i64) -> Facts {
    Facts {
        event_type: Some(EventType::RefundSucceeded),
        gateway_id: Some(id.to_owned()),
        amount: Some(usd(amount)),
        ..Facts::default()
    }
}

pub fn reversal(id: &'static str, amount: i64) -> Facts {
    let status = Some(PaymentStatus::Confirmed);
    Facts { event_type: Some(EventType::RefundFailed), status, ..refund(id, amount) }
}

#[test]
fn a_ledger_at_its_bound_still_knows_its_movements_and_counts_no_more() {
    let ids: Vec<_> = (0..MOVEMENTS_MAX).map(|number| format!("re_{number}")).collect();
    let movements: Vec<_> = ids.iter().map(|id| movement(id, 1)).collect();
    let full = PaymentState { refunded: Some(usd(200)), movements, ..confirmed() };
    let known = transition(Some(&full), &refund("re_0", 1));
    assert_eq!((known.advice, known.rule), (Advice::NoOp, "same-status"));
    let new = transition(Some(&full), &refund("re_new", 1));
    assert_eq!((new.advice, new.rule), (Advice::Conflict, "totals-impossible"));
    assert_eq!(new.discrepancies, [Discrepancy::Totals]);
    let mut over = full;
    over.movements.push(movement("re_over", 1));
    for facts in [refund("re_0", 1), refund("re_new", 1)] {
        let answer = transition(Some(&over), &facts);
        assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "totals-impossible"));
    }
}

#[test]
fn a_sum_beyond_64_bits_is_a_conflict_not_a_wrap() {
    let state = PaymentState {
        movements: vec![movement("re_1", i64::MAX)],
        ..of(PaymentStatus::Confirmed)
    };
    let answer = transition(Some(&state), &refund("re_2", 1));
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "totals-impossible"));
}

#[test]
fn an_id_that_the_application_stored_twice_counts_once() {
    let movements = vec![movement("re_1", 900), movement("re_1", 900)];
    let state = PaymentState { refunded: Some(usd(900)), movements, ..confirmed() };
    let answer = transition(Some(&state), &refund("re_2", 200));
    assert_eq!((answer.rule, answer.refunded), ("amounts-grew", Some(usd(1100))));
}

#[test]
fn a_refund_told_with_two_amounts_counts_the_larger_in_either_order() {
    for (first, second) in [(700, 900), (900, 700)] {
        let movements = vec![movement("re_1", first)];
        let state = PaymentState { refunded: Some(usd(first)), movements, ..confirmed() };
        let answer = transition(Some(&state), &refund("re_1", second));
        assert_eq!(
            (answer.refunded, &*answer.movements),
            (Some(usd(900)), &[movement("re_1", 900)][..])
        );
    }
}

#[test]
fn no_cumulative_total_that_only_repeats_what_is_stored_changes_anything() {
    let state = PaymentState {
        status: Some(PaymentStatus::Refunded),
        refunded: Some(usd(2000)),
        movements: vec![movement("re_1", 2000)],
        ..confirmed()
    };
    let facts = Facts {
        event_type: Some(EventType::RefundSucceeded),
        status: Some(PaymentStatus::Refunded),
        refunded: Some(usd(2000)),
        ..Facts::default()
    };
    assert_eq!(transition(Some(&state), &facts).advice, Advice::NoOp);
}

#[test]
fn a_proof_of_the_whole_refund_needs_no_amounts() {
    for status in PaymentStatus::ALL {
        if status == PaymentStatus::Refunded {
            continue;
        }
        let state = PaymentState { status: Some(status), ..confirmed() };
        let facts = Facts {
            event_type: Some(EventType::RefundSucceeded),
            status: Some(PaymentStatus::Refunded),
            ..Facts::default()
        };
        let answer = transition(Some(&state), &facts);
        assert_eq!((answer.advice, answer.rule), (Advice::Apply, "refunded-in-full"));
        assert_eq!((answer.status, answer.refunded), (facts.status, Some(usd(2000))));
    }
}

#[test]
fn a_whole_refund_below_what_was_captured_is_applied_with_a_log_line() {
    let facts = Facts { status: Some(PaymentStatus::Refunded), ..refund("re_1", 1500) };
    let answer = to_confirmed(&facts);
    assert_eq!((answer.advice, answer.status), (Advice::Apply, Some(PaymentStatus::Refunded)));
    assert_eq!(answer.refunded, Some(usd(2000)), "what was captured went back");
    let unknown = PaymentState { captured: None, ..confirmed() };
    let answer = transition(Some(&unknown), &facts);
    assert_eq!(
        (answer.refunded, answer.discrepancies),
        (Some(usd(1500)), vec![Discrepancy::Amount])
    );
}

#[test]
fn a_refund_of_a_partial_capture_is_whole_at_what_was_captured() {
    let state = PaymentState { captured: Some(usd(500)), ..confirmed() };
    let part = transition(Some(&state), &refund("re_1", 300));
    assert_eq!((part.rule, part.status), ("amounts-grew", Some(PaymentStatus::Confirmed)));
    let whole = transition(Some(&state), &refund("re_1", 500));
    assert_eq!(whole.rule, "refunded-in-full");
    let over = transition(Some(&state), &refund("re_1", 501));
    assert_eq!((over.advice, over.rule), (Advice::Conflict, "totals-impossible"));
}

#[test]
fn a_zero_captured_total_is_no_extent() {
    let state = PaymentState {
        status: Some(PaymentStatus::Preauth),
        captured: Some(usd(0)),
        ..confirmed()
    };
    let nothing = Facts {
        event_type: Some(EventType::RefundSucceeded),
        refunded: Some(usd(0)),
        ..Facts::default()
    };
    assert_eq!(transition(Some(&state), &nothing).rule, "refund-before-money");
}

#[test]
fn a_whole_refund_of_a_payment_that_was_only_authorized_is_applied() {
    let authorized = PaymentState { captured: Some(usd(0)), ..confirmed() };
    let authorized = PaymentState { status: Some(PaymentStatus::Preauth), ..authorized };
    let facts = Facts {
        event_type: Some(EventType::RefundSucceeded),
        status: Some(PaymentStatus::Refunded),
        captured: Some(usd(2000)),
        refunded: Some(usd(2000)),
        ..Facts::default()
    };
    let answer = transition(Some(&authorized), &facts);
    assert_eq!((answer.advice, answer.rule), (Advice::Apply, "refunded-in-full"));
    assert_eq!((answer.captured, answer.refunded), (Some(usd(2000)), Some(usd(2000))));
}

#[test]
fn a_capture_told_beside_a_refund_is_stored_and_measures_it() {
    let state = PaymentState { captured: Some(usd(500)), ..confirmed() };
    for event_type in [None, Some(EventType::RefundSucceeded)] {
        let facts = Facts {
            event_type,
            status: Some(PaymentStatus::Confirmed),
            requested: Some(usd(2000)),
            captured: Some(usd(2000)),
            refunded: Some(usd(700)),
            ..Facts::default()
        };
        let answer = transition(Some(&state), &facts);
        assert_eq!((answer.advice, answer.rule), (Advice::Apply, "amounts-grew"));
        assert_eq!((answer.captured, answer.refunded), (Some(usd(2000)), Some(usd(700))));
        let other = Facts { requested: Some(usd(2500)), ..facts };
        let answer = transition(Some(&state), &other);
        assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "money-differs"));
    }
}

#[test]
fn a_capture_is_stored_even_where_the_refund_beside_it_is_known() {
    let state = PaymentState { captured: None, refunded: Some(usd(700)), ..confirmed() };
    let facts = Facts {
        event_type: Some(EventType::RefundSucceeded),
        status: Some(PaymentStatus::Confirmed),
        captured: Some(usd(2000)),
        refunded: Some(usd(700)),
        ..Facts::default()
    };
    let answer = transition(Some(&state), &facts);
    assert_eq!((answer.rule, answer.captured), ("amounts-grew", Some(usd(2000))));
}

#[test]
fn a_first_confirmation_with_more_refunded_than_captured_is_impossible() {
    let state = PaymentState { total: Some(usd(2000)), ..of(PaymentStatus::Waiting) };
    let facts = |refunded| Facts {
        status: Some(PaymentStatus::Confirmed),
        captured: Some(usd(2000)),
        refunded: Some(usd(refunded)),
        ..Facts::default()
    };
    let answer = transition(Some(&state), &facts(2001));
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "totals-impossible"));
    let answer = transition(Some(&state), &facts(700));
    assert_eq!((answer.rule, answer.refunded), ("up-the-line", Some(usd(700))));
}

#[test]
fn a_refunded_status_after_a_partial_refund_refunds_all_of_it() {
    let state = PaymentState { refunded: Some(usd(700)), ..confirmed() };
    let facts = Facts { status: Some(PaymentStatus::Refunded), ..Facts::default() };
    let answer = transition(Some(&state), &facts);
    assert_eq!((answer.rule, answer.refunded), ("up-the-line", Some(usd(2000))));
}

#[test]
fn a_refunded_total_beside_a_refusal_does_not_hide_the_conflict() {
    let facts = Facts {
        status: Some(PaymentStatus::Rejected),
        refunded: Some(usd(700)),
        ..Facts::default()
    };
    let answer = to_confirmed(&facts);
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "exit-after-money"));
}

#[test]
fn every_conflict_names_a_discrepancy() {
    let unknown = Facts { gateway_id: None, ..refund("re_1", 700) };
    let answer = to_confirmed(&unknown);
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "refund-extent-unknown"));
    assert_eq!(answer.discrepancies, [Discrepancy::Totals]);
}

#[test]
fn a_lost_dispute_without_stored_totals_is_measured_by_its_own() {
    let state = of(PaymentStatus::Confirmed);
    let whole = Facts { payment_total: Some(usd(900)), ..refund("dp_1", 900) };
    assert_eq!(transition(Some(&state), &whole).rule, "refunded-in-full");
    let part = Facts { payment_total: Some(usd(900)), ..refund("dp_1", 899) };
    assert_eq!(transition(Some(&state), &part).rule, "amounts-grew");
    let unknown = transition(Some(&state), &refund("dp_1", 900));
    assert_eq!(unknown.rule, "amounts-grew", "no total says that this is all");
}

#[test]
fn a_foreign_currency_in_any_amount_is_a_conflict_before_anything_is_added() {
    let euro = Some(eur(1));
    let all = [
        Facts { requested: euro, ..Facts::default() },
        Facts { captured: euro, ..Facts::default() },
        Facts { refunded: euro, ..Facts::default() },
        Facts { amount: euro, ..Facts::default() },
        Facts { payment_total: euro, ..Facts::default() },
    ];
    for facts in all {
        for event_type in
            [EventType::RefundSucceeded, EventType::PaymentCaptured, EventType::DisputeWon]
        {
            let event_type = Some(event_type);
            let status = Some(PaymentStatus::Confirmed);
            let facts = Facts { event_type, status, ..facts.clone() };
            let answer = to_confirmed(&facts);
            assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "money-differs"));
            assert_eq!(answer.discrepancies, [Discrepancy::Currency]);
        }
    }
}

#[test]
fn an_authorization_without_capture_is_no_discrepancy_and_a_partial_one_is() {
    let state = PaymentState { total: Some(usd(2000)), ..of(PaymentStatus::Waiting) };
    for (status, captured, discrepancies) in [
        (PaymentStatus::Preauth, 0, vec![]),
        (PaymentStatus::Preauth, 500, vec![Discrepancy::Amount]),
        (PaymentStatus::Confirmed, 0, vec![Discrepancy::Amount]),
        (PaymentStatus::Confirmed, 2000, vec![]),
    ] {
        let captured = Some(usd(captured));
        let facts = Facts { status: Some(status), captured, ..Facts::default() };
        let answer = transition(Some(&state), &facts);
        assert_eq!((answer.advice, answer.discrepancies), (Advice::Apply, discrepancies));
    }
}

#[test]
fn a_cumulative_refund_in_a_confirmed_event_is_taken_over_and_bounded() {
    let facts = |refunded| Facts {
        status: Some(PaymentStatus::Confirmed),
        refunded: Some(usd(refunded)),
        ..Facts::default()
    };
    let answer = to_confirmed(&facts(700));
    assert_eq!((answer.rule, answer.refunded), ("amounts-grew", Some(usd(700))));
    let answer = to_confirmed(&facts(2001));
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "totals-impossible"));
}

#[test]
fn a_fraud_verdict_is_stored_unless_it_is_old_or_the_answer_is_a_conflict() {
    let fraud_status = Some(FraudStatus::Review);
    let at = |seconds| Some(Timestamp::from_seconds(seconds));
    let review = Facts { fraud_status, occurred_at: at(200), ..Facts::default() };
    assert_eq!(to_confirmed(&review).fraud_status, fraud_status);
    assert_eq!(transition(None, &review).fraud_status, fraud_status);
    let applied = PaymentState { last_event_id: Some("evt".to_owned()), ..confirmed() };
    let again = Facts { id: Some("evt".to_owned()), ..review.clone() };
    assert_eq!(transition(Some(&applied), &again).fraud_status, None);
    let old = Facts { occurred_at: at(50), ..review.clone() };
    assert_eq!(to_confirmed(&old).fraud_status, None);
    let conflict = Facts { status: Some(PaymentStatus::Rejected), ..review.clone() };
    let answer = to_confirmed(&conflict);
    assert_eq!((answer.advice, answer.fraud_status), (Advice::Conflict, None));
}
