//! `docs/gateways.md` is written from the tables: this test compares, and with `PAYHOOK_BLESS=1`
//! writes.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use payhook::{
    gateway::{GATEWAYS, Gateway, KeyFieldKind, OptionKind, StatusRow},
    verify::{
        Options, Scheme,
        scheme::{Assurance, Freshness},
    },
};

#[test]
fn the_gateways_page_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/gateways.md");
    let page = page();
    if std::env::var_os("PAYHOOK_BLESS").is_some() {
        fs::write(&path, &page).expect("docs/gateways.md is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    // The first line that differs; two whole pages would say less.
    let lines = written.lines().zip(page.lines());
    let differing = lines.enumerate().find(|(_, (written, page))| written != page);
    assert!(
        written == page,
        "`just bless` writes the page anew, then look at the difference; first: {differing:?}"
    );
}

fn page() -> String {
    let mut page = String::from(HEAD);
    page.push_str("\n| name | gateway | scheme | proves | tolerance | answer |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for gateway in GATEWAYS {
        let scheme = scheme(gateway);
        let tolerance = match scheme.freshness {
            Freshness::NotSigned => "no time is signed".to_owned(),
            Freshness::WhenConfigured => "only if configured".to_owned(),
            Freshness::Window { seconds } => format!("{seconds} s"),
        };
        let reply = gateway.reply;
        let body = if reply.body.is_empty() { String::new() } else { format!(" `{}`", reply.body) };
        writeln!(
            page,
            "| [`{}`](#{}) | {} | `{}` | {} | {tolerance} | {}{body}, {} if refused |",
            gateway.name,
            gateway.name,
            gateway.title,
            scheme.name,
            assurance(scheme.assurance),
            reply.status,
            reply.refused,
        )
        .expect("a string takes text");
    }
    for gateway in GATEWAYS {
        section(&mut page, gateway);
    }
    page
}

fn section(page: &mut String, gateway: &Gateway) {
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    line(format!("\n## {}\n", gateway.name));
    line(format!("{}. Keys and options:\n", gateway.title));
    for field in gateway.keys {
        let kind = match field.kind {
            KeyFieldKind::Public => "public",
            KeyFieldKind::Secret => "secret",
        };
        line(format!("- key `{}` ({kind})", field.name));
    }
    for option in gateway.options {
        line(format!("- option `{}` ({}): {}", option.name, kind(option.kind), option.about));
    }
    if !gateway.example_options.is_empty() {
        line(format!("\nExample options:\n\n```json\n{}\n```", gateway.example_options));
    }
    if !gateway.statuses.is_empty() {
        line(
            "\n| type | state | subject | event type | status |\n|---|---|---|---|---|".to_owned(),
        );
        gateway.statuses.iter().for_each(|row| line(status_row(row)));
    }
    line("\nSources:\n".to_owned());
    gateway.sources.iter().for_each(|source| line(format!("- {source}")));
}

fn status_row(row: &StatusRow) -> String {
    let state = if row.state == "*" { "any".to_owned() } else { format!("`{}`", row.state) };
    format!(
        "| `{}` | {state} | {} | {} | {} |",
        row.gateway_type,
        row.subject.as_str(),
        row.event_type.as_str(),
        row.status.map_or("-", |status| status.as_str()),
    )
}

fn scheme(gateway: &Gateway) -> Scheme {
    let options = Options::new(gateway.example(), BTreeMap::new());
    gateway.scheme(&options).expect("the example describes a scheme").into_owned()
}

fn assurance(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::BodySigned => "the whole body",
        Assurance::FieldsSigned => "the fields that decide",
        Assurance::ConfirmedByGateway => "what the gateway confirms",
        Assurance::ChecksumSigned => "a checksum of the body",
        Assurance::SenderOnly => "who sent it",
        Assurance::EncryptedOnly => "nothing: encrypted only",
    }
}

fn kind(kind: OptionKind) -> String {
    match kind {
        OptionKind::Consent => "must be true".to_owned(),
        OptionKind::Flag => "true or false".to_owned(),
        OptionKind::FlagInTest => "true or false, with `environment: test` only".to_owned(),
        OptionKind::Integer { min, max } => format!("{min} to {max}"),
        OptionKind::Nested => "table".to_owned(),
        OptionKind::OneOf(words) => words.join(" or "),
        OptionKind::Secret => "secret".to_owned(),
        OptionKind::Text => "text".to_owned(),
        OptionKind::TextList => "list of texts".to_owned(),
    }
}

const HEAD: &str = "# Gateways

Written from the tables in `src/gateway` by `tests/it/gateways_page.rs`; not edited by hand. What
the statuses mean for a payment that already has one: [transitions](transitions.md). How a gateway
is added: [adding a gateway](adding-a-gateway.md).

The first row of a table that matches decides. A type ending in `*` stands for all that begin so. A
type without a row is verified, with subject `other`, type `UNRECOGNIZED` and no status.
";
