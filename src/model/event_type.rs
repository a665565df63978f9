//! The neutral event types of the contract. Floor 0.

/// Gateway-neutral event types, one per subject and transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// Verified, but this version gives the gateway's type no neutral meaning.
    Unrecognized,
    /// The gateway checks that the endpoint exists; answer with `reply`.
    EndpointChallenge,
    /// Payment: created, waiting for the payer.
    PaymentCreated,
    /// Payment: the payer must do something, such as 3-D Secure.
    PaymentActionRequired,
    /// Payment: accepted, outcome not known yet.
    PaymentProcessing,
    /// Payment: money reserved, not captured.
    PaymentAuthorized,
    /// Payment: money captured in part; `Payment.captured` has the total so far.
    PaymentPartiallyCaptured,
    /// Payment: money captured in full.
    PaymentCaptured,
    /// Payment: one attempt failed; the payer may try again.
    PaymentFailed,
    /// Payment: cancelled or voided; nothing was captured.
    PaymentCancelled,
    /// Payment: the authorization or the time to pay ran out.
    PaymentExpired,
    /// Payment: held for a fraud review.
    PaymentReviewOpened,
    /// Payment: the fraud review ended.
    PaymentReviewClosed,
    /// Refund: asked for, not done.
    RefundPending,
    /// Refund: done; may be partial.
    RefundSucceeded,
    /// Refund: failed; the money stays with the merchant.
    RefundFailed,
    /// Refund: cancelled before it was done.
    RefundCancelled,
    /// Dispute: a question, no money moved.
    DisputeInquiry,
    /// Dispute: opened.
    DisputeOpened,
    /// Dispute: changed, no outcome yet.
    DisputeUpdated,
    /// Dispute: disputed money was taken from the merchant.
    DisputeFundsWithdrawn,
    /// Dispute: disputed money was given back.
    DisputeFundsReinstated,
    /// Dispute: the merchant won.
    DisputeWon,
    /// Dispute: the merchant lost or accepted.
    DisputeLost,
    /// Dispute: closed without a winner.
    DisputeClosed,
    /// Checkout: the hosted page was completed; see `Checkout.paid`.
    CheckoutCompleted,
    /// Checkout: a delayed payment method paid.
    CheckoutPaid,
    /// Checkout: a delayed payment method failed.
    CheckoutFailed,
    /// Checkout: the hosted page expired.
    CheckoutExpired,
    /// Checkout: the payer approved; the merchant must still capture.
    CheckoutApproved,
    /// Subscription: started.
    SubscriptionCreated,
    /// Subscription: changed.
    SubscriptionUpdated,
    /// Subscription: past due.
    SubscriptionPastDue,
    /// Subscription: paused.
    SubscriptionPaused,
    /// Subscription: ended or cancelled.
    SubscriptionEnded,
    /// Subscription: the trial will end.
    SubscriptionTrialEnding,
    /// Invoice: issued.
    InvoiceIssued,
    /// Invoice: paid.
    InvoicePaid,
    /// Invoice: payment failed.
    InvoicePaymentFailed,
    /// Invoice: voided or written off.
    InvoiceVoided,
    /// Payout: on its way.
    PayoutCreated,
    /// Payout: arrived.
    PayoutPaid,
    /// Payout: failed or returned.
    PayoutFailed,
    /// Payout: cancelled.
    PayoutCancelled,
    /// Mandate: usable.
    MandateActive,
    /// Mandate: no longer usable.
    MandateInactive,
}

impl EventType {
    /// Every type, in the order of the contract.
    pub const ALL: [Self; 46] = [
        Self::Unrecognized,
        Self::EndpointChallenge,
        Self::PaymentCreated,
        Self::PaymentActionRequired,
        Self::PaymentProcessing,
        Self::PaymentAuthorized,
        Self::PaymentPartiallyCaptured,
        Self::PaymentCaptured,
        Self::PaymentFailed,
        Self::PaymentCancelled,
        Self::PaymentExpired,
        Self::PaymentReviewOpened,
        Self::PaymentReviewClosed,
        Self::RefundPending,
        Self::RefundSucceeded,
        Self::RefundFailed,
        Self::RefundCancelled,
        Self::DisputeInquiry,
        Self::DisputeOpened,
        Self::DisputeUpdated,
        Self::DisputeFundsWithdrawn,
        Self::DisputeFundsReinstated,
        Self::DisputeWon,
        Self::DisputeLost,
        Self::DisputeClosed,
        Self::CheckoutCompleted,
        Self::CheckoutPaid,
        Self::CheckoutFailed,
        Self::CheckoutExpired,
        Self::CheckoutApproved,
        Self::SubscriptionCreated,
        Self::SubscriptionUpdated,
        Self::SubscriptionPastDue,
        Self::SubscriptionPaused,
        Self::SubscriptionEnded,
        Self::SubscriptionTrialEnding,
        Self::InvoiceIssued,
        Self::InvoicePaid,
        Self::InvoicePaymentFailed,
        Self::InvoiceVoided,
        Self::PayoutCreated,
        Self::PayoutPaid,
        Self::PayoutFailed,
        Self::PayoutCancelled,
        Self::MandateActive,
        Self::MandateInactive,
    ];

    /// The contract's name without its prefix, such as `PAYMENT_CAPTURED`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognized => "UNRECOGNIZED",
            Self::EndpointChallenge => "ENDPOINT_CHALLENGE",
            Self::PaymentCreated => "PAYMENT_CREATED",
            Self::PaymentActionRequired => "PAYMENT_ACTION_REQUIRED",
            Self::PaymentProcessing => "PAYMENT_PROCESSING",
            Self::PaymentAuthorized => "PAYMENT_AUTHORIZED",
            Self::PaymentPartiallyCaptured => "PAYMENT_PARTIALLY_CAPTURED",
            Self::PaymentCaptured => "PAYMENT_CAPTURED",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::PaymentCancelled => "PAYMENT_CANCELLED",
            Self::PaymentExpired => "PAYMENT_EXPIRED",
            Self::PaymentReviewOpened => "PAYMENT_REVIEW_OPENED",
            Self::PaymentReviewClosed => "PAYMENT_REVIEW_CLOSED",
            Self::RefundPending => "REFUND_PENDING",
            Self::RefundSucceeded => "REFUND_SUCCEEDED",
            Self::RefundFailed => "REFUND_FAILED",
            Self::RefundCancelled => "REFUND_CANCELLED",
            Self::DisputeInquiry => "DISPUTE_INQUIRY",
            Self::DisputeOpened => "DISPUTE_OPENED",
            Self::DisputeUpdated => "DISPUTE_UPDATED",
            Self::DisputeFundsWithdrawn => "DISPUTE_FUNDS_WITHDRAWN",
            Self::DisputeFundsReinstated => "DISPUTE_FUNDS_REINSTATED",
            Self::DisputeWon => "DISPUTE_WON",
            Self::DisputeLost => "DISPUTE_LOST",
            Self::DisputeClosed => "DISPUTE_CLOSED",
            Self::CheckoutCompleted => "CHECKOUT_COMPLETED",
            Self::CheckoutPaid => "CHECKOUT_PAID",
            Self::CheckoutFailed => "CHECKOUT_FAILED",
            Self::CheckoutExpired => "CHECKOUT_EXPIRED",
            Self::CheckoutApproved => "CHECKOUT_APPROVED",
            Self::SubscriptionCreated => "SUBSCRIPTION_CREATED",
            Self::SubscriptionUpdated => "SUBSCRIPTION_UPDATED",
            Self::SubscriptionPastDue => "SUBSCRIPTION_PAST_DUE",
            Self::SubscriptionPaused => "SUBSCRIPTION_PAUSED",
            Self::SubscriptionEnded => "SUBSCRIPTION_ENDED",
            Self::SubscriptionTrialEnding => "SUBSCRIPTION_TRIAL_ENDING",
            Self::InvoiceIssued => "INVOICE_ISSUED",
            Self::InvoicePaid => "INVOICE_PAID",
            Self::InvoicePaymentFailed => "INVOICE_PAYMENT_FAILED",
            Self::InvoiceVoided => "INVOICE_VOIDED",
            Self::PayoutCreated => "PAYOUT_CREATED",
            Self::PayoutPaid => "PAYOUT_PAID",
            Self::PayoutFailed => "PAYOUT_FAILED",
            Self::PayoutCancelled => "PAYOUT_CANCELLED",
            Self::MandateActive => "MANDATE_ACTIVE",
            Self::MandateInactive => "MANDATE_INACTIVE",
        }
    }

    /// Reads the contract's name without its prefix.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}
