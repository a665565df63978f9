//! Load: calls at a fixed rate whether or not answers come (open loop), or each as soon as the one
//! before it is answered (closed loop), on one thread, over TCP or a Unix socket.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::{
    histogram::Histogram,
    wire::{Call, Outcome, Target, Wire},
};

/// What is sent, how fast and for how long.
#[derive(Clone)]
pub struct Plan<'a> {
    pub target: &'a Target,
    /// Sent in turn.
    pub calls: &'a [Call],
    /// Sends only those of one group at a time: which one, and how many are in each.
    pub group: Option<(&'a AtomicUsize, usize)>,
    pub connections: usize,
    /// Calls under way on one connection.
    pub streams: usize,
    /// Calls a second; `None` sends as fast as answers come.
    pub rate: Option<f64>,
    /// Ends after this time, or earlier.
    pub time: Duration,
    /// Ends after so many answered calls, or earlier.
    pub count: u64,
    /// Ends when this is set, or earlier.
    pub over: Option<&'a AtomicBool>,
    /// Repeats a call whose connection ended before its answer, and one that is told to come back
    /// (UNAVAILABLE, RESOURCE_EXHAUSTED), as gRPC clients do: verifying twice is as good as once.
    pub retry: bool,
    /// Sends what was due and found no room when the time was over, and waits for its answers.
    pub finish: bool,
    /// Never waits: for rates at which a sleep would be late. Costs a core.
    pub spin: bool,
    /// Told how many calls were answered: when every connection has been used twice, and at the
    /// end, before any is closed.
    pub mark: Option<&'a (dyn Fn(u64) + Sync)>,
}

impl<'a> Plan<'a> {
    /// A closed loop of one call at a time.
    pub fn new(target: &'a Target, calls: &'a [Call]) -> Self {
        Self {
            target,
            calls,
            group: None,
            connections: 1,
            streams: 1,
            rate: None,
            time: Duration::MAX,
            count: u64::MAX,
            over: None,
            retry: false,
            finish: false,
            spin: false,
            mark: None,
        }
    }

    /// Runs it on this thread.
    pub fn run(&self) -> Found {
        Run::new(self).run()
    }
}

/// What came of it.
#[derive(Clone, Default)]
pub struct Found {
    /// From the moment when a call was due until it was answered; answered with OK alone.
    pub latency: Histogram,
    /// The same of calls that were answered with anything else.
    pub refusals: Histogram,
    /// How long after it was due a call began, where a connection had room for it: the
    /// generator's own fault.
    pub lateness: Histogram,
    /// Answers by code and reason.
    pub answers: BTreeMap<(u8, String), u64>,
    /// Calls that ended without an answer and were not repeated.
    pub lost: u64,
    /// How often a call was repeated.
    pub repeated: u64,
    /// Calls that were due and never began, for all connections were full.
    pub unsent: u64,
    /// How often a connection was opened.
    pub connected: u64,
    pub elapsed: Duration,
}

impl Found {
    pub fn ok(&self) -> u64 {
        self.code(0)
    }

    pub fn code(&self, code: u8) -> u64 {
        self.answers.iter().filter(|((of, _), _)| *of == code).map(|(_, count)| count).sum()
    }

    /// Answers that are neither OK nor a request to come back.
    pub fn refused_for_good(&self) -> u64 {
        self.answered() - self.ok() - self.code(RESOURCE_EXHAUSTED) - self.code(UNAVAILABLE)
    }

    pub fn answered(&self) -> u64 {
        self.answers.values().sum()
    }

    /// OK answers a second.
    pub fn goodput(&self) -> f64 {
        self.ok() as f64 / self.elapsed.as_secs_f64()
    }

    /// Adds what another thread found in the same time.
    pub fn merge(mut self, other: &Self) -> Self {
        self.latency.merge(&other.latency);
        self.refusals.merge(&other.refusals);
        self.lateness.merge(&other.lateness);
        for (answer, count) in &other.answers {
            *self.answers.entry(answer.clone()).or_default() += count;
        }
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.unsent += other.unsent;
        self.connected += other.connected;
        self.elapsed = self.elapsed.max(other.elapsed);
        self
    }

    /// Every answer with its count, in one line.
    pub fn summary(&self) -> String {
        let mut parts: Vec<_> = self
            .answers
            .iter()
            .map(|((code, reason), count)| format!("{} {count}", label(*code, reason)))
            .collect();
        for (name, count) in
            [("lost", self.lost), ("repeated", self.repeated), ("unsent", self.unsent)]
        {
            if count > 0 {
                parts.push(format!("{name} {count}"));
            }
        }
        parts.join(", ")
    }
}

fn label(code: u8, reason: &str) -> String {
    const CODES: [&str; 18] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
        "no status",
    ];
    let code = CODES[usize::from(code).min(17)];
    if reason.is_empty() { code.to_owned() } else { format!("{code}/{reason}") }
}

/// A call under way.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    call: usize,
    begun: bool,
}

struct Run<'a> {
    plan: &'a Plan<'a>,
    wires: Vec<Option<Wire<Due>>>,
    /// Connections that were told to leave and still wait for answers.
    leaving: Vec<Wire<Due>>,
    /// When a connection that failed is tried again.
    again: Vec<Instant>,
    ledger: Ledger,
    started: Instant,
    /// Calls that became due.
    due: u64,
    ended: Vec<(Due, Outcome)>,
    /// The connection that the next call goes to.
    turn: usize,
}

/// What came of calls, and which are still to be sent.
struct Ledger {
    found: Found,
    waiting: VecDeque<Due>,
    /// Calls that were told to come back later, in the order of their times.
    later: VecDeque<(Instant, Due)>,
    retry: bool,
}

impl Ledger {
    /// Calls that may be repeated by now.
    fn come_back(&mut self) {
        let now = Instant::now();
        while self.later.front().is_some_and(|(at, _)| *at <= now) {
            self.waiting.extend(self.later.pop_front().map(|(_, due)| due));
        }
    }

    fn note(&mut self, ended: &mut Vec<(Due, Outcome)>) {
        let now = Instant::now();
        for (due, outcome) in ended.drain(..) {
            match outcome {
                Outcome::Answered { code: 0 } => self.found.latency.note(now - due.at),
                Outcome::Answered { code: RESOURCE_EXHAUSTED | UNAVAILABLE } if self.retry => {
                    self.found.repeated += 1;
                    self.later.push_back((now + PUSHBACK, due));
                }
                Outcome::Answered { .. } => self.found.refusals.note(now - due.at),
                Outcome::Unprocessed | Outcome::Lost | Outcome::Reset(_) if self.retry => {
                    self.found.repeated += 1;
                    self.waiting.push_front(due);
                }
                Outcome::Unprocessed | Outcome::Lost | Outcome::Reset(_) => self.found.lost += 1,
            }
        }
    }

    /// Gives up a connection; the calls on it may go to another.
    fn close(&mut self, mut wire: Wire<Due>) {
        let mut ended = Vec::new();
        wire.close(&mut ended);
        self.note(&mut ended);
        for (code, reason, count) in wire.answers() {
            *self.found.answers.entry((code, reason)).or_default() += count;
        }
    }
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan<'a>) -> Self {
        let now = Instant::now();
        Self {
            plan,
            wires: (0..plan.connections).map(|_| None).collect(),
            leaving: Vec::new(),
            again: vec![now; plan.connections],
            ledger: Ledger {
                found: Found::default(),
                waiting: VecDeque::new(),
                later: VecDeque::new(),
                retry: plan.retry,
            },
            started: now,
            due: 0,
            ended: Vec::new(),
            turn: 0,
        }
    }

    fn run(mut self) -> Found {
        self.connect();
        self.started = Instant::now();
        let mut marked = self.plan.mark.is_none();
        while !self.over() {
            self.connect();
            self.plan_calls();
            self.begin();
            self.wait();
            self.exchange();
            if !marked && self.answered() >= 2 * self.plan.connections as u64 {
                marked = true;
                self.mark();
            }
        }
        self.ledger.found.elapsed = self.started.elapsed();
        self.settle();
        self.mark();
        for wire in self.wires.into_iter().flatten().chain(self.leaving) {
            self.ledger.close(wire);
        }
        let left = self.ledger.waiting.len() + self.ledger.later.len();
        self.ledger.found.lost += left as u64;
        self.ledger.found
    }

    fn mark(&self) {
        if let Some(mark) = self.plan.mark {
            mark(self.answered());
        }
    }

    fn answered(&self) -> u64 {
        self.ledger.found.latency.count() + self.ledger.found.refusals.count()
    }

    fn over(&self) -> bool {
        self.started.elapsed() >= self.plan.time
            || self.answered() >= self.plan.count
            || self.plan.over.is_some_and(|over| over.load(Ordering::Relaxed))
    }

    /// Calls under way when the time is over get their answers, within a bound.
    fn settle(&mut self) {
        // What never began is nobody's loss; what is to be repeated did.
        let began = |due: &Due| due.begun || self.plan.finish;
        let unsent = self.ledger.waiting.iter().filter(|due| !began(due)).count();
        self.ledger.found.unsent += unsent as u64;
        self.ledger.waiting.retain(began);
        let since = Instant::now();
        while self.under_way() > 0 && since.elapsed() < SETTLE {
            self.connect();
            self.begin();
            self.wait();
            self.exchange();
        }
    }

    fn under_way(&self) -> usize {
        let wires = self.wires.iter().flatten().chain(&self.leaving);
        let open = wires.map(Wire::under_way).sum::<usize>();
        open + self.ledger.waiting.len() + self.ledger.later.len()
    }

    fn connect(&mut self) {
        for (wire, again) in self.wires.iter_mut().zip(&mut self.again) {
            if wire.is_some() || Instant::now() < *again {
                continue;
            }
            *again = Instant::now() + RECONNECT;
            *wire = Wire::open(self.plan.target).ok();
            self.ledger.found.connected += u64::from(wire.is_some());
        }
    }

    /// Notes the calls that are due by now.
    fn plan_calls(&mut self) {
        let now = Instant::now();
        match self.plan.rate {
            Some(rate) => {
                let due = (now - self.started).as_secs_f64() * rate;
                while (self.due as f64) < due && self.due < self.plan.count {
                    self.add(self.started + Duration::from_secs_f64(self.due as f64 / rate));
                }
                // A server that is too slow for ever would fill our memory, not its own.
                while self.ledger.waiting.len() > WAITING_MAX {
                    self.ledger.waiting.pop_front();
                    self.ledger.found.unsent += 1;
                }
            }
            None => {
                let room = self.plan.connections * self.plan.streams;
                let mut missing = room.saturating_sub(self.under_way());
                while missing > 0 && self.due < self.plan.count {
                    self.add(now);
                    missing -= 1;
                }
            }
        }
    }

    fn add(&mut self, at: Instant) {
        let turn = |of: usize| (self.due % of as u64) as usize;
        let call = match self.plan.group {
            Some((group, size)) => group.load(Ordering::Relaxed) * size + turn(size),
            None => turn(self.plan.calls.len()),
        };
        self.ledger.waiting.push_back(Due { at, call, begun: false });
        self.due += 1;
    }

    /// Begins what there is room for, in turn on all connections.
    fn begin(&mut self) {
        self.ledger.come_back();
        let (mut full, mut waited) = (0, false);
        while full < self.wires.len() {
            let Some(due) = self.ledger.waiting.front().copied() else { break };
            let call = &self.plan.calls[due.call];
            self.turn = (self.turn + 1) % self.wires.len();
            match &mut self.wires[self.turn] {
                Some(wire) if wire.takes(call, self.plan.streams) => {
                    self.ledger.waiting.pop_front();
                    if !due.begun && !waited {
                        self.ledger.found.lateness.note(due.at.elapsed());
                    }
                    wire.begin(call, Due { begun: true, ..due });
                    full = 0;
                }
                _ => full += 1,
            }
            // With no room at all what is late is the server's doing.
            waited |= full == self.wires.len();
        }
    }

    /// Waits until something comes, or the next call is due.
    fn wait(&mut self) {
        for place in 0..self.wires.len() {
            if let Some(wire) = &mut self.wires[place]
                && wire.flush().is_err()
            {
                self.broke(place);
            }
        }
        let now = Instant::now();
        let next = match self.plan.rate {
            Some(rate) => self.started + Duration::from_secs_f64(self.due as f64 / rate),
            None => now + IDLE,
        };
        let wait = next.saturating_duration_since(now).min(IDLE);
        let wait = if self.plan.spin { Duration::ZERO } else { wait };
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        let wires = self.wires.iter().flatten().chain(&self.leaving);
        let mut descriptors: Vec<_> = wires
            .map(|wire| {
                let more = if wire.unsent() > 0 { PollFlags::OUT } else { PollFlags::empty() };
                PollFd::from_borrowed_fd(wire.descriptor(), PollFlags::IN | more)
            })
            .collect();
        // An interrupted wait is over a little earlier.
        let _ = poll(&mut descriptors, Some(&wait));
    }

    fn exchange(&mut self) {
        for place in 0..self.wires.len() {
            let Some(wire) = &mut self.wires[place] else { continue };
            let read = wire.read(&mut self.ended);
            let leaving = wire.leaving();
            self.ledger.note(&mut self.ended);
            if read.is_err() {
                self.broke(place);
            } else if leaving {
                self.leaving.extend(self.wires[place].take());
                self.again[place] = Instant::now();
            }
        }
        for mut wire in std::mem::take(&mut self.leaving) {
            let read = wire.flush().and_then(|()| wire.read(&mut self.ended));
            self.ledger.note(&mut self.ended);
            if read.is_ok() && wire.under_way() > 0 {
                self.leaving.push(wire);
            } else {
                self.ledger.close(wire);
            }
        }
    }

    fn broke(&mut self, place: usize) {
        if let Some(wire) = self.wires[place].take() {
            self.ledger.close(wire);
        }
    }
}

/// Sees whether a server answers a call at all.
pub fn once(target: &Target, call: &Call) -> io::Result<Outcome> {
    let mut wire = Wire::open(target)?;
    let mut ended = Vec::new();
    let began = Instant::now();
    let mut begun = false;
    while began.elapsed() < SETTLE {
        if !begun && wire.takes(call, 1) {
            wire.begin(call, ());
            begun = true;
        }
        wire.flush()?;
        wire.read(&mut ended)?;
        if let Some(((), outcome)) = ended.pop() {
            return Ok(outcome);
        }
        let mut descriptors = [PollFd::from_borrowed_fd(wire.descriptor(), PollFlags::IN)];
        let _ = poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 }));
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// How long calls under way at the end are waited for.
const SETTLE: Duration = Duration::from_secs(10);
/// Pause before a connection that could not be had is tried again.
const RECONNECT: Duration = Duration::from_millis(5);
/// How long after an answer that says so a call is repeated.
const PUSHBACK: Duration = Duration::from_millis(100);
const RESOURCE_EXHAUSTED: u8 = 8;
const UNAVAILABLE: u8 = 14;
/// The longest sleep: connections are looked after in between.
const IDLE: Duration = Duration::from_millis(5);
/// Calls that may be due and not begun.
const WAITING_MAX: usize = 200_000;
