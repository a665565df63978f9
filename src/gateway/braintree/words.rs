//! Braintree's codes and reasons in neutral words.

use std::borrow::Cow;

use crate::model::FraudStatus;

/// A transaction's or subscription's status as one lower-case word: the SDKs write `Past Due`,
/// GraphQL writes `PAST_DUE`.
pub(super) fn state(text: &str) -> String {
    text.to_ascii_lowercase().replace([' ', '-'], "_")
}

/// A processor's response code ("Transactions: Authorization responses").
pub(super) fn processor_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "2000" | "2038" | "2046" => "card_declined",
        "2001" => "insufficient_funds",
        "2002" | "2003" => "limit_exceeded",
        "2004" => "expired_card",
        "2005" | "2008" => "incorrect_number",
        "2006" => "invalid_expiry",
        "2007" | "2009" => "invalid_account",
        "2010" => "incorrect_cvc",
        "2012" => "lost_card",
        "2013" => "stolen_card",
        "2014" => "fraudulent",
        "2015" | "2019" => "transaction_not_allowed",
        "2047" => "pickup_card",
        "2099" => "authentication_required",
        "3000" => "processor_unavailable",
        _ => return None,
    })
}

/// Why Braintree itself rejected ("Transactions: Gateway rejections").
pub(super) fn gateway_rejection(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "avs" => "incorrect_address",
        "avs_and_cvv" | "cvv" => "incorrect_cvc",
        "duplicate" => "duplicate_transaction",
        "fraud" | "risk_threshold" => "fraudulent",
        "three_d_secure" => "authentication_required",
        _ => return None,
    })
}

/// Why a payer disputes; a reason without a neutral word stays as it is.
pub(super) fn dispute_reason(reason: Cow<'_, str>) -> Cow<'_, str> {
    match state(&reason).as_str() {
        "cancelled_recurring_transaction" => Cow::Borrowed("subscription_canceled"),
        "fraud" => Cow::Borrowed("fraudulent"),
        "not_recognized" => Cow::Borrowed("unrecognized"),
        "product_unsatisfactory" => Cow::Borrowed("product_unacceptable"),
        word if word == reason => reason,
        word => Cow::Owned(word.to_owned()),
    }
}

/// A fraud decision, a person's or a tool's.
pub(super) fn fraud(decision: &str) -> FraudStatus {
    match state(decision).as_str() {
        "accept" | "accepted" | "approve" | "approved" => FraudStatus::Accept,
        "decline" | "declined" | "reject" | "rejected" => FraudStatus::Reject,
        "escalate" | "review" => FraudStatus::Review,
        _ => FraudStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_snake_case() {
        assert_eq!(state("Past Due"), "past_due");
        assert_eq!(state("SUBMITTED_FOR_SETTLEMENT"), "submitted_for_settlement");
        let reason = |word| dispute_reason(Cow::Borrowed(word));
        assert_eq!(reason("fraud"), "fraudulent");
        assert_eq!(reason("PRODUCT_NOT_RECEIVED"), "product_not_received");
        assert_eq!(fraud("Approve"), FraudStatus::Accept);
        assert_eq!(fraud("Not Evaluated"), FraudStatus::Unknown);
        assert_eq!(processor_code("2001"), Some("insufficient_funds"));
        assert_eq!(gateway_rejection("a new one"), None);
    }
}
