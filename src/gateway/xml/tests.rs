//! The reader's facts: what is read, and what is refused before it costs anything.

use super::*;
use crate::{
    limits::{TREE_DEPTH_MAX, TREE_NODES_MAX, TREE_TEXT_BYTES_MAX},
    model::Timestamp,
};

fn text(document: &str, path: &'static str) -> Option<String> {
    let tree = read(document.as_bytes()).expect("well-formed");
    tree.root().text(path).expect("readable").map(Cow::into_owned)
}

/// Attributes of different names.
fn attributes(count: usize) -> String {
    (0..count).map(|number| [" a", &number.to_string(), "=\"\""].concat()).collect()
}

#[test]
fn names_types_and_nil_follow_the_gateways_conventions() {
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- c --><r>\n\
        <order-id>A&amp;B &lt;7&gt; &#x263A;&#65;</order-id><a nil=\"true\">x</a><b/>\
        <list type=\"array\"><item>1</item><x>2</x></list><flag type=\"boolean\">true</flag>\
        <day type=\"date\">2014-02-09</day><at type='dateTime'>2014-02-09T00:00:01Z</at>\
        <c><![CDATA[<kind>&amp;]]> d</c><in><kind>inner</kind></in><kind>outer</kind></r>\n";
    assert_eq!(text(document, "order_id").as_deref(), Some("A&B <7> \u{263a}A"));
    assert_eq!(text(document, "a"), None);
    assert_eq!(text(document, "b"), None);
    assert_eq!(text(document, "c").as_deref(), Some("<kind>&amp; d"));
    assert_eq!(text("<r>\r\na\rb</r>", "c"), None);
    assert_eq!(text("<r><c>a\r\nb\rc</c></r>", "c").as_deref(), Some("a\nb\nc"));
    assert_eq!(text(document, "kind").as_deref(), Some("outer"));
    assert_eq!(text(document, "in.kind").as_deref(), Some("inner"));
    let tree = read(document.as_bytes()).expect("well-formed");
    let root = tree.root();
    assert_eq!(root.items("list").expect("a list").len(), 2);
    assert!(root.text("list").is_err(), "a list is no text");
    assert!(root.text("in").is_err(), "a record is no text");
    assert!(root.at("list.item").is_err(), "a list is no record");
    assert_eq!(root.flag("flag"), Ok(Some(true)));
    let seconds = |path| root.time(path).map(|time| time.map(Timestamp::seconds));
    assert_eq!(seconds("day"), Ok(Some(1_391_904_000)));
    assert_eq!(seconds("at"), Ok(Some(1_391_904_001)));
    assert!(root.time("kind").is_err());
    assert!(root.flag("kind").is_err());
}

#[test]
fn a_name_that_repeats_is_refused_only_where_it_is_read() {
    let tree = read(b"<r>\n<a>1</a><b>1</b>\n <a>1</a><p>q</p><p>q</p><d-e/><d_e/></r>")
        .expect("well-formed");
    let refused = ParseError::Unreadable { format: "XML", line: 3, column: 2 };
    assert_eq!(tree.root().text("a"), Err(refused));
    assert_eq!(tree.root().text("b").expect("once").as_deref(), Some("1"));
    assert_eq!(tree.root().agreed_text("p").expect("agreed").as_deref(), Some("q"));
    assert_eq!(tree.root().agreed_text("a").expect("agreed").as_deref(), Some("1"));
    assert!(tree.root().text("d_e").is_err(), "a hyphen is an underscore");
}

#[test]
fn what_is_no_plain_document_is_refused() {
    let documents = [
        "",
        " ",
        "text",
        "<r>",
        "</r>",
        "<r></s>",
        "<r/><r/>",
        "<r/>x",
        "x<r/>",
        "<r>&unknown;</r>",
        "<r>&</r>",
        "<r>&#0;</r>",
        "<r>&#xD800;</r>",
        "<r>&#x110000;</r>",
        "<r>\u{1}</r>",
        "<r>\u{fffe}</r>",
        "<r><!-- </r>",
        "<r><![CDATA[ </r>",
        "<r a></r>",
        "<r a=1></r>",
        "<r type=\"array\" type=\"date\"/>",
        "<!DOCTYPE r><r/>",
        "<!DOCTYPE r [<!ENTITY a \"b\">]><r>&a;</r>",
        "<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>",
        "<r/><!DOCTYPE r>",
        "<?xml version=\"1.1\"?><r/>",
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?><r/>",
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r/>",
        " <?xml version=\"1.0\"?><r/>",
    ];
    for document in documents {
        assert!(read(document.as_bytes()).is_err(), "{document:?}");
    }
    assert!(read(b"<r>\xff</r>").is_err());
    assert!(read(b"\xff\xfe<\0r\0/\0>\0").is_err(), "UTF-16");
}

#[test]
fn bombs_are_refused_by_the_caps() {
    let laughs = (1..10).fold("<!ENTITY e0 \"lol\">".to_owned(), |dtd, level| {
        let inner = format!("&e{};", level - 1).repeat(10);
        format!("{dtd}<!ENTITY e{level} \"{inner}\">")
    });
    let attributes = attributes(40_000);
    let megabyte = 1024 * 1024;
    let bombs = [
        ("laughs", format!("<!DOCTYPE r [{laughs}]><r>&e9;</r>")),
        ("depth", "<a>".repeat(200_000)),
        ("closed depth", "<a>".repeat(100_000) + &"</a>".repeat(100_000)),
        ("nodes", format!("<r>{}</r>", "<a/>".repeat(megabyte / 4))),
        ("attributes", format!("<r{attributes}/>")),
        ("text", format!("<r>{}</r>", "x".repeat(megabyte))),
        ("references", format!("<r>{}</r>", "&lt;".repeat(megabyte / 3))),
        ("comments", format!("<r>{}</r>", "<!---->".repeat(4 * megabyte / 7))),
        ("instructions", format!("<r>{}</r>", "<?a?>".repeat(4 * megabyte / 5))),
        ("open tag", format!("<r {}", "a".repeat(megabyte))),
        ("brackets", "<".repeat(megabyte)),
        ("closed brackets", ">".repeat(megabyte)),
    ];
    for (name, bomb) in bombs {
        assert!(read(bomb.as_bytes()).is_err(), "{name}");
    }
}

#[test]
fn the_caps_themselves_are_allowed() {
    let depth = "<a>".repeat(TREE_DEPTH_MAX) + &"</a>".repeat(TREE_DEPTH_MAX);
    assert!(read(depth.as_bytes()).is_ok());
    let nodes = format!("<r>{}</r>", "<a/>".repeat(TREE_NODES_MAX - 1));
    assert!(read(nodes.as_bytes()).is_ok());
    let text = format!("<r>{}</r>", "x".repeat(TREE_TEXT_BYTES_MAX));
    assert!(read(text.as_bytes()).is_ok());
    let attributes = attributes(XML_ATTRIBUTES_MAX);
    assert!(read(format!("<r{attributes}/>").as_bytes()).is_ok());
}

#[test]
fn no_bytes_panic() {
    let seed = b"<?xml version=\"1.0\"?><r a=\"b\"><k type=\"array\">&#x41;<![CDATA[x]]></k></r>";
    for at in 0..seed.len() {
        for byte in 0..=u8::MAX {
            let mut bytes = seed.to_vec();
            bytes[at] = byte;
            if let Ok(tree) = read(&bytes) {
                let _ = tree.root().text("k");
            }
        }
        let _ = read(&seed[..at]);
    }
}
