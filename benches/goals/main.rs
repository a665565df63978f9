//! The goals that need a server: `deploy/dist.sh build --bin payhook`, then
//! `deploy/dist.sh bench -p payhook-benches --bench goals`, with `-- --short` while developing,
//! `-- --only scale` for a part, `-- --against BINARY` (an absolute path) for a comparison with
//! another build. docs/performance.md says what each is and how it is measured.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    clippy::pedantic,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "a measurement may stop at what it did not expect, and is no public interface"
)]

#[path = "../load/client.rs"]
mod client;
mod echo;
#[path = "../common/events.rs"]
mod events;
mod footprint;
#[path = "../load/histogram.rs"]
mod histogram;
#[path = "../load/hpack.rs"]
mod hpack;
mod overhead;
mod paired;
mod prepare;
#[path = "../common/ratio.rs"]
mod ratio;
#[path = "../common/rows.rs"]
mod rows;
mod scale;
#[path = "../load/server.rs"]
mod server;
mod shop;
#[path = "../common/signed.rs"]
mod signed;
#[path = "../load/webhooks.rs"]
mod webhooks;
#[path = "../load/wire.rs"]
mod wire;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let after = |name| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    if let Some(bytes) = after(echo::ARGUMENT) {
        return echo::serve(bytes.parse().expect("bytes of a reply"));
    }
    if let Some(folder) = after("--prepare") {
        return prepare::write(folder.as_ref());
    }
    ratio::check();
    histogram::check();
    let short = arguments.iter().any(|argument| argument == "--short");
    let mut rows = rows::Rows::new("goals");
    let only = after("--only").map(String::as_str);
    if let Some(other) = after("--against") {
        return overhead::against(other, only, short);
    }
    let wanted = |part| only.is_none_or(|only| only == part);
    if wanted("footprint") {
        footprint::run(&mut rows);
    }
    if wanted("overhead") {
        overhead::run(short, &mut rows);
    }
    if wanted("scale") {
        scale::run(short, &mut rows);
    }
    // A part is no whole: the page is made of all of them.
    if only.is_none() {
        rows.write();
    }
}
