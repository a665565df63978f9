//! XML under hard caps: no DTD, no entities beyond the five predefined ones and characters.
//!
//! Floor 2. Never fetches, never expands: text can only get shorter than the payload, so that
//! memory is bounded by the body's limit and the number of elements.

use std::borrow::Cow;

use quick_xml::{
    Reader,
    events::{BytesDecl, BytesRef, BytesStart, Event},
};

use super::{
    ParseError,
    tree::{Form, Tree},
};
use crate::limits::{XML_ATTRIBUTES_MAX, XML_EVENTS_MAX};

/// Reads a whole document.
///
/// # Errors
/// [`ParseError::Unreadable`] for anything that is not well-formed, a DTD, a declared encoding
/// other than UTF-8, an unknown entity, a forbidden character, or a document beyond the caps.
pub(crate) fn read(payload: &[u8]) -> Result<Tree<'_>, ParseError> {
    let source = std::str::from_utf8(payload)
        .map_err(|error| Tree::new("", FORMAT).unreadable(error.valid_up_to()))?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut tree = Tree::new(source, FORMAT);
    if let Some(offset) = forbidden(source) {
        return Err(tree.unreadable(offset));
    }
    let mut reader = Reader::from_str(source);
    for _ in 0..XML_EVENTS_MAX {
        let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        match reader.read_event().map_err(|_| tree.unreadable(offset))? {
            Event::Start(tag) => start(&mut tree, source, &tag, offset)?,
            Event::Empty(tag) => {
                start(&mut tree, source, &tag, offset)?;
                tree.end(offset)?;
            }
            Event::End(_) => tree.end(offset)?,
            Event::Text(text) => tree.text(line_ends(text.into_inner()), offset)?,
            Event::CData(text) => tree.text(line_ends(text.into_inner()), offset)?,
            Event::GeneralRef(reference) => {
                let text = resolve(&reference).ok_or_else(|| tree.unreadable(offset))?;
                tree.text(text, offset)?;
            }
            Event::Decl(declaration) => {
                if offset != 0 || !is_plain(&declaration) {
                    return Err(tree.unreadable(offset));
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            Event::DocType(_) => return Err(tree.unreadable(offset)),
            Event::Eof => return tree.finish(),
        }
    }
    Err(tree.unreadable(source.len()))
}

fn start<'x>(
    tree: &mut Tree<'x>,
    source: &'x str,
    tag: &BytesStart<'_>,
    offset: usize,
) -> Result<(), ParseError> {
    let form = form(tag).ok_or_else(|| tree.unreadable(offset))?;
    let length = tag.name().as_ref().len();
    let begin = offset.saturating_add(1);
    // The reader's name is a part of the source, just behind the `<`.
    let name = source.get(begin..begin.saturating_add(length)).unwrap_or_default();
    if name.is_empty() {
        return Err(tree.unreadable(offset));
    }
    tree.start(Cow::Borrowed(name), form, offset)
}

/// What `type` and `nil` say. `None` where an attribute is malformed, repeated, or one too many.
fn form(tag: &BytesStart<'_>) -> Option<Form> {
    let (mut kind, mut nil) = (None, None);
    // The reader's own check for repeats compares all pairs; ours looks only at what is read.
    for (attribute, position) in tag.attributes().with_checks(false).zip(1_usize..) {
        let attribute = attribute.ok().filter(|_| position <= XML_ATTRIBUTES_MAX)?;
        let slot = match attribute.key.as_ref() {
            "type" => &mut kind,
            "nil" => &mut nil,
            _ => continue,
        };
        if slot.replace(attribute.value).is_some() {
            return None;
        }
    }
    Some(match (kind.as_deref(), nil.as_deref()) {
        (_, Some("true")) => Form::Nil,
        (Some("array"), _) => Form::List,
        _ => Form::Plain,
    })
}

fn resolve(reference: &BytesRef<'_>) -> Option<Cow<'static, str>> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok()??;
        return is_xml_char(character).then(|| Cow::Owned(character.to_string()));
    }
    let text = match reference.xml10_content().as_ref() {
        "amp" => "&",
        "apos" => "'",
        "gt" => ">",
        "lt" => "<",
        "quot" => "\"",
        _ => return None,
    };
    Some(Cow::Borrowed(text))
}

/// Line ends as XML wants them read ("Extensible Markup Language 1.0", 2.11).
fn line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

/// XML 1.0 in UTF-8: what was decoded is what was declared.
fn is_plain(declaration: &BytesDecl<'_>) -> bool {
    let version = declaration.version().is_ok_and(|version| version == "1.0");
    let encoding = declaration.encoding().is_none_or(|encoding| {
        encoding.is_ok_and(|encoding| encoding.eq_ignore_ascii_case("utf-8"))
    });
    version && encoding
}

/// Where the first character is that XML 1.0 does not allow ("Extensible Markup Language 1.0",
/// production 2): of those that UTF-8 can write, most controls and two that are no characters.
fn forbidden(source: &str) -> Option<usize> {
    let control = |byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    let control = source.bytes().position(control);
    let none = [source.find('\u{fffe}'), source.find('\u{ffff}')];
    none.into_iter().chain([control]).flatten().min()
}

/// The same of one character.
const fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

const FORMAT: &str = "XML";

#[cfg(test)]
mod tests;
