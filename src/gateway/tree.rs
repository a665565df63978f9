//! A payload as one flat tree, built under hard caps and read by path.
//!
//! Floor 2. Shared by the readers of formats whose elements have names: XML, and the same objects
//! as JSON. Only paths are read, so that two elements of one name in different places (Braintree's
//! two `kind`s) are never confused; a name that repeats on a path that is read is refused.

use std::borrow::Cow;

use super::ParseError;
use crate::{
    limits::{TREE_DEPTH_MAX, TREE_NODES_MAX, TREE_TEXT_BYTES_MAX},
    model::Timestamp,
};

/// What an element says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A list: its children are items, whatever their names.
    List,
    /// Explicitly nothing: read as absent.
    Nil,
    /// A text or a record of named fields.
    Plain,
}

/// The elements of a payload in document order.
#[derive(Debug)]
pub(crate) struct Tree<'x> {
    source: &'x str,
    format: &'static str,
    nodes: Vec<Node<'x>>,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Node<'x> {
    name: Cow<'x, str>,
    form: Form,
    text: Cow<'x, str>,
    offset: usize,
    /// The first node behind this one's descendants.
    end: usize,
}

impl<'x> Tree<'x> {
    /// An empty tree over a source, of which only offsets are kept.
    pub(crate) const fn new(source: &'x str, format: &'static str) -> Self {
        Self { source, format, nodes: Vec::new(), open: Vec::new() }
    }

    /// Starts an element inside the open one; a second root is refused.
    pub(crate) fn start(
        &mut self,
        name: Cow<'x, str>,
        form: Form,
        offset: usize,
    ) -> Result<(), ParseError> {
        let second_root = self.open.is_empty() && !self.nodes.is_empty();
        if second_root || self.open.len() >= TREE_DEPTH_MAX || self.nodes.len() >= TREE_NODES_MAX {
            return Err(self.unreadable(offset));
        }
        self.open.push(self.nodes.len());
        self.nodes.push(Node { name, form, text: Cow::Borrowed(""), offset, end: usize::MAX });
        Ok(())
    }

    /// Adds text to the open element; outside the root only blanks are allowed.
    pub(crate) fn text(&mut self, text: Cow<'x, str>, offset: usize) -> Result<(), ParseError> {
        let Some(node) = self.open.last().and_then(|index| self.nodes.get_mut(*index)) else {
            let blank = text.trim_ascii().is_empty();
            return if blank { Ok(()) } else { Err(self.unreadable(offset)) };
        };
        // The place of an error is only looked for once there is one: it costs a scan.
        if node.text.len().saturating_add(text.len()) > TREE_TEXT_BYTES_MAX {
            return Err(self.unreadable(offset));
        }
        if node.text.is_empty() {
            node.text = text;
        } else {
            node.text.to_mut().push_str(&text);
        }
        Ok(())
    }

    /// Ends the open element.
    pub(crate) fn end(&mut self, offset: usize) -> Result<(), ParseError> {
        let end = self.nodes.len();
        let open = self.open.pop().and_then(|index| self.nodes.get_mut(index));
        match open {
            Some(node) => {
                node.end = end;
                Ok(())
            }
            None => Err(self.unreadable(offset)),
        }
    }

    /// The tree, once its root is complete.
    pub(crate) fn finish(self) -> Result<Self, ParseError> {
        if self.open.is_empty() && !self.nodes.is_empty() {
            Ok(self)
        } else {
            Err(self.unreadable(self.source.len()))
        }
    }

    /// The outermost element.
    pub(crate) const fn root(&self) -> Record<'_, 'x> {
        Record { tree: self, index: 0 }
    }

    /// The error that the payload breaks its format at an offset.
    pub(crate) fn unreadable(&self, offset: usize) -> ParseError {
        let before = self.source.as_bytes().get(..offset).unwrap_or(self.source.as_bytes());
        let mut lines = before.rsplit(|byte| *byte == b'\n');
        let column = lines.next().map_or(0, <[u8]>::len).saturating_add(1);
        let line = lines.count().saturating_add(1);
        ParseError::Unreadable { format: self.format, line, column }
    }
}

/// One element of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'t, 'x> {
    tree: &'t Tree<'x>,
    index: usize,
}

impl<'t, 'x> Record<'t, 'x> {
    /// True for this name; hyphens count as underscores, because Braintree's samples mix
    /// `add-ons` and `add_ons`.
    pub(crate) fn is_named(self, name: &str) -> bool {
        self.node().is_some_and(|node| underscored(&node.name).eq(name.bytes()))
    }

    /// The name as it is written, hyphens as underscores.
    pub(crate) fn name(self) -> String {
        self.node().map_or_else(String::new, |node| node.name.replace('-', "_"))
    }

    /// The elements directly inside, in order.
    pub(crate) fn children(self) -> impl Iterator<Item = Record<'t, 'x>> {
        let end = self.node().map_or(0, |node| node.end);
        let at = move |index: usize| (index < end).then_some(Self { tree: self.tree, index });
        std::iter::successors(at(self.index.saturating_add(1)), move |child| {
            child.node().and_then(|node| at(node.end))
        })
    }

    /// The element at a dotted path; `None` where it is absent or nil.
    pub(crate) fn at(self, path: &'static str) -> Result<Option<Self>, ParseError> {
        let mut record = self;
        for name in path.split('.') {
            if record.form() == Form::List {
                return Err(ParseError::FieldWrong { path, expected: "one object" });
            }
            let mut named = record.children().filter(|child| child.is_named(name));
            let Some(child) = named.next() else { return Ok(None) };
            if let Some(other) = named.next() {
                return Err(other.refused());
            }
            if child.form() == Form::Nil {
                return Ok(None);
            }
            record = child;
        }
        Ok(Some(record))
    }

    /// The text at a path; `None` where it is absent, nil or blank.
    pub(crate) fn text(self, path: &'static str) -> Result<Option<Cow<'x, str>>, ParseError> {
        match self.at(path)? {
            Some(found) => found.own_text(path),
            None => Ok(None),
        }
    }

    /// This element's text; `None` where it is nil or blank.
    pub(crate) fn own_text(self, path: &'static str) -> Result<Option<Cow<'x, str>>, ParseError> {
        if self.form() == Form::List || self.children().next().is_some() {
            return Err(ParseError::FieldWrong { path, expected: "a text" });
        }
        let text = self.node().filter(|node| node.form == Form::Plain).map(|node| &node.text);
        Ok(text.filter(|text| !text.trim_ascii().is_empty()).cloned())
    }

    /// The text of a field that may repeat, where its copies agree: for details that decide
    /// nothing (Braintree's own sample writes a local payment's `payer-id` twice).
    pub(crate) fn agreed_text(
        self,
        name: &'static str,
    ) -> Result<Option<Cow<'x, str>>, ParseError> {
        let mut agreed = None;
        for child in self.children().filter(|child| child.is_named(name)) {
            let text = child.own_text(name)?;
            if agreed.is_some() && agreed != text {
                return Err(child.refused());
            }
            agreed = text;
        }
        Ok(agreed)
    }

    /// Yes or no at a path.
    pub(crate) fn flag(self, path: &'static str) -> Result<Option<bool>, ParseError> {
        match self.text(path)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(ParseError::FieldWrong { path, expected: "true or false" }),
        }
    }

    /// A point in time at a path: RFC 3339, UTC where no offset is written (SDK objects print
    /// their times so), and a date as the start of its day.
    pub(crate) fn time(self, path: &'static str) -> Result<Option<Timestamp>, ParseError> {
        let Some(text) = self.text(path)? else { return Ok(None) };
        let read = match text.len() {
            DATE_BYTES => Timestamp::from_rfc3339(&format!("{text}T00:00:00Z")),
            _ => Timestamp::from_rfc3339(&text)
                .or_else(|| Timestamp::from_rfc3339(&format!("{text}Z"))),
        };
        read.map(Some).ok_or(ParseError::FieldWrong { path, expected: "a time" })
    }

    /// The items of the list at a path; none where it is absent or nil.
    pub(crate) fn items(self, path: &'static str) -> Result<Vec<Self>, ParseError> {
        Ok(self.at(path)?.map(|list| list.children().collect()).unwrap_or_default())
    }

    fn form(self) -> Form {
        self.node().map_or(Form::Nil, |node| node.form)
    }

    fn node(self) -> Option<&'t Node<'x>> {
        self.tree.nodes.get(self.index)
    }

    fn refused(self) -> ParseError {
        self.tree.unreadable(self.node().map_or(0, |node| node.offset))
    }
}

fn underscored(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte })
}

/// Length of `2026-11-24`.
const DATE_BYTES: usize = 10;
