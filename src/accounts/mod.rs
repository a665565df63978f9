//! What a variant means, prepared once.
//!
//! Floor 3. Knows where secrets come from; never sees a webhook's bytes beyond their digests.

mod account;
mod certificates;
mod counters;
mod error;
mod https;
mod key_record;
mod load;
mod outside;
mod post_back;
mod repeats;
mod secrets;
mod siblings;
mod slot;
mod spec;
mod state;
mod store;
mod vault;
#[cfg(feature = "vault")]
mod vault_client;

use std::sync::Arc;

pub use account::{Account, Caller, GuardError};
pub use certificates::{
    CertificateError, CertificateSource, Chaining, FixedCertificates, HttpsCertificates,
};
pub use counters::StoreCounts;
pub use error::AccountError;
pub use https::{Connect, Connecting, Https, HttpsError};
pub use outside::Outside;
pub use post_back::{AnswerError, Asking, HttpsPostBack, PostBack};
pub use repeats::{Bodies, BodyCheck, Delivery, Repeats};
pub(crate) use secrets::read_whole;
pub use secrets::{FixedSecrets, Reading, SecretError, SecretSource, SystemSecrets};
pub use spec::{CallerRule, KeySpec, SecretRef, VariantSpec};
pub use state::{KeyState, VariantState};
pub use store::{Accounts, CacheSettings};
pub use vault::{VaultAuth, VaultSettings};
#[cfg(feature = "vault")]
pub use vault_client::VaultSecrets;

use crate::model::UnixSeconds;

/// The clock, given to the server builder: tests inject their own.
pub type Clock = Arc<dyn Fn() -> UnixSeconds + Send + Sync>;
