//! Certificate URLs: only one pattern is ever asked for, whatever a parser would make of the rest.

use payhook::verify::{Header, Rejection, Request, Step, Unverified, Verifier};
use serde_json::json;

use super::{BODY, delivery, verifier};

const HOSTS: &[&str] = &[
    "attacker.example",
    "api.paypal.com.attacker.example",
    "api.paypal.com@attacker.example",
    "api.paypal.com:443@attacker.example",
    "attacker.example/api.paypal.com",
    "attacker.example#api.paypal.com",
    "attacker.example?api.paypal.com",
    "attacker.example\\api.paypal.com",
    "api.paypal.com\\@attacker.example",
    "evilapi.paypal.com",
    "api.paypal.com.",
    "api.paypal.com..",
    "API.PAYPAL.COM",
    "Api.paypal.com",
    "api.PayPal.com",
    "api。paypal。com",
    "api．paypal．com",
    "api.paypal.ｃom",
    "api.p\u{430}ypal.com",
    "xn--api-paypal.com",
    "api.xn--pypal-4ve.com",
    "api.pay\u{ad}pal.com",
    "api.pay\tpal.com",
    "api.pay\u{200b}pal.com",
    "api.paypal.com%00",
    "api.paypal.com%2f",
    "api%2epaypal%2ecom",
    "user:pass@api.paypal.com",
    "@api.paypal.com",
    "api.paypal.com:80",
    "api.paypal.com:8443",
    "api.paypal.com:0443",
    "api.paypal.com:443:443",
    "api.paypal.com:",
    "api.paypal.com:+443",
    "api.paypal.com:4430",
    "api.paypal.com:443.attacker.example",
    "www.paypal.com",
    "paypal.com",
    "sandbox.paypal.com",
    "api-3t.paypal.com",
    "api.sandbox.paypal.com.evil.example",
    "apixpaypal.com",
    "api-m.paypal.com.evil.example",
    "127.0.0.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "169.254.169.254",
    "localhost",
    "metadata.google.internal",
    "0",
    "",
    " api.paypal.com",
    "api.paypal.com ",
    "api.paypal.com,attacker.example",
    "api.paypal.com;attacker.example",
    "api.paypal.com&attacker.example",
    "*.paypal.com",
];

const PATHS: &[&str] = &[
    "",
    "/",
    "/v1/notifications/certs",
    "/v1/notifications/certs/",
    "/v1/notifications/cert/C",
    "/v2/notifications/certs/C",
    "/V1/notifications/certs/C",
    "//v1/notifications/certs/C",
    "/v1//notifications/certs/C",
    "/v1/notifications/certs//C",
    "/v1/notifications/certs/C/",
    "/v1/notifications/certs/C/D",
    "/v1/notifications/certs/../../../x",
    "/v1/notifications/certs/..",
    "/v1/notifications/certs/.",
    "/v1/notifications/certs/%2e%2e",
    "/v1/notifications/certs/..%2fx",
    "/v1/notifications/certs/..\\x",
    "/v1/notifications/certs/C?u=https://attacker.example",
    "/v1/notifications/certs/C#x",
    "/v1/notifications/certs/C;x",
    "/v1/notifications/certs/C.pem",
    "/v1/notifications/certs/C%00",
    "/v1/notifications/certs/C\u{0}",
    "/v1/notifications/certs/C\tx",
    "/v1/notifications/certs/C\u{b}x",
    "/v1/notifications/certs/Ć",
    "/v1/notifications/certs/C D",
    "/v1/notifications/certs/C|D",
    "/v1/notifications/certs/C,D",
    "/v1/notifications/certs/@attacker.example",
    "/x/../v1/notifications/certs/C",
    "/redirect?u=/v1/notifications/certs/C",
    "/v1/notifications/certs\\C",
    "/v1/notifications/verify-webhook-signature",
];

const SCHEMES: &[&str] = &[
    "http://",
    "HTTPS://",
    "https:/",
    "https:",
    "https:///",
    "https:\\\\",
    "//",
    "",
    "ftp://",
    "file://",
    "gopher://",
    "data:text/plain,",
    "javascript:",
    "https://https://",
    "httpss://",
    "https ://",
    "view-source:https://",
    "jar:https://",
    "ldap://",
    "unix:/",
];

const WHOLE: &[&str] = &[
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data/",
    "https://attacker.example/#@api.paypal.com/v1/notifications/certs/C",
    "https://www.paypal.com/redirect?u=https://attacker.example/c.pem",
];

/// What gets lost, turns into something else, or ends a text in one parser or another.
const ODD: &[&str] = &[
    "\t", "\u{b}", " ", "\u{a0}", "\u{ad}", "\u{200b}", "\u{feff}", "\u{2024}", "。", "%", "%00",
    "%09", "%2e", "%2f", "%40", "\\", "@", "#", "?", "'", "<", "\u{7f}",
];

/// An odd text at every seam of a good URL.
fn at_every_seam() -> impl Iterator<Item = String> {
    let parts = ["https:", "//", "api", ".", "paypal", ".com", "/v1/", "notifications/certs/", "C"];
    ODD.iter().flat_map(move |odd| {
        (1..=parts.len()).filter_map(move |at| {
            let (start, end) = parts.split_at(at);
            // A blank at the end is no part of a header's value.
            let padding = end.is_empty() && matches!(*odd, " " | "\t");
            (!padding).then(|| format!("{}{odd}{}", start.concat(), end.concat()))
        })
    })
}

/// What must never be asked for.
pub(crate) fn hostile() -> Vec<String> {
    let path = "/v1/notifications/certs/CERT-1";
    let long = format!("https://api.paypal.com/v1/notifications/certs/{}", "C".repeat(129));
    let by_host = HOSTS.iter().map(|host| format!("https://{host}{path}"));
    let by_path = PATHS.iter().map(|path| format!("https://api.paypal.com{path}"));
    let by_scheme = SCHEMES.iter().map(|scheme| format!("{scheme}api.paypal.com{path}"));
    let whole = WHOLE.iter().map(|url| (*url).to_owned());
    let listed = by_host.chain(by_path).chain(by_scheme).chain(whole).chain([long]);
    listed.chain(at_every_seam()).collect()
}

/// The URL that a check would ask for.
fn asked(verifier: &Verifier, url: &str) -> Result<(String, String), Rejection> {
    let headers = delivery("id-1", url, BODY.as_bytes());
    let headers: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let request = Request { method: "POST", url: "", headers: &headers, body: BODY.as_bytes() };
    match Unverified::new(request).check_with(verifier)? {
        Step::NeedsCertificate(needs) => {
            Ok((needs.url().host().to_owned(), needs.url().target().to_owned()))
        }
        step => panic!("{step:?}"),
    }
}

#[test]
fn hostile_urls_are_refused_before_anything_is_asked() {
    let verifier = verifier(json!({}));
    let urls = hostile();
    assert!(urls.len() >= 300, "{} URLs", urls.len());
    for url in &urls {
        // A blank or padded value is trimmed like every header's; what is left must not match.
        let refused = asked(&verifier, url).expect_err(url);
        assert_eq!(refused.label(), "CERTIFICATE_UNTRUSTED", "{url:?}");
    }
}

#[test]
fn the_four_hosts_are_asked_with_and_without_their_port() {
    for host in
        ["api.paypal.com", "api-m.paypal.com", "api.sandbox.paypal.com", "api-m.sandbox.paypal.com"]
    {
        for port in ["", ":443"] {
            let url = format!("https://{host}{port}/v1/notifications/certs/CERT_a-9");
            let target = "/v1/notifications/certs/CERT_a-9".to_owned();
            assert_eq!(asked(&verifier(json!({})), &url), Ok((host.to_owned(), target)));
            let live = asked(&verifier(json!({ "environment": "live" })), &url);
            assert_eq!(live.is_ok(), !host.contains("sandbox"), "{url}");
            let only = json!({ "allowed_cert_hosts": ["api.paypal.com"] });
            assert_eq!(asked(&verifier(only), &url).is_ok(), host == "api.paypal.com", "{url}");
        }
    }
}

#[test]
fn other_hosts_need_an_option_that_says_insecure() {
    let url = "https://certs.example/v1/notifications/certs/C";
    let insecure = json!({ "insecure_cert_hosts": ["certs.example"] });
    assert!(asked(&verifier(insecure), url).is_ok());
    let refused = |options| super::try_verifier(options).expect_err("refused").to_string();
    let other = refused(json!({ "allowed_cert_hosts": ["certs.example"] }));
    assert!(other.contains("allowed_cert_hosts") && other.contains("api-m.paypal.com"), "{other}");
    for bad in ["https://certs.example", "certs.example:443", "Certs.example", "", "a/b", "a@b"] {
        let refused = refused(json!({ "insecure_cert_hosts": [bad] }));
        assert!(refused.contains("insecure_cert_hosts"), "{bad}: {refused}");
    }
}
