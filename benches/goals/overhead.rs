//! Goals 1 and 4: what payhook costs beside a bare echo, and writes per reply.

use crate::{
    echo::EchoServer,
    paired::{SERVER, Shape, paired, start, writes},
    rows::Rows,
    server,
    shop::Open,
};

struct Measured {
    size: &'static str,
    connections: usize,
    streams: usize,
    count: u64,
    /// Least throughput as a share of the echo's.
    goal: Option<f64>,
}

const SHAPES: [Measured; 3] = [
    Measured { size: "e3", connections: 1, streams: 50, count: 12_000, goal: Some(0.62) },
    Measured { size: "e3", connections: 10, streams: 1, count: 8_000, goal: None },
    Measured { size: "e30", connections: 1, streams: 10, count: 4_000, goal: Some(0.36) },
];

/// The same shapes with another build in the echo's place, such as the one before a change: what
/// this one costs as a share of it.
pub fn against(other: &str, only: Option<&str>, short: bool) {
    let blocks = if short { 6 } else { 24 };
    let [ours, theirs] = [&server::binary(), other].map(|of| Open::of(of, "", 1, &[SERVER]));
    for Measured { size, connections, streams, count, .. } in SHAPES {
        if only.is_some_and(|only| only != size) {
            continue;
        }
        let [ours, theirs] = [&ours, &theirs].map(|open| match size {
            "e3" => open.side(&open.e3),
            _ => open.side(&open.e30),
        });
        let found = paired(&ours, &theirs, Shape { connections, streams, count }, blocks);
        println!("{size} {connections}x{streams}: {} of the other's CPU per call", found.ratio);
    }
}

pub fn run(short: bool, rows: &mut Rows) {
    let blocks = if short { 6 } else { 24 };
    let scale = if short { 4 } else { 1 };
    let open = Open::new("", 1, &[SERVER]);
    for measured in &SHAPES {
        let (calls, reply) = match measured.size {
            "e3" => (&open.e3, open.reply_bytes[0]),
            _ => (&open.e30, open.reply_bytes[1]),
        };
        let echoes = [0, 1].map(|_| start(&[SERVER], || EchoServer::start(reply)));
        let [echo, again] = [0, 1].map(|at| echoes[at].side(calls));
        let Measured { size, connections, streams, count, goal } = *measured;
        let shape = Shape { connections, streams, count: count / scale };
        let key = format!("1 {size} {connections}x{streams}");
        let null = paired(&echo, &again, shape, blocks);
        rows.row(&format!("{key} null"), null.ratio, "echo / echo, CPU per call", None);
        let found = paired(&echo, &open.side(calls), shape, blocks);
        let what = "throughput for the same CPU, payhook / echo";
        rows.row(&key, found.ratio, what, goal.map(|least| (least, ">=")));
        for (name, cost) in [("echo", found.above), ("payhook", found.below)] {
            let told = |what: &str| format!("{name}: {what}, {reply} bytes of reply");
            rows.figure(&format!("{key} {name} cpu"), cost.cpu, "us", &told("CPU per call"), None);
            let rate = told("calls per second");
            rows.figure(&format!("{key} {name} rate"), cost.per_second, "/s", &rate, None);
        }
        for (name, side) in [("echo", &echo), ("payhook", &open.side(calls))] {
            let value = writes(side, Shape { count: 2_000, ..shape });
            let goal = (name == "payhook" && streams == 50).then_some(0.1);
            let what = format!("{name}: writes per reply of {reply} bytes");
            let key = format!("4 {size} {connections}x{streams} {name}");
            rows.figure(&key, value, "", &what, goal);
        }
    }
}
