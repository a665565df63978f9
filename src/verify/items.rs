//! Bodies in which every item of a list carries its own signature, as Adyen's notifications.
//! Every item must hold, or none is used.

use std::borrow::Cow;

use super::{
    json::{self, Object, Unreadable, Value},
    rejection::Rejection,
    scheme::{JsonItems, Part, Template},
    shape,
};

/// One item: what it signs and its signature.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    object: Object<'a>,
    pub(crate) signature: Cow<'a, str>,
}

/// Reads every item of the list: at least one, each with a signature, each signed field in its
/// shape.
pub(crate) fn read<'a>(
    items: &JsonItems,
    signed: &[Template],
    body: &'a [u8],
) -> Result<Vec<Item<'a>>, Rejection> {
    let objects = objects(items, body)?;
    objects.iter().try_for_each(|object| check_shapes(object, signed))?;
    objects
        .into_iter()
        .map(|object| {
            let signature = signature(&object, items.signature)?;
            Ok(Item { object, signature })
        })
        .collect()
}

/// The items of a body that is to be signed.
pub(crate) fn unsigned<'a>(items: &JsonItems, body: &'a [u8]) -> Result<Vec<Item<'a>>, Rejection> {
    let objects = objects(items, body)?;
    let empty = |object| Item { object, signature: Cow::Borrowed("") };
    Ok(objects.into_iter().map(empty).collect())
}

fn objects<'a>(items: &JsonItems, body: &'a [u8]) -> Result<Vec<Object<'a>>, Rejection> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
    let root = Object::read(text).map_err(unreadable)?;
    let Some(Value::List(list)) = root.get(items.list).map_err(unreadable)? else {
        return Err(malformed("it has no list of items"));
    };
    let list = json::list(list).map_err(unreadable)?;
    if list.is_empty() {
        return Err(malformed("its list of items is empty"));
    }
    list.into_iter()
        .map(|element| {
            let element = Object::read(element.get()).map_err(unreadable)?;
            match element.get(items.item).map_err(unreadable)? {
                Some(Value::Object(item)) => Object::read(item.get()).map_err(unreadable),
                Some(Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Text(_))
                | None => Err(malformed("an element of its list holds no item")),
            }
        })
        .collect()
}

impl<'a> Item<'a> {
    /// A signed field as text; absent is empty.
    pub(crate) fn field(&self, path: &[&str]) -> Result<Cow<'a, str>, Rejection> {
        field(&self.object, path)
    }
}

fn check_shapes(object: &Object<'_>, signed: &[Template]) -> Result<(), Rejection> {
    for part in signed.iter().flat_map(|template| template.iter()) {
        let Part::ItemField { path, shape } = part else { continue };
        if !shape::fits(shape, field(object, path)?.as_bytes()) {
            return Err(malformed("a signed field of an item has another shape than expected"));
        }
    }
    Ok(())
}

fn field<'a>(object: &Object<'a>, path: &[&str]) -> Result<Cow<'a, str>, Rejection> {
    let Some(value) = object.at(path.iter().copied()).map_err(unreadable)? else {
        return Ok(Cow::Borrowed(""));
    };
    value.scalar().ok_or_else(|| malformed("a signed field of an item is no text or number"))
}

fn signature<'a>(object: &Object<'a>, path: &[&'static str]) -> Result<Cow<'a, str>, Rejection> {
    let carrier = || Cow::Borrowed(path.last().copied().unwrap_or_default());
    let absent = || Rejection::SignatureMissing { carrier: carrier() };
    let (name, parents) = path.split_last().ok_or_else(absent)?;
    let mut holder = object.clone();
    for parent in parents {
        let Some(Value::Object(raw)) = holder.get(parent).map_err(unreadable)? else {
            return Err(absent());
        };
        holder = Object::read(raw.get()).map_err(unreadable)?;
    }
    let problem = |problem| Rejection::SignatureMalformed { carrier: carrier(), problem };
    match holder.get(name).map_err(|_| problem("it appears twice"))? {
        None => Err(absent()),
        Some(Value::Text(text)) if text.trim_ascii().is_empty() => Err(absent()),
        Some(Value::Text(text)) => Ok(text),
        Some(Value::Flag(_) | Value::List(_) | Value::Number(_) | Value::Object(_)) => {
            Err(problem("it is not a text"))
        }
    }
}

const fn malformed(problem: &'static str) -> Rejection {
    Rejection::PayloadMalformed { problem }
}

fn unreadable(_: Unreadable) -> Rejection {
    malformed("it is no JSON of the expected shape")
}
