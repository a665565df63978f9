//! The one table from what went wrong to what the caller sees: gRPC code, reason, the answer to
//! the gateway, and whether its redelivery may succeed.

use prost::Message as _;
use tonic::{
    Code, Status,
    metadata::{Ascii, MetadataMap, MetadataValue},
};
use tonic_types::pb;

use crate::{
    accounts::AccountError,
    gateway::{self, ParseError},
    proto::{ErrorDiagnostics, ErrorReason, HttpReply, MismatchCause},
    verify::Rejection,
};

/// Why a call has no response.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The variant cannot be used.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The event is for an account that the variant does not list.
    #[error("the event is for an account that the variant does not list")]
    AccountMismatch,
    /// The body is larger than allowed.
    #[error("the body has {bytes} bytes, allowed are {bytes_max}")]
    BodyTooLarge {
        /// Bytes received.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// This caller may not use the variant.
    #[error("this caller may not use the variant")]
    CallerNotAllowed,
    /// A live event on a variant that is pinned to test.
    #[error("a live event on a variant that is pinned to test")]
    LiveEventOnTest,
    /// Over the limits.
    #[error("over the limits, try again later")]
    Overloaded,
    /// Our own bug, caught.
    #[error("internal")]
    Panicked,
    /// The verified payload cannot be read exactly.
    #[error("verified, but the payload cannot be read: {0}")]
    Parse(#[from] ParseError),
    /// The webhook is not authentic, or cannot be shown to be.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The request lacks something or breaks a bound.
    #[error("{problem}")]
    Request {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A test event on a variant that is pinned to live.
    #[error("a test event on a variant that is pinned to live")]
    TestEventOnLive,
    /// Not done in time.
    #[error("not done within the deadline")]
    TimedOut,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// gRPC code.
    pub code: Code,
    /// Reason; unspecified for our own bugs.
    pub reason: ErrorReason,
    /// What to answer the gateway.
    pub http_status: u16,
    /// Whether the gateway's own redelivery may succeed.
    pub redelivery_may_succeed: bool,
    /// Whether the signature had held.
    pub verified: bool,
}

impl Refusal {
    /// The refusal's row.
    pub const fn row(&self) -> Row {
        use ErrorReason as R;
        match self {
            Self::Account(AccountError::VariantUnknown) => {
                row(Code::NotFound, R::VariantUnknown, 404)
            }
            Self::Account(AccountError::SecretUnavailable { .. }) => {
                row(Code::Unavailable, R::SecretUnavailable, 503).redelivered()
            }
            Self::AccountMismatch => {
                row(Code::PermissionDenied, R::AccountMismatch, 500).redelivered().verified()
            }
            Self::BodyTooLarge { .. } => row(Code::InvalidArgument, R::BodyTooLarge, 413),
            Self::CallerNotAllowed => row(Code::PermissionDenied, R::CallerNotAllowed, 500),
            Self::LiveEventOnTest => {
                row(Code::PermissionDenied, R::EnvironmentMismatch, 500).redelivered().verified()
            }
            Self::Overloaded => row(Code::ResourceExhausted, R::Overloaded, 503).redelivered(),
            Self::Panicked => row(Code::Internal, R::Unspecified, 500).redelivered(),
            Self::Parse(_) => {
                row(Code::InvalidArgument, R::PayloadMalformed, 500).redelivered().verified()
            }
            Self::Rejected(rejection) => rejection_row(rejection),
            Self::Request { .. } => row(Code::InvalidArgument, R::RequestInvalid, 400),
            Self::TestEventOnLive => {
                row(Code::PermissionDenied, R::EnvironmentMismatch, 200).verified()
            }
            Self::TimedOut => row(Code::DeadlineExceeded, R::TimedOut, 503).redelivered(),
        }
    }

    /// The reason's name without its prefix; `INTERNAL` for our own bugs. A metric label.
    pub fn label(&self) -> &'static str {
        let reason = self.row().reason;
        if reason == ErrorReason::Unspecified { "INTERNAL" } else { reason_name(reason) }
    }
}

const fn rejection_row(rejection: &Rejection) -> Row {
    use ErrorReason as R;
    match rejection {
        Rejection::BodySubstituted { .. } => {
            row(Code::Unauthenticated, R::BodySubstituted, 400).verified()
        }
        Rejection::CertificateUnavailable { .. } => {
            row(Code::Unavailable, R::CertificateUnavailable, 503).redelivered()
        }
        Rejection::CertificateUntrusted { .. } => {
            row(Code::Unauthenticated, R::CertificateUntrusted, 400)
        }
        Rejection::PayloadMalformed { .. } => row(Code::InvalidArgument, R::PayloadMalformed, 400),
        Rejection::PayloadUndecodable { .. } => {
            row(Code::InvalidArgument, R::PayloadMalformed, 500).redelivered().verified()
        }
        Rejection::SignatureMalformed { .. } => {
            row(Code::Unauthenticated, R::SignatureMalformed, 400)
        }
        Rejection::SignatureMismatch { .. } => {
            row(Code::Unauthenticated, R::SignatureMismatch, 400)
        }
        Rejection::SignatureMissing { .. } => row(Code::Unauthenticated, R::SignatureMissing, 400),
        Rejection::TimestampInFuture { .. } => {
            row(Code::Unauthenticated, R::TimestampInFuture, 400).redelivered()
        }
        Rejection::TimestampTooOld { .. } => {
            row(Code::Unauthenticated, R::TimestampTooOld, 400).redelivered()
        }
    }
}

const fn row(code: Code, reason: ErrorReason, http_status: u16) -> Row {
    Row { code, reason, http_status, redelivery_may_succeed: false, verified: false }
}

impl Row {
    const fn redelivered(self) -> Self {
        Self { redelivery_may_succeed: true, ..self }
    }

    const fn verified(self) -> Self {
        Self { verified: true, ..self }
    }

    /// Whether repeating the same call later may succeed.
    const fn retriable(&self) -> bool {
        matches!(self.code, Code::Unavailable | Code::ResourceExhausted | Code::DeadlineExceeded)
    }
}

/// A reason's name without its prefix.
pub fn reason_name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// What is known about a refused webhook, for the developer who reads the error.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Variant as it was asked for; empty where it is no variant name.
    pub variant: String,
    /// The gateway's name, where the variant is known.
    pub gateway: &'static str,
    /// Labels of the keys that were tried.
    pub key_labels: Vec<String>,
    /// Bytes of the body.
    pub body_bytes: usize,
    /// SHA-256 of the body.
    pub body_sha256: Vec<u8>,
    /// Likely cause.
    pub cause: MismatchCause,
    /// One line for a developer.
    pub hint: String,
}

/// The refusal's row, with the status that this gateway expects where its signature is refused.
fn row_for(refusal: &Refusal, gateway: &str) -> Row {
    let row = refusal.row();
    match gateway::find(gateway) {
        Some(gateway) if row.code == Code::Unauthenticated => {
            Row { http_status: gateway.reply.refused, ..row }
        }
        Some(_) | None => row,
    }
}

/// The diagnostics of a refusal.
pub fn diagnostics(refusal: &Refusal, context: Context) -> ErrorDiagnostics {
    let row = row_for(refusal, context.gateway);
    let age_seconds = match refusal {
        Refusal::Rejected(rejection) => rejection.age_seconds(),
        Refusal::Account(_)
        | Refusal::AccountMismatch
        | Refusal::BodyTooLarge { .. }
        | Refusal::CallerNotAllowed
        | Refusal::LiveEventOnTest
        | Refusal::Overloaded
        | Refusal::Panicked
        | Refusal::Parse(_)
        | Refusal::Request { .. }
        | Refusal::TestEventOnLive
        | Refusal::TimedOut => None,
    };
    ErrorDiagnostics {
        reply: Some(HttpReply { status: row.http_status.into(), ..HttpReply::default() }),
        redelivery_may_succeed: row.redelivery_may_succeed,
        cause: context.cause.into(),
        hint: context.hint,
        variant: context.variant,
        gateway: context.gateway.to_owned(),
        key_labels_tried: context.key_labels,
        age: age_seconds.map(|seconds| prost_types::Duration { seconds, nanos: 0 }),
        body_bytes: u64::try_from(context.body_bytes).unwrap_or(u64::MAX),
        body_sha256: context.body_sha256,
        verified: row.verified,
    }
}

/// The gRPC status of a refusal: the same reason and answer as details and as ASCII trailers.
pub fn status(refusal: &Refusal, context: Context) -> Status {
    let row = row_for(refusal, context.gateway);
    if row.reason == ErrorReason::Unspecified {
        return with_trailers(Status::internal("internal"), row);
    }
    let message = refusal.to_string();
    let diagnostics = diagnostics(refusal, context);
    let cause = MismatchCause::try_from(diagnostics.cause).unwrap_or_default();
    let cause = cause.as_str_name().trim_start_matches("MISMATCH_CAUSE_");
    let metadata = [
        ("variant", diagnostics.variant.clone()),
        ("gateway", diagnostics.gateway.clone()),
        ("httpStatus", row.http_status.to_string()),
        ("cause", if cause == "UNSPECIFIED" { String::new() } else { cause.to_owned() }),
    ];
    let info = pb::ErrorInfo {
        reason: reason_name(row.reason).to_owned(),
        domain: DOMAIN.to_owned(),
        metadata: metadata
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    };
    let mut details = vec![
        any("type.googleapis.com/google.rpc.ErrorInfo", &info),
        any("type.googleapis.com/payhook.v1.ErrorDiagnostics", &diagnostics),
    ];
    if row.retriable() {
        let delay = prost_types::Duration { seconds: 0, nanos: RETRY_DELAY_NANOS };
        let retry = pb::RetryInfo { retry_delay: Some(delay) };
        details.push(any("type.googleapis.com/google.rpc.RetryInfo", &retry));
    }
    let whole = pb::Status { code: i32::from(row.code), message: message.clone(), details };
    with_trailers(Status::with_details(row.code, message, whole.encode_to_vec().into()), row)
}

fn with_trailers(mut status: Status, row: Row) -> Status {
    let metadata: &mut MetadataMap = status.metadata_mut();
    if row.reason != ErrorReason::Unspecified {
        let name = MetadataValue::<Ascii>::from_static(reason_name(row.reason));
        metadata.insert("x-payhook-reason", name);
    }
    metadata.insert("x-payhook-http-status", MetadataValue::from(u64::from(row.http_status)));
    if row.code == Code::ResourceExhausted {
        let pushback = MetadataValue::from(RETRY_DELAY_NANOS / 1_000_000);
        metadata.insert("grpc-retry-pushback-ms", pushback);
    }
    status
}

fn any(type_url: &str, message: &impl prost::Message) -> prost_types::Any {
    prost_types::Any { type_url: type_url.to_owned(), value: message.encode_to_vec() }
}

/// The domain of `google.rpc.ErrorInfo`.
const DOMAIN: &str = "payhook.v1";
/// How long a client should wait before it repeats a call: long enough for a burst to pass.
const RETRY_DELAY_NANOS: i32 = 200_000_000;
