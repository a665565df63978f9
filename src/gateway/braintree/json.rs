//! The same objects as JSON, in the tree that XML is read into.
//!
//! SDK objects come in snake or camel case, GraphQL in camel case; numbers keep their digits.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::gateway::{
    ParseError,
    tree::{Form, Tree},
};

/// Reads a whole JSON text; `root` names its outermost object.
pub(super) fn read<'x>(source: &'x str, root: &'static str) -> Result<Tree<'x>, ParseError> {
    let mut tree = Tree::new(source, "JSON");
    let raw: &RawValue = serde_json::from_str(source).map_err(|error| ParseError::json(&error))?;
    add(&mut tree, Cow::Borrowed(root), raw.get())?;
    tree.finish()
}

/// Adds one value. The depth is bounded by the tree, which refuses to go deeper.
fn add<'x>(tree: &mut Tree<'x>, name: Cow<'x, str>, value: &'x str) -> Result<(), ParseError> {
    let text = value.trim_ascii();
    let json = |error| ParseError::json(&error);
    match text.bytes().next() {
        Some(b'{') => {
            tree.start(name, Form::Plain, 0)?;
            let Fields(fields) = serde_json::from_str(text).map_err(json)?;
            for (key, value) in fields {
                add(tree, Cow::Owned(snake_case(&key)), value.get())?;
            }
        }
        Some(b'[') => {
            tree.start(name, Form::List, 0)?;
            let Items(items) = serde_json::from_str(text).map_err(json)?;
            for value in items {
                add(tree, Cow::Borrowed("item"), value.get())?;
            }
        }
        Some(b'"') => {
            tree.start(name, Form::Plain, 0)?;
            let text = match serde_json::from_str::<&str>(text) {
                Ok(plain) => Cow::Borrowed(plain),
                Err(_) => Cow::Owned(serde_json::from_str(text).map_err(json)?),
            };
            tree.text(text, 0)?;
        }
        Some(b'n') => tree.start(name, Form::Nil, 0)?,
        Some(_) | None => {
            tree.start(name, Form::Plain, 0)?;
            tree.text(Cow::Borrowed(text), 0)?;
        }
    }
    tree.end(0)
}

/// `currencyIsoCode` as `currency_iso_code`.
fn snake_case(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len()), |mut snake, character| {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
        snake
    })
}

/// An object's fields in order, repeats kept: the tree refuses them where they are read.
struct Fields<'x>(Vec<(String, &'x RawValue)>);

struct Items<'x>(Vec<&'x RawValue>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
            fields.push((key, value));
        }
        Ok(Fields(fields))
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Items(items))
    }
}
