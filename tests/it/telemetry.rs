//! What is scraped: stable names, series that callers cannot multiply, and counts that are right.

use std::time::Duration;

use payhook::{
    proto::ErrorReason,
    service::status::reason_name,
    telemetry::{Metrics, Name, OUTCOMES, Readings},
    verify::KeyRole,
};

use crate::{admin::get, cases, serving};

/// Lines of a scrape that hold values.
async fn scraped(running: &payhook::server::Running) -> Vec<String> {
    let admin = running.admin().expect("an admin listener");
    let text = tokio::task::spawn_blocking(move || get(admin, "/metrics"));
    let text = text.await.expect("scraped");
    let (_, body) = text.split_once("\r\n\r\n").expect("a head");
    body.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

fn value(lines: &[String], series: &str) -> i64 {
    let line = lines.iter().find_map(|line| line.strip_prefix(series));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{}", lines.join("\n")));
    line.trim().parse().expect("a whole number")
}

#[test]
fn every_reason_is_an_outcome_of_its_own() {
    for number in 1..i32::MAX {
        let Ok(reason) = ErrorReason::try_from(number) else {
            assert!(number > 18, "reasons are numbered without gaps");
            break;
        };
        assert!(OUTCOMES.contains(&reason_name(reason)), "{}", reason.as_str_name());
    }
}

#[test]
fn every_metric_is_described_under_its_name() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/deploy.md");
    let docs = std::fs::read_to_string(docs).expect("the page exists");
    let text = Metrics::default().text(Readings::default());
    for name in Name::ALL {
        let help = format!("# HELP {} {}", name.as_str(), name.help());
        assert!(text.contains(&help), "{help} in\n{text}");
        assert!(docs.contains(&format!("`{}`", name.as_str())), "docs/deploy.md: {help}");
    }
}

#[tokio::test]
async fn verdicts_and_keys_are_counted_by_variant() {
    let case = cases::cases("stripe").remove(0);
    let mut spec = serving::spec(&case, "shop");
    spec.keys[0].role = KeyRole::Previous;
    spec.keys[0].label = Some("old".to_owned());
    let clock = serving::frozen(case.now);
    let running = serving::start(vec![spec], clock, serving::settings());
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "shop");
    for _ in 0..3 {
        let request = serving::request(webhook.clone());
        client.verify_and_parse(request).await.expect("genuine");
    }
    webhook.headers.clear();
    client.verify_and_parse(serving::request(webhook)).await.expect_err("unsigned");
    let lines = scraped(&running).await;
    let verdicts = |outcome: &str| {
        let labels = format!("variant=\"shop\",gateway=\"stripe\",outcome=\"{outcome}\"");
        value(&lines, &format!("payhook_verifications_total{{{labels}}}"))
    };
    assert_eq!((verdicts("verified"), verdicts("SIGNATURE_MISSING")), (3, 1));
    assert_eq!(value(&lines, "payhook_previous_key_used_total{variant=\"shop\"}"), 3);
    assert_eq!(value(&lines, "payhook_verification_seconds_count"), 4);
    let key = "{variant=\"shop\",key=\"old\",role=\"previous\"}";
    assert_eq!(value(&lines, &format!("payhook_key_last_used_seconds{key}")), case.now);
    assert_eq!(value(&lines, &format!("payhook_key_loaded_seconds{key}")), case.now);
    assert_eq!(value(&lines, "payhook_secret_reads_total"), 1);
}

#[tokio::test]
async fn callers_cannot_make_series() {
    let case = cases::cases("stripe").remove(0);
    let specs = vec![serving::spec(&case, "shop")];
    let running = serving::start(specs, serving::frozen(case.now), serving::settings());
    let mut client = serving::client(&running).await;
    let mut webhook = serving::webhook(&case, "shop");
    let mut counts = Vec::new();
    for round in 0..2 {
        for number in 0..300 {
            webhook.variant = format!("made-up-{round}-{number}");
            let request = serving::request(webhook.clone());
            client.verify_and_parse(request).await.expect_err("no such variant");
        }
        counts.push(scraped(&running).await.len());
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] <= 40 + 12, "{} series", counts[0]);
    let labels = "{variant=\"_unknown\",gateway=\"\",outcome=\"VARIANT_UNKNOWN\"}";
    let lines = scraped(&running).await;
    assert_eq!(value(&lines, &format!("payhook_verifications_total{labels}")), 600);
}

#[test]
fn series_end_with_their_variant_and_go_on_with_it() {
    let metrics = Metrics::default();
    for variant in ["stays", "goes"] {
        metrics.verdict(variant, "stripe", "verified");
    }
    metrics.configured([("stays", "stripe"), ("new", "adyen")].into_iter());
    metrics.verdict("stays", "stripe", "verified");
    metrics.took(Duration::from_micros(7));
    let text = metrics.text(Readings::default());
    let stays = "{variant=\"stays\",gateway=\"stripe\",outcome=\"verified\"} 2";
    assert!(text.contains(stays) && !text.contains("goes"), "{text}");
    assert!(text.contains("payhook_verification_seconds_bucket{le=\"0.00001\"} 1"), "{text}");
}
