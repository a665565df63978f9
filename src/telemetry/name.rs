//! The names of all metrics: part of the public interface, like the labels.

/// A metric, as it is registered. Counters get the suffix `_total` when they are scraped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// What runs.
    Build,
    /// Calls under way.
    CallsInFlight,
    /// Calls refused because of a limit.
    CallsShed,
    /// Calls that were not done in time.
    CallsTimedOut,
    /// The active configuration.
    Configuration,
    /// Whether the configuration found last is not the active one.
    ConfigurationRefused,
    /// Open connections.
    Connections,
    /// When the value of a key last matched.
    KeyLastUsed,
    /// Since when the value of a key has been held: its age.
    KeyLoaded,
    /// Our own bugs, caught.
    Panics,
    /// Webhooks that only a key on its way out matched.
    PreviousKeyUsed,
    /// Configurations and certificates that were taken.
    Reloads,
    /// Configurations and certificates that could not be used.
    ReloadsFailed,
    /// Calls that found the secrets at hand.
    SecretHits,
    /// Failed reads of a variant's secrets.
    SecretReadsFailed,
    /// Reads of a variant's secrets: what the cache did not hold.
    SecretReads,
    /// Calls served with expired secrets, because their source was down.
    SecretsServedStale,
    /// Variants whose secrets could not be read or used the last time.
    VariantProblem,
    /// Time from a request to its verdict.
    VerificationSeconds,
    /// Webhooks by verdict.
    Verifications,
}

impl Name {
    /// Every metric.
    pub const ALL: [Self; 20] = [
        Self::Build,
        Self::CallsInFlight,
        Self::CallsShed,
        Self::CallsTimedOut,
        Self::Configuration,
        Self::ConfigurationRefused,
        Self::Connections,
        Self::KeyLastUsed,
        Self::KeyLoaded,
        Self::Panics,
        Self::PreviousKeyUsed,
        Self::Reloads,
        Self::ReloadsFailed,
        Self::SecretHits,
        Self::SecretReadsFailed,
        Self::SecretReads,
        Self::SecretsServedStale,
        Self::VariantProblem,
        Self::VerificationSeconds,
        Self::Verifications,
    ];

    /// The name without a suffix.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Build => "payhook_build",
            Self::CallsInFlight => "payhook_calls_in_flight",
            Self::CallsShed => "payhook_calls_shed",
            Self::CallsTimedOut => "payhook_calls_timed_out",
            Self::Configuration => "payhook_configuration",
            Self::ConfigurationRefused => "payhook_configuration_refused",
            Self::Connections => "payhook_connections",
            Self::KeyLastUsed => "payhook_key_last_used_seconds",
            Self::KeyLoaded => "payhook_key_loaded_seconds",
            Self::Panics => "payhook_panics",
            Self::PreviousKeyUsed => "payhook_previous_key_used",
            Self::Reloads => "payhook_reloads",
            Self::ReloadsFailed => "payhook_reloads_failed",
            Self::SecretHits => "payhook_secret_hits",
            Self::SecretReadsFailed => "payhook_secret_reads_failed",
            Self::SecretReads => "payhook_secret_reads",
            Self::SecretsServedStale => "payhook_secrets_served_stale",
            Self::VariantProblem => "payhook_variant_problem",
            Self::VerificationSeconds => "payhook_verification_seconds",
            Self::Verifications => "payhook_verifications",
        }
    }

    /// What it says, in one line.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Build => "Build of the server",
            Self::CallsInFlight => "Calls under way",
            Self::CallsShed => "Calls refused because of a limit",
            Self::CallsTimedOut => "Calls not done in time",
            Self::Configuration => "The active configuration",
            Self::ConfigurationRefused => {
                "1 while the last good configuration is served, not the one found"
            }
            Self::Connections => "Open connections",
            Self::KeyLastUsed => "When the value of a key last matched, in Unix seconds",
            Self::KeyLoaded => "Since when the value of a key has been held, in Unix seconds",
            Self::Panics => "Panics caught",
            Self::PreviousKeyUsed => "Webhooks that only a previous key matched",
            Self::Reloads => "Configurations and certificates taken",
            Self::ReloadsFailed => "Configurations and certificates refused",
            Self::SecretHits => "Calls that found the secrets of their variant at hand",
            Self::SecretReadsFailed => "Failed reads of the secrets of a variant",
            Self::SecretReads => "Reads of the secrets of a variant",
            Self::SecretsServedStale => "Calls served with expired secrets",
            Self::VariantProblem => {
                "Variants whose secrets could not be read or used the last time"
            }
            Self::VerificationSeconds => "Time from a request to its verdict",
            Self::Verifications => "Webhooks by verdict",
        }
    }
}
