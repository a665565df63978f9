//! Every bound, with its reason. Floor 0.

/// Largest webhook body by default: the largest bodies gateways send are well below 1 MiB.
pub const BODY_BYTES_DEFAULT: usize = 1024 * 1024;
/// Hard maximum of a body that configuration may allow.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// What the gRPC decoder accepts beyond a body, so that our own answer is seen, not the codec's.
pub const MESSAGE_OVERHEAD_BYTES: usize = 128 * 1024;
/// Header fields of one webhook: proxies add dozens, never hundreds.
pub const HEADERS_MAX: usize = 128;
/// Names and values of all header fields together.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;
/// Length of the URL: the longest that servers commonly accept.
pub const URL_BYTES_MAX: usize = 8 * 1024;
/// Keys of a variant: current, previous, next and one to spare; each costs one MAC per webhook.
pub const KEYS_MAX: usize = 4;
/// Signatures in one header that are looked at: a rotation doubles them, nothing sends dozens.
pub const SIGNATURES_MAX: usize = 16;
/// Longest digest of any MAC here, in bytes (SHA-512).
pub const DIGEST_BYTES_MAX: usize = 64;
/// Fields of a form body: Dotpay's 26 and IPN's hundred fit.
pub const FORM_FIELDS_MAX: usize = 512;
/// Keys of one JSON object that is looked into: a Shopify order has about a hundred.
pub const JSON_KEYS_MAX: usize = 1024;
/// Tolerance of a signed time that configuration may set, in seconds: one day.
pub const TOLERANCE_SECONDS_MAX: i64 = 86_400;
/// Longest event id used as it stands in an idempotency key; a longer one is hashed.
pub const EVENT_ID_BYTES_MAX: usize = 200;
/// Metadata entries echoed in an event.
pub const METADATA_ENTRIES_MAX: usize = 64;
/// Bytes of metadata echoed in an event.
pub const METADATA_BYTES_MAX: usize = 8 * 1024;
/// Events of one payload: `GoCardless` sends up to 250, Adyen far fewer.
pub const EVENTS_MAX: usize = 1000;

const _: () = assert!(BODY_BYTES_DEFAULT <= BODY_BYTES_MAX);
const _: () = assert!(URL_BYTES_MAX < HEADER_BYTES_MAX);
/// Largest secret: a PEM chain fits many times.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;
/// Most variants that configuration may hold.
pub const VARIANTS_MAX: usize = 10_000;
/// Largest configuration file: 10,000 variants fit.
pub const CONFIG_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Deepest nesting of a configuration file: variants, keys and their references need seven.
pub const CONFIG_DEPTH_MAX: usize = 16;
/// Calls at once by default: the work is CPU, more at once only wait longer.
pub const CALLS_DEFAULT: usize = 64;
/// Most calls at once that configuration may allow.
pub const CALLS_MAX: usize = 1024;
/// Connections at once by default: a pod has a handful of clients.
pub const CONNECTIONS_DEFAULT: usize = 64;
/// Most connections at once that configuration may allow.
pub const CONNECTIONS_MAX: usize = 4096;
/// Bytes of bodies in flight by default: the memory that a flood can take.
pub const IN_FLIGHT_BYTES_DEFAULT: usize = 24 * 1024 * 1024;
/// Most bytes of bodies in flight that configuration may allow.
pub const IN_FLIGHT_BYTES_MAX: usize = 512 * 1024 * 1024;

const _: () = assert!(BODY_BYTES_MAX <= IN_FLIGHT_BYTES_DEFAULT);
