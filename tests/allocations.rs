//! How often the hot path asks for memory. A binary of its own: its allocator counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a test may stop at what it did not expect, and is no public interface"
)]

#[cfg(feature = "server")]
#[path = "../benches/common/calls.rs"]
mod calls;
#[path = "../benches/common/events.rs"]
mod events;
#[path = "../benches/common/signed.rs"]
mod signed;

use allocation_counter::{AllocationInfo, measure};
use signed::Webhook;

/// Allocations of one verification, and of verifying and reading.
fn count(webhook: &Webhook) -> (AllocationInfo, AllocationInfo) {
    let headers = webhook.headers();
    let verify = measure(|| drop(webhook.verify(&headers)));
    let parse = measure(|| {
        let verified = webhook.verify(&headers);
        drop(webhook.parse(&verified));
    });
    (verify, parse)
}

#[test]
fn both_bodies_have_the_sizes_that_everything_is_measured_with() {
    let bytes = |webhook: Webhook| webhook.signed.body.len();
    assert!((3_550..3_750).contains(&bytes(Webhook::e3())), "{}", bytes(Webhook::e3()));
    assert!((31_500..32_500).contains(&bytes(Webhook::e30())), "{}", bytes(Webhook::e30()));
}

#[test]
fn stripe_verifies_without_an_allocation_and_parses_with_a_dozen() {
    for webhook in [Webhook::e3(), Webhook::e30()] {
        let (verify, parse) = count(&webhook);
        assert_eq!(verify.count_total, 0, "{}: verify", webhook.name);
        assert!(parse.count_total <= 12, "{}: {parse:?}", webhook.name);
        // Nothing is kept, and the document is never copied.
        assert_eq!(parse.count_current, 0, "{}", webhook.name);
        assert!(parse.bytes_max < 4096, "{}: {parse:?}", webhook.name);
    }
}

/// Every call's future is a block of memory. malloc keeps blocks of up to 1,032 bytes at hand for
/// each thread; larger ones are searched for, merged and split, which costs as much as an HMAC.
#[cfg(feature = "server")]
#[test]
fn the_future_of_a_call_fits_what_malloc_keeps_at_hand() {
    let webhook = Webhook::e3();
    let calls = calls::Calls::new(std::slice::from_ref(&webhook));
    let bytes = calls.future_bytes(&calls::request(&webhook));
    assert!(bytes <= 1032, "{bytes} bytes");
}

/// A signature in a header over the body alone needs no memory, whoever sent it; the others are
/// held to what they need today, so that more is noticed.
#[test]
fn no_gateway_allocates_more_than_it_did() {
    let told: Vec<_> = Webhook::all()
        .iter()
        .map(|webhook| {
            let (verify, parse) = count(webhook);
            (webhook.name.clone(), verify.count_total, parse.count_total)
        })
        .collect();
    for (name, verify, parse) in &told {
        let bound = MOST.iter().find(|(bound, ..)| bound == name);
        let (_, verify_max, parse_max) = bound.unwrap_or(&ANY);
        let within = verify <= verify_max && parse <= parse_max;
        assert!(within, "{name}: {verify} and {parse} allocations\n{told:#?}");
    }
    for (name, ..) in MOST {
        assert!(told.iter().any(|(told, ..)| told == name), "{name} is measured");
    }
}

/// A gateway that has no row below.
const ANY: (&str, u64, u64) = ("any", 16, 40);

/// Most allocations of verify, and of verify and parse.
const MOST: &[(&str, u64, u64)] = &[
    ("stripe e3", 0, 6),
    ("stripe e30", 0, 7),
    ("adyen", 16, 32),
    ("authorizenet", 0, 5),
    ("braintree", 15, 27),
    ("checkout", 0, 5),
    ("dotpay", 8, 32),
    ("generic_hmac", 0, 7),
    ("gocardless", 0, 18),
    ("mercadopago", 10, 19),
    ("mollie", 0, 14),
    ("opayo_form", 10, 12),
    ("paddle", 0, 13),
    ("paypal", 22, 28),
    ("paypal_ipn", 12, 40),
    ("paystack", 0, 5),
    ("razorpay", 0, 10),
    ("shopify", 0, 4),
    ("square", 0, 11),
    ("standard_webhooks", 0, 13),
    ("stripe", 0, 3),
];
