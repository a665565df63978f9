//! Goal 5: memory, the time from exec to serving, and the binary's size.

use crate::{
    paired::{SERVER, Shape, cost, start},
    rows::Rows,
    server::Server,
    shop::Open,
    webhooks::Shop,
};

pub fn run(rows: &mut Rows) {
    let open = Open::new("", 1, &[SERVER]);
    rows.figure("5 idle", open.server.rss() as f64 / 1024.0, "MiB", "RSS before load", Some(8.0));
    for (calls, count) in [(&open.e3, 60_000), (&open.e30, 10_000)] {
        let shape = Shape { connections: 20, streams: 3, count };
        cost(&open.side(calls), shape);
    }
    let peak = open.server.rss_peak() as f64 / 1024.0;
    rows.figure(
        "5 load",
        peak,
        "MiB",
        "most RSS, 60 calls of 3.6 KB, then of 32 KB, at once",
        Some(16.0),
    );
    let shop = Shop::stripes("", 100);
    let mut times: Vec<_> = (0..9)
        .map(|_| start(&[SERVER], || Server::start(&shop.config)).ready_after.as_secs_f64() * 1e3)
        .collect();
    times.sort_by(f64::total_cmp);
    let what = "exec to serving, 100 variants, the slowest but one of nine";
    rows.figure("5 start", times[7], "ms", what, Some(50.0));
    memory_per_variant(rows);
    let bytes = std::fs::metadata(crate::server::binary()).expect("it runs").len();
    let megabytes = bytes as f64 / 1e6;
    rows.figure("5 binary", megabytes, "MB", "the binary of the image", Some(12.0));
}

/// What a configured variant costs once its account is loaded.
fn memory_per_variant(rows: &mut Rows) {
    let rss = |variants| {
        let open = Open::new("", variants, &[SERVER]);
        let shape = Shape { connections: 1, streams: 10, count: 4_000 };
        cost(&open.side(&open.e3), shape);
        open.server.rss() as f64
    };
    let (few, many) = (rss(1), rss(1000));
    let each = (many - few) / 999.0;
    rows.figure("variant memory", each, "KiB", "memory of a variant that was called", None);
}
