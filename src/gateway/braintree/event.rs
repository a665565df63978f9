//! Reads a notification: the envelope, then the object that its kind is about.
//!
//! Braintree sends no event id: the key of an event is made of the verified XML.

use super::{
    fields,
    kinds::{self, Shape},
    objects, transaction,
};
use crate::{
    gateway::{ParseError, tree::Record, xml},
    model::{Currency, Event},
    verify::Verified,
};

/// Reads the one event of a notification.
pub(super) fn parse<'v>(verified: &'v Verified<'_>) -> Result<Vec<Event<'v>>, ParseError> {
    let tree = xml::read(verified.payload())?;
    let notification = tree.root();
    if !notification.is_named("notification") {
        return Err(ParseError::FieldMissing { path: "notification" });
    }
    let kind = notification.text("kind")?.ok_or(ParseError::FieldMissing { path: "kind" })?;
    let subject = notification.at("subject")?;
    let subject = subject.ok_or(ParseError::FieldMissing { path: "subject" })?;
    // A notification about a failure wraps its object once more (`braintree_python`,
    // `webhook_notification.py`).
    let wrapped = subject.at("api_error_response")?.unwrap_or(subject);
    let default = fields::default_currency(verified.options());
    let mut event = object(&kind, wrapped, default)?;
    event.occurred_at = notification.time("timestamp")?;
    event.account = notification.text("source_merchant_id")?;
    event.gateway_type = Some(kind);
    Ok(vec![event])
}

/// The event of a kind; an envelope where its object is not there.
fn object<'x>(
    kind: &str,
    subject: Record<'_, 'x>,
    default: Option<Currency>,
) -> Result<Event<'x>, ParseError> {
    let Some(shape) = kinds::shape(kind) else { return Ok(Event::envelope()) };
    let read = match shape {
        Shape::Charge => subject
            .at("subscription")?
            .map(|subscription| objects::charge(kind, subscription, default)),
        Shape::Disbursement => subject
            .at("disbursement")?
            .map(|disbursement| objects::disbursement(kind, disbursement, default)),
        Shape::Dispute => {
            subject.at("dispute")?.map(|dispute| objects::dispute(kind, dispute, default))
        }
        Shape::LocalPayment(name) => {
            subject.at(name)?.map(|payment| transaction::local_payment(kind, payment, default))
        }
        Shape::Other(path) => {
            return Ok(Event { object_id: subject.text(path)?, ..Event::envelope() });
        }
        Shape::Review => {
            subject.at("transaction_review")?.map(|review| transaction::review(kind, review))
        }
        Shape::Revoked => {
            // Named after the method's type: `paypal-account`, `venmo-account` and so on.
            let method = subject.children().next();
            let token = method.map(|method| method.text("token")).transpose()?.flatten();
            return Ok(Event { object_id: token, ..Event::envelope() });
        }
        Shape::Subscription => subject
            .at("subscription")?
            .map(|subscription| objects::subscription(kind, subscription, default)),
        Shape::Transaction => subject
            .at("transaction")?
            .map(|payment| transaction::transaction(kind, payment, default)),
    };
    read.unwrap_or_else(|| Ok(Event::envelope()))
}
