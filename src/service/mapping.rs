//! `MapStatus`: an event, a webhook or a polled object in the words of the application's payment.

use super::{convert, journey::Judged, status::Refusal};
use crate::{
    accounts::Account,
    gateway::{self, ParseError},
    model::{Event, PaymentStatus},
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
    let mapped = map(&event, current)?;
    let event = Some(convert::event(account, verified, event, 0));
    Ok(proto::MapStatusResponse { event, reply, ..mapped })
}

/// Maps an event that the application hands back. It is not verified again.
pub(super) fn event(
    event: &proto::PaymentEvent,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    let _ = current;
    Ok(proto::MapStatusResponse { status: event.status, ..Default::default() })
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
    if polled.object.is_empty() {
        let status = (reader.status)(&polled.object_type, &polled.status);
        let event = Event { status, ..Event::envelope() };
        return map(&event, current);
    }
    let none = Options::default();
    let event = (reader.object)(&polled.object_type, &polled.object, options.unwrap_or(&none));
    map(&event?, current)
}

fn map(
    event: &Event<'_>,
    current: Option<&proto::PaymentState>,
) -> Result<proto::MapStatusResponse, Refusal> {
    let _ = current;
    Ok(proto::MapStatusResponse {
        status: convert::status(event.status).into(),
        ..Default::default()
    })
}

fn nothing(explanation: &str) -> proto::MapStatusResponse {
    proto::MapStatusResponse {
        advice: proto::TransitionAdvice::NoOp.into(),
        explanation: explanation.to_owned(),
        ..proto::MapStatusResponse::default()
    }
}
