//! What must hold across gateways: no webhook passes for another gateway's, and where only fields
//! are signed, nothing that is not signed changes what an event means.

use payhook::{
    gateway::GATEWAYS,
    model::{Coverage, Event, UnixSeconds},
    verify::{
        Draft, Verifier,
        scheme::{Assurance, PayloadCodec, Source},
    },
};
use serde_json::Value;

use crate::cases::{self, Case};

fn accepted(gateway: &str) -> impl Iterator<Item = Case> {
    let rows = cases::cases(gateway).into_iter();
    rows.filter(|case| {
        case.expect["verdict"] == "verified" && case.expect.get("challenge_reply").is_none()
    })
}

#[test]
fn no_webhook_passes_for_another_gateways() {
    let (mut sent, mut passed) = (0, Vec::new());
    for receiver in GATEWAYS {
        let mut configured = accepted(receiver.name).collect::<Vec<_>>();
        // One verifier for each configuration that the rows show.
        configured.dedup_by(|a, b| {
            a.variant.keys == b.variant.keys && a.variant.options == b.variant.options
        });
        for own in configured {
            let verifier = cases::verifier(&own);
            for sender in GATEWAYS.iter().filter(|sender| sender.name != receiver.name) {
                for mut case in accepted(sender.name) {
                    sent += 1;
                    case.gateway = own.gateway.clone();
                    case.variant = own.variant.clone();
                    let outcome = cases::outcome(&case, &verifier);
                    if outcome["verdict"] == "verified" {
                        passed.push(format!("{} passed for {}", case.id, own.id));
                    }
                }
            }
        }
    }
    assert!(sent > 10_000, "only {sent} were sent");
    assert!(passed.is_empty(), "{} of {sent}:\n{}", passed.len(), passed.join("\n"));
}

#[test]
fn where_fields_are_signed_every_flipped_bit_is_refused_or_changes_nothing() {
    let (mut flipped, mut wrong) = (0, Vec::new());
    for gateway in GATEWAYS {
        for case in accepted(gateway.name) {
            let verifier = cases::verifier(&case);
            if verifier.scheme().assurance != Assurance::FieldsSigned {
                continue;
            }
            let genuine = cases::outcome_as(&case, &verifier, decisive);
            let body = case.request.body();
            for at in 0..body.len() * 8 {
                flipped += 1;
                let mut changed = body.clone();
                changed[at / 8] ^= 1 << (at % 8);
                let mut mutant = case.clone();
                mutant.request.set_body(&changed);
                let outcome = cases::outcome_as(&mutant, &verifier, decisive);
                if outcome["verdict"] == "verified" && outcome != genuine {
                    wrong.push(format!("{} bit {at}: {outcome}", case.id));
                }
            }
        }
    }
    assert!(flipped > 50_000, "only {flipped} were run");
    assert!(wrong.is_empty(), "{} of {flipped}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What may decide of an event. One that only points at an object to fetch proves the object's id
/// and nothing else: its own id, its type and the subject that follows from it inform.
fn decisive(event: &Event<'_>) -> Value {
    let mut shown = cases::event_json(event);
    if event.coverage == Coverage::Pointer && event.needs_fetch {
        let object = shown.as_object_mut().expect("an event is an object");
        for informing in ["id", "gateway_type", "subject"] {
            object.remove(informing);
        }
    }
    shown
}

#[test]
fn a_key_that_appears_twice_is_refused_or_was_never_read() {
    let (mut run, mut refused, mut wrong) = (0, 0, Vec::new());
    for gateway in GATEWAYS {
        for case in accepted(gateway.name) {
            let verifier = cases::verifier(&case);
            let scheme = verifier.scheme();
            let plain = matches!(scheme.source, Source::Header(_) | Source::HeaderAny(_))
                && scheme.payload == PayloadCodec::Body;
            let Ok(body) = serde_json::from_slice::<Value>(&case.request.body()) else { continue };
            let Some(genuine) = signed(&case, &verifier, &body.to_string()).filter(|_| plain)
            else {
                continue;
            };
            for (pointer, text) in doubled(&body) {
                run += 1;
                let outcome = signed(&case, &verifier, &text).expect("signed before");
                if outcome["reason"] == "PAYLOAD_MALFORMED" {
                    refused += 1;
                } else if outcome != genuine {
                    wrong.push(format!("{} {pointer}: {outcome}", case.id));
                }
            }
        }
    }
    assert!(run > 5_000 && refused > 1_000, "only {refused} of {run} were refused");
    assert!(wrong.is_empty(), "{} of {run}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What a body comes to once it is signed; `None` where the variant's keys do not sign.
fn signed(case: &Case, verifier: &Verifier, body: &str) -> Option<Value> {
    let beside: Vec<_> = case.request.headers.clone();
    let draft = Draft { url: &case.request.url, headers: &[], payload: body.as_bytes() };
    let signed = verifier.sign(draft, UnixSeconds::new(case.now)).ok()?;
    let mut case = case.clone();
    case.request.set_body(&signed.body);
    case.request.headers = signed.headers;
    let own: Vec<_> = case.request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    let others = beside.into_iter().filter(|(name, _)| !own.contains(&name.to_lowercase()));
    case.request.headers.extend(others);
    Some(cases::outcome(&case, verifier))
}

/// The body once for every key of every object in it, with that key twice: another value first,
/// and another value last.
fn doubled(body: &Value) -> Vec<(String, String)> {
    fn write(value: &Value, here: &str, target: &str, first: bool) -> String {
        match value {
            Value::Object(entries) => {
                let mut parts = Vec::new();
                for (key, inner) in entries {
                    let path = format!("{here}/{key}");
                    let name = Value::from(key.as_str());
                    let own = format!("{name}:{}", write(inner, &path, target, first));
                    let other = format!("{name}:\"another\"");
                    match (path == target, first) {
                        (false, _) => parts.push(own),
                        (true, true) => parts.extend([other, own]),
                        (true, false) => parts.extend([own, other]),
                    }
                }
                format!("{{{}}}", parts.join(","))
            }
            Value::Array(list) => {
                let parts = list.iter().enumerate();
                let parts = parts.map(|(at, it)| write(it, &format!("{here}/{at}"), target, first));
                format!("[{}]", parts.collect::<Vec<_>>().join(","))
            }
            other => other.to_string(),
        }
    }
    fn paths(value: &Value, here: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(entries) => {
                for (key, inner) in entries {
                    let path = format!("{here}/{key}");
                    found.push(path.clone());
                    paths(inner, &path, found);
                }
            }
            Value::Array(list) => {
                for (at, inner) in list.iter().enumerate() {
                    paths(inner, &format!("{here}/{at}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    paths(body, "", &mut found);
    let both = found.iter().flat_map(|path| [(path, true), (path, false)]);
    both.map(|(path, first)| (path.clone(), write(body, "", path, first))).collect()
}
