//! The kinds of notifications, and where each keeps the object it is about.
//!
//! The kinds are those of the official SDKs (`WebhookNotification.Kind`, `braintree_python` 4.48.0).

/// The shape of a notification's subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A subscription whose first transaction is the charge.
    Charge,
    /// A disbursement.
    Disbursement,
    /// A dispute.
    Dispute,
    /// A local payment, in the element of this name.
    LocalPayment(&'static str),
    /// Nothing about money; the id of the object is at this path.
    Other(&'static str),
    /// A fraud decision about a transaction.
    Review,
    /// A payment method that was revoked: an element named after its type.
    Revoked,
    /// A subscription.
    Subscription,
    /// A transaction.
    Transaction,
}

/// The shape of a kind; `None` for one that this version does not know.
pub(super) fn shape(kind: &str) -> Option<Shape> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, shape)| *shape)
}

/// Every kind, sorted by name.
pub(super) const KINDS: [(&str, Shape); 41] = [
    ("account_updater_daily_report", Shape::Other("account_updater_daily_report.id")),
    ("check", Shape::Other("check.id")),
    ("connected_merchant_paypal_status_changed", Shape::Other(PAYPAL_STATUS_CHANGED)),
    ("connected_merchant_status_transitioned", Shape::Other(STATUS_TRANSITIONED)),
    ("disbursement", Shape::Disbursement),
    ("disbursement_exception", Shape::Disbursement),
    ("dispute_accepted", Shape::Dispute),
    ("dispute_auto_accepted", Shape::Dispute),
    ("dispute_disputed", Shape::Dispute),
    ("dispute_expired", Shape::Dispute),
    ("dispute_lost", Shape::Dispute),
    ("dispute_opened", Shape::Dispute),
    ("dispute_under_review", Shape::Dispute),
    ("dispute_won", Shape::Dispute),
    ("granted_payment_method_revoked", Shape::Revoked),
    ("grantor_updated_granted_payment_method", Shape::Other(GRANT_TOKEN)),
    ("local_payment_completed", Shape::LocalPayment("local_payment")),
    ("local_payment_expired", Shape::LocalPayment("local_payment_expired")),
    ("local_payment_funded", Shape::LocalPayment("local_payment_funded")),
    ("local_payment_reversed", Shape::LocalPayment("local_payment_reversed")),
    ("oauth_access_revoked", Shape::Other("oauth_application_revocation.merchant_id")),
    ("partner_merchant_connected", Shape::Other(PARTNER)),
    ("partner_merchant_declined", Shape::Other(PARTNER)),
    ("partner_merchant_disconnected", Shape::Other(PARTNER)),
    ("payment_method_customer_data_updated", Shape::Other(CUSTOMER_DATA_TOKEN)),
    ("payment_method_revoked_by_customer", Shape::Revoked),
    ("recipient_updated_granted_payment_method", Shape::Other(GRANT_TOKEN)),
    ("refund_failed", Shape::Transaction),
    ("subscription_billing_skipped", Shape::Subscription),
    ("subscription_canceled", Shape::Subscription),
    ("subscription_charged_successfully", Shape::Charge),
    ("subscription_charged_unsuccessfully", Shape::Charge),
    ("subscription_expired", Shape::Subscription),
    ("subscription_trial_ended", Shape::Subscription),
    ("subscription_went_active", Shape::Subscription),
    ("subscription_went_past_due", Shape::Subscription),
    ("transaction_disbursed", Shape::Transaction),
    ("transaction_retried", Shape::Transaction),
    ("transaction_reviewed", Shape::Review),
    ("transaction_settled", Shape::Transaction),
    ("transaction_settlement_declined", Shape::Transaction),
];

const CUSTOMER_DATA_TOKEN: &str = "payment_method_customer_data_updated_metadata.token";
const GRANT_TOKEN: &str = "granted_payment_instrument_update.token";
const PARTNER: &str = "partner_merchant.partner_merchant_id";
const PAYPAL_STATUS_CHANGED: &str = "connected_merchant_paypal_status_changed.merchant_public_id";
const STATUS_TRANSITIONED: &str = "connected_merchant_status_transitioned.merchant_public_id";
