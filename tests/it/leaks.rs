//! Secrets and card numbers planted everywhere; logs at TRACE, errors and metrics hold none.

use std::{
    io::Write,
    sync::{Arc, Mutex, OnceLock},
};

use payhook::{
    accounts::SecretRef,
    model::Secret,
    proto::{self, map_status_request::Source},
};
use tracing_subscriber::{
    Layer as _, filter::Targets, fmt::MakeWriter, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{admin, cases, serving};

/// Everything that was logged by the whole test binary since the first look.
#[derive(Clone)]
pub(crate) struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

pub(crate) fn logs() -> Sink {
    static SINK: OnceLock<Sink> = OnceLock::new();
    let sink = SINK.get_or_init(|| {
        let sink = Sink(Arc::default());
        let filter: Targets = "payhook=trace,tonic=trace,hyper=debug".parse().expect("targets");
        let logs = tracing_subscriber::fmt::layer().with_writer(sink.clone());
        tracing_subscriber::registry().with(logs.with_filter(filter)).init();
        sink
    });
    sink.clone()
}

/// What was logged so far.
pub fn text(sink: &Sink) -> String {
    String::from_utf8_lossy(&sink.0.lock().unwrap()).into_owned()
}

const SECRET: &str = "whsec_CANARY_secret_that_nobody_may_see";
const CARD: &str = "4242CANARY4242";

#[tokio::test]
async fn nothing_that_was_planted_is_seen_anywhere() {
    let sink = logs();
    let case = cases::cases("stripe").remove(0);
    let mut spec = serving::spec(&case, "shop");
    let planted = SecretRef::Inline(Secret::new(SECRET.as_bytes().to_vec()));
    spec.keys[0].fields.insert("endpoint_secret".to_owned(), planted);
    let short = SecretRef::Inline(Secret::new(b"CANARY".to_vec()));
    let mut broken = serving::spec(&case, "broken");
    broken.keys[0].fields.insert("endpoint_secret".to_owned(), short);
    let running = serving::start(vec![spec, broken], serving::frozen(0), serving::settings());
    let mut client = serving::client(&running).await;
    let header = |name: &str, value: String| proto::HttpHeader { name: name.to_owned(), value };
    let mut seen = String::new();
    for variant in ["shop", "broken", CARD, "nobody/../CANARY"] {
        for value in [format!("t=0,v1={CARD}"), CARD.to_owned(), format!("t={CARD},v1=00")] {
            let webhook = proto::WebhookRequest {
                variant: variant.to_owned(),
                body: format!("{{\"card\":\"{CARD}\",\"id\":\"{SECRET}\"}}").into(),
                headers: vec![
                    header("Stripe-Signature", value),
                    header("Authorization", format!("Bearer {SECRET}")),
                    header("X-Card", CARD.to_owned()),
                ],
                url: format!("https://shop.example/?card={CARD}"),
                ..proto::WebhookRequest::default()
            };
            let request = serving::request(webhook.clone());
            let status = client.verify_and_parse(request).await.expect_err("no signature of ours");
            // The variant is the caller's own word, and is told back to the caller alone.
            let told = format!("{} {:?}", status.message(), serving::diagnostics(&status));
            seen.push_str(&told.replace(&format!("variant: {variant:?}"), ""));
            let source = Some(Source::Webhook(webhook));
            let request = proto::MapStatusRequest { source, current: None };
            let status = client.map_status(request).await.expect_err("no signature of ours");
            seen.push_str(status.message());
        }
    }
    let listed = client.list_variants(proto::ListVariantsRequest {}).await.expect("listed");
    seen.push_str(&format!("{:?}", listed.into_inner()));
    let admin = running.admin().expect("an admin listener");
    let metrics = tokio::task::spawn_blocking(move || admin::get(admin, "/metrics"));
    seen.push_str(&metrics.await.expect("scraped"));
    drop(running);
    let logged = text(&sink);
    assert!(logged.contains("Webhook refused"), "the log was really captured");
    for text in [&seen, &logged] {
        assert!(!text.is_empty());
        let line = text.lines().find(|line| line.contains("CANARY"));
        assert_eq!(line, None);
    }
}
