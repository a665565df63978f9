//! The parts of Stripe's objects that are read, one struct for every kind: the event names its
//! type after its object, and both are read in one pass.

use serde::Deserialize;

use crate::gateway::json::{Field, First, Metadata, Number, Text, expected};

/// A snapshot or thin event.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) object: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) created: Number<'a>,
    #[serde(borrow, default)]
    pub(super) livemode: Number<'a>,
    #[serde(borrow, default)]
    pub(super) api_version: Text<'a>,
    #[serde(borrow, default)]
    pub(super) account: Text<'a>,
    #[serde(borrow, default)]
    pub(super) context: Text<'a>,
    #[serde(borrow, default)]
    pub(super) data: Field<'a, Data<'a>>,
    #[serde(borrow, default)]
    pub(super) related_object: Field<'a, Related<'a>>,
}

/// `data` of a snapshot event.
#[derive(Deserialize)]
pub(super) struct Data<'a> {
    /// Apart: it is large, and would be moved with everything that holds it.
    #[serde(borrow, default)]
    pub(super) object: Field<'a, Box<Object<'a>>>,
}

/// `related_object` of a thin event.
#[derive(Deserialize)]
pub(super) struct Related<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
}

/// Something with an id.
#[derive(Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
}

/// An id, expanded or not.
pub(super) type Expandable<'a> = Field<'a, Reference<'a>>;

/// `data.object`, whatever it is. What few objects have is boxed: an object is moved as a whole, and
/// malloc keeps blocks of up to a kilobyte at hand.
#[derive(Deserialize)]
pub(super) struct Object<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) currency: Text<'a>,
    #[serde(borrow, default)]
    pub(super) metadata: Field<'a, Metadata<'a>>,
    #[serde(borrow, default)]
    pub(super) amount: Number<'a>,
    #[serde(borrow, default)]
    pub(super) livemode: Number<'a>,
    // Checkout sessions.
    #[serde(borrow, default)]
    pub(super) amount_total: Number<'a>,
    #[serde(borrow, default)]
    pub(super) client_reference_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) mode: Text<'a>,
    #[serde(borrow, default)]
    pub(super) payment_status: Text<'a>,
    // Payment intents.
    #[serde(borrow, default)]
    pub(super) amount_capturable: Number<'a>,
    #[serde(borrow, default)]
    pub(super) amount_received: Number<'a>,
    #[serde(borrow, default)]
    pub(super) last_payment_error: Field<'a, Box<PaymentError<'a>>>,
    #[serde(borrow, default)]
    pub(super) latest_charge: Expandable<'a>,
    // Charges.
    #[serde(borrow, default)]
    pub(super) amount_captured: Number<'a>,
    #[serde(borrow, default)]
    pub(super) amount_refunded: Number<'a>,
    #[serde(borrow, default)]
    pub(super) captured: Number<'a>,
    #[serde(borrow, default)]
    pub(super) refunded: Number<'a>,
    #[serde(borrow, default)]
    pub(super) failure_code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) failure_message: Text<'a>,
    #[serde(borrow, default)]
    pub(super) outcome: Field<'a, Box<Outcome<'a>>>,
    // Refunds and disputes.
    #[serde(borrow, default)]
    pub(super) charge: Expandable<'a>,
    #[serde(borrow, default)]
    pub(super) payment_intent: Expandable<'a>,
    #[serde(borrow, default)]
    pub(super) failure_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) evidence_details: Field<'a, Evidence<'a>>,
    // Invoices and their payments.
    #[serde(borrow, default)]
    pub(super) amount_due: Number<'a>,
    #[serde(borrow, default)]
    pub(super) amount_paid: Number<'a>,
    #[serde(borrow, default)]
    pub(super) amount_requested: Number<'a>,
    #[serde(borrow, default)]
    pub(super) invoice: Expandable<'a>,
    #[serde(borrow, default)]
    pub(super) parent: Field<'a, Parent<'a>>,
    #[serde(borrow, default)]
    pub(super) payment: Field<'a, Box<InvoicePayment<'a>>>,
    #[serde(borrow, default)]
    pub(super) subscription: Expandable<'a>,
    #[serde(borrow, default)]
    pub(super) subscription_details: Field<'a, Box<SubscriptionDetails<'a>>>,
    // Subscriptions.
    #[serde(borrow, default)]
    pub(super) cancel_at_period_end: Number<'a>,
    #[serde(borrow, default)]
    pub(super) current_period_end: Number<'a>,
    #[serde(borrow, default)]
    pub(super) items: Field<'a, Items<'a>>,
    // Payouts.
    #[serde(borrow, default)]
    pub(super) arrival_date: Number<'a>,
    // Whoever pays.
    #[serde(borrow, default)]
    pub(super) customer: Expandable<'a>,
}

/// `last_payment_error` of a payment intent.
#[derive(Deserialize)]
pub(super) struct PaymentError<'a> {
    #[serde(borrow, default)]
    pub(super) code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) decline_code: Text<'a>,
    #[serde(borrow, default)]
    pub(super) message: Text<'a>,
}

/// `outcome` of a charge.
#[derive(Deserialize)]
pub(super) struct Outcome<'a> {
    #[serde(borrow, default)]
    pub(super) reason: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
}

/// `evidence_details` of a dispute.
#[derive(Deserialize)]
pub(super) struct Evidence<'a> {
    #[serde(borrow, default)]
    pub(super) due_by: Number<'a>,
}

/// `parent` of an invoice.
#[derive(Deserialize)]
pub(super) struct Parent<'a> {
    #[serde(borrow, default)]
    pub(super) subscription_details: Field<'a, SubscriptionDetails<'a>>,
}

/// What an invoice says about its subscription; in older versions at its top level.
#[derive(Deserialize)]
pub(super) struct SubscriptionDetails<'a> {
    #[serde(borrow, default)]
    pub(super) metadata: Field<'a, Metadata<'a>>,
    #[serde(borrow, default)]
    pub(super) subscription: Expandable<'a>,
}

/// `payment` of an invoice payment.
#[derive(Deserialize)]
pub(super) struct InvoicePayment<'a> {
    #[serde(borrow, default)]
    pub(super) charge: Expandable<'a>,
    #[serde(borrow, default)]
    pub(super) payment_intent: Expandable<'a>,
}

/// `items` of a subscription.
#[derive(Deserialize)]
pub(super) struct Items<'a> {
    #[serde(borrow, default)]
    pub(super) data: First<Item<'a>>,
}

/// One item of a subscription: newer versions keep the period here.
#[derive(Deserialize)]
pub(super) struct Item<'a> {
    #[serde(borrow, default)]
    pub(super) current_period_end: Number<'a>,
}

const _: () = assert!(size_of::<Object<'_>>() <= 1_024);

expected!(
    Data,
    Evidence,
    InvoicePayment,
    Items,
    Object,
    Outcome,
    Parent,
    PaymentError,
    Reference,
    Related,
    SubscriptionDetails,
);

impl<'a> Object<'a> {
    /// What an invoice says about its subscription, in newer and older versions.
    pub(super) fn details(&self) -> Option<&SubscriptionDetails<'a>> {
        let parent = self.parent.object().map(|parent| &parent.subscription_details);
        let own = self.subscription_details.object().map(|details| &**details);
        parent.and_then(Field::object).or(own)
    }
}

impl<'a> Expandable<'a> {
    /// The id, expanded or not.
    pub(super) fn id(&self) -> Option<std::borrow::Cow<'a, str>> {
        self.text().or_else(|| self.object().and_then(|object| object.id.text()))
    }
}
