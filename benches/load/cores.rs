//! Which cores a scenario's two halves run on.

use std::fmt;

use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// The cores that this process may use.
pub struct Cores {
    all: CpuSet,
    /// One for the server and one for its client, where there are two.
    two: Option<[usize; 2]>,
}

impl Cores {
    pub fn found() -> Self {
        let all = sched_getaffinity(None::<Pid>).expect("asking is allowed");
        let mut ours = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
        let two = ours.next().zip(ours.next()).map(<[usize; 2]>::from);
        Self { all, two }
    }

    /// This thread, and what it starts, goes to the first.
    pub fn first(&self) {
        self.one(0);
    }

    /// To the second.
    pub fn second(&self) {
        self.one(1);
    }

    fn one(&self, of: usize) {
        let Some(two) = self.two else { return };
        let mut set = CpuSet::new();
        set.set(two[of]);
        use_only(&set);
    }

    /// Wherever it could before.
    pub fn all(&self) {
        use_only(&self.all);
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.two {
            Some([server, client]) => write!(f, "server {server}, client {client}"),
            None => f.write_str("one, shared by both"),
        }
    }
}

fn use_only(set: &CpuSet) {
    sched_setaffinity(None::<Pid>, set).expect("these cores are ours");
}
