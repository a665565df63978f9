//! What Stripe's types and states mean. The first row that matches decides.
//!
//! Sources: Stripe's API reference (object statuses) and "Types of events".

use crate::{
    gateway::StatusRow,
    model::{
        EventType::{
            self, CheckoutCompleted, CheckoutExpired, CheckoutFailed, CheckoutPaid, DisputeClosed,
            DisputeFundsReinstated, DisputeFundsWithdrawn, DisputeInquiry, DisputeLost,
            DisputeOpened, DisputeUpdated, DisputeWon, InvoiceIssued, InvoicePaid,
            InvoicePaymentFailed, InvoiceVoided, MandateActive, MandateInactive,
            PaymentActionRequired, PaymentAuthorized, PaymentCancelled, PaymentCaptured,
            PaymentCreated, PaymentExpired, PaymentFailed, PaymentPartiallyCaptured,
            PaymentProcessing, PayoutCancelled, PayoutCreated, PayoutFailed, PayoutPaid,
            RefundCancelled, RefundFailed, RefundPending, RefundSucceeded, SubscriptionCreated,
            SubscriptionEnded, SubscriptionPastDue, SubscriptionPaused, SubscriptionTrialEnding,
            SubscriptionUpdated, Unrecognized,
        },
        PaymentStatus::{
            self, Cancelled, Confirmed, Error, Input, Preauth, Refunded, Rejected, Waiting,
        },
        SubjectKind::{
            self, Checkout, Dispute, Invoice, Mandate, Other, Payment, Payout, Refund, Subscription,
        },
    },
};

const fn row(
    gateway_type: &'static str,
    state: &'static str,
    subject: SubjectKind,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    StatusRow { gateway_type, state, subject, event_type, status }
}

/// Types whose subject is `other` and whose `amount` is one: fees and transfers of own funds.
pub(super) const OTHER_WITH_AMOUNT: [&str; 3] = ["application_fee.", "topup.", "transfer."];

pub(super) static STATUSES: &[StatusRow] = &[
    // Checkout: the state is `payment_status`, `setup` where nothing is to be paid, `expired` and
    // `open` for sessions read from the API.
    row("checkout.session.completed", "setup", Checkout, CheckoutCompleted, None),
    row("checkout.session.completed", "paid", Checkout, CheckoutCompleted, Some(Confirmed)),
    row(
        "checkout.session.completed",
        "no_payment_required",
        Checkout,
        CheckoutCompleted,
        Some(Confirmed),
    ),
    row("checkout.session.completed", "unpaid", Checkout, CheckoutCompleted, Some(Waiting)),
    row("checkout.session.completed", "*", Checkout, CheckoutCompleted, None),
    row("checkout.session.async_payment_succeeded", "*", Checkout, CheckoutPaid, Some(Confirmed)),
    row("checkout.session.async_payment_failed", "*", Checkout, CheckoutFailed, Some(Rejected)),
    row("checkout.session.expired", "*", Checkout, CheckoutExpired, Some(Rejected)),
    row("payment_link.*", "*", Checkout, Unrecognized, None),
    // Payment intents: the state is `status`, `succeeded_in_part` below the amount asked for.
    row("payment_intent.payment_failed", "*", Payment, PaymentFailed, Some(Rejected)),
    row("payment_intent.*", "requires_payment_method", Payment, PaymentCreated, Some(Waiting)),
    row("payment_intent.*", "requires_confirmation", Payment, PaymentCreated, Some(Waiting)),
    row("payment_intent.*", "processing", Payment, PaymentProcessing, Some(Waiting)),
    row("payment_intent.*", "requires_action", Payment, PaymentActionRequired, Some(Input)),
    row("payment_intent.*", "requires_capture", Payment, PaymentAuthorized, Some(Preauth)),
    row("payment_intent.*", "succeeded", Payment, PaymentCaptured, Some(Confirmed)),
    row(
        "payment_intent.*",
        "succeeded_in_part",
        Payment,
        PaymentPartiallyCaptured,
        Some(Confirmed),
    ),
    row("payment_intent.*", "canceled", Payment, PaymentCancelled, Some(Cancelled)),
    row("payment_intent.*", "*", Payment, Unrecognized, None),
    // Disputes and refunds are named under `charge.`, so that they come before it.
    row("charge.dispute.created", "warning_needs_response", Dispute, DisputeInquiry, None),
    row("charge.dispute.created", "warning_under_review", Dispute, DisputeInquiry, None),
    row("charge.dispute.created", "lost", Dispute, DisputeLost, None),
    row("charge.dispute.created", "*", Dispute, DisputeOpened, None),
    row("charge.dispute.funds_withdrawn", "*", Dispute, DisputeFundsWithdrawn, None),
    row("charge.dispute.funds_reinstated", "*", Dispute, DisputeFundsReinstated, Some(Confirmed)),
    row("charge.dispute.*", "lost", Dispute, DisputeLost, None),
    row("charge.dispute.*", "won", Dispute, DisputeWon, Some(Confirmed)),
    row("charge.dispute.*", "warning_closed", Dispute, DisputeClosed, Some(Confirmed)),
    row("charge.dispute.*", "prevented", Dispute, DisputeClosed, Some(Confirmed)),
    row("charge.dispute.updated", "*", Dispute, DisputeUpdated, None),
    row("charge.dispute.closed", "*", Dispute, DisputeClosed, None),
    row("charge.refund.updated", "pending", Refund, RefundPending, None),
    row("charge.refund.updated", "requires_action", Refund, RefundPending, None),
    row("charge.refund.updated", "succeeded", Refund, RefundSucceeded, None),
    row("charge.refund.updated", "failed", Refund, RefundFailed, Some(Confirmed)),
    row("charge.refund.updated", "canceled", Refund, RefundCancelled, Some(Confirmed)),
    row("charge.refund.updated", "*", Refund, Unrecognized, None),
    row("refund.*", "pending", Refund, RefundPending, None),
    row("refund.*", "requires_action", Refund, RefundPending, None),
    row("refund.*", "succeeded", Refund, RefundSucceeded, None),
    row("refund.*", "failed", Refund, RefundFailed, Some(Confirmed)),
    row("refund.*", "canceled", Refund, RefundCancelled, Some(Confirmed)),
    row("refund.*", "*", Refund, Unrecognized, None),
    // Charges: `status`, `captured` and `refunded` together make the state.
    row("charge.expired", "*", Payment, PaymentExpired, Some(Cancelled)),
    row("charge.*", "failed", Payment, PaymentFailed, Some(Rejected)),
    row("charge.*", "pending", Payment, PaymentProcessing, Some(Waiting)),
    row("charge.*", "released", Payment, PaymentCancelled, Some(Cancelled)),
    row("charge.*", "refunded", Payment, RefundSucceeded, Some(Refunded)),
    row("charge.refunded", "*", Payment, RefundSucceeded, Some(Confirmed)),
    row("charge.*", "captured", Payment, PaymentCaptured, Some(Confirmed)),
    row("charge.*", "captured_in_part", Payment, PaymentPartiallyCaptured, Some(Confirmed)),
    row("charge.*", "authorized", Payment, PaymentAuthorized, Some(Preauth)),
    row("charge.*", "*", Payment, Unrecognized, None),
    // Invoices: the type decides where it says more than `status`.
    row("invoice.paid", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice.payment_succeeded", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice.overpaid", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice_payment.paid", "*", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice.payment_failed", "*", Invoice, InvoicePaymentFailed, Some(Rejected)),
    row("invoice.payment_action_required", "*", Invoice, PaymentActionRequired, Some(Input)),
    row("invoice.payment_attempt_required", "*", Invoice, PaymentActionRequired, Some(Input)),
    row("invoice.finalization_failed", "*", Invoice, InvoicePaymentFailed, Some(Error)),
    row("invoice.voided", "*", Invoice, InvoiceVoided, Some(Cancelled)),
    row("invoice.deleted", "*", Invoice, InvoiceVoided, Some(Cancelled)),
    row("invoice.marked_uncollectible", "*", Invoice, InvoiceVoided, Some(Rejected)),
    row("invoice.upcoming", "*", Invoice, Unrecognized, None),
    row("invoice.*", "draft", Invoice, InvoiceIssued, Some(Waiting)),
    row("invoice.*", "open", Invoice, InvoiceIssued, Some(Waiting)),
    row("invoice.*", "paid", Invoice, InvoicePaid, Some(Confirmed)),
    row("invoice.*", "void", Invoice, InvoiceVoided, Some(Cancelled)),
    row("invoice.*", "uncollectible", Invoice, InvoiceVoided, Some(Rejected)),
    row("invoice.*", "*", Invoice, Unrecognized, None),
    row("invoice_payment.*", "*", Invoice, Unrecognized, None),
    // Subscriptions say nothing about one payment.
    row("customer.subscription.created", "*", Subscription, SubscriptionCreated, None),
    row("customer.subscription.deleted", "*", Subscription, SubscriptionEnded, None),
    row("customer.subscription.trial_will_end", "*", Subscription, SubscriptionTrialEnding, None),
    row("customer.subscription.paused", "*", Subscription, SubscriptionPaused, None),
    row("customer.subscription.*", "past_due", Subscription, SubscriptionPastDue, None),
    row("customer.subscription.*", "unpaid", Subscription, SubscriptionPastDue, None),
    row("customer.subscription.*", "paused", Subscription, SubscriptionPaused, None),
    row("customer.subscription.*", "canceled", Subscription, SubscriptionEnded, None),
    row("customer.subscription.*", "incomplete_expired", Subscription, SubscriptionEnded, None),
    row("customer.subscription.*", "*", Subscription, SubscriptionUpdated, None),
    // Payouts.
    row("payout.reconciliation_completed", "*", Payout, Unrecognized, None),
    row("payout.*", "pending", Payout, PayoutCreated, None),
    row("payout.*", "in_transit", Payout, PayoutCreated, None),
    row("payout.*", "paid", Payout, PayoutPaid, None),
    row("payout.*", "failed", Payout, PayoutFailed, None),
    row("payout.*", "canceled", Payout, PayoutCancelled, None),
    row("payout.*", "*", Payout, Unrecognized, None),
    // Setup intents make mandates.
    row("setup_intent.succeeded", "*", Mandate, MandateActive, None),
    row("setup_intent.canceled", "*", Mandate, MandateInactive, None),
    row("setup_intent.*", "*", Mandate, Unrecognized, None),
    row("mandate.*", "active", Mandate, MandateActive, None),
    row("mandate.*", "inactive", Mandate, MandateInactive, None),
    row("mandate.*", "*", Mandate, Unrecognized, None),
    // Fees and transfers of own funds carry an amount and no status.
    row("application_fee.*", "*", Other, Unrecognized, None),
    row("topup.*", "*", Other, Unrecognized, None),
    row("transfer.*", "*", Other, Unrecognized, None),
    // Objects read from the API.
    row("checkout.session", "setup", Checkout, CheckoutCompleted, None),
    row("checkout.session", "expired", Checkout, CheckoutExpired, Some(Rejected)),
    row("checkout.session", "paid", Checkout, CheckoutCompleted, Some(Confirmed)),
    row("checkout.session", "no_payment_required", Checkout, CheckoutCompleted, Some(Confirmed)),
    row("checkout.session", "unpaid", Checkout, CheckoutCompleted, Some(Waiting)),
];
