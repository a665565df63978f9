//! Payment and fraud statuses in django-payments' words. Floor 0.

/// The status of a payment. The lower-case name is django-payments' string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// Waiting for the payer or the gateway.
    Waiting,
    /// Money is reserved, not captured.
    Preauth,
    /// Money is captured.
    Confirmed,
    /// The gateway or the payer's bank refused.
    Rejected,
    /// All captured money went back.
    Refunded,
    /// Something failed that is neither a refusal nor a cancellation.
    Error,
    /// The payer must do something.
    Input,
    /// Cancelled or voided before money moved.
    Cancelled,
}

impl PaymentStatus {
    /// Every status, in the order of the contract's enum.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Preauth,
        Self::Confirmed,
        Self::Rejected,
        Self::Refunded,
        Self::Error,
        Self::Input,
        Self::Cancelled,
    ];

    /// django-payments' string, such as `confirmed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preauth => "preauth",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Refunded => "refunded",
            Self::Error => "error",
            Self::Input => "input",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads django-payments' string, exactly as written.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The fraud verdict on a payment, in django-payments' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FraudStatus {
    /// Not known.
    Unknown,
    /// Accepted.
    Accept,
    /// Rejected as fraud.
    Reject,
    /// Under review.
    Review,
}

impl FraudStatus {
    /// django-payments' string, such as `review`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Review => "review",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back_from_its_own_name() {
        for status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::from_name(status.as_str()), Some(status));
        }
        assert_eq!(PaymentStatus::from_name("Confirmed"), None);
    }
}
