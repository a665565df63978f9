//! The contract's generated messages and service. Floor 0: no word of ours, no decision.

#![allow(
    unused_qualifications,
    missing_docs,
    unreachable_pub,
    unnameable_types,
    clippy::allow_attributes_without_reason,
    clippy::large_enum_variant,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    reason = "generated from proto/, where every field is documented"
)]

mod codec;

pub use codec::{ExactCodec, ExactEncoder};

tonic::include_proto!("payhook.v1");

/// The compiled contract, for reflection.
pub const DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/payhook_descriptor.bin"));
