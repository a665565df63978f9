//! Notifications as Braintree sends them, cut to the fields that matter; every id is made up.

use crate::{
    gateway::Sample,
    model::{
        EventType::{
            DisputeInquiry, DisputeLost, DisputeOpened, DisputeWon, InvoicePaid,
            InvoicePaymentFailed, PaymentAuthorized, PaymentCaptured, PaymentExpired,
            PaymentFailed, PaymentProcessing, PayoutFailed, PayoutPaid, RefundFailed,
            RefundSucceeded, SubscriptionPastDue, Unrecognized,
        },
        PaymentStatus::{Confirmed, Preauth, Refunded, Rejected, Waiting},
    },
};

macro_rules! notification {
    ($kind:literal, $subject:literal) => {
        concat!(
            "<notification><timestamp type=\"datetime\">2026-09-21T12:00:00Z</timestamp><kind>",
            $kind,
            "</kind><subject>",
            $subject,
            "</subject></notification>"
        )
    };
}

macro_rules! transaction {
    ($kind:literal, $fields:literal) => {
        concat!(
            "<notification><timestamp type=\"datetime\">2026-09-21T12:00:00Z</timestamp><kind>",
            $kind,
            "</kind><subject><transaction><id>demotx01</id><order-id>order-1001</order-id>",
            "<currency-iso-code>EUR</currency-iso-code><amount>30.00</amount>",
            $fields,
            "</transaction></subject></notification>"
        )
    };
}

macro_rules! dispute {
    ($kind:literal, $fields:literal) => {
        concat!(
            "<notification><timestamp type=\"datetime\">2026-09-21T12:00:00Z</timestamp><kind>",
            $kind,
            "</kind><subject><dispute><id>demodispute01</id>",
            "<currency-iso-code>EUR</currency-iso-code><reason>fraud</reason>",
            "<reply-by-date type=\"date\">2026-10-05</reply-by-date>",
            $fields,
            "<transaction><id>demotx01</id><order-id>order-1001</order-id>",
            "<amount>30.00</amount></transaction></dispute></subject></notification>"
        )
    };
}

pub(super) static SAMPLES: &[Sample] = &[
    Sample::new(
        "payment settled",
        PaymentCaptured,
        Some(Confirmed),
        transaction!("transaction_settled", "<status>settled</status><type>sale</type>"),
    ),
    Sample::new(
        "payment retried, authorized only",
        PaymentAuthorized,
        Some(Preauth),
        transaction!("transaction_retried", "<status>authorized</status><type>sale</type>"),
    ),
    Sample::new(
        "payment retried, declined",
        PaymentFailed,
        Some(Rejected),
        transaction!(
            "transaction_retried",
            "<status>processor_declined</status><type>sale</type>\
             <processor-response-code>2001</processor-response-code>\
             <processor-response-text>Insufficient Funds</processor-response-text>"
        ),
    ),
    Sample::new(
        "settlement declined",
        PaymentFailed,
        Some(Rejected),
        transaction!(
            "transaction_settlement_declined",
            "<status>settlement_declined</status><type>sale</type>"
        ),
    ),
    Sample::new(
        "refund settled, extent unknown",
        RefundSucceeded,
        None,
        transaction!(
            "transaction_settled",
            "<status>settled</status><type>credit</type>\
             <refunded-transaction-id>demotx00</refunded-transaction-id>"
        ),
    ),
    Sample::new(
        "refund failed",
        RefundFailed,
        Some(Confirmed),
        transaction!("refund_failed", "<status>processor_declined</status><type>credit</type>"),
    ),
    Sample::new(
        "dispute opened",
        DisputeOpened,
        None,
        dispute!(
            "dispute_opened",
            "<kind>chargeback</kind><status>open</status><amount-disputed>30.00</amount-disputed>"
        ),
    ),
    Sample::new(
        "retrieval request: a question only",
        DisputeInquiry,
        None,
        dispute!(
            "dispute_opened",
            "<kind>retrieval</kind><status>open</status><amount-disputed>30.00</amount-disputed>"
        ),
    ),
    Sample::new(
        "dispute lost in full",
        DisputeLost,
        Some(Refunded),
        dispute!(
            "dispute_lost",
            "<kind>chargeback</kind><status>lost</status><amount-disputed>30.00</amount-disputed>"
        ),
    ),
    Sample::new(
        "dispute lost over a part",
        DisputeLost,
        Some(Confirmed),
        dispute!(
            "dispute_lost",
            "<kind>chargeback</kind><status>lost</status><amount-disputed>10.00</amount-disputed>"
        ),
    ),
    Sample::new(
        "dispute won",
        DisputeWon,
        Some(Confirmed),
        dispute!(
            "dispute_won",
            "<kind>chargeback</kind><status>won</status><amount-disputed>30.00</amount-disputed>"
        ),
    ),
    Sample::new(
        "local payment completed, bank not done",
        PaymentProcessing,
        Some(Waiting),
        notification!(
            "local_payment_completed",
            "<local-payment><payment-id>demopay01</payment-id><payer-id>demopayer</payer-id>\
             <transaction><id>demotx02</id><status>authorizing</status><amount>30.00</amount>\
             <currency-iso-code>EUR</currency-iso-code><order-id>order-1002</order-id>\
             </transaction></local-payment>"
        ),
    ),
    Sample::new(
        "local payment expired",
        PaymentExpired,
        Some(Rejected),
        notification!(
            "local_payment_expired",
            "<local-payment-expired><payment-id>demopay01</payment-id></local-payment-expired>"
        ),
    ),
    Sample::new(
        "subscription charged",
        InvoicePaid,
        Some(Confirmed),
        notification!(
            "subscription_charged_successfully",
            "<subscription><id>demosub01</id><status>Active</status><transactions type=\"array\">\
             <transaction><id>demotx03</id><status>submitted_for_settlement</status>\
             <amount>30.00</amount><currency-iso-code>EUR</currency-iso-code></transaction>\
             </transactions></subscription>"
        ),
    ),
    Sample::new(
        "subscription charge failed",
        InvoicePaymentFailed,
        Some(Rejected),
        notification!(
            "subscription_charged_unsuccessfully",
            "<subscription><id>demosub01</id><status>Past Due</status>\
             <transactions type=\"array\"/></subscription>"
        ),
    ),
    Sample::new(
        "subscription past due",
        SubscriptionPastDue,
        None,
        notification!(
            "subscription_went_past_due",
            "<subscription><id>demosub01</id><status>Past Due</status></subscription>"
        ),
    ),
    Sample::new(
        "money paid out",
        PayoutPaid,
        None,
        notification!(
            "disbursement",
            "<disbursement><id>demopayout01</id><success type=\"boolean\">true</success>\
             <merchant-account><id>shop</id><currency-iso-code>EUR</currency-iso-code>\
             </merchant-account><amount>30.00</amount></disbursement>"
        ),
    ),
    Sample::new(
        "payout refused by the bank",
        PayoutFailed,
        None,
        notification!(
            "disbursement_exception",
            "<disbursement><id>demopayout01</id><success type=\"boolean\">false</success>\
             <amount>30.00</amount><exception-message>bank_rejected</exception-message>\
             <follow-up-action>update_funding_information</follow-up-action></disbursement>"
        ),
    ),
    Sample::new(
        "endpoint check",
        Unrecognized,
        None,
        notification!("check", "<check type=\"boolean\">true</check>"),
    ),
];
