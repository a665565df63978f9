//! Goals 1 and 4: what payhook costs beside a bare echo, and writes per reply.

use crate::{
    echo::EchoServer,
    paired::{SERVER, Shape, paired, start, writes},
    rows::Rows,
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

pub fn run(short: bool, rows: &mut Rows) {
    let blocks = if short { 6 } else { 24 };
    let scale = if short { 4 } else { 1 };
    let open = Open::new("", 1, &[SERVER]);
    let shapes = [
        Measured { size: "e3", connections: 1, streams: 50, count: 12_000, goal: Some(0.62) },
        Measured { size: "e3", connections: 10, streams: 1, count: 8_000, goal: None },
        Measured { size: "e30", connections: 1, streams: 10, count: 4_000, goal: Some(0.36) },
    ];
    for measured in &shapes {
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
