//! The parts of `PayPal`'s objects that are read, one struct for every kind: the event names its type
//! beside its resource, and both are read in one pass.

use serde::Deserialize;

use super::list::List;
use crate::gateway::json::{Field, Number, Text, expected};

/// A webhook's envelope.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) event_type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) event_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) resource_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) create_time: Text<'a>,
    /// Apart: it is large, and would be moved with everything that holds it.
    #[serde(borrow, default)]
    pub(super) resource: Field<'a, Box<Resource<'a>>>,
}

/// `resource`, whatever it is, or an object read from the API.
#[derive(Deserialize)]
pub(super) struct Resource<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) order_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) dispute_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) payout_item_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) item_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) sale_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) parent_payment: Text<'a>,
    #[serde(borrow, default)]
    pub(super) billing_agreement_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) state: Text<'a>,
    #[serde(borrow, default)]
    pub(super) transaction_status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) intent: Text<'a>,
    #[serde(borrow, default)]
    pub(super) custom_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) custom: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_number: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reason_code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) dispute_life_cycle_stage: Text<'a>,
    #[serde(borrow, default)]
    pub(super) seller_response_due_date: Text<'a>,
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) dispute_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) payout_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) total_refunded_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) final_capture: Number<'a>,
    #[serde(borrow, default)]
    pub(super) purchase_units: List<Field<'a, Unit<'a>>>,
    #[serde(borrow, default)]
    pub(super) transactions: List<Field<'a, Unit<'a>>>,
    #[serde(borrow, default)]
    pub(super) disputed_transactions: List<Field<'a, Disputed<'a>>>,
    #[serde(borrow, default)]
    pub(super) links: List<Field<'a, Link<'a>>>,
    #[serde(borrow, default)]
    pub(super) dispute_outcome: Field<'a, Outcome<'a>>,
    #[serde(borrow, default)]
    pub(super) invoice: Field<'a, Bill<'a>>,
    #[serde(borrow, default)]
    pub(super) batch_header: Field<'a, Batch<'a>>,
    #[serde(borrow, default)]
    pub(super) payout_item: Field<'a, PayoutItem<'a>>,
    #[serde(borrow, default)]
    pub(super) errors: Field<'a, Problem<'a>>,
    #[serde(borrow, default)]
    pub(super) seller_payable_breakdown: Field<'a, Breakdown<'a>>,
    #[serde(borrow, default)]
    pub(super) supplementary_data: Field<'a, Supplementary<'a>>,
    #[serde(borrow, default)]
    pub(super) payer: Field<'a, Payer<'a>>,
    #[serde(borrow, default)]
    pub(super) subscriber: Field<'a, Payer<'a>>,
    #[serde(borrow, default)]
    pub(super) payee: Field<'a, Merchant<'a>>,
    #[serde(borrow, default)]
    pub(super) billing_info: Field<'a, Billing<'a>>,
    #[serde(borrow, default)]
    pub(super) status_details: Field<'a, Details<'a>>,
    #[serde(borrow, default)]
    pub(super) processor_response: Field<'a, Processor<'a>>,
}

/// An amount: `currency_code` and `value`, or `currency` and `total` in older shapes.
#[derive(Deserialize)]
pub(super) struct Amount<'a> {
    #[serde(borrow, default)]
    pub(super) currency_code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) currency: Text<'a>,
    #[serde(borrow, default)]
    pub(super) value: Number<'a>,
    #[serde(borrow, default)]
    pub(super) total: Number<'a>,
}

/// A purchase unit of an order, or a transaction of an older payment.
#[derive(Deserialize)]
pub(super) struct Unit<'a> {
    #[serde(borrow, default)]
    pub(super) reference_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) custom_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) custom: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_number: Text<'a>,
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) payments: Field<'a, Payments<'a>>,
    #[serde(borrow, default)]
    pub(super) payee: Field<'a, Merchant<'a>>,
}

/// What happened to a purchase unit.
#[derive(Deserialize)]
pub(super) struct Payments<'a> {
    #[serde(borrow, default)]
    pub(super) captures: List<Field<'a, Movement<'a>>>,
    #[serde(borrow, default)]
    pub(super) authorizations: List<Field<'a, Movement<'a>>>,
}

/// A capture or authorization inside an order.
#[derive(Deserialize)]
pub(super) struct Movement<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
}

/// A transaction that is disputed.
#[derive(Deserialize)]
pub(super) struct Disputed<'a> {
    #[serde(borrow, default)]
    pub(super) seller_transaction_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) custom: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_number: Text<'a>,
    #[serde(borrow, default)]
    pub(super) gross_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) seller: Field<'a, Merchant<'a>>,
}

/// Who receives the money.
#[derive(Deserialize)]
pub(super) struct Merchant<'a> {
    #[serde(borrow, default)]
    pub(super) merchant_id: Text<'a>,
}

/// A link to another object.
#[derive(Deserialize)]
pub(super) struct Link<'a> {
    #[serde(borrow, default)]
    pub(super) href: Text<'a>,
    #[serde(borrow, default)]
    pub(super) rel: Text<'a>,
}

/// How a dispute ended.
#[derive(Deserialize)]
pub(super) struct Outcome<'a> {
    #[serde(borrow, default)]
    pub(super) outcome_code: Text<'a>,
}

/// An invoice.
#[derive(Deserialize)]
pub(super) struct Bill<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) number: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) detail: Field<'a, BillDetail<'a>>,
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) total_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) due_amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) payments: Field<'a, BillPayments<'a>>,
}

/// Texts of an invoice.
#[derive(Deserialize)]
pub(super) struct BillDetail<'a> {
    #[serde(borrow, default)]
    pub(super) reference: Text<'a>,
    #[serde(borrow, default)]
    pub(super) invoice_number: Text<'a>,
}

/// What was paid on an invoice.
#[derive(Deserialize)]
pub(super) struct BillPayments<'a> {
    #[serde(borrow, default)]
    pub(super) paid_amount: Field<'a, Amount<'a>>,
}

/// The header of a batch of payouts.
#[derive(Deserialize)]
pub(super) struct Batch<'a> {
    #[serde(borrow, default)]
    pub(super) payout_batch_id: Text<'a>,
    #[serde(borrow, default, rename = "batch_status")]
    pub(super) status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) sender_batch_header: Field<'a, SenderBatch<'a>>,
}

/// The merchant's own header of a batch.
#[derive(Deserialize)]
pub(super) struct SenderBatch<'a> {
    #[serde(borrow, default)]
    pub(super) sender_batch_id: Text<'a>,
}

/// One payout of a batch.
#[derive(Deserialize)]
pub(super) struct PayoutItem<'a> {
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) sender_item_id: Text<'a>,
}

/// Why a payout failed.
#[derive(Deserialize)]
pub(super) struct Problem<'a> {
    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) message: Text<'a>,
}

/// Sums of a refund.
#[derive(Deserialize)]
pub(super) struct Breakdown<'a> {
    #[serde(borrow, default)]
    pub(super) total_refunded_amount: Field<'a, Amount<'a>>,
}

/// Ids of other objects.
#[derive(Deserialize)]
pub(super) struct Supplementary<'a> {
    #[serde(borrow, default)]
    pub(super) related_ids: Field<'a, Related<'a>>,
}

/// Ids of other objects.
#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are PayPal's")]
pub(super) struct Related<'a> {
    #[serde(borrow, default)]
    pub(super) order_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) authorization_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) capture_id: Text<'a>,
}

/// Who pays.
#[derive(Deserialize)]
pub(super) struct Payer<'a> {
    #[serde(borrow, default)]
    pub(super) payer_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) payer_info: Field<'a, PayerInfo<'a>>,
}

/// Who pays, in older shapes.
#[derive(Deserialize)]
pub(super) struct PayerInfo<'a> {
    #[serde(borrow, default)]
    pub(super) payer_id: Text<'a>,
}

/// The payments of a subscription.
#[derive(Deserialize)]
pub(super) struct Billing<'a> {
    #[serde(borrow, default)]
    pub(super) next_billing_time: Text<'a>,
    #[serde(borrow, default)]
    pub(super) last_failed_payment: Field<'a, FailedPayment<'a>>,
}

/// The last payment of a subscription that failed.
#[derive(Deserialize)]
pub(super) struct FailedPayment<'a> {
    #[serde(borrow, default)]
    pub(super) amount: Field<'a, Amount<'a>>,
    #[serde(borrow, default)]
    pub(super) reason_code: Text<'a>,
}

/// Why a status is what it is.
#[derive(Deserialize)]
pub(super) struct Details<'a> {
    #[serde(borrow, default)]
    pub(super) reason: Text<'a>,
}

/// What the card's processor answered.
#[derive(Deserialize)]
pub(super) struct Processor<'a> {
    #[serde(borrow, default)]
    pub(super) response_code: Text<'a>,
}

expected!(
    Resource,
    Amount,
    Unit,
    Payments,
    Movement,
    Disputed,
    Merchant,
    Link,
    Outcome,
    Bill,
    BillDetail,
    BillPayments,
    Batch,
    SenderBatch,
    PayoutItem,
    Problem,
    Breakdown,
    Supplementary,
    Related,
    Payer,
    PayerInfo,
    Billing,
    FailedPayment,
    Details,
    Processor
);
