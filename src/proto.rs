//! The contract's generated messages and service. Floor 0: no word of ours, no decision.

#![allow(
    missing_docs,
    unreachable_pub,
    unnameable_types,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    reason = "generated from proto/, where every field is documented"
)]

tonic::include_proto!("payhook.v1");

/// The compiled contract, for reflection.
pub const DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/payhook_descriptor.bin"));
