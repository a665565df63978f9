//! What a variant means, prepared once.
//!
//! Floor 3. Knows where secrets come from; never sees a webhook's bytes.

mod account;
mod secrets;
mod spec;
mod store;

use std::sync::Arc;

pub use account::{Account, Caller, GuardError};
pub use secrets::{FixedSecrets, SecretError, SecretSource, SystemSecrets};
pub use spec::{CallerRule, KeySpec, SecretRef, VariantSpec};
pub use store::{AccountError, Accounts, CacheSettings};

use crate::model::UnixSeconds;

/// The clock, given to the server builder: tests inject their own.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;
