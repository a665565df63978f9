//! The signed bytes as configuration writes them: text with placeholders in braces.

use std::borrow::Cow;

use crate::verify::scheme::Part;

/// Reads a template; the error says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or("a brace is not closed")?;
        push_literal(&mut parts, literal)?;
        parts.push(placeholder(name)?);
        if parts.len() > PARTS_MAX {
            return Err(format!("expected at most {PARTS_MAX} parts"));
        }
        rest = after;
    }
    push_literal(&mut parts, rest)?;
    Ok(parts)
}

fn push_literal(parts: &mut Vec<Part>, literal: &str) -> Result<(), String> {
    if literal.contains('}') {
        return Err("a brace is not opened".to_owned());
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(Cow::Owned(literal.to_owned())));
    }
    Ok(())
}

fn placeholder(name: &str) -> Result<Part, String> {
    Ok(match name {
        "body" => Part::Body,
        "method" => Part::Method,
        "path" => Part::Path,
        "timestamp" => Part::Timestamp,
        "url" => Part::Url,
        other => match other.strip_prefix("header:") {
            Some(header) if !header.is_empty() => Part::Header(Cow::Owned(header.to_owned())),
            Some(_) | None => {
                let known = "{body}, {timestamp}, {url}, {path}, {method} and {header:NAME}";
                return Err(format!("known placeholders are {known}"));
            }
        },
    })
}

/// Parts of a template; the longest known scheme has nine.
const PARTS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_parts_and_the_rest_stays_as_it_is() {
        let parts = read("v0:{timestamp}:{header:X-Nonce}\n{body}").expect("a template");
        let literal = |text: &'static str| Part::Literal(Cow::Borrowed(text));
        let header = Part::Header(Cow::Borrowed("X-Nonce"));
        let expected =
            [literal("v0:"), Part::Timestamp, literal(":"), header, literal("\n"), Part::Body];
        assert_eq!(parts, expected);
    }

    #[test]
    fn what_is_no_template_is_refused() {
        for bad in ["{", "{body", "body}", "{secret}", "{header:}", "{}", "{BODY}"] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&"{body}".repeat(PARTS_MAX + 1)).is_err());
    }
}
