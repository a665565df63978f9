//! What a scenario found: goal, measured, verdict; printed, and kept as dated figures.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::server::binary;

/// How long a run may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Seconds: does it hold at all.
    Short,
    /// As the goals are written.
    Full,
}

impl Length {
    /// One of two values.
    pub fn pick<T>(self, short: T, full: T) -> T {
        if self == Self::Full { full } else { short }
    }
}

/// A goal and what was measured.
struct Row {
    goal: String,
    measured: String,
    verdict: &'static str,
}

/// The table of one scenario.
pub struct Report {
    pub name: &'static str,
    pub length: Length,
    rows: Vec<Row>,
    failed: bool,
}

impl Report {
    pub fn new(name: &'static str, length: Length) -> Self {
        Self { name, length, rows: Vec::new(), failed: false }
    }

    /// Correctness and memory: a miss fails the run on any machine.
    pub fn must(&mut self, goal: &str, measured: impl Into<String>, holds: bool) {
        self.failed |= !holds;
        self.row(goal, measured, if holds { "holds" } else { "MISSED" });
    }

    /// A ratio or time that the machine has a part in: a miss fails a full run, which is made on
    /// a quiet one; a short run beside other work only says so.
    pub fn should(&mut self, goal: &str, measured: impl Into<String>, holds: bool) {
        self.failed |= !holds && self.length == Length::Full;
        self.row(goal, measured, if holds { "holds" } else { "missed" });
    }

    /// Without a goal.
    pub fn tell(&mut self, what: &str, measured: impl Into<String>) {
        self.row(what, measured, "reported");
    }

    fn row(&mut self, goal: &str, measured: impl Into<String>, verdict: &'static str) {
        let (goal, measured) = (goal.to_owned(), measured.into());
        eprintln!("  {verdict:<8} {goal}: {measured}");
        self.rows.push(Row { goal, measured, verdict });
    }

    pub fn failed(&self) -> bool {
        self.failed
    }

    /// The table in Markdown.
    pub fn table(&self) -> String {
        let heads = ["goal", "measured", "verdict"];
        let cells: Vec<[&str; 3]> = self
            .rows
            .iter()
            .map(|row| [row.goal.as_str(), row.measured.as_str(), row.verdict])
            .collect();
        let width = |at: usize| {
            let widths = cells.iter().map(|row| row[at].chars().count());
            widths.chain([heads[at].len()]).max().unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2)];
        let line = |row: &[&str; 3]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |"));
            format!("|{}\n", cells.collect::<String>())
        };
        let dashes = widths.map(|width| "-".repeat(width));
        let dashes = [dashes[0].as_str(), dashes[1].as_str(), dashes[2].as_str()];
        let rows = cells.iter().map(line).collect::<String>();
        format!("{}{}{rows}", line(&heads), line(&dashes))
    }
}

/// Writes tables into a page of dated figures; sections of other scenarios stay.
pub fn keep(page: &Path, reports: &[Report]) {
    let old = fs::read_to_string(page).unwrap_or_default();
    let mut sections: Vec<(String, String)> = old
        .split("\n## ")
        .skip(1)
        .filter_map(|section| section.split_once('\n'))
        .map(|(name, text)| (name.to_owned(), text.trim().to_owned()))
        .collect();
    for report in reports {
        let text = format!("{}\n\n{}", circumstances(report), report.table().trim_end());
        match sections.iter_mut().find(|(name, _)| name == report.name) {
            Some((_, old)) => *old = text,
            None => sections.push((report.name.to_owned(), text)),
        }
    }
    sections.sort();
    let sections = sections.iter().map(|(name, text)| format!("\n## {name}\n\n{text}\n"));
    let text = format!("{HEAD}{}", sections.collect::<String>());
    fs::write(page, text).expect("the page of figures is writable");
}

/// When, where and how.
fn circumstances(report: &Report) -> String {
    let output = |name: &str, arguments: &[&str]| {
        let run = Command::new(name).args(arguments).output();
        let text = run.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let length = if report.length == Length::Full { "full" } else { "short" };
    format!(
        "{}, {cores} x {}, profile {}, commit {}, {length} length.",
        output("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        model.unwrap_or("unknown CPU").trim(),
        profile(),
        output("git", &["rev-parse", "--short=10", "HEAD"]),
    )
}

/// The profile that the binary was built with.
pub fn profile() -> &'static str {
    if binary().contains("/dist/") { "dist" } else { "release" }
}

/// Where figures are kept.
pub fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/load-figures.md")
}

const HEAD: &str = "# Figures of the load runs\n\n\
    Written by `just load-full` (and by any scenario run with `--keep`); `docs/load.md` says how \
    each is measured.\n";
