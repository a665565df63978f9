//! Webhooks as they arrive. The first byte of an input chooses the setup; then come a method and a
//! URL in one line, headers in lines, an empty line, and the body.

use std::sync::Arc;

use payhook::{
    model::UnixSeconds,
    verify::{
        Assurance, CertificateChain, CheckTime, Draft, Header, Rejection, Request, SignError, Step,
        Unverified, Verifier,
    },
};

use super::{
    NOW, certificates, events,
    proofs::{self, BRAINTREE},
    setups::{Setup, choose},
    texts,
};

/// The parts of an input; `None` where its head is no text.
pub fn read(input: &[u8]) -> Option<(&str, &str, Vec<Header<'_>>, &[u8])> {
    let end = input.windows(2).position(|pair| pair == b"\n\n").unwrap_or(input.len());
    let (head, body) = input.split_at(end);
    let mut lines = std::str::from_utf8(head).ok()?.split('\n');
    let (method, url) = lines.next()?.split_once(' ').unwrap_or(("POST", ""));
    let headers = lines.filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| match value {
        "genuine" => Header { name, value: certificates::world().genuine() },
        value => Header { name, value },
    });
    Some((method, url, headers.collect(), body.get(2..).unwrap_or_default()))
}

/// A request that somebody sends.
pub fn requests(data: &[u8]) {
    let Some((byte, input)) = data.split_first() else { return };
    let (setup, verifier) = choose(*byte, |_| true);
    let Some((method, url, headers, body)) = read(input) else { return };
    let request = Request { method, url, headers: &headers, body };
    let _ = verify(setup, verifier, request);
}

/// Any payload under a genuine signature, so that what reads it is reached: JSON.
pub fn signed(data: &[u8]) {
    let _ = sign(data, is_json);
}

/// The same for XML and forms.
pub fn signed_other(data: &[u8]) {
    let _ = sign(data, is_other);
}

/// Whether a setup's payload is JSON.
pub fn is_json(setup: &Setup) -> bool {
    !is_other(setup)
}

/// Whether a setup's payload is XML or a form.
pub fn is_other(setup: &Setup) -> bool {
    matches!(setup.gateway, "braintree" | "dotpay" | "opayo_form" | "paypal_ipn")
}

/// Signs and verifies; `None` where an input cannot be signed.
pub fn sign(data: &[u8], among: fn(&Setup) -> bool) -> Option<Result<(), Rejection>> {
    let (byte, input) = data.split_first()?;
    let (setup, verifier) = choose(*byte, among);
    let (_, url, headers, payload) = read(input)?;
    let draft = Draft { url, headers: &headers, payload };
    let now = UnixSeconds::new(NOW);
    let signed = match setup.gateway {
        "paypal" => {
            let make = |message: &[u8]| Some(certificates::world().sign(message));
            let url = certificates::GENUINE.url;
            let mut beside = vec![Header { name: "PAYPAL-CERT-URL", value: url }];
            beside.extend(headers.iter().copied().filter(|it| !it.name.starts_with("PAYPAL-CERT")));
            verifier.sign_with(Draft { headers: &beside, ..draft }, now, &make)
        }
        _ => verifier.sign(draft, now),
    };
    let signed = match signed {
        Ok(signed) => signed,
        Err(SignError::PartMissing) => return None,
        Err(error) => panic!("{}: {error}", setup.gateway),
    };
    let headers: Vec<_> =
        signed.headers.iter().map(|(name, value)| Header { name, value }).collect();
    let request =
        Request { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    let outcome = verify(setup, verifier, request);
    // Adyen's items are written anew when they are signed, and numbers may look different then. A
    // cipher text whose plain text lacks what it must hold counts as made by another key, and what
    // PayPal confirms for another receiver is not ours.
    if let Err(rejection) = &outcome
        && !matches!(setup.gateway, "adyen" | "opayo_form" | "paypal_ipn")
    {
        assert_ne!(rejection.label(), "SIGNATURE_MISMATCH", "{}: {request:?}", setup.gateway);
    }
    Some(outcome)
}

/// Verifies and reads; panics where a fact does not hold.
pub fn verify(setup: &Setup, verifier: &Verifier, request: Request<'_>) -> Result<(), Rejection> {
    let mut answer = "VERIFIED";
    let check = match Unverified::new(request).check_with(verifier)? {
        Step::Challenge(text) => {
            challenge(request, &text);
            return Ok(());
        }
        Step::NeedsAnswer(needs) => {
            let said = request.headers.iter().find(|header| header.name == "X-Answer");
            answer = said.map_or(answer, |header| header.value);
            needs.with_answers(vec![answer.as_bytes().to_vec()])
        }
        Step::NeedsCertificate(needs) => {
            assert!(texts::may_be_asked(needs.url().as_str()), "{:?}", needs.url().as_str());
            let chain = CertificateChain::from_pem(certificates::world().chain.as_bytes());
            needs.with_chain(Arc::new(chain))
        }
        Step::Ready(check) => check,
    };
    let verified = check.run(CheckTime::now(UnixSeconds::new(NOW)))?;
    assert!((setup.proof)(&request), "{}: verified without a signature", setup.gateway);
    assert_eq!(answer, "VERIFIED", "the gateway did not say so");
    let evidence = verified.evidence();
    assert_eq!(evidence.assurance, verifier.scheme().assurance);
    assert_eq!(setup.gateway == "opayo_form", evidence.assurance == Assurance::EncryptedOnly);
    if let (Some(window), Some(age)) = (verifier.tolerance_seconds(), evidence.age_seconds) {
        assert!((-window..=window).contains(&age), "{age} seconds old, allowed are {window}");
    }
    events::read(setup.gateway(), &verified);
    Ok(())
}

/// A challenge is answered for a GET and the strict pattern, with the code of what was asked.
fn challenge(request: Request<'_>, text: &str) {
    assert!(request.method.eq_ignore_ascii_case("GET"), "{:?} answered", request.method);
    let key = proofs::sha1_of(BRAINTREE.1.as_bytes());
    let asked = proofs::challenges(&request);
    let answers = asked.iter().map(|value| {
        let code = proofs::sha1(&key, value);
        let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}|{code}", BRAINTREE.0)
    });
    assert!(answers.into_iter().any(|answer| answer == text), "{text} answers nothing");
}
