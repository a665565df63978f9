//! Questions to PayPal: notifications that go back, and the API that verifies webhooks.

use std::{collections::BTreeMap, sync::Arc};

use payhook::{
    accounts::{AnswerError, HttpsPostBack, PostBack as _},
    gateway::{self, KeyFields},
    model::{Secret, UnixSeconds},
    verify::{
        CheckTime, Header, KeyRole, NeedsAnswer, Options, Rejection, Request, Step, Unverified,
        Verifier,
    },
};
use serde_json::{Value, json};

use super::{
    Hands,
    stub::{Answer, Seen, Stub},
};
use crate::paypal::{BODY, LIVE_URL, NOW, WEBHOOK_ID, delivery};

fn verifier(gateway: &str, field: &str, keys: &[&str], options: Value) -> Verifier {
    let keys = keys.iter().map(|key| KeyFields {
        label: None,
        role: KeyRole::Current,
        expires_at: None,
        fields: BTreeMap::from([(field.to_owned(), Secret::new(key.as_bytes().to_vec()))]),
    });
    let secret = Secret::new(b"s3cret".to_vec());
    let secrets = BTreeMap::from([("api.client_secret".to_owned(), secret)]);
    let values = options.as_object().unwrap().clone().into_iter().collect();
    let gateway = gateway::find(gateway).unwrap();
    gateway.verifier(keys.collect(), Options::new(values, secrets)).unwrap()
}

fn api(keys: &[&str]) -> Verifier {
    let options = json!({ "verify": "api", "api": { "client_id": "shop" } });
    verifier("paypal", "webhook_id", keys, options)
}

fn needs<'a>(
    verifier: &'a Verifier,
    headers: &'a [Header<'a>],
    body: &'a [u8],
) -> Result<NeedsAnswer<'a>, Rejection> {
    let request = Request { method: "POST", url: "", headers, body };
    match Unverified::new(request).check_with(verifier)? {
        Step::NeedsAnswer(needs) => Ok(needs),
        step => panic!("{step:?}"),
    }
}

/// The label of what a webhook comes to when these answers are handed in.
async fn judged(needs: NeedsAnswer<'_>, post_back: &HttpsPostBack) -> Result<String, AnswerError> {
    let mut answers = Vec::new();
    for question in needs.questions() {
        let answer = post_back.ask(question).await?;
        let counts = needs.accepts(&answer);
        answers.push(answer);
        if counts {
            break;
        }
    }
    let verified = needs.with_answers(answers).run(CheckTime::now(UnixSeconds::new(NOW)));
    Ok(match verified {
        Ok(verified) => verified.evidence().key_label.to_string(),
        Err(rejection) => rejection.label().to_owned(),
    })
}

const IPN: &[u8] = b"payment_status=Completed&txn_id=T1&receiver_email=shop%40example.test&first_name=Jos%E9&charset=windows-1252&mc_gross=1.00&mc_currency=EUR";

#[tokio::test]
async fn a_notification_goes_back_unchanged() {
    let stub = Stub::start(|_| Answer::Body("VERIFIED".to_owned())).await;
    let post_back = HttpsPostBack::new(stub.https(), Hands::at(NOW).clock());
    let shop = verifier("paypal_ipn", "receiver_email", &["Shop@Example.test"], json!({}));
    let verdict = judged(needs(&shop, &[], IPN).unwrap(), &post_back).await;
    assert_eq!(verdict, Ok("key-1".to_owned()), "addresses are compared in any case");
    let seen = stub.seen();
    let text = format!("cmd=_notify-validate&{}", String::from_utf8_lossy(IPN));
    assert_eq!(
        seen,
        [Seen {
            method: "POST".to_owned(),
            target: "/cgi-bin/webscr".to_owned(),
            host: "ipnpb.paypal.com".to_owned(),
            authorization: String::new(),
            content_type: "application/x-www-form-urlencoded".to_owned(),
            body: text,
        }]
    );
}

#[tokio::test]
async fn only_the_exact_answer_confirms_a_notification() {
    let stub = Stub::start(|_| Answer::Body(String::new())).await;
    let post_back = HttpsPostBack::new(stub.https(), Hands::at(NOW).clock());
    let shop = verifier("paypal_ipn", "receiver_email", &["shop@example.test"], json!({}));
    for wrong in ["INVALID", "", "verified", "VERIFIED\n", " VERIFIED", "VERIFIED!", "<html>"] {
        stub.answers(move |_| Answer::Body(wrong.to_owned()));
        let verdict = judged(needs(&shop, &[], IPN).unwrap(), &post_back).await;
        assert_eq!(verdict, Ok("SIGNATURE_MISMATCH".to_owned()), "{wrong:?}");
    }
    for status in [301, 403, 500, 503] {
        stub.answers(move |_| Answer::Status(status, "https://ipnpb.paypal.com/cgi-bin/webscr"));
        let verdict = judged(needs(&shop, &[], IPN).unwrap(), &post_back).await;
        assert!(verdict.unwrap_err().to_string().contains(&status.to_string()));
    }
    stub.down(true);
    assert!(judged(needs(&shop, &[], IPN).unwrap(), &post_back).await.is_err());
}

#[test]
fn a_confirmed_notification_must_be_ours() {
    let verified = |receiver: &str, body: &str| {
        let shop = verifier("paypal_ipn", "receiver_email", &["other", receiver], json!({}));
        let needs = needs(&shop, &[], body.as_bytes()).unwrap();
        let check = needs.with_answers(vec![b"VERIFIED".to_vec()]);
        match check.run(CheckTime::now(UnixSeconds::new(NOW))) {
            Ok(verified) => verified.evidence().key_label.to_string(),
            Err(rejection) => rejection.label().to_owned(),
        }
    };
    assert_eq!(verified("a@b.test", "receiver_email=a%40b.test"), "key-2");
    assert_eq!(verified("MERCHANT1", "receiver_email=x&receiver_id=MERCHANT1"), "key-2");
    assert_eq!(verified("a@b.test", "receiver_email=c%40b.test"), "SIGNATURE_MISMATCH");
    assert_eq!(verified("a@b.test", "business=a%40b.test"), "SIGNATURE_MISMATCH");
    assert_eq!(verified("a@b.test", ""), "SIGNATURE_MISMATCH");
    let twice = "receiver_email=a%40b.test&receiver_email=c%40b.test";
    assert_eq!(verified("a@b.test", twice), "PAYLOAD_MALFORMED");
}

#[test]
fn the_host_follows_the_configuration_and_never_the_body() {
    let sandbox = "ipnpb.sandbox.paypal.com";
    let rows = [
        (json!({}), "ipnpb.paypal.com"),
        (json!({ "environment": "live" }), "ipnpb.paypal.com"),
        (json!({ "environment": "test" }), sandbox),
        (json!({ "post_back_host": sandbox }), sandbox),
    ];
    for (options, host) in rows {
        let shop = verifier("paypal_ipn", "receiver_email", &["shop@example.test"], options);
        let needs = needs(&shop, &[], b"test_ipn=1&receiver_email=shop%40example.test").unwrap();
        assert_eq!(needs.questions()[0].host, host);
    }
}

fn paypal_api(status: &'static str) -> impl Fn(&Seen) -> Answer + Send + Sync {
    move |seen: &Seen| match seen.target.as_str() {
        "/v1/oauth2/token" => {
            Answer::Body(json!({ "access_token": "t0ken", "expires_in": 32_400 }).to_string())
        }
        "/v1/notifications/verify-webhook-signature" => {
            Answer::Body(json!({ "verification_status": status }).to_string())
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_api_gets_the_raw_body_and_a_token_that_is_kept() {
    let stub = Stub::start(paypal_api("SUCCESS")).await;
    let hands = Hands::at(NOW);
    let post_back = HttpsPostBack::new(stub.https(), hands.clock());
    let shop = api(&[WEBHOOK_ID]);
    // Spaces, escapes and an order of its own: none of it may change on its way.
    let body = br#"{ "id" : "WH-\u0041", "b":1.50, "a" : "\/" }"#;
    let headers = delivery("id-1", LIVE_URL, body);
    let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    for _ in 0..3 {
        let verdict = judged(needs(&shop, &fields, body).unwrap(), &post_back).await;
        assert_eq!(verdict, Ok("key-1".to_owned()));
    }
    let seen = stub.seen();
    assert_eq!(seen.len(), 4, "one token for three questions");
    assert_eq!(seen[0].authorization, "Basic c2hvcDpzM2NyZXQ=");
    assert_eq!(seen[0].body, "grant_type=client_credentials");
    assert_eq!(
        (seen[1].authorization.as_str(), seen[1].host.as_str()),
        ("Bearer t0ken", "api-m.paypal.com")
    );
    let raw = String::from_utf8_lossy(body);
    assert!(seen[1].body.ends_with(&format!(",\"webhook_event\":{raw}}}")), "{}", seen[1].body);
    let question: Value = serde_json::from_str(&seen[1].body).unwrap();
    assert_eq!(question["webhook_id"], WEBHOOK_ID);
    assert_eq!(question["transmission_id"], "id-1");
    assert_eq!(question["cert_url"], LIVE_URL);
    assert_eq!(question["auth_algo"], "SHA256withRSA");
    assert_eq!(question["transmission_time"], "2023-11-14T22:13:17Z");
    assert_eq!(question["transmission_sig"], headers[2].1.as_str());
    hands.pass(32_400 - 60);
    judged(needs(&shop, &fields, body).unwrap(), &post_back).await.unwrap();
    assert_eq!(stub.seen().len(), 6, "a token is renewed before its end");
}

#[tokio::test]
async fn many_questions_at_once_share_one_token() {
    let stub = Stub::start(paypal_api("SUCCESS")).await;
    let post_back = Arc::new(HttpsPostBack::new(stub.https(), Hands::at(NOW).clock()));
    let calls = (0..20).map(|_| {
        let post_back = Arc::clone(&post_back);
        tokio::spawn(async move {
            let shop = api(&[WEBHOOK_ID]);
            let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
            let fields: Vec<_> =
                headers.iter().map(|(name, value)| Header { name, value }).collect();
            judged(needs(&shop, &fields, BODY.as_bytes()).unwrap(), &post_back).await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok("key-1".to_owned()));
    }
    let tokens = stub.seen().iter().filter(|seen| seen.target == "/v1/oauth2/token").count();
    assert_eq!(tokens, 1);
}

#[tokio::test]
async fn other_answers_of_the_api_verify_nothing() {
    let stub = Stub::start(paypal_api("FAILURE")).await;
    let post_back = HttpsPostBack::new(stub.https(), Hands::at(NOW).clock());
    let shop = api(&["first", WEBHOOK_ID]);
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let ask = || judged(needs(&shop, &fields, BODY.as_bytes()).unwrap(), &post_back);
    assert_eq!(ask().await, Ok("SIGNATURE_MISMATCH".to_owned()));
    assert_eq!(stub.seen().len(), 3, "a token and a question per key");
    for wrong in [
        "",
        "SUCCESS",
        "\"SUCCESS\"",
        "<html>SUCCESS</html>",
        "{}",
        r#"{"verification_status":"success"}"#,
        r#"{"verification_status":true}"#,
        r#"{"verification_status":"FAILURE","verification_status":"SUCCESS"}"#,
        r#"{"verification_status":"SUCCESS"} x"#,
        r#"[{"verification_status":"SUCCESS"}]"#,
    ] {
        stub.answers(move |_| Answer::Body(wrong.to_owned()));
        assert_eq!(ask().await, Ok("SIGNATURE_MISMATCH".to_owned()), "{wrong}");
    }
    for status in [400, 404, 429, 500] {
        stub.answers(move |_| Answer::Status(status, ""));
        assert!(ask().await.unwrap_err().to_string().contains(&status.to_string()));
    }
    stub.answers(|seen| {
        let ours = seen.body.contains(WEBHOOK_ID);
        let status = if ours { "SUCCESS" } else { "FAILURE" };
        Answer::Body(json!({ "verification_status": status }).to_string())
    });
    assert_eq!(ask().await, Ok("key-2".to_owned()), "the second webhook id is it");
    stub.answers(|_| Answer::Hangs);
    assert!(ask().await.unwrap_err().to_string().contains("3000 ms"));
    stub.down(true);
    assert!(ask().await.is_err());
}

#[tokio::test]
async fn a_token_that_was_taken_back_is_renewed_once() {
    let stub = Stub::start(paypal_api("SUCCESS")).await;
    let post_back = HttpsPostBack::new(stub.https(), Hands::at(NOW).clock());
    let shop = api(&[WEBHOOK_ID]);
    let headers = delivery("id-1", LIVE_URL, BODY.as_bytes());
    let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let ask = || judged(needs(&shop, &fields, BODY.as_bytes()).unwrap(), &post_back);
    ask().await.unwrap();
    let answer = paypal_api("SUCCESS");
    stub.answers(move |seen| match (seen.target.as_str(), seen.authorization.as_str()) {
        ("/v1/oauth2/token", _) => {
            Answer::Body(json!({ "access_token": "new", "expires_in": 9 }).to_string())
        }
        (_, "Bearer new") => answer(seen),
        (_, _) => Answer::Status(401, ""),
    });
    assert_eq!(ask().await, Ok("key-1".to_owned()));
    assert_eq!(stub.seen().len(), 2 + 3);
    stub.answers(|seen| match seen.target.as_str() {
        "/v1/oauth2/token" => {
            Answer::Body(json!({ "access_token": "other", "expires_in": 900 }).to_string())
        }
        _ => Answer::Status(401, ""),
    });
    assert!(ask().await.unwrap_err().to_string().contains("401"));
    for broken in ["", "{}", r#"{"access_token":"a\nb","expires_in":900}"#] {
        stub.answers(move |_| Answer::Body(broken.to_owned()));
        assert!(ask().await.is_err(), "{broken}");
    }
}

#[test]
fn a_body_cannot_bring_members_of_its_own_into_the_question() {
    let shop = api(&[WEBHOOK_ID]);
    for body in [
        r#"{}, "webhook_id": "ATTACKER""#,
        r#"{}, "webhook_id": "ATTACKER", "x": {}"#,
        r#"{} }"#,
        r#"{"#,
        r#""text""#,
        r#"[]"#,
        "1",
        "",
        "\u{feff}{}",
    ] {
        let headers = delivery("id-1", LIVE_URL, body.as_bytes());
        let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
        let refused = needs(&shop, &fields, body.as_bytes()).expect_err(body);
        assert_eq!(refused.label(), "PAYLOAD_MALFORMED", "{body}");
    }
    let headers = delivery("id-1", "https://attacker.example/c", BODY.as_bytes());
    let fields: Vec<_> = headers.iter().map(|(name, value)| Header { name, value }).collect();
    let refused = needs(&shop, &fields, BODY.as_bytes()).expect_err("another host");
    assert_eq!(refused.label(), "CERTIFICATE_UNTRUSTED");
}
