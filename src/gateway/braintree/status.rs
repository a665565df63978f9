//! What Braintree's kinds and states mean.
//!
//! States of transactions are Braintree's words; those of refunds too, under the row name `refund`
//! (a transaction of type `credit`). States of disputes are the parser's: `retrieval` (a question,
//! no money), else how much of the payment is disputed: `whole`, `part` or `unknown`. The first row
//! that matches decides.

use crate::{
    gateway::StatusRow,
    model::{
        EventType::{
            self, DisputeClosed, DisputeInquiry, DisputeLost, DisputeOpened, DisputeUpdated,
            DisputeWon, InvoicePaid, InvoicePaymentFailed, PaymentAuthorized, PaymentCancelled,
            PaymentCaptured, PaymentExpired, PaymentFailed, PaymentProcessing, PaymentReviewClosed,
            PayoutFailed, PayoutPaid, RefundCancelled, RefundFailed, RefundPending,
            RefundSucceeded, SubscriptionCreated, SubscriptionEnded, SubscriptionPastDue,
            SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{self, Cancelled, Confirmed, Error, Preauth, Refunded, Rejected, Waiting},
        SubjectKind,
    },
};

const fn payment(
    gateway_type: &'static str,
    state: &'static str,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    StatusRow { gateway_type, state, subject: SubjectKind::Payment, event_type, status }
}

const fn refund(
    state: &'static str,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    let subject = SubjectKind::Refund;
    StatusRow { gateway_type: "refund", state, subject, event_type, status }
}

const fn dispute(
    gateway_type: &'static str,
    state: &'static str,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    StatusRow { gateway_type, state, subject: SubjectKind::Dispute, event_type, status }
}

const fn other(
    gateway_type: &'static str,
    state: &'static str,
    subject: SubjectKind,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    StatusRow { gateway_type, state, subject, event_type, status }
}

/// Kinds that name an outcome come before the rows that read it from the object's state.
pub(super) static TABLE: &[StatusRow] = &[
    payment("transaction_disbursed", "*", PaymentCaptured, Some(Confirmed)),
    payment("transaction_reviewed", "*", PaymentReviewClosed, None),
    payment("transaction_settled", "*", PaymentCaptured, Some(Confirmed)),
    payment("transaction_settlement_declined", "*", PaymentFailed, Some(Rejected)),
    // Words of the parser for a polled payment that Braintree leaves `settled`: its refunds tell.
    // Where it names refunds without their amounts, nothing is proven.
    payment("transaction", "refunded_in_part", PaymentCaptured, Some(Confirmed)),
    payment("transaction", "refunded_in_full", RefundSucceeded, Some(Refunded)),
    payment("transaction", "refunded_to_unknown_extent", PaymentCaptured, None),
    payment("transaction*", "authorization_expired", PaymentExpired, Some(Cancelled)),
    payment("transaction*", "authorized", PaymentAuthorized, Some(Preauth)),
    payment("transaction*", "authorizing", PaymentProcessing, Some(Waiting)),
    payment("transaction*", "failed", PaymentFailed, Some(Error)),
    payment("transaction*", "gateway_rejected", PaymentFailed, Some(Rejected)),
    payment("transaction*", "processor_declined", PaymentFailed, Some(Rejected)),
    payment("transaction*", "settled", PaymentCaptured, Some(Confirmed)),
    payment("transaction*", "settlement_confirmed", PaymentCaptured, Some(Confirmed)),
    payment("transaction*", "settlement_declined", PaymentFailed, Some(Rejected)),
    payment("transaction*", "settlement_failed", PaymentFailed, Some(Rejected)),
    payment("transaction*", "settlement_pending", PaymentCaptured, Some(Confirmed)),
    payment("transaction*", "settling", PaymentCaptured, Some(Confirmed)),
    payment("transaction*", "submitted_for_settlement", PaymentCaptured, Some(Confirmed)),
    payment("transaction*", "voided", PaymentCancelled, Some(Cancelled)),
    payment("transaction*", "*", Unrecognized, None),
    payment("local_payment_expired", "*", PaymentExpired, Some(Rejected)),
    payment("local_payment_reversed", "*", RefundSucceeded, Some(Refunded)),
    payment("local_payment*", "authorization_expired", PaymentExpired, Some(Cancelled)),
    payment("local_payment*", "authorized", PaymentAuthorized, Some(Preauth)),
    payment("local_payment*", "authorizing", PaymentProcessing, Some(Waiting)),
    payment("local_payment*", "failed", PaymentFailed, Some(Error)),
    payment("local_payment*", "gateway_rejected", PaymentFailed, Some(Rejected)),
    payment("local_payment*", "no_transaction", PaymentProcessing, Some(Waiting)),
    payment("local_payment*", "processor_declined", PaymentFailed, Some(Rejected)),
    payment("local_payment*", "settled", PaymentCaptured, Some(Confirmed)),
    payment("local_payment*", "settlement_confirmed", PaymentCaptured, Some(Confirmed)),
    payment("local_payment*", "settlement_declined", PaymentFailed, Some(Rejected)),
    payment("local_payment*", "settlement_failed", PaymentFailed, Some(Rejected)),
    payment("local_payment*", "settlement_pending", PaymentCaptured, Some(Confirmed)),
    payment("local_payment*", "settling", PaymentCaptured, Some(Confirmed)),
    payment("local_payment*", "submitted_for_settlement", PaymentCaptured, Some(Confirmed)),
    payment("local_payment*", "voided", PaymentCancelled, Some(Cancelled)),
    payment("local_payment*", "*", Unrecognized, None),
    refund("authorization_expired", RefundFailed, Some(Confirmed)),
    refund("authorized", RefundPending, None),
    refund("authorizing", RefundPending, None),
    refund("failed", RefundFailed, Some(Confirmed)),
    refund("gateway_rejected", RefundFailed, Some(Confirmed)),
    refund("processor_declined", RefundFailed, Some(Confirmed)),
    refund("settled", RefundSucceeded, None),
    refund("settlement_confirmed", RefundSucceeded, None),
    refund("settlement_declined", RefundFailed, Some(Confirmed)),
    refund("settlement_failed", RefundFailed, Some(Confirmed)),
    refund("settlement_pending", RefundPending, None),
    refund("settling", RefundPending, None),
    refund("submitted_for_settlement", RefundPending, None),
    refund("voided", RefundCancelled, Some(Confirmed)),
    refund("*", Unrecognized, None),
    other("refund_failed", "*", SubjectKind::Refund, RefundFailed, Some(Confirmed)),
    dispute("dispute_opened", "retrieval", DisputeInquiry, None),
    dispute("dispute_opened", "*", DisputeOpened, None),
    dispute("dispute_disputed", "*", DisputeUpdated, None),
    dispute("dispute_under_review", "*", DisputeUpdated, None),
    // A retrieval moves no money: what becomes of it is neither won nor lost.
    dispute("dispute_won", "retrieval", DisputeClosed, None),
    dispute("dispute_won", "*", DisputeWon, Some(Confirmed)),
    dispute("dispute_accepted", "retrieval", DisputeClosed, None),
    dispute("dispute_accepted", "part", DisputeLost, Some(Confirmed)),
    dispute("dispute_accepted", "whole", DisputeLost, Some(Refunded)),
    dispute("dispute_accepted", "*", DisputeLost, None),
    dispute("dispute_auto_accepted", "retrieval", DisputeClosed, None),
    dispute("dispute_auto_accepted", "part", DisputeLost, Some(Confirmed)),
    dispute("dispute_auto_accepted", "whole", DisputeLost, Some(Refunded)),
    dispute("dispute_auto_accepted", "*", DisputeLost, None),
    dispute("dispute_expired", "retrieval", DisputeClosed, None),
    dispute("dispute_expired", "part", DisputeLost, Some(Confirmed)),
    dispute("dispute_expired", "whole", DisputeLost, Some(Refunded)),
    dispute("dispute_expired", "*", DisputeLost, None),
    dispute("dispute_lost", "retrieval", DisputeClosed, None),
    dispute("dispute_lost", "part", DisputeLost, Some(Confirmed)),
    dispute("dispute_lost", "whole", DisputeLost, Some(Refunded)),
    dispute("dispute_lost", "*", DisputeLost, None),
    dispute("dispute*", "*", Unrecognized, None),
    other(
        "subscription_charged_successfully",
        "*",
        SubjectKind::Invoice,
        InvoicePaid,
        Some(Confirmed),
    ),
    other(
        "subscription_charged_unsuccessfully",
        "*",
        SubjectKind::Invoice,
        InvoicePaymentFailed,
        Some(Rejected),
    ),
    other("subscription_canceled", "*", SubjectKind::Subscription, SubscriptionEnded, None),
    other("subscription_expired", "*", SubjectKind::Subscription, SubscriptionEnded, None),
    other("subscription_went_active", "*", SubjectKind::Subscription, SubscriptionCreated, None),
    other("subscription_went_past_due", "*", SubjectKind::Subscription, SubscriptionPastDue, None),
    other("subscription", "canceled", SubjectKind::Subscription, SubscriptionEnded, None),
    other("subscription", "expired", SubjectKind::Subscription, SubscriptionEnded, None),
    other("subscription", "past_due", SubjectKind::Subscription, SubscriptionPastDue, None),
    other("subscription*", "*", SubjectKind::Subscription, SubscriptionUpdated, None),
    other("disbursement*", "true", SubjectKind::Payout, PayoutPaid, None),
    other("disbursement*", "*", SubjectKind::Payout, PayoutFailed, None),
];
