//! The state of a resource: a status word of `PayPal`'s in upper case, or a word of ours in lower
//! case where several fields decide.

use std::borrow::Cow;

use super::object::{Resource, Unit};
use crate::{
    gateway::{
        ParseError,
        json::{self, Field, Text},
    },
    model::Money,
};

/// The state that the status table knows for this type.
pub(super) fn state(
    gateway_type: &str,
    resource: &Resource<'_>,
    dispute: Extent,
) -> Result<Cow<'static, str>, ParseError> {
    let family = |prefix: &str| gateway_type.starts_with(prefix);
    if family("CHECKOUT.ORDER.") || gateway_type == "order" {
        return order(resource);
    }
    if family("INVOICING.INVOICE.") {
        let invoice = resource.invoice.object().map(|invoice| &invoice.status);
        return word(invoice.unwrap_or(&resource.status), "resource.invoice.status");
    }
    if gateway_type.ends_with(".DISPUTE.RESOLVED") || gateway_type == "dispute" {
        return outcome(resource, dispute);
    }
    if gateway_type.ends_with(".DISPUTE.CREATED") {
        return word(&resource.dispute_life_cycle_stage, "resource.dispute_life_cycle_stage");
    }
    let known = ["PAYMENT.", "BILLING.SUBSCRIPTION."].iter().any(|prefix| family(prefix))
        || super::event::POLLED_TYPES.contains(&gateway_type);
    if !known {
        return Ok(Cow::Borrowed(""));
    }
    let status = native(resource)?;
    if status == "COMPLETED"
        && json::flag(resource.final_capture, "resource.final_capture")? == Some(false)
    {
        return Ok(Cow::Borrowed("captured_in_part"));
    }
    Ok(status)
}

/// How much of the disputed payments is disputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Part,
    Unknown,
    Whole,
}

impl Extent {
    /// Compares a disputed amount with the payments' total.
    pub(super) fn of(disputed: Option<Money>, total: Option<Money>) -> Self {
        match (disputed, total) {
            (Some(disputed), Some(total)) if disputed.currency() == total.currency() => {
                if disputed.minor_units() < total.minor_units() { Self::Part } else { Self::Whole }
            }
            (Some(_) | None, Some(_) | None) => Self::Unknown,
        }
    }
}

/// `status`, or `state` in older shapes; older ones are in lower case.
fn native(resource: &Resource<'_>) -> Result<Cow<'static, str>, ParseError> {
    let status = word(&resource.status, "resource.status")?;
    if status.is_empty() { word(&resource.state, "resource.state") } else { Ok(status) }
}

fn word(text: &Text<'_>, path: &'static str) -> Result<Cow<'static, str>, ParseError> {
    let text = text.decisive(path)?.unwrap_or_default();
    Ok(Cow::Owned(text.to_ascii_uppercase()))
}

/// What a resolved dispute came to; `lost_*` says how much went back.
fn outcome(resource: &Resource<'_>, extent: Extent) -> Result<Cow<'static, str>, ParseError> {
    let outcome = match resource.dispute_outcome.object() {
        Some(outcome) => word(&outcome.outcome_code, "resource.dispute_outcome.outcome_code")?,
        None => Cow::Borrowed(""),
    };
    if !matches!(outcome.as_ref(), "ACCEPTED" | "RESOLVED_BUYER_FAVOUR") {
        return Ok(outcome);
    }
    Ok(Cow::Borrowed(match extent {
        Extent::Part => "lost_in_part",
        Extent::Unknown => "lost",
        Extent::Whole => "lost_in_full",
    }))
}

/// An order is what happened to its purchase units. The resource can be newer than the event: an
/// approval has been seen with the completed capture inside.
fn order(resource: &Resource<'_>) -> Result<Cow<'static, str>, ParseError> {
    let units = || resource.purchase_units.iter().filter_map(Field::object);
    if let Some(state) = captures(&statuses(units(), Kind::Captures)?) {
        return Ok(Cow::Borrowed(state));
    }
    if let Some(state) = authorizations(&statuses(units(), Kind::Authorizations)?) {
        return Ok(Cow::Borrowed(state));
    }
    let status = word(&resource.status, "resource.status")?;
    if status != "COMPLETED" {
        return Ok(status);
    }
    let intent = word(&resource.intent, "resource.intent")?;
    Ok(Cow::Borrowed(if intent == "AUTHORIZE" { "authorized" } else { "captured" }))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Authorizations,
    Captures,
}

fn statuses<'r, 'v: 'r>(
    units: impl Iterator<Item = &'r Unit<'v>>,
    kind: Kind,
) -> Result<Vec<Cow<'static, str>>, ParseError> {
    let payments = units.filter_map(|unit| unit.payments.object());
    let list = payments.flat_map(|payments| match kind {
        Kind::Authorizations => payments.authorizations.iter(),
        Kind::Captures => payments.captures.iter(),
    });
    let path = "resource.purchase_units.payments";
    list.filter_map(Field::object).map(|movement| word(&movement.status, path)).collect()
}

fn captures(statuses: &[Cow<'_, str>]) -> Option<&'static str> {
    let any = |words: &[&str]| statuses.iter().any(|status| words.contains(&status.as_ref()));
    if statuses.is_empty() {
        return None;
    }
    Some(if any(&["PENDING"]) {
        "capture_pending"
    } else if any(&["COMPLETED", "PARTIALLY_REFUNDED"]) {
        "captured"
    } else if statuses.iter().all(|status| status == "REFUNDED") {
        "refunded"
    } else {
        "capture_failed"
    })
}

fn authorizations(statuses: &[Cow<'_, str>]) -> Option<&'static str> {
    let any = |words: &[&str]| statuses.iter().any(|status| words.contains(&status.as_ref()));
    if any(&["CREATED", "PARTIALLY_CAPTURED"]) {
        return Some("authorized");
    }
    if any(&["CAPTURED"]) {
        return Some("captured");
    }
    if any(&["PENDING"]) {
        return Some("authorization_pending");
    }
    if any(&["VOIDED"]) {
        return Some("authorization_voided");
    }
    any(&["DENIED"]).then_some("authorization_denied")
}
