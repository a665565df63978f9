//! `MapStatus`: an event, a webhook or a polled object in the words of the application's payment.

use super::{convert, journey::Judged, read, status::Refusal};
use crate::{
    accounts::Account,
    gateway,
    limits::BODY_BYTES_MAX,
    model::{Advice, Discrepancy, Event, Facts, transition::transition},
    proto,
    verify::Options,
};

/// Maps a verified webhook.
pub(super) fn webhook(
    account: &Account,
    judged: Judged<'_>,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    let reply = Some(convert::reply(account.gateway().reply));
    let (verified, mut events) = match judged {
        Judged::Verified(verified, events) => (verified, events),
        Judged::Challenge(answer) => {
            let body = answer.into_bytes();
            let content_type = "text/plain".to_owned();
            let reply = Some(proto::HttpReply { status: 200, content_type, body });
            return Ok(proto::MapStatusResponse { reply, ..nothing("an endpoint challenge") });
        }
    };
    if events.len() > 1 {
        let problem = "the body holds several events: use VerifyAndParse and map each";
        return Err(Refusal::Request { problem });
    }
    let Some(event) = events.pop() else {
        return Ok(proto::MapStatusResponse { reply, ..nothing("the body holds no events") });
    };
    let mapped = answer(&Facts::from_event(&event), current)?;
    let event = Some(convert::event(account, verified, event, 0));
    Ok(proto::MapStatusResponse { event, reply, ..mapped })
}

/// Maps an event that the application hands back. It is not verified again.
pub(super) fn event(
    event: &proto::PaymentEvent,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    answer(&read::facts(event)?, current)
}

/// Maps an object or a status read from the gateway's API.
pub(super) fn polled(
    polled: &proto::GatewayStatus,
    options: Option<&Options>,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    let refuse = |problem| Refusal::Request { problem };
    let gateway = gateway::find(&polled.gateway).ok_or(refuse("no such gateway"))?;
    let reader = gateway.polled.ok_or(refuse("this gateway's API objects are not read"))?;
    if !reader.object_types.contains(&polled.object_type.as_str()) {
        return Err(refuse("this object type is not read"));
    }
    let occurred_at = polled.observed_at.as_ref().map(read::timestamp).transpose()?;
    if polled.object.is_empty() {
        let status = (reader.status)(&polled.object_type, &polled.status);
        let facts = Facts { status, occurred_at, ..Facts::default() };
        return answer(&facts, current);
    }
    if polled.object.len() > BODY_BYTES_MAX {
        return Err(refuse("the object is larger than any"));
    }
    let none = Options::default();
    let options = options.unwrap_or(&none);
    let event = (reader.object)(&polled.object_type, &polled.object, options)
        .map_err(|_| refuse("the object cannot be read exactly"))?;
    let facts = Facts::from_event(&Event { occurred_at, id: None, ..event });
    answer(&facts, current)
}

fn answer(
    facts: &Facts,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    let state = current.map(read::state).transpose()?;
    let mapped = transition(state.as_ref(), facts);
    Ok(proto::MapStatusResponse {
        status: convert::status(mapped.status).into(),
        advice: advice(mapped.advice).into(),
        explanation: mapped.explanation.to_owned(),
        captured: mapped.captured.map(convert::money),
        refunded: mapped.refunded.map(convert::money),
        fraud_status: convert::fraud_status(mapped.fraud_status).into(),
        discrepancies: mapped.discrepancies.iter().map(|it| discrepancy(*it).into()).collect(),
        rule: mapped.rule.to_owned(),
        event: None,
        reply: None,
        movements: mapped
            .movements
            .into_iter()
            .map(|it| proto::Movement {
                gateway_id: it.gateway_id,
                amount: Some(convert::money(it.amount)),
            })
            .collect(),
    })
}

const fn advice(advice: Advice) -> proto::TransitionAdvice {
    match advice {
        Advice::Unspecified => proto::TransitionAdvice::Unspecified,
        Advice::Apply => proto::TransitionAdvice::Apply,
        Advice::NoOp => proto::TransitionAdvice::NoOp,
        Advice::Stale => proto::TransitionAdvice::Stale,
        Advice::Conflict => proto::TransitionAdvice::Conflict,
    }
}

const fn discrepancy(discrepancy: Discrepancy) -> proto::Discrepancy {
    match discrepancy {
        Discrepancy::Amount => proto::Discrepancy::Amount,
        Discrepancy::Currency => proto::Discrepancy::Currency,
        Discrepancy::Reference => proto::Discrepancy::Reference,
        Discrepancy::Terminal => proto::Discrepancy::Terminal,
        Discrepancy::Totals => proto::Discrepancy::Totals,
    }
}

/// No event: nothing to do.
fn nothing(explanation: &str) -> proto::MapStatusResponse {
    proto::MapStatusResponse {
        advice: proto::TransitionAdvice::NoOp.into(),
        explanation: explanation.to_owned(),
        rule: "no-bearing".to_owned(),
        ..proto::MapStatusResponse::default()
    }
}
