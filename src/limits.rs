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
/// `id|signature` pairs in one list: Braintree writes one for each API key that the merchant has.
pub const KEY_ID_PAIRS_MAX: usize = 1024;
/// Longest digest of any MAC here, in bytes (SHA-512).
pub const DIGEST_BYTES_MAX: usize = 64;
/// Endpoint challenges of one variant that are answered within a window: Braintree asks once when
/// an address is saved, and an answer is a signature over text that the caller chose.
pub const CHALLENGES_MAX: u32 = 10;
/// Length of that window in seconds.
pub const CHALLENGES_WINDOW_SECONDS: i64 = 60;
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
/// Certificates of one chain: the signer, its issuers and the root make three or four.
pub const CERTIFICATES_MAX: usize = 8;
/// Largest answer of a certificate's URL or of a question to a gateway: a chain has 10 KiB.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Milliseconds that a certificate's URL or a gateway has to answer.
pub const ANSWER_TIMEOUT_MS: u64 = 3_000;
/// Certificate URLs that are kept: a gateway uses one or two at a time.
pub const CERTIFICATE_URLS_MAX: u64 = 1_000;
/// Certificates fetched at once: the sender chooses the id in the URL.
pub const CERTIFICATE_FETCHES_MAX: usize = 8;
/// Seconds that a certificate is kept before its URL is asked again: one day.
pub const CERTIFICATE_SECONDS_MAX: i64 = 86_400;
/// Seconds that a failed fetch is remembered: the gateway's redelivery comes later.
pub const CERTIFICATE_NEGATIVE_SECONDS: i64 = 30;
/// Longest time that a token is kept, in seconds: `PayPal`'s last nine hours.
pub const TOKEN_SECONDS_MAX: i64 = 86_400;
/// Seconds before its end that a token is not used any more: a question takes three.
pub const TOKEN_SECONDS_EARLY: i64 = 60;
/// Seconds that the body of a signed id is remembered: `PayPal` repeats a delivery for three days,
/// and a forgery may come much later.
pub const BODIES_WINDOW_SECONDS: i64 = 90 * 86_400;
/// Signed ids whose bodies are remembered. An entry takes 0.65 KB with all that the cache keeps of
/// it, so that this many stay below 13 MB.
pub const BODIES_MAX: u64 = 20_000;
/// Events whose deliveries are counted, unless configured: below 7 MB. Together with `BODIES_MAX` and
/// what calls under way may hold this fits a limit of 64 MiB.
pub const REPEATS_DEFAULT: i64 = 10_000;
/// Longest id of a certificate in its URL: those seen have 35 characters.
pub const CERTIFICATE_ID_BYTES_MAX: usize = 128;
/// Fewest bits of an RSA key that signs: 1024 bits are within reach of an attacker.
pub const RSA_BITS_MIN: usize = 2048;
/// Most bits of an RSA key that signs: verifying a larger one costs too much.
pub const RSA_BITS_MAX: usize = 8192;
/// Longest transmission id: a UUID has 36 characters.
pub const SIGNED_ID_BYTES_MAX: usize = 50;
/// Signatures computed to find the cause of one refusal: all repairs of a small body.
pub const EXPLAIN_MACS_MAX: usize = 64;
/// Bytes hashed to find the cause of one refusal: a millisecond or two.
pub const EXPLAIN_HASHED_BYTES_MAX: usize = 1024 * 1024;
/// Larger bodies are not repaired: sixteen of these use up what may be hashed.
pub const EXPLAIN_BODY_BYTES_MAX: usize = 64 * 1024;
/// Refusals explained in a second, all variants together: a flood of rubbish explains nothing new.
pub const EXPLAINED_PER_SECOND: u32 = 10;
/// Milliseconds that a refusal waits for its explanation: looking takes two or three, and only one
/// call waits at a time.
pub const EXPLAIN_WAIT_MS: u64 = 1_000;
/// Other variants whose keys are compared with a refused webhook.
pub const EXPLAIN_OTHERS_MAX: usize = 16;
/// Events of one payload: `GoCardless` sends up to 250, Adyen far fewer.
pub const EVENTS_MAX: usize = 1000;
/// Depth of a payload's tree: Braintree's deepest sample has 8 levels.
pub const TREE_DEPTH_MAX: usize = 64;
/// Elements of a payload's tree: a transaction with everything has a few hundred.
pub const TREE_NODES_MAX: usize = 20_000;
/// Bytes of one element's own text, far above any evidence text or token.
pub const TREE_TEXT_BYTES_MAX: usize = 256 * 1024;
/// Attributes of one XML element: Braintree writes `type` and `nil`.
pub const XML_ATTRIBUTES_MAX: usize = 64;
/// Events of the XML reader, comments and references included, so that none of them is free.
pub const XML_EVENTS_MAX: usize = 16 * TREE_NODES_MAX;

const _: () = assert!(SIGNATURES_MAX <= KEY_ID_PAIRS_MAX);
const _: () = assert!(TREE_TEXT_BYTES_MAX <= BODY_BYTES_DEFAULT);
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
/// Below this a secret is warned about, in bytes: 128 bits.
pub const SECRET_BYTES_WEAK: usize = 16;
/// Milliseconds that a source has to yield a variant's secrets: less than a call's default deadline,
/// so that the answer is that the secret is missing, not that time is up.
pub const SOURCE_TIMEOUT_MS: u64 = 1_800;
/// Milliseconds that a call waits for a refresh while an older secret is at hand.
pub const REFRESH_WAIT_MS: u64 = 500;
/// First pause after a source failed, in milliseconds.
pub const BACKOFF_MS_MIN: u64 = 100;
/// Longest pause while an older secret is served, in milliseconds.
pub const BACKOFF_MS_MAX: u64 = 30_000;
/// Longest pause while nothing can be served, in milliseconds: recovery shows within a second.
pub const BACKOFF_COLD_MS_MAX: u64 = 800;
/// Secrets read at once: a start with thousands of variants does not flood a vault.
pub const FLIGHTS_MAX: usize = 64;
/// Threads of a runtime that read files: enough that a mount which hangs does not hold up the
/// others; a hundred secrets read at once would make a hundred threads, each with its memory.
pub const BLOCKING_THREADS_MAX: usize = 8;
/// Directories whose events are listened to: inotify instances are few, the rest is polled.
pub const WATCHED_DIRECTORIES_MAX: usize = 1_024;
/// Callers or accounts that a variant may list.
pub const VARIANT_LIST_MAX: usize = 10_000;

const _: () = assert!(BACKOFF_MS_MIN <= BACKOFF_COLD_MS_MAX);
const _: () = assert!(BACKOFF_COLD_MS_MAX <= BACKOFF_MS_MAX);
const _: () = assert!(REFRESH_WAIT_MS < SOURCE_TIMEOUT_MS);
const _: () = assert!(BODY_BYTES_MAX <= IN_FLIGHT_BYTES_DEFAULT);
