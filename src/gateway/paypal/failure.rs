//! Why a payment failed, in neutral words.

use std::borrow::Cow;

use super::object::Resource;
use crate::model::{Failure, FraudStatus};

/// The reason of a failure: the processor's code where there is one, else `PayPal`'s own word.
pub(super) fn failure<'v>(resource: &Resource<'v>) -> Option<Failure<'v>> {
    let processor = resource.processor_response.object();
    let code = processor.and_then(|processor| processor.response_code.text());
    let details = resource.status_details.object().and_then(|details| details.reason.text());
    let billing = resource.billing_info.object();
    let failed = billing.and_then(|billing| billing.last_failed_payment.object());
    let reason = details
        .or_else(|| failed.and_then(|failed| failed.reason_code.text()))
        .or_else(|| resource.reason_code.text());
    let problem = resource.errors.object();
    let name = problem.and_then(|problem| problem.name.text());
    let message = problem.and_then(|problem| problem.message.text());
    let gateway_code = code.clone().or_else(|| reason.clone()).or(name);
    let known = code.as_deref().and_then(processor_word).map(Cow::Borrowed);
    let neutral = known.or_else(|| reason.as_deref().map(neutral_word));
    if gateway_code.is_none() && message.is_none() {
        return None;
    }
    Some(Failure { code: neutral, gateway_code, message })
}

/// A capture that waits because somebody looks at it.
pub(super) fn fraud_status(resource: &Resource<'_>) -> Option<FraudStatus> {
    let details = resource.status_details.object()?.reason.text()?;
    matches!(details.as_ref(), "PENDING_REVIEW" | "DECLINED_BY_RISK_FRAUD_FILTERS").then(|| {
        if details == "PENDING_REVIEW" { FraudStatus::Review } else { FraudStatus::Reject }
    })
}

/// `PayPal`'s words are upper snake case already.
fn neutral_word<'v>(word: &str) -> Cow<'v, str> {
    Cow::Owned(word.to_ascii_lowercase())
}

/// Orders API reference, `processor_response.response_code`: the codes that say what to do next.
fn processor_word(code: &str) -> Option<&'static str> {
    Some(match code {
        "0500" => "do_not_honor",
        "1330" => "invalid_account",
        "5110" => "incorrect_cvc",
        "5120" => "insufficient_funds",
        "5180" => "card_not_supported",
        "5400" => "expired_card",
        "9500" => "fraudulent",
        "9520" => "lost_or_stolen_card",
        _ => return None,
    })
}
