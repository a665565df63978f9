//! Vectors as data, and the one check that runs a case at the core.

use std::{borrow::Cow, collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use payhook::{
    gateway::{self, Gateway, KeyFields, OptionKind},
    model::{Event, Secret, UnixSeconds},
    verify::{
        CertificateChain, Check, CheckTime, Header, KeyRole, Options, Request, Step, Unverified,
        Verifier,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

/// One row of a vectors file.
#[derive(Clone, Debug, Deserialize)]
pub struct Case {
    pub id: String,
    pub gateway: String,
    pub now: i64,
    pub variant: CaseVariant,
    pub request: CaseRequest,
    #[serde(default)]
    pub world: World,
    pub expect: Value,
}

/// What a row's gateway would answer.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    #[serde(default)]
    pub certificates: BTreeMap<String, String>,
    pub ipn_response: Option<String>,
}

/// The configuration of a row.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseVariant {
    pub keys: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
}

/// The request of a row.
#[derive(Clone, Debug, Deserialize)]
pub struct CaseRequest {
    #[serde(default)]
    pub method: String,
    #[serde(default)]
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body_b64: String,
}

impl CaseRequest {
    pub fn body(&self) -> Vec<u8> {
        STANDARD.decode(&self.body_b64).expect("vectors hold base64")
    }

    pub fn set_body(&mut self, body: &[u8]) {
        self.body_b64 = STANDARD.encode(body);
    }
}

/// The cases of one gateway; panics where the file is absent.
pub fn cases(gateway: &str) -> Vec<Case> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let text = fs::read_to_string(path.join(format!("{gateway}.jsonl"))).expect("vectors exist");
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).expect("a row of vectors is JSON")).collect()
}

pub fn gateway_of(case: &Case) -> &'static Gateway {
    gateway::find(&case.gateway).expect("the gateway is in the table")
}

/// The verifier that a row's configuration makes.
pub fn verifier(case: &Case) -> Verifier {
    let gateway = gateway_of(case);
    let (mut values, mut secrets) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in &case.variant.options {
        let secret = gateway
            .options
            .iter()
            .any(|field| field.name == name && field.kind == OptionKind::Secret);
        if secret {
            let text = value.as_str().expect("a secret option is a text");
            secrets.insert(name.clone(), Secret::new(text.as_bytes().to_vec()));
        } else {
            values.insert(option_name(name).to_owned(), value.clone());
        }
    }
    let keys = case.variant.keys.iter().map(key_fields).collect();
    gateway.verifier(keys, Options::new(values, secrets)).expect("the row's keys are usable")
}

/// Rows name an option for what it holds, configuration for what it is.
pub fn option_name(name: &str) -> &str {
    if name == "trust_anchors_pem" { "trust_anchors" } else { name }
}

fn key_fields(key: &BTreeMap<String, Value>) -> KeyFields {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = key
        .iter()
        .map(|(name, value)| (name.clone(), Secret::new(text(value).into_bytes())))
        .collect();
    KeyFields { label: None, role: KeyRole::Current, expires_at: None, fields }
}

/// What a case came to, in the vectors' own shape.
pub fn outcome(case: &Case, verifier: &Verifier) -> Value {
    outcome_as(case, verifier, event_json)
}

/// What a case came to, with its events shown in another way.
pub fn outcome_as(case: &Case, verifier: &Verifier, show: fn(&Event<'_>) -> Value) -> Value {
    let body = case.request.body();
    let headers: Vec<_> =
        case.request.headers.iter().map(|(name, value)| Header { name, value }).collect();
    let request = Request {
        method: &case.request.method,
        url: &case.request.url,
        headers: &headers,
        body: &body,
    };
    let rejected = |label: &str| json!({ "verdict": "rejected", "reason": label });
    let check: Check<'_> = match Unverified::new(request).check_with(verifier) {
        Err(rejection) => return rejected(rejection.label()),
        Ok(Step::Challenge(reply)) => {
            return json!({ "verdict": "verified", "events": [], "challenge_reply": reply });
        }
        Ok(Step::NeedsCertificate(needs)) => {
            match case.world.certificates.get(needs.url().as_str()) {
                Some(pem) => needs.with_chain(Arc::new(CertificateChain::from_pem(pem.as_bytes()))),
                None => return rejected("CERTIFICATE_UNAVAILABLE"),
            }
        }
        Ok(Step::NeedsAnswer(needs)) => match &case.world.ipn_response {
            Some(answer) => needs.with_answers(vec![answer.clone().into_bytes()]),
            None => return rejected("CERTIFICATE_UNAVAILABLE"),
        },
        Ok(Step::Ready(check)) => check,
    };
    let verified = match check.run(CheckTime::now(UnixSeconds::new(case.now))) {
        Err(rejection) => return rejected(rejection.label()),
        Ok(verified) => verified,
    };
    match (gateway_of(case).parse)(&verified) {
        Err(error) => rejected(error.label()),
        Ok(events) => {
            let events: Vec<_> = events.iter().map(show).collect();
            json!({ "verdict": "verified", "events": events })
        }
    }
}

/// An event in the vectors' own shape.
pub fn event_json(event: &Event<'_>) -> Value {
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let amount = event.amount.map(|money| {
        json!({ "currency_code": money.currency().as_str(), "minor_units": money.minor_units() })
    });
    let mut object = json!({
        "id": text(&event.id),
        "gateway_type": text(&event.gateway_type),
        "type": event.event_type.as_str(),
        "subject": event.subject_kind.as_str(),
        "object_id": text(&event.object_id),
        "merchant_reference": text(&event.merchant_reference),
        "amount": amount,
        "status": event.status.map(|status| status.as_str()),
    });
    if !event.unsigned_fields.is_empty() {
        let mut names: Vec<_> = event.unsigned_fields.iter().map(|field| field.as_str()).collect();
        names.sort_unstable();
        object["unsigned"] = json!(names);
    }
    object
}

/// What a case should come to: rows leave out what is null or empty.
pub fn expected(case: &Case) -> Value {
    let mut expect = case.expect.clone();
    if let Some(events) = expect.get_mut("events").and_then(Value::as_array_mut) {
        for event in events {
            if let Some(names) = event.get_mut("unsigned").and_then(Value::as_array_mut) {
                names.sort_by_key(|name| name.as_str().map(str::to_owned));
            }
            let object = event.as_object_mut().expect("an event is an object");
            if object.get("unsigned").is_some_and(|names| names.as_array() == Some(&Vec::new())) {
                object.remove("unsigned");
            }
            for name in
                ["id", "gateway_type", "object_id", "merchant_reference", "amount", "status"]
            {
                object.entry(name).or_insert(Value::Null);
            }
        }
    }
    expect
}
