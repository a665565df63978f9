//! Certificates by URL: fetched once, kept through an outage, refused where they are none.

use std::{sync::Arc, time::Duration};

use payhook::accounts::{CertificateError, CertificateSource as _, HttpsCertificates};

use super::{
    Hands, cert_url,
    stub::{Answer, Stub},
};
use crate::paypal::{NOW, root};

const DAY: i64 = 86_400;

struct World {
    stub: Stub,
    hands: Hands,
    certificates: HttpsCertificates,
}

async fn world(answer: Answer) -> World {
    let stub = Stub::start(move |_| answer.clone()).await;
    let hands = Hands::at(NOW);
    let certificates = HttpsCertificates::new(stub.https(), hands.clock());
    World { stub, hands, certificates }
}

impl World {
    /// The chain's end, or why there is none.
    async fn chain(&self, id: &str) -> Result<Option<i64>, CertificateError> {
        let chain = self.certificates.chain(&cert_url(id)).await?;
        Ok(chain.not_after().map(|end| end.get()))
    }
}

/// A chain, and the moment of its end: 2025-01-01.
fn pem() -> String {
    root(|_| {}).leaf(|_| {})
}

const END: i64 = 1_735_689_600;

#[tokio::test]
async fn many_calls_make_one_fetch_of_exactly_the_url() {
    let world = Arc::new(world(Answer::Body(pem())).await);
    let calls = (0..100).map(|_| {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.chain("CERT_1-a").await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), Ok(Some(END)));
    }
    let seen = world.stub.seen();
    assert_eq!((seen.len(), world.stub.connections()), (1, 1));
    assert_eq!(seen[0].method, "GET");
    assert_eq!(seen[0].target, "/v1/notifications/certs/CERT_1-a");
    assert_eq!((seen[0].host.as_str(), seen[0].body.as_str()), ("api.paypal.com", ""));
    assert_eq!(seen[0].authorization, "");
    world.chain("CERT-2").await.unwrap();
    assert_eq!(world.stub.connections(), 2, "another URL is another certificate");
}

#[tokio::test]
async fn the_last_good_certificate_serves_through_an_outage_until_it_ends() {
    let world = world(Answer::Body(pem())).await;
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    world.stub.down(true);
    world.hands.pass(DAY - 1);
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    assert_eq!(world.stub.connections(), 1, "kept for a day");
    world.hands.pass(1);
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)), "the host is out of reach");
    assert_eq!(world.stub.connections(), 2);
    for _ in 0..10 {
        assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    }
    assert_eq!(world.stub.connections(), 2, "and is left alone for half a minute");
    world.hands.pass(30);
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    assert_eq!(world.stub.connections(), 3);
    world.hands.pass(END - NOW);
    assert!(world.chain("CERT-1").await.is_err(), "it has ended");
    world.stub.down(false);
}

#[tokio::test]
async fn a_failure_is_remembered_for_half_a_minute_and_not_longer() {
    let world = world(Answer::Body(pem())).await;
    world.stub.down(true);
    for _ in 0..10 {
        assert!(world.chain("CERT-1").await.is_err());
    }
    assert_eq!(world.stub.connections(), 1);
    world.stub.down(false);
    world.hands.pass(29);
    assert!(world.chain("CERT-1").await.is_err());
    assert_eq!(world.stub.connections(), 1);
    world.hands.pass(1);
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)), "the first call after it ran out");
    assert_eq!(world.stub.connections(), 2);
}

#[tokio::test]
async fn what_is_no_certificate_never_replaces_one() {
    let world = world(Answer::Body("<html>busy</html>".to_owned())).await;
    assert_eq!(world.chain("CERT-1").await, Ok(None), "served, but nothing to trust");
    assert_eq!(world.chain("CERT-1").await, Ok(None));
    assert_eq!(world.stub.connections(), 1);
    world.hands.pass(30);
    let pem = pem();
    world.stub.answers(move |_| Answer::Body(pem.clone()));
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    world.hands.pass(DAY);
    world.stub.answers(|_| Answer::Body("<html>busy</html>".to_owned()));
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)), "the last good one serves on");
}

#[tokio::test]
async fn redirects_errors_and_floods_are_no_answers() {
    let rows = [
        (Answer::Status(301, "https://api.paypal.com/v1/notifications/certs/X"), "301"),
        (Answer::Status(302, "http://127.0.0.1/"), "302"),
        (Answer::Status(404, ""), "404"),
        (Answer::Status(204, ""), "204"),
        (Answer::Status(503, ""), "503"),
        (Answer::Body("x".repeat(64 * 1024 + 1)), "65536"),
    ];
    for (answer, problem) in rows {
        let world = world(answer).await;
        let error = world.chain("CERT-1").await.expect_err(problem).to_string();
        assert!(error.contains(problem), "{error}");
        assert_eq!(world.stub.connections(), 1, "a redirect is not followed");
    }
    let world = world(Answer::Body("x".repeat(64 * 1024))).await;
    assert_eq!(world.chain("CERT-1").await, Ok(None), "as much as allowed");
}

#[tokio::test]
async fn a_host_that_hangs_is_left_after_three_seconds() {
    let world = world(Answer::Hangs).await;
    let began = std::time::Instant::now();
    let error = world.chain("CERT-1").await.expect_err("no answer").to_string();
    assert!(error.contains("3000 ms"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_break_the_fetch_off() {
    let world = world(Answer::Body(pem())).await;
    let url = cert_url("CERT-1");
    {
        let mut call = world.certificates.chain(&url);
        let polled = tokio::select! {
            biased;
            done = &mut call => Some(done),
            () = std::future::ready(()) => None,
        };
        assert!(polled.is_none(), "the caller leaves while the fetch is under way");
    }
    assert_eq!(world.chain("CERT-1").await, Ok(Some(END)));
    assert_eq!(world.stub.connections(), 1);
}

#[tokio::test]
async fn a_host_with_another_certificate_of_its_own_is_not_believed() {
    let other = Stub::start(|_| Answer::Body(pem())).await;
    let stub = Stub::start(|_| Answer::Body(pem())).await;
    // The roots of one host, the connections of the other.
    let certificates = HttpsCertificates::new(other.https(), Hands::at(NOW).clock());
    assert!(certificates.chain(&cert_url("CERT-1")).await.is_ok());
    let crossed = payhook::accounts::Https::new(
        {
            let address = stub.address();
            Arc::new(move |_| Box::pin(tokio::net::TcpStream::connect(address)))
        },
        other.roots(),
    );
    let certificates = HttpsCertificates::new(crossed, Hands::at(NOW).clock());
    assert!(certificates.chain(&cert_url("CERT-1")).await.is_err());
    assert_eq!(stub.seen().len(), 0, "nothing was asked of it");
}

#[tokio::test]
async fn made_up_ids_do_not_push_out_the_certificate_in_use() {
    let good = pem();
    let stub = Stub::start(move |seen| {
        if seen.target.ends_with("/GOOD") {
            Answer::Body(good.clone())
        } else {
            Answer::Status(404, "")
        }
    })
    .await;
    let certificates = HttpsCertificates::new(stub.https(), Hands::at(NOW).clock());
    let good = cert_url("GOOD");
    assert!(certificates.chain(&good).await.is_ok());
    for number in 0..300 {
        assert!(certificates.chain(&cert_url(&format!("MADE-UP-{number}"))).await.is_err());
        assert!(certificates.chain(&good).await.is_ok());
    }
    let fetched = stub.seen().iter().filter(|seen| seen.target.ends_with("/GOOD")).count();
    assert_eq!(fetched, 1);
}
