//! No explanation accepts anything, and none takes more than its budget.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use payhook::{
    gateway::GATEWAYS,
    limits::{EXPLAIN_BODY_BYTES_MAX, EXPLAIN_HASHED_BYTES_MAX, EXPLAIN_MACS_MAX},
    model::UnixSeconds,
    verify::{
        CertificateChain, CheckTime, Header, Request, Step, Unverified, Verifier,
        explain::{Cause, Finding, Inquiry, explain},
    },
};
use serde_json::Value;

use super::{Sent, explained, explained_among, key, stripe, verifier_of};
use crate::cases::{self, Case};

/// Explains a refused row among other variants; none where the core does not refuse it.
fn finding(case: &Case, verifier: &Verifier, others: &[(&str, &Verifier)]) -> Option<Finding> {
    let body = case.request.body();
    let headers: Vec<_> =
        case.request.headers.iter().map(|(name, value)| Header { name, value }).collect();
    let (method, url) = (case.request.method.as_str(), case.request.url.as_str());
    let request = Request { method, url, headers: &headers, body: &body };
    let at = CheckTime::now(UnixSeconds::new(case.now));
    let mut chain = None;
    let rejection = match Unverified::new(request).check_with(verifier) {
        Err(rejection) => rejection,
        Ok(Step::Challenge(_)) => return None,
        Ok(Step::Ready(check)) => check.run(at).err()?,
        Ok(Step::NeedsCertificate(needs)) => {
            let pem = case.world.certificates.get(needs.url().as_str())?;
            let served = Arc::new(CertificateChain::from_pem(pem.as_bytes()));
            chain = Some(Arc::clone(&served));
            needs.with_chain(served).run(at).err()?
        }
        Ok(Step::NeedsAnswer(needs)) => {
            let answer = case.world.ipn_response.clone()?.into_bytes();
            needs.with_answers(vec![answer]).run(at).err()?
        }
    };
    if !Finding::is_looked_for(&rejection) {
        return None;
    }
    let inquiry = Inquiry { request, verifier, rejection: &rejection, at, chain, others };
    Some(explain(&inquiry))
}

#[test]
fn every_refused_vector_stays_refused_and_within_the_budget() {
    let mut looked = 0;
    let mut causes = BTreeMap::new();
    for gateway in GATEWAYS {
        let rows = cases::cases(gateway.name);
        let others: Vec<_> = rows.iter().take(20).map(cases::verifier).collect();
        let others: Vec<_> = others.iter().map(|other| ("other", other)).collect();
        for case in rows.iter().filter(|case| case.expect["verdict"] == "rejected") {
            let verifier = cases::verifier(case);
            let before = cases::outcome(case, &verifier);
            for others in [&others[..], &[]] {
                let Some(found) = finding(case, &verifier, others) else { continue };
                looked += 1;
                assert!(found.cost.macs <= EXPLAIN_MACS_MAX, "{}: {found:?}", case.id);
                assert!(
                    found.cost.hashed_bytes <= EXPLAIN_HASHED_BYTES_MAX,
                    "{}: {found:?}",
                    case.id
                );
                assert_eq!(found.hint.lines().count().max(1), 1, "{}: {found:?}", case.id);
                *causes.entry(found.cause).or_insert(0) += 1;
            }
            assert_eq!(cases::outcome(case, &verifier), before, "{}", case.id);
            assert_eq!(before["verdict"], "rejected", "{}", case.id);
        }
    }
    assert!(looked >= 400, "only {looked} refusals were explained");
    assert!(causes.len() >= 8, "{causes:?}");
}

/// As many keys, repairs and neighbours as there may be: the budget ends it, not the list.
#[test]
fn the_budget_ends_a_search_that_would_go_on() {
    let secret = |n: usize| format!("whsec_budget_secret_{n:04}").into_bytes();
    let keys = |from: usize| {
        let four = (from..from + 4).map(secret);
        four.map(|secret| key(&[("endpoint_secret", secret.as_slice())])).collect::<Vec<_>>()
    };
    let verifier = verifier_of("stripe", keys(0), &Value::Null);
    let others: Vec<_> =
        (1..40).map(|n| verifier_of("stripe", keys(n * 4), &Value::Null)).collect();
    let others: Vec<_> = others.iter().map(|other| ("other", other)).collect();
    let body = |bytes: usize| {
        let text = "ü/&<".repeat(bytes / 5);
        format!("{{\"id\": \"evt_1\", \"text\": [\"{text}\"]}}")
    };
    let signed =
        |body: String| Sent::by(&stripe(b"whsec_signed_with_another"), b"{}").with_body(body);
    let small = explained_among(&signed(body(100)), &verifier, &others, None);
    assert_eq!(small.cost.macs, EXPLAIN_MACS_MAX, "{small:?}");
    assert!(small.cost.hashed_bytes < EXPLAIN_HASHED_BYTES_MAX, "{small:?}");
    let large =
        explained_among(&signed(body(EXPLAIN_BODY_BYTES_MAX - 100)), &verifier, &others, None);
    assert!(large.cost.macs < EXPLAIN_MACS_MAX, "{large:?}");
    let left = EXPLAIN_HASHED_BYTES_MAX - large.cost.hashed_bytes;
    assert!(left <= EXPLAIN_BODY_BYTES_MAX + 100, "{large:?}");
    let skipped = explained(&signed(body(EXPLAIN_BODY_BYTES_MAX + 100)), &verifier);
    assert_eq!((skipped.cost.macs, skipped.cost.hashed_bytes), (0, 0), "{skipped:?}");
    assert!(skipped.hint.contains("too large"), "{skipped:?}");
}

#[test]
fn the_page_for_operators_has_every_cause_once() {
    let page = include_str!("../../../docs/troubleshooting.md");
    for cause in Cause::ALL {
        let row = format!("| `{}` |", cause.label());
        assert_eq!(page.matches(&row).count(), 1, "{row}");
    }
}

/// What looks for causes can make no proof: it does not even name what one is made of.
#[test]
fn the_search_names_nothing_that_makes_a_proof() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/verify/explain");
    let mut read = 0;
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let source = fs::read_to_string(&path).expect("source");
        read += 1;
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for word in ["Verified", "Evidence", ".run(", "unsafe"] {
                let found = line.replace("Unverified", "").contains(word);
                assert!(!found, "{}: {line}", path.display());
            }
        }
    }
    assert!(read >= 9, "only {read} files");
}
