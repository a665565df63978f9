//! What `payment_status` and, without one, `txn_type` mean. The first row that matches decides;
//! the state is `pending_reason`.

use crate::{
    gateway::{StatusRow, status_table::row},
    model::{
        EventType::{
            DisputeFundsReinstated, DisputeFundsWithdrawn, DisputeOpened, InvoicePaymentFailed,
            PaymentAuthorized, PaymentCancelled, PaymentCaptured, PaymentCreated, PaymentExpired,
            PaymentFailed, PaymentProcessing, PayoutCreated, PayoutFailed, PayoutPaid,
            RefundSucceeded, SubscriptionCreated, SubscriptionEnded, SubscriptionPaused,
            SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{Cancelled, Confirmed, Preauth, Rejected, Waiting},
        SubjectKind::{Dispute, Invoice, Payment, Payout, Refund, Subscription},
    },
};

pub(super) static STATUSES: &[StatusRow] = &[
    row("ipn:Completed", "masspay", Payout, PayoutPaid, None),
    row("ipn:Processed", "masspay", Payout, PayoutCreated, None),
    row("ipn:Denied", "masspay", Payout, PayoutFailed, None),
    row("ipn:Completed", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("ipn:Processed", "*", Payment, PaymentCaptured, Some(Confirmed)),
    row("ipn:Canceled_Reversal", "*", Payment, DisputeFundsReinstated, Some(Confirmed)),
    row("ipn:Pending", "authorization", Payment, PaymentAuthorized, Some(Preauth)),
    row("ipn:Pending", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("ipn:In-Progress", "*", Payment, PaymentProcessing, Some(Waiting)),
    row("ipn:Created", "*", Payment, PaymentCreated, Some(Waiting)),
    row("ipn:Denied", "*", Payment, PaymentFailed, Some(Rejected)),
    row("ipn:Failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("ipn:Expired", "*", Payment, PaymentExpired, Some(Cancelled)),
    row("ipn:Voided", "*", Payment, PaymentCancelled, Some(Cancelled)),
    // Neither a reversal nor a refund says how much of the payment is left.
    row("ipn:Reversed", "*", Payment, DisputeFundsWithdrawn, None),
    row("ipn:Refunded", "*", Refund, RefundSucceeded, None),
    row("ipn:Partially_Refunded", "*", Refund, RefundSucceeded, Some(Confirmed)),
    // Notifications that are about no single payment.
    row("ipn:subscr_signup", "*", Subscription, SubscriptionCreated, None),
    row("ipn:subscr_modify", "*", Subscription, SubscriptionUpdated, None),
    row("ipn:subscr_cancel", "*", Subscription, SubscriptionEnded, None),
    row("ipn:subscr_eot", "*", Subscription, SubscriptionEnded, None),
    row("ipn:subscr_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("ipn:recurring_payment_profile_created", "*", Subscription, SubscriptionCreated, None),
    row("ipn:recurring_payment_profile_cancel", "*", Subscription, SubscriptionEnded, None),
    row("ipn:recurring_payment_expired", "*", Subscription, SubscriptionEnded, None),
    row("ipn:recurring_payment_suspended", "*", Subscription, SubscriptionPaused, None),
    row(
        "ipn:recurring_payment_suspended_due_to_max_failed_payment",
        "*",
        Subscription,
        SubscriptionPaused,
        None,
    ),
    row("ipn:recurring_payment_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("ipn:recurring_payment_skipped", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("ipn:new_case", "*", Dispute, DisputeOpened, None),
    row("ipn:adjustment", "*", Dispute, Unrecognized, None),
];
