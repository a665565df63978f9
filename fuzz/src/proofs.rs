//! Whether a request carries a signature, written a second time and as directly as each gateway's
//! documentation says it. More lenient than payhook on purpose: whatever payhook accepts must be
//! among what is found here.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use payhook::verify::Request;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::{NOW, certificates};

pub const SECRET: &str = "fake-signing-secret-0001";
pub const STRIPE: &str = "whsec_FAKE_endpoint_secret_do_not_use_0001";
pub const STANDARD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const ADYEN: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";
pub const BRAINTREE: (&str, &str) = ("fakepublickey0001", "fakeprivatekey00000000000000000001");
pub const WEBHOOK_ID: &str = "FAKE0WEBHOOK0ID000";
pub const RECEIVER: &str = "merchant@example.test";

pub fn sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn sha512(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn headers<'r>(request: &'r Request<'_>, name: &str) -> Vec<&'r str> {
    let named = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| header.value).collect()
}

/// Everything in a text that could be a signature, decoded.
fn signatures(text: &str) -> Vec<Vec<u8>> {
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='));
    let pieces = text.split(odd).flat_map(|piece| piece.split('=').chain([piece]));
    // A base64 signature behind its name, such as `s=AAAA==`.
    let named = text.split(odd).filter_map(|piece| piece.split_once('=').map(|(_, rest)| rest));
    let decode = |piece: &str| [hex(piece), BASE64.decode(piece).ok()].into_iter().flatten();
    pieces.chain(named).flat_map(decode).collect()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Runs of digits: what could be a time.
fn numbers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty())
}

fn is_fresh(seconds: &str, window: i64) -> bool {
    seconds.parse::<i64>().is_ok_and(|at| NOW.abs_diff(at) <= window.unsigned_abs())
}

/// Whether one of the header's signatures is this code.
fn carries(request: &Request<'_>, header: &str, code: &[u8]) -> bool {
    headers(request, header).iter().any(|text| signatures(text).iter().any(|it| it == code))
}

/// Fields of a form or query, decoded.
fn fields(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let decode = |text: &[u8]| {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            let escaped = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            match (first, escaped.and_then(hex)) {
                (b'%', Some(byte)) => {
                    out.extend(byte);
                    rest = &after[2..];
                    continue;
                }
                (b'+', _) => out.push(b' '),
                (other, _) => out.push(*other),
            }
            rest = after;
        }
        out
    };
    let pair = |field: &[u8]| {
        let at = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
        (decode(&field[..at]), decode(field.get(at + 1..).unwrap_or_default()))
    };
    text.split(|byte| *byte == b'&').map(pair).collect()
}

fn values<'f>(fields: &'f [(Vec<u8>, Vec<u8>)], name: &str) -> Vec<&'f [u8]> {
    let named = fields.iter().filter(|(other, _)| other == name.as_bytes());
    named.map(|(_, value)| value.as_slice()).collect()
}

fn query(request: &Request<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let query = request.url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    fields(query.split('#').next().unwrap_or_default().as_bytes())
}

pub fn stripe(request: &Request<'_>) -> bool {
    let times = headers(request, "Stripe-Signature");
    times.iter().flat_map(|text| numbers(text)).filter(|time| is_fresh(time, 300)).any(|time| {
        let message = [time.as_bytes(), b".", request.body].concat();
        carries(request, "Stripe-Signature", &sha256(STRIPE.as_bytes(), &message))
    })
}

pub fn paddle(request: &Request<'_>) -> bool {
    let times = headers(request, "Paddle-Signature");
    times.iter().flat_map(|text| numbers(text)).filter(|time| is_fresh(time, 5)).any(|time| {
        let message = [time.as_bytes(), b":", request.body].concat();
        carries(request, "Paddle-Signature", &sha256(SECRET.as_bytes(), &message))
    })
}

pub fn standard_webhooks(request: &Request<'_>) -> bool {
    let key = BASE64.decode(STANDARD.trim_start_matches("whsec_")).expect("base64");
    let times = headers(request, "webhook-timestamp");
    let ids = headers(request, "webhook-id");
    ids.iter().any(|id| {
        let fresh = times.iter().map(|time| time.trim()).filter(|time| is_fresh(time, 300));
        fresh.clone().any(|time| {
            let head = format!("{}.{time}.", id.trim());
            let message = [head.as_bytes(), request.body].concat();
            carries(request, "webhook-signature", &sha256(&key, &message))
        })
    })
}

/// A code over the body alone.
fn over_body(request: &Request<'_>, header: &str, code: fn(&[u8], &[u8]) -> Vec<u8>) -> bool {
    carries(request, header, &code(SECRET.as_bytes(), request.body))
}

pub fn authorizenet(request: &Request<'_>) -> bool {
    over_body(request, "X-ANET-Signature", sha512)
}

pub fn checkout(request: &Request<'_>) -> bool {
    over_body(request, "Cko-Signature", sha256)
}

pub fn gocardless(request: &Request<'_>) -> bool {
    over_body(request, "Webhook-Signature", sha256)
}

pub fn mollie(request: &Request<'_>) -> bool {
    over_body(request, "X-Mollie-Signature", sha256)
}

pub fn paystack(request: &Request<'_>) -> bool {
    over_body(request, "x-paystack-signature", sha512)
}

pub fn razorpay(request: &Request<'_>) -> bool {
    over_body(request, "X-Razorpay-Signature", sha256)
}

pub fn shopify(request: &Request<'_>) -> bool {
    over_body(request, "X-Shopify-Hmac-Sha256", sha256)
}

pub fn over_x_signature(request: &Request<'_>) -> bool {
    over_body(request, "X-Signature", sha256)
}

pub fn square(request: &Request<'_>) -> bool {
    let message = [request.url.as_bytes(), request.body].concat();
    carries(request, "x-square-hmacsha256-signature", &sha256(SECRET.as_bytes(), &message))
}

pub fn generic_pairs(request: &Request<'_>) -> bool {
    let times = headers(request, "X-Signature");
    let fresh = |time: &&str| time.parse::<i64>().is_ok_and(|ms| (NOW - ms / 1000).abs() <= 300);
    let before = request.url.split(['?', '#']).next().unwrap_or_default();
    let after_host = before.split_once("://").map_or(before, |(_, rest)| rest);
    let path = after_host.find('/').map_or("", |at| &after_host[at..]);
    times.iter().flat_map(|text| numbers(text)).filter(fresh).any(|time| {
        let relative = if before.starts_with('/') { before } else { path };
        [relative, "/"].iter().any(|path| {
            let head = format!("{} {path}\n{time}.", request.method);
            let message = [head.as_bytes(), request.body].concat();
            carries(request, "X-Signature", &sha512(SECRET.as_bytes(), &message))
        })
    })
}

pub fn generic_beside(request: &Request<'_>) -> bool {
    let (times, nonces) = (headers(request, "X-Time"), headers(request, "X-Nonce"));
    times.iter().map(|text| text.trim()).any(|time| {
        nonces.iter().map(|text| text.trim()).any(|nonce| {
            let head = format!("{nonce}|{time}|{}|", request.url);
            let message = [head.as_bytes(), request.body].concat();
            carries(request, "X-Signature", &sha1(SECRET.as_bytes(), &message))
        })
    })
}

pub fn mercadopago(request: &Request<'_>) -> bool {
    let query = query(request);
    let ids = ["data.id", "id"].iter().flat_map(|name| values(&query, name));
    let ids = ids.map(|id| format!("id:{};", String::from_utf8_lossy(id).to_lowercase()));
    let ids: Vec<_> = ids.chain([String::new()]).collect();
    let requests = headers(request, "x-request-id").into_iter();
    let requests = requests.map(|id| format!("request-id:{};", id.trim())).chain([String::new()]);
    let times = headers(request, "x-signature");
    requests.into_iter().any(|id| {
        ids.iter().any(|object| {
            times.iter().flat_map(|text| numbers(text)).any(|time| {
                let message = format!("{object}{id}ts:{time};");
                carries(request, "x-signature", &sha256(SECRET.as_bytes(), message.as_bytes()))
            })
        })
    })
}

pub fn adyen(request: &Request<'_>) -> bool {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(request.body) else { return false };
    let key = hex(ADYEN).expect("hex");
    let Some(items) = body["notificationItems"].as_array() else { return false };
    items.iter().all(|item| {
        let item = &item["NotificationRequestItem"];
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        };
        let fields = [
            &item["pspReference"],
            &item["originalReference"],
            &item["merchantAccountCode"],
            &item["merchantReference"],
            &item["amount"]["value"],
            &item["amount"]["currency"],
            &item["eventCode"],
            &item["success"],
        ];
        let message = fields.map(text).join(":");
        let given = text(&item["additionalData"]["hmacSignature"]);
        signatures(&given).contains(&sha256(&key, message.as_bytes()))
    })
}

pub fn dotpay(request: &Request<'_>) -> bool {
    let fields = fields(request.body);
    let mut message = SECRET.as_bytes().to_vec();
    for name in DOTPAY {
        message.extend(values(&fields, name).first().copied().unwrap_or_default());
    }
    let code = Sha256::digest(&message).to_vec();
    let given = values(&fields, "signature");
    given.iter().any(|text| hex(&String::from_utf8_lossy(text)).as_deref() == Some(&code))
}

const DOTPAY: [&str; 26] = [
    "id",
    "operation_number",
    "operation_type",
    "operation_status",
    "operation_amount",
    "operation_currency",
    "operation_withdrawal_amount",
    "operation_commission_amount",
    "is_completed",
    "operation_original_amount",
    "operation_original_currency",
    "operation_datetime",
    "operation_related_number",
    "control",
    "description",
    "email",
    "p_info",
    "p_email",
    "credit_card_issuer_identification_number",
    "credit_card_masked_number",
    "credit_card_brand_codename",
    "credit_card_brand_code",
    "credit_card_id",
    "channel",
    "channel_country",
    "geoip_country",
];

pub fn braintree(request: &Request<'_>) -> bool {
    let fields = fields(request.body);
    let key = Sha1::digest(BRAINTREE.1.as_bytes());
    let payloads = values(&fields, "bt_payload");
    let given = values(&fields, "bt_signature");
    let ours = given.iter().flat_map(|list| list.split(|byte| *byte == b'&')).filter_map(|pair| {
        let text = std::str::from_utf8(pair).ok()?;
        hex(text.strip_prefix(BRAINTREE.0)?.strip_prefix('|')?)
    });
    let ours: Vec<_> = ours.collect();
    payloads.iter().any(|payload| {
        let line = [payload, b"\n".as_slice()].concat();
        ours.contains(&sha1(&key, payload)) || ours.contains(&sha1(&key, &line))
    })
}

/// Nothing is signed: the cipher is known not to be authenticated, and says so in its assurance.
pub fn opayo_form(request: &Request<'_>) -> bool {
    values(&query(request), "crypt").iter().any(|text| text.len() >= 32)
}

/// The gateway said so, and it is for us.
pub fn paypal_ipn(request: &Request<'_>) -> bool {
    let fields = fields(request.body);
    let names = ["receiver_email", "receiver_id", "business"];
    let mut found = names.iter().flat_map(|name| values(&fields, name));
    found.any(|value| value.trim_ascii().eq_ignore_ascii_case(RECEIVER.as_bytes()))
}

pub fn paypal(request: &Request<'_>) -> bool {
    let field = |name: &str| headers(request, &format!("PAYPAL-{name}"));
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &certificates::world().key);
    let crc = crc32fast::hash(request.body);
    field("TRANSMISSION-ID").iter().any(|id| {
        field("TRANSMISSION-TIME").iter().any(|time| {
            let message = format!("{}|{}|{WEBHOOK_ID}|{crc}", id.trim(), time.trim());
            let decoded = field("TRANSMISSION-SIG").into_iter();
            let mut decoded = decoded.filter_map(|text| BASE64.decode(text.trim()).ok());
            decoded.any(|signature| key.verify(message.as_bytes(), &signature).is_ok())
        })
    })
}

/// The digest that Braintree makes a key of.
pub fn sha1_of(text: &[u8]) -> Vec<u8> {
    Sha1::digest(text).to_vec()
}

/// What a request asks to be signed, where the strict pattern allows it.
pub fn challenges(request: &Request<'_>) -> Vec<Vec<u8>> {
    let query = query(request);
    let strict = |value: &&[u8]| {
        let digits = value.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits && (20..=32).contains(&value.len())
    };
    values(&query, "bt_challenge").into_iter().filter(strict).map(<[u8]>::to_vec).collect()
}
