//! Notifications as `PayPal` sends them, cut to the fields that matter; every id is made up.

use crate::{
    gateway::Sample,
    model::{
        EventType::{
            DisputeFundsReinstated, DisputeFundsWithdrawn, PaymentAuthorized, PaymentCaptured,
            PaymentFailed, PaymentProcessing, RefundSucceeded, SubscriptionEnded,
        },
        PaymentStatus::{Confirmed, Preauth, Rejected, Waiting},
    },
};

pub(super) static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment completed",
        PaymentCaptured,
        Some(Confirmed),
        "payment_status=Completed&txn_id=DEMOTXN1&txn_type=web_accept&custom=order-1001&mc_gross=30.00&mc_currency=EUR&receiver_email=merchant%40example.test&charset=windows-1252&first_name=Jos%E9",
    ),
    Sample::new(
        "payment authorized",
        PaymentAuthorized,
        Some(Preauth),
        "payment_status=Pending&pending_reason=authorization&txn_id=DEMOTXN2&custom=order-1002&mc_gross=30.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "bank transfer pending",
        PaymentProcessing,
        Some(Waiting),
        "payment_status=Pending&pending_reason=echeck&txn_id=DEMOTXN3&custom=order-1003&mc_gross=30.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "payment denied",
        PaymentFailed,
        Some(Rejected),
        "payment_status=Denied&txn_id=DEMOTXN3&custom=order-1003&mc_gross=30.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "refund",
        RefundSucceeded,
        None,
        "payment_status=Refunded&txn_id=DEMOTXN4&parent_txn_id=DEMOTXN1&custom=order-1001&mc_gross=-10.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "reversal",
        DisputeFundsWithdrawn,
        None,
        "payment_status=Reversed&txn_id=DEMOTXN5&parent_txn_id=DEMOTXN1&custom=order-1001&mc_gross=-30.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "reversal taken back",
        DisputeFundsReinstated,
        Some(Confirmed),
        "payment_status=Canceled_Reversal&txn_id=DEMOTXN6&parent_txn_id=DEMOTXN1&custom=order-1001&mc_gross=30.00&mc_currency=EUR&receiver_email=merchant%40example.test",
    ),
    Sample::new(
        "subscription cancelled",
        SubscriptionEnded,
        None,
        "txn_type=subscr_cancel&subscr_id=S-DEMO1&custom=member-7&receiver_email=merchant%40example.test",
    ),
];
