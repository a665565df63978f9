//! Every gateway's samples, signed and checked at the core: the demo rests on them.

use std::collections::BTreeMap;

use payhook::{
    gateway::GATEWAYS,
    model::UnixSeconds,
    verify::{CheckTime, Draft, Header, Request, SignError, Step, Unverified},
};

use crate::cases;

const NOW: UnixSeconds = UnixSeconds::new(1_790_000_000);

#[test]
fn every_sample_is_signed_verified_and_means_what_it_says() {
    for gateway in GATEWAYS {
        assert!(!gateway.samples.is_empty(), "{} has samples", gateway.name);
        let mut case = cases::cases(gateway.name)
            .into_iter()
            .find(|case| case.expect["verdict"] == "verified")
            .expect("a gateway has accepted vectors");
        case.variant.options = gateway.example();
        assert_eq!(case.variant.options.is_empty(), gateway.example_options.is_empty());
        let verifier = cases::verifier(&case);
        for sample in gateway.samples {
            let draft = Draft {
                url: "https://shop.example/payments/process/demo/",
                headers: &[],
                payload: sample.payload.as_bytes(),
            };
            let signed = match verifier.sign(draft, NOW) {
                // Only the gateway has the key: the demo makes a certificate of its own.
                Err(SignError::KeyNotOurs) => continue,
                other => other.unwrap_or_else(|error| panic!("{}: {error}", gateway.name)),
            };
            let headers: Vec<_> =
                signed.headers.iter().map(|(name, value)| Header { name, value }).collect();
            let request =
                Request { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
            let step = Unverified::new(request).check_with(&verifier);
            let check = match step {
                Ok(Step::Ready(check)) => check,
                Ok(Step::NeedsAnswer(needs)) => needs.with_answers(vec![b"VERIFIED".to_vec()]),
                other => panic!("{} {}: {other:?}", gateway.name, sample.title),
            };
            let verified = check.run(CheckTime::now(NOW)).unwrap_or_else(|error| {
                panic!("{} {}: {error}", gateway.name, sample.title);
            });
            let events = (gateway.parse)(&verified).unwrap_or_else(|error| {
                panic!("{} {}: {error}", gateway.name, sample.title);
            });
            let [event] = &events[..] else { panic!("{} {}", gateway.name, sample.title) };
            let read = (event.event_type, event.status);
            assert_eq!(read, (sample.event_type, sample.status), "{}", sample.title);
        }
    }
}

#[test]
fn titles_of_a_gateways_samples_differ() {
    for gateway in GATEWAYS {
        let titles: BTreeMap<_, _> = gateway.samples.iter().map(|s| (s.title, ())).collect();
        assert_eq!(titles.len(), gateway.samples.len(), "{}", gateway.name);
    }
}
