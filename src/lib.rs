//! payhook verifies payment webhooks and says what they mean.

pub mod model;
pub mod gateway;
