//! JSON written as other libraries write it: other blanks, other escapes, the same texts, numbers
//! and order. What was sorted or rounded on the way cannot be undone.

use serde::de::IgnoredAny;

use super::{Cause, Found, Inquiry, signs::found, trial::Bench};
use crate::{limits::EXPLAIN_BODY_BYTES_MAX, verify::request::Request};

/// Blanks between the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blanks {
    /// A line per part, indented by so many blanks per level.
    Lines(usize),
    /// None.
    None,
    /// One after `,` and `:`, as Python writes.
    One,
}

/// How texts are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// As they are.
    Kept,
    /// As few as possible.
    Few,
    /// Everything beyond ASCII as `\u` (Python's `ensure_ascii`).
    Ascii,
    /// The same, and `\/`: PHP.
    AsciiAndSlash,
    /// `\/` alone: PHP with `JSON_UNESCAPED_UNICODE`.
    Slash,
    /// `<`, `>` and `&` as `\u`: Go, Ruby on Rails.
    Html,
}

/// Ways to write JSON that are tried together.
pub(super) type Escaped = &'static [Escapes];

/// Other blanks alone.
pub(super) const COMMON: Escaped = &[Escapes::Kept];
/// Other escapes.
pub(super) const RARE: Escaped =
    &[Escapes::Few, Escapes::Ascii, Escapes::AsciiAndSlash, Escapes::Slash, Escapes::Html];

const BLANKS: [Blanks; 4] = [Blanks::None, Blanks::Lines(2), Blanks::One, Blanks::Lines(4)];

/// Tries to write the body anew in each of these ways.
pub(super) fn tried(
    inquiry: &Inquiry<'_>,
    bench: &mut Bench<'_>,
    escaped: Escaped,
) -> Option<Found> {
    let body = inquiry.request.body;
    let text = std::str::from_utf8(body).ok().filter(|_| is_json(body))?.trim_ascii();
    let mut seen = vec![body.to_vec()];
    // Written in the ways that were tried before, it need not be tried again.
    if escaped != COMMON {
        seen.extend(BLANKS.iter().filter_map(|blanks| written(text, *blanks, Escapes::Kept)));
    }
    for escapes in escaped {
        for blanks in BLANKS {
            let Some(made) = written(text, blanks, *escapes).filter(|made| !seen.contains(made))
            else {
                continue;
            };
            if bench.own_key_signed(Request { body: &made, ..inquiry.request }) {
                return Some(named(body, &made, blanks, *escapes));
            }
            seen.push(made);
        }
    }
    None
}

fn named(body: &[u8], made: &[u8], blanks: Blanks, escapes: Escapes) -> Found {
    let joined = |text: &[u8]| {
        text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect::<Vec<_>>()
    };
    if joined(body) == joined(made) {
        let hint = "it matches with its line breaks: something read the body line by line and \
                    dropped them";
        return found(Cause::BodyNewlines, hint);
    }
    let layout = match blanks {
        Blanks::None => "without blanks",
        Blanks::One => "with a blank after each comma and colon",
        Blanks::Lines(_) => "with a line per member, indented",
    };
    let texts = match escapes {
        Escapes::Kept => "",
        Escapes::Few => ", few escapes",
        Escapes::Ascii => ", everything beyond ASCII escaped",
        Escapes::AsciiAndSlash => ", everything beyond ASCII and slashes escaped",
        Escapes::Slash => ", slashes escaped",
        Escapes::Html => ", angle brackets and ampersands escaped",
    };
    let hint = format!(
        "it matches when it is written {layout}{texts}: the JSON was parsed and written again; \
         hand over the raw body, before any JSON parser"
    );
    (Some(Cause::BodyReencoded), hint)
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

/// Writes JSON anew; `None` where it grows beyond reason.
fn written(text: &str, blanks: Blanks, escapes: Escapes) -> Option<Vec<u8>> {
    let mut writer = Writer { made: String::with_capacity(text.len()), blanks, depth: 0 };
    let mut rest = text.trim_ascii();
    while let Some(first) = rest.chars().next() {
        if writer.made.len() > WRITTEN_BYTES_MAX {
            return None;
        }
        let (token, after) = rest.split_at_checked(token_length(rest, first))?;
        let after = after.trim_ascii_start();
        match first {
            '{' | '[' => {
                let empty = after.starts_with(['}', ']']);
                writer.open(first, empty);
            }
            '}' | ']' => writer.close(first),
            ',' => writer.comma(),
            ':' => writer.colon(),
            '"' => escape(token, escapes, &mut writer.made),
            _ => writer.made.push_str(token),
        }
        rest = after;
    }
    Some(writer.made.into_bytes())
}

/// Bytes of the token at the start of a text that is JSON.
fn token_length(text: &str, first: char) -> usize {
    match first {
        '"' => {
            let mut escaped = false;
            let end = text.char_indices().skip(1).find(|(_, character)| {
                let ends = *character == '"' && !escaped;
                escaped = *character == '\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |(at, _)| at.saturating_add(1))
        }
        '{' | '}' | '[' | ']' | ',' | ':' => 1,
        _ => text
            .find(|c: char| matches!(c, ',' | ':' | '}' | ']') || c.is_ascii_whitespace())
            .unwrap_or(text.len()),
    }
}

struct Writer {
    made: String,
    blanks: Blanks,
    depth: usize,
}

impl Writer {
    fn line(&mut self) {
        if let Blanks::Lines(width) = self.blanks {
            self.made.push('\n');
            let indent = width.saturating_mul(self.depth);
            self.made.extend(std::iter::repeat_n(' ', indent));
        }
    }

    fn open(&mut self, bracket: char, empty: bool) {
        self.made.push(bracket);
        self.depth = self.depth.saturating_add(1);
        if !empty {
            self.line();
        }
    }

    fn close(&mut self, bracket: char) {
        self.depth = self.depth.saturating_sub(1);
        if !self.made.ends_with(['{', '[']) {
            self.line();
        }
        self.made.push(bracket);
    }

    fn comma(&mut self) {
        self.made.push(',');
        match self.blanks {
            Blanks::One => self.made.push(' '),
            Blanks::Lines(_) => self.line(),
            Blanks::None => {}
        }
    }

    fn colon(&mut self) {
        self.made.push_str(if self.blanks == Blanks::None { ":" } else { ": " });
    }
}

/// Writes a JSON text, quotes included, in another way.
fn escape(token: &str, escapes: Escapes, into: &mut String) {
    if escapes == Escapes::Kept {
        into.push_str(token);
        return;
    }
    let Ok(text) = serde_json::from_str::<String>(token) else {
        // A half of a pair has no character: it stays as it is.
        into.push_str(token);
        return;
    };
    let Ok(plain) = serde_json::to_string(&text) else {
        into.push_str(token);
        return;
    };
    for character in plain.chars() {
        let ascii = matches!(escapes, Escapes::Ascii | Escapes::AsciiAndSlash);
        let slash = matches!(escapes, Escapes::AsciiAndSlash | Escapes::Slash);
        match character {
            '/' if slash => into.push_str("\\/"),
            '<' | '>' | '&' if escapes == Escapes::Html => unicode(character, into),
            _ if ascii && !character.is_ascii() => unicode(character, into),
            _ => into.push(character),
        }
    }
}

fn unicode(character: char, into: &mut String) {
    let units = character.encode_utf16(&mut [0; 2]).to_vec();
    into.extend(units.into_iter().map(|unit| format!("\\u{unit:04x}")));
}

/// Indenting multiplies; a body that grows more than this was not written so.
const WRITTEN_BYTES_MAX: usize = 4 * EXPLAIN_BODY_BYTES_MAX;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, blanks: Blanks, escapes: Escapes) -> String {
        String::from_utf8(written(text, blanks, escapes).expect("short")).expect("UTF-8")
    }

    #[test]
    fn json_is_written_as_libraries_write_it() {
        let json = r#"{ "a" : [1.50,{}, []],"b":{"c":"x, \"y\": z"},"d":null }"#;
        assert_eq!(
            text(json, Blanks::None, Escapes::Kept),
            r#"{"a":[1.50,{},[]],"b":{"c":"x, \"y\": z"},"d":null}"#
        );
        assert_eq!(
            text(json, Blanks::One, Escapes::Kept),
            r#"{"a": [1.50, {}, []], "b": {"c": "x, \"y\": z"}, "d": null}"#
        );
        let lines = "{\n  \"a\": [\n    1.50,\n    {},\n    []\n  ],\n  \"b\": {\n    \"c\": \"x, \\\"y\\\": z\"\n  },\n  \"d\": null\n}";
        assert_eq!(text(json, Blanks::Lines(2), Escapes::Kept), lines);
        assert_eq!(
            text(lines, Blanks::None, Escapes::Kept),
            text(json, Blanks::None, Escapes::Kept)
        );
    }

    #[test]
    fn texts_are_escaped_as_libraries_escape_them() {
        let json = "[\"\\u00fc/<\u{1f600}\\n\"]";
        let made = |escapes| text(json, Blanks::None, escapes);
        assert_eq!(made(Escapes::Few), "[\"\u{fc}/<\u{1f600}\\n\"]");
        assert_eq!(made(Escapes::Ascii), "[\"\\u00fc/<\\ud83d\\ude00\\n\"]");
        assert_eq!(made(Escapes::AsciiAndSlash), "[\"\\u00fc\\/<\\ud83d\\ude00\\n\"]");
        assert_eq!(made(Escapes::Slash), "[\"\u{fc}\\/<\u{1f600}\\n\"]");
        assert_eq!(made(Escapes::Html), "[\"\u{fc}/\\u003c\u{1f600}\\n\"]");
    }

    #[test]
    fn what_grows_beyond_reason_is_not_written() {
        let deep = format!("{}{}", "[1,".repeat(20_000), "1]".repeat(20_000));
        assert_eq!(written(&deep, Blanks::Lines(4), Escapes::Kept), None);
    }
}
