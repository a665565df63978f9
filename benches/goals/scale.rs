//! Goals 7 and 8: two workers, and no cliff where variants or connections grow.

use crate::{
    echo::EchoServer,
    paired::{CLIENT, SERVER, Shape, Side, cost, cost_of_calls, paired, start},
    ratio::Ratio,
    rows::Rows,
    shop::Open,
};

pub fn run(short: bool, rows: &mut Rows) {
    let blocks = if short { 6 } else { 16 };
    let scale = if short { 4 } else { 1 };
    workers(short, rows);
    variants(blocks, scale, rows);
    connections(blocks, scale, rows);
}

/// Both workers have a core; the client takes what it needs of the second. What it takes is known
/// and counted out: calls per second of CPU that was left to the server, of two cores.
fn workers(short: bool, rows: &mut Rows) {
    let one = Open::new("runtime: {workers: 1}\n", 1, &[SERVER]);
    let two = Open::new("runtime: {workers: 2}\n", 1, &[SERVER, CLIENT]);
    let shape = Shape { connections: 8, streams: 4, count: if short { 4_000 } else { 20_000 } };
    let mut pairs = Vec::new();
    let mut raw = Vec::new();
    for _ in 0..if short { 6 } else { 12 } {
        let rate = |open: &Open, cores: f64| {
            let side = open.side(&open.e30);
            let own = own_cpu();
            let (_, found) = cost(&side, shape);
            let client = (own_cpu() - own) / found.elapsed.as_secs_f64();
            // One worker has its core to itself, and the client the other.
            let left = if cores > 1.0 { cores - client } else { cores };
            (found.goodput(), found.goodput() / left * cores)
        };
        let (of_two, of_one) = (rate(&two, 2.0), rate(&one, 1.0));
        raw.push((of_two.0, of_one.0));
        pairs.push((of_two.1, of_one.1));
    }
    let what = "calls per second, two workers / one, the client on the second core";
    rows.row("7 raw", Ratio::of(raw), what, None);
    let what = "the same for the CPU that the client left to the server";
    rows.row("7 workers", Ratio::of(pairs), what, Some((1.8, ">=")));
}

fn own_cpu() -> f64 {
    crate::paired::cpu(std::process::id()).as_secs_f64()
}

fn variants(blocks: usize, scale: u64, rows: &mut Rows) {
    let shape = Shape { connections: 1, streams: 50, count: 8_000 / scale };
    let few = Open::new("", 1, &[SERVER]);
    let again = Open::new("", 1, &[SERVER]);
    let null = paired(&again.side(&again.e3), &few.side(&few.e3), shape, blocks);
    rows.row("8 variants null", null.ratio, "CPU per call, one variant / one variant", None);
    drop(again);
    for count in [10, 100, 1000] {
        let many = Open::new("", count, &[SERVER]);
        let found = paired(&many.side(&many.e3), &few.side(&few.e3), shape, blocks);
        let what = format!("CPU per call, {count} variants / one");
        rows.row(&format!("8 variants {count}"), found.ratio, &what, Some((1.15, "<=")));
    }
}

/// One call on each of more and more connections, against ten of them. One connection alone is told
/// beside it without a goal: it pays for a sleep and a wake-up with every call, and anything looks
/// flat against that. The echo goes through the same in turn: what its calls cost more, the layers
/// below payhook do.
fn connections(blocks: usize, scale: u64, rows: &mut Rows) {
    let open = Open::new("limits: {connections_max: 600, calls_max: 600}\n", 1, &[SERVER]);
    let side = open.side(&open.e3);
    let server = start(&[SERVER], || EchoServer::start(open.reply_bytes[0]));
    let echo = server.side(&open.e3);
    let shape = |connections| Shape { connections, streams: 1, count: 8_000 / scale };
    for (key, connections) in [("null", 10), ("1", 1), ("100", 100), ("500", 500)] {
        let pairs = |side| against(side, shape(connections), shape(10));
        let both: Vec<_> = (0..blocks).map(|_| (pairs(&side), pairs(&echo))).collect();
        let key = format!("8 connections {key}");
        let what = format!("CPU per call, {connections} connections / 10, a call on each");
        let goal = (connections > 10).then_some((1.15, "<="));
        rows.row(&key, Ratio::of(both.iter().map(|(own, _)| *own)), &what, goal);
        let ratio = Ratio::of(both.iter().map(|(_, echo)| *echo));
        rows.row(&format!("{key} echo"), ratio, &format!("echo: {what}"), None);
        let above = both.iter().map(|(own, echo)| (own.0 / own.1, echo.0 / echo.1));
        let what = "payhook's ratio / the echo's";
        rows.row(&format!("{key} above"), Ratio::of(above), what, None);
    }
}

/// What a call costs with many connections and with few, in a block of ABBA.
fn against(side: &Side<'_>, many: Shape, few: Shape) -> (f64, f64) {
    let of = |shape| cost_of_calls(side, shape);
    let (a, b, c, d) = (of(many), of(few), of(few), of(many));
    (a + d, b + c)
}
