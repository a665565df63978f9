//! Messages of the contract as protobuf's canonical JSON, by the compiled contract itself.

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};

use super::{Exit, ToolError};
use crate::proto;

/// A message as indented canonical JSON.
pub(super) fn print<M: prost::Message>(name: &str, message: &M) -> Result<String, ToolError> {
    let internal = |error: &dyn std::fmt::Display| ToolError::new(Exit::Internal, error);
    let mut dynamic = DynamicMessage::new(descriptor(name)?);
    dynamic.transcode_from(message).map_err(|error| internal(&error))?;
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::pretty(&mut text);
    let options = SerializeOptions::new();
    dynamic.serialize_with_options(&mut serializer, &options).map_err(|error| internal(&error))?;
    String::from_utf8(text).map_err(|error| internal(&error))
}

/// Reads a message from canonical JSON.
pub(super) fn read<M: prost::Message + Default>(name: &str, text: &str) -> Result<M, ToolError> {
    let usage = |error: &dyn std::fmt::Display| {
        ToolError::new(Exit::Refused, format!("not a {name} in JSON: {error}"))
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor(name)?, &mut deserializer)
        .map_err(|error| usage(&error))?;
    deserializer.end().map_err(|error| usage(&error))?;
    dynamic.transcode_to().map_err(|error| usage(&error))
}

fn descriptor(name: &str) -> Result<prost_reflect::MessageDescriptor, ToolError> {
    let pool = DescriptorPool::decode(proto::DESCRIPTOR_SET)
        .map_err(|error| ToolError::new(Exit::Internal, error))?;
    let unknown = || ToolError::new(Exit::Internal, format!("no message payhook.v1.{name}"));
    pool.get_message_by_name(&format!("payhook.v1.{name}")).ok_or_else(unknown)
}
