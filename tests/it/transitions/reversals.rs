//! Refunds that failed and disputes that were won: the one way in which a total falls.

use payhook::model::{
    Advice, Discrepancy, Facts, PaymentState, PaymentStatus, transition::transition,
};

use super::totals::{confirmed, movement, of, reversal, to_confirmed, usd};

#[test]
fn a_reversal_confirms_only_what_was_refunded() {
    for status in PaymentStatus::ALL {
        let movements = vec![movement("re_1", 700)];
        let state = PaymentState { refunded: Some(usd(700)), movements, ..confirmed() };
        let state = PaymentState { status: Some(status), ..state };
        let answer = transition(Some(&state), &reversal("re_1", 700));
        let refunded = status == PaymentStatus::Refunded;
        let expected = if refunded { PaymentStatus::Confirmed } else { status };
        assert_eq!((answer.rule, answer.status), ("refund-reversed", Some(expected)));
    }
}

#[test]
fn taking_back_one_of_two_leaves_the_other() {
    let state = PaymentState {
        status: Some(PaymentStatus::Refunded),
        refunded: Some(usd(2000)),
        movements: vec![movement("re_1", 1500), movement("dp_1", 500)],
        ..confirmed()
    };
    let answer = transition(Some(&state), &reversal("dp_1", 500));
    assert_eq!((answer.advice, answer.rule), (Advice::Apply, "refund-reversed"));
    assert_eq!((answer.status, answer.refunded), (Some(PaymentStatus::Confirmed), Some(usd(1500))));
    assert_eq!(answer.movements, [movement("re_1", 1500)]);
}

#[test]
fn a_total_that_the_ledger_does_not_explain_is_unset_after_a_reversal() {
    let movements = vec![movement("re_1", 700)];
    let state = PaymentState { refunded: Some(usd(1500)), movements, ..confirmed() };
    for facts in [reversal("re_1", 700), reversal("re_2", 800)] {
        let answer = transition(Some(&state), &facts);
        assert_eq!((answer.advice, answer.rule), (Advice::Apply, "refund-reversed"));
        assert_eq!((answer.refunded, answer.discrepancies), (None, vec![Discrepancy::Totals]));
    }
}

#[test]
fn a_reversal_larger_than_what_is_unexplained_was_never_counted() {
    let movements = vec![movement("re_1", 700)];
    let state = PaymentState { refunded: Some(usd(1500)), movements, ..confirmed() };
    let answer = transition(Some(&state), &reversal("dp_1", 801));
    assert_eq!((answer.advice, answer.rule), (Advice::NoOp, "no-bearing"));
}

#[test]
fn a_reversal_without_an_id_is_a_conflict_where_anything_is_counted() {
    let facts = Facts { gateway_id: None, ..reversal("re_1", 700) };
    let nothing = to_confirmed(&facts);
    assert_eq!((nothing.advice, nothing.rule), (Advice::NoOp, "no-bearing"));
    let state = PaymentState { refunded: Some(usd(700)), ..confirmed() };
    let answer = transition(Some(&state), &facts);
    assert_eq!((answer.advice, answer.rule), (Advice::Conflict, "refund-extent-unknown"));
}

#[test]
fn a_refunded_payment_without_totals_can_be_reversed() {
    let state = of(PaymentStatus::Refunded);
    let answer = transition(Some(&state), &reversal("re_1", 700));
    assert_eq!((answer.advice, answer.rule), (Advice::Apply, "refund-reversed"));
    assert_eq!(answer.status, Some(PaymentStatus::Confirmed));
    assert_eq!((answer.refunded, answer.discrepancies), (None, vec![Discrepancy::Totals]));
}
