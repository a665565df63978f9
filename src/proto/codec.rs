//! How messages are written: in buffers of their own size.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstDecoder;

/// Messages as protobuf, in buffers of their own size: an answer that its peer does not read yet
/// is held, and the usual buffer of 8 KiB would be held with it.
#[derive(Clone, Copy, Debug)]
pub struct ExactCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for ExactCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for ExactCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ExactEncoder<T>;
    type Decoder = ProstDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ExactEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

/// The half of [`ExactCodec`] that writes.
#[derive(Clone, Copy, Debug)]
pub struct ExactEncoder<T>(PhantomData<T>);

impl<T: Message> Encoder for ExactEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(item.encoded_len());
        item.encode(buffer).map_err(|_| Status::internal("internal"))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(PREFIX_BYTES, YIELD_BYTES)
    }
}

/// What gRPC writes before a message; the message's own length is reserved when it is known.
const PREFIX_BYTES: usize = 5;
/// A stream's answers are handed on when this many bytes are there.
const YIELD_BYTES: usize = 32 * 1024;
