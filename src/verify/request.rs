//! A borrowed view of the HTTP request, and the rules for missing and repeated headers.

/// One HTTP header field, as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    /// Field name, in any case.
    pub name: &'a str,
    /// Field value.
    pub value: &'a str,
}

/// The HTTP request that carried the webhook, exactly as it arrived.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// HTTP method; empty means POST.
    pub method: &'a str,
    /// Full URL as the gateway called it; may be empty where the scheme does not need it.
    pub url: &'a str,
    /// All header fields, in order, repeats kept.
    pub headers: &'a [Header<'a>],
    /// The raw body.
    pub body: &'a [u8],
}

/// What a look for one header field, or for one value by its name, found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// Nothing, or only blanks.
    Absent,
    /// Repeats that differ: nobody knows which one counts.
    Differing,
    /// One value, or several equal ones; without blanks at its ends.
    One(&'a str),
}

impl<'a> Found<'a> {
    /// With another value of the same name.
    pub(crate) fn and(self, value: &'a str) -> Self {
        match self {
            Self::Absent => Self::One(value),
            Self::One(known) if known == value => self,
            Self::Differing | Self::One(_) => Self::Differing,
        }
    }
}

impl<'a> Request<'a> {
    /// True for a GET request, the method of endpoint challenges; some frameworks hand methods over
    /// in small letters.
    pub(crate) fn is_get(&self) -> bool {
        self.method.eq_ignore_ascii_case("GET")
    }

    /// The values of every field of this name, without blanks at their ends.
    pub(crate) fn values(self, name: &str) -> impl Iterator<Item = &'a str> {
        values(self.headers, name)
    }

    /// The value of the field of this name. Identical repeats count as one.
    pub(crate) fn header(self, name: &str) -> Found<'a> {
        let mut values = self.values(name);
        let Some(first) = values.next() else { return Found::Absent };
        if values.any(|value| value != first) {
            return Found::Differing;
        }
        if first.is_empty() { Found::Absent } else { Found::One(first) }
    }

    /// The URL's query, without the question mark and without a fragment.
    pub(crate) fn query(self) -> Option<&'a str> {
        let sent = self.url.split('#').next().unwrap_or_default();
        sent.split_once('?').map(|(_, query)| query)
    }

    /// The URL's path, from the first slash after the host.
    pub(crate) fn path(self) -> &'a str {
        // What follows a question mark may hold slashes, and whole URLs.
        let before = self.url.split(['?', '#']).next().unwrap_or_default();
        if before.starts_with('/') {
            return before;
        }
        let rest = before.split_once("://").map_or(before, |(_, rest)| rest);
        rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
    }
}

/// The values of every field of a name, without blanks at their ends.
pub(crate) fn values<'a>(headers: &'a [Header<'a>], name: &str) -> impl Iterator<Item = &'a str> {
    let same = move |header: &&Header<'_>| header.name.eq_ignore_ascii_case(name);
    headers.iter().filter(same).map(|header| without_blanks(header.value))
}

/// Without blanks at its ends, which nearly no value has.
fn without_blanks(value: &str) -> &str {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bytes = value.as_bytes();
    if blank(bytes.first()) || blank(bytes.last()) {
        return value.trim_matches([' ', '\t']);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(headers: &'a [Header<'a>]) -> Request<'a> {
        let url = "https://shop.example/payments/process/a/?b=c&d=e#f";
        Request { method: "", url, headers, body: b"" }
    }

    #[test]
    fn equal_repeats_collapse_and_differing_repeats_do_not() {
        let field = |name, value| Header { name, value };
        let same = [field("X-Sig", " a "), field("x-sig", "a")];
        assert_eq!(request(&same).header("X-SIG"), Found::One("a"));
        let differing = [field("X-Sig", "a"), field("x-sig", "b")];
        assert_eq!(request(&differing).header("X-SIG"), Found::Differing);
        let blank = [field("X-Sig", " \t")];
        assert_eq!(request(&blank).header("X-SIG"), Found::Absent);
        assert_eq!(request(&[]).header("X-SIG"), Found::Absent);
    }

    #[test]
    fn an_underscore_is_not_a_hyphen() {
        let cgi = [Header { name: "HTTP_STRIPE_SIGNATURE", value: "a" }];
        assert_eq!(request(&cgi).header("Stripe-Signature"), Found::Absent);
    }

    #[test]
    fn path_and_query_come_from_the_url_as_it_is() {
        let request = request(&[]);
        assert_eq!(request.query(), Some("b=c&d=e"));
        assert_eq!(request.path(), "/payments/process/a/");
        let behind = Request { url: "https://shop.example/#a?b=c", ..request };
        assert_eq!(behind.query(), None, "a fragment is no query");
        let path = |url| Request { url, ..request }.path();
        for (url, expected) in [
            ("/hook/?next=https://other.example/b", "/hook/"),
            ("/a://b/c#d", "/a://b/c"),
            ("https://shop.example?next=/b/", "/"),
            ("https://shop.example#/b", "/"),
            ("https://shop.example/a?b=/c?d", "/a"),
            ("shop.example/a/", "/a/"),
            ("", "/"),
        ] {
            assert_eq!(path(url), expected, "{url}");
        }
    }
}
