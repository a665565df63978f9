//! Form fields as bytes, decoded exactly once: bodies and queries are not always UTF-8.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::limits::FORM_FIELDS_MAX;

/// A decoded name and a decoded value.
type FormField<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

/// The fields of an `application/x-www-form-urlencoded` text, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form<'a> {
    fields: Vec<FormField<'a>>,
}

/// A text with more fields than any gateway sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyFields;

/// A field that is read appears more than once: nobody knows which one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DuplicateField;

impl<'a> Form<'a> {
    /// Splits on `&`, decodes `+` and percent escapes once. A `%` that starts no escape stands
    /// for itself, as in browsers and frameworks.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, TooManyFields> {
        let pairs = || text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
        if pairs().take(FORM_FIELDS_MAX.saturating_add(1)).count() > FORM_FIELDS_MAX {
            return Err(TooManyFields);
        }
        let fields = pairs()
            .map(|pair| {
                let mut parts = pair.splitn(2, |byte| *byte == b'=');
                let mut next = || decode(parts.next().unwrap_or_default());
                (next(), next())
            })
            .collect();
        Ok(Self { fields })
    }

    /// The one value of a field; `None` where it is absent.
    pub(crate) fn field(&self, name: &str) -> Result<Option<&[u8]>, DuplicateField> {
        let mut values = self.fields.iter().filter(|(key, _)| key.as_ref() == name.as_bytes());
        let first = values.next();
        if values.next().is_some() {
            return Err(DuplicateField);
        }
        Ok(first.map(|(_, value)| value.as_ref()))
    }

    /// Every value, in order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.fields.iter().map(|(_, value)| value.as_ref())
    }
}

fn decode(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'+') {
        return percent_decode(text).into();
    }
    let spaced: Vec<u8> =
        text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_once_and_kept_as_bytes() {
        let form = Form::read(b"a=1+2%2B3&b=%FF&c&d=%zz%2541&=x").expect("few fields");
        assert_eq!(form.field("a"), Ok(Some(b"1 2+3".as_slice())));
        assert_eq!(form.field("b"), Ok(Some(b"\xff".as_slice())));
        assert_eq!(form.field("c"), Ok(Some(b"".as_slice())));
        assert_eq!(form.field("d"), Ok(Some(b"%zz%41".as_slice())));
        assert_eq!(form.field("e"), Ok(None));
    }

    #[test]
    fn a_repeated_field_has_no_value_however_it_is_written() {
        let form = Form::read(b"bt_payload=a&bt%5Fpayload=a").expect("few fields");
        assert_eq!(form.field("bt_payload"), Err(DuplicateField));
        let other = Form::read(b"a=1;a=2&a[]=3&A=4").expect("few fields");
        assert_eq!(other.field("a"), Ok(Some(b"1;a=2".as_slice())));
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        assert!(Form::read("a&".repeat(FORM_FIELDS_MAX).as_bytes()).is_ok());
        assert!(Form::read("a&".repeat(FORM_FIELDS_MAX + 1).as_bytes()).is_err());
    }
}
