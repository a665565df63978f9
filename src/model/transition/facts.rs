//! What the rules need to know of an event.

use crate::model::{
    Event, EventType, FraudStatus, Money, PaymentStatus, Subject, SubjectKind, Timestamp,
};

/// What an event says that bears on a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The gateway's event id.
    pub id: Option<String>,
    /// The neutral type; `None` where only a status is known.
    pub event_type: Option<EventType>,
    /// What the event proves about the payment.
    pub status: Option<PaymentStatus>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// The application's own reference.
    pub merchant_reference: Option<String>,
    /// Amount asked for.
    pub requested: Option<Money>,
    /// Cumulative captured.
    pub captured: Option<Money>,
    /// Cumulative refunded.
    pub refunded: Option<Money>,
    /// The gateway's id of this refund or dispute.
    pub gateway_id: Option<String>,
    /// The amount of this refund or dispute.
    pub amount: Option<Money>,
    /// The payment's whole amount, as a dispute tells it.
    pub payment_total: Option<Money>,
    /// Fraud verdict.
    pub fraud_status: Option<FraudStatus>,
}

/// What an event does to the refunded total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Movement {
    /// Money went back.
    Counts,
    /// Money that went back came again.
    TakesBack,
    /// Neither.
    None,
}

impl Facts {
    /// The facts of an event.
    pub fn from_event(event: &Event<'_>) -> Self {
        let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let mut facts = Self {
            id: text(&event.id),
            event_type: Some(event.event_type),
            status: event.status,
            occurred_at: event.occurred_at,
            merchant_reference: text(&event.merchant_reference),
            ..Self::default()
        };
        match &event.subject {
            Some(Subject::Payment(payment)) => {
                facts.requested = payment.requested;
                facts.captured = payment.captured;
                facts.refunded = payment.refunded;
                facts.fraud_status = payment.fraud_status;
            }
            Some(Subject::Refund(refund)) => {
                facts.gateway_id = text(&refund.gateway_refund_id);
                facts.amount = refund.amount;
                facts.refunded = refund.payment_refunded_total;
                if refund.full {
                    facts.status = facts.status.or(Some(PaymentStatus::Refunded));
                }
            }
            Some(Subject::Dispute(dispute)) => {
                facts.gateway_id = text(&dispute.gateway_dispute_id);
                facts.amount = dispute.amount;
                facts.payment_total = dispute.payment_total;
            }
            Some(Subject::Checkout(checkout)) => {
                facts.requested = checkout.amount;
                facts.captured = checkout.amount.filter(|_| checkout.paid);
            }
            Some(Subject::Invoice(invoice)) => {
                facts.requested = invoice.amount_due;
                facts.captured = invoice.amount_paid.filter(|_| facts.is_confirmed());
            }
            Some(Subject::Mandate(_) | Subject::Payout(_) | Subject::Subscription(_)) | None => {}
        }
        facts.asks_for(event.subject_kind, event.amount)
    }

    /// Whether the event proves that the money is there.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.status == Some(PaymentStatus::Confirmed)
    }

    /// Where an event tells one amount of the payment and no more, that is what was asked for: else
    /// a payment of another amount would go unnoticed. On a refund it is the refund's.
    pub(crate) fn asks_for(self, kind: SubjectKind, amount: Option<Money>) -> Self {
        let kinds = [SubjectKind::Checkout, SubjectKind::Invoice, SubjectKind::Payment];
        let silent = self.requested.is_none() && self.captured.is_none();
        let alone = silent && self.movement() == Movement::None && kinds.contains(&kind);
        let requested = self.requested.or(amount.filter(|_| alone));
        Self { requested, ..self }
    }

    pub(super) const fn movement(&self) -> Movement {
        match self.event_type {
            Some(EventType::RefundSucceeded | EventType::DisputeLost) => Movement::Counts,
            Some(
                EventType::RefundFailed
                | EventType::RefundCancelled
                | EventType::DisputeWon
                | EventType::DisputeFundsReinstated,
            ) => Movement::TakesBack,
            Some(_) | None => Movement::None,
        }
    }

    /// Every amount that it names.
    pub(super) fn amounts(&self) -> impl Iterator<Item = Money> {
        let all = [self.requested, self.captured, self.refunded, self.amount, self.payment_total];
        all.into_iter().flatten()
    }
}
