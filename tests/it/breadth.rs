//! What must hold across gateways: no webhook passes for another gateway's, and where only fields
//! are signed, nothing that is not signed changes what an event means.

use payhook::{gateway::GATEWAYS, verify::scheme::Assurance};

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
            let genuine = meaning(&cases::outcome(&case, &verifier));
            let body = case.request.body();
            for at in 0..body.len() * 8 {
                flipped += 1;
                let mut changed = body.clone();
                changed[at / 8] ^= 1 << (at % 8);
                let mut mutant = case.clone();
                mutant.request.set_body(&changed);
                let outcome = cases::outcome(&mutant, &verifier);
                if outcome["verdict"] == "verified" && meaning(&outcome) != genuine {
                    wrong.push(format!("{} bit {at}: {outcome}", case.id));
                }
            }
        }
    }
    assert!(flipped > 50_000, "only {flipped} were run");
    assert!(wrong.is_empty(), "{} of {flipped}:\n{}", wrong.len(), wrong.join("\n"));
}

/// An event without what may come from unsigned parts: where the gateway signs no body at all and
/// says so by `needs_fetch`, its id, its type and what they make of the subject.
fn meaning(outcome: &serde_json::Value) -> Vec<serde_json::Value> {
    let events = outcome["events"].as_array().cloned().unwrap_or_default();
    let decisive = |event: &serde_json::Value| {
        let pointer = event["type"] == "UNRECOGNIZED" && event["amount"].is_null();
        let mut event = event.clone();
        let object = event.as_object_mut().expect("an event is an object");
        if pointer {
            for unsigned in ["id", "gateway_type", "subject"] {
                object.remove(unsigned);
            }
        }
        event
    };
    events.iter().map(decisive).collect()
}
