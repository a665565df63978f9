//! A request's body whose bytes count against the bound of all bodies in flight.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tonic::Status;

use super::gate::Call;

/// The body of a call. While it lives, the call keeps its place.
#[derive(Debug)]
pub(super) struct Counted {
    body: Incoming,
    call: Arc<Call>,
}

impl Counted {
    pub(super) const fn new(body: Incoming, call: Arc<Call>) -> Self {
        Self { body, call }
    }
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.body).poll_frame(context)) {
            None => None,
            Some(Err(error)) => Some(Err(Status::from_error(error.into()))),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                Some(self.call.hold(bytes).map(|()| frame).map_err(|status| *status))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
