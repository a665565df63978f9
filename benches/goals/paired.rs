//! Two servers on one core, the client on the other, in blocks of ABBA: drift that is the same for
//! both cancels out, and a block is one ratio.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    sync::Mutex,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    thread::{CpuSet, sched_setaffinity},
};

use crate::{
    client::{Found, Plan},
    ratio::Ratio,
    server::Folder,
    wire::{Call, Target},
};

/// A server process that is measured, and what is sent to it.
#[derive(Clone)]
pub struct Side<'a> {
    pub process: u32,
    pub target: Target,
    pub calls: &'a [Call],
}

/// How calls are sent.
#[derive(Clone, Copy)]
pub struct Shape {
    pub connections: usize,
    pub streams: usize,
    /// Answered calls of one quarter of a block.
    pub count: u64,
}

/// What one run of calls cost the server.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub cpu: f64,
    pub per_second: f64,
}

/// CPU time of all threads of a process.
pub fn cpu(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let nanoseconds = tasks.map(|task| {
        let path = task.expect("an entry").path().join("schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0_u64)
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Calls of the system that send, per answered call: counted by strace in a run of its own, for it
/// is what makes that run slow.
pub fn writes(side: &Side<'_>, shape: Shape) -> f64 {
    let folder = Folder::new();
    let out = folder.0.join("calls");
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-e", "trace=write,writev,sendto,sendmsg", "-o"])
        .arg(&out)
        .args(["-p", &side.process.to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace is installed");
    // It says when it has attached itself.
    let told = BufReader::new(strace.stderr.take().expect("piped"));
    assert!(told.lines().next().is_some_and(|line| line.is_ok()), "strace attaches");
    let (_, found) = cost(side, shape);
    kill_process(Pid::from_child(&strace), Signal::INT).expect("it is ours");
    strace.wait().expect("a child");
    let text = fs::read_to_string(out).expect("strace wrote it");
    let total = text.lines().find(|line| line.trim_end().ends_with("total")).expect("a sum");
    let calls: f64 = total.split_whitespace().nth(3).expect("calls").parse().expect("a number");
    calls / found.answered() as f64
}

/// Runs calls against one side. Every one of them must be answered with OK.
pub fn cost(side: &Side<'_>, shape: Shape) -> (Cost, Found) {
    let before = cpu(side.process);
    let found = run(side, shape, None);
    let per = |value: f64| value / found.answered() as f64;
    let cost = Cost {
        cpu: per((cpu(side.process) - before).as_secs_f64() * 1e6),
        per_second: found.goodput(),
    };
    (cost, found)
}

fn run(side: &Side<'_>, shape: Shape, mark: Option<&(dyn Fn(u64) + Sync)>) -> Found {
    let plan = Plan {
        connections: shape.connections,
        streams: shape.streams,
        count: shape.count,
        time: Duration::from_secs(60),
        mark,
        ..Plan::new(&side.target, side.calls)
    };
    let found = plan.run();
    let answered = found.ok();
    let whole = answered == found.answered() && found.lost == 0 && answered >= shape.count;
    assert!(whole, "not every call was answered well: {}", found.summary());
    found
}

/// CPU of a call in microseconds, counted from when every connection has been used twice until
/// before any is closed: what opening one takes is no call's cost.
pub fn cost_of_calls(side: &Side<'_>, shape: Shape) -> f64 {
    let marks = Mutex::new(Vec::new());
    let mark = |answered: u64| marks.lock().expect("unbroken").push((answered, cpu(side.process)));
    let count = shape.count + 2 * shape.connections as u64;
    run(side, Shape { count, ..shape }, Some(&mark));
    let marks = marks.into_inner().expect("unbroken");
    let [(before, from), (after, until)] = marks[..] else { panic!("two marks: {marks:?}") };
    (until - from).as_secs_f64() * 1e6 / (after - before) as f64
}

/// One side's cost as a multiple of the other's, and the medians of both.
pub struct Paired {
    pub ratio: Ratio,
    pub above: Cost,
    pub below: Cost,
}

/// So many blocks of ABBA; the ratio is CPU per call of `above` to that of `below`.
pub fn paired(above: &Side<'_>, below: &Side<'_>, shape: Shape, blocks: usize) -> Paired {
    for side in [above, below] {
        cost(side, Shape { count: shape.count / 2 + 1, ..shape });
    }
    let (mut ratios, mut aboves, mut belows) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0..blocks {
        // ABBA, then BAAB.
        let order =
            if block % 2 == 0 { [true, false, false, true] } else { [false, true, true, false] };
        let (mut a, mut b) = (0.0, 0.0);
        for of_above in order {
            let (cost, _) = cost(if of_above { above } else { below }, shape);
            if of_above {
                a += cost.cpu;
                aboves.push(cost);
            } else {
                b += cost.cpu;
                belows.push(cost);
            }
        }
        ratios.push((a, b));
    }
    Paired { ratio: Ratio::of(ratios), above: median(&aboves), below: median(&belows) }
}

fn median(costs: &[Cost]) -> Cost {
    let of = |pick: fn(&Cost) -> f64| {
        let mut values: Vec<_> = costs.iter().map(pick).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    Cost { cpu: of(|c| c.cpu), per_second: of(|c| c.per_second) }
}

/// Runs this thread, and what it starts, on these cores only.
pub fn on_cores(cores: &[usize]) {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None::<Pid>, &set).expect("two cores are needed, and they are ours");
}

/// Starts a server on these cores; afterwards this thread is alone on the client's.
pub fn start<S>(cores: &[usize], start: impl FnOnce() -> S) -> S {
    on_cores(cores);
    let server = start();
    on_cores(&[CLIENT]);
    server
}

/// The servers' core, and the client's.
pub const SERVER: usize = 0;
pub const CLIENT: usize = 1;
