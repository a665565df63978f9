//! payhook verifies payment webhooks and says what they mean.

pub mod gateway;
pub mod limits;
pub mod model;
pub mod verify;
