//! Measured figures, printed as they come and kept for the page.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::ratio::Ratio;

/// The rows of one part.
pub struct Rows {
    part: &'static str,
    rows: Vec<Value>,
}

impl Rows {
    pub fn new(part: &'static str) -> Self {
        Self { part, rows: Vec::new() }
    }

    /// A ratio; with a goal it says whether its whole interval reaches it.
    pub fn row(&mut self, key: &str, ratio: Ratio, what: &str, goal: Option<(f64, &str)>) {
        let verdict = goal.map(|(bound, sense)| verdict(ratio, bound, sense));
        let goal = goal.map(|(bound, sense)| format!("{sense} {bound}"));
        let told = goal.as_deref().unwrap_or("");
        println!("goal {key:24} {ratio}  {what} {told} {}", verdict.unwrap_or_default());
        self.rows.push(json!({
            "key": key, "what": what, "middle": ratio.middle, "low": ratio.low,
            "high": ratio.high, "rounds": ratio.rounds, "goal": goal, "verdict": verdict
        }));
    }

    /// A single figure, such as bytes or milliseconds.
    pub fn figure(&mut self, key: &str, value: f64, unit: &str, what: &str, goal: Option<f64>) {
        let verdict = goal.map(|most| if value <= most { "holds" } else { "MISSED" });
        let told = goal.map(|most| format!("<= {most} {unit}"));
        println!(
            "goal {key:24} {value:.3} {unit}  {what} {} {}",
            told.as_deref().unwrap_or(""),
            verdict.unwrap_or_default()
        );
        self.rows.push(json!({
            "key": key, "what": what, "value": value, "unit": unit, "goal": told,
            "verdict": verdict
        }));
    }

    /// Writes them where the page's script looks.
    pub fn write(self) {
        let folder = std::env::var_os("PERFORMANCE").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/performance"),
            PathBuf::from,
        );
        fs::create_dir_all(&folder).expect("target is writable");
        let text = serde_json::to_string_pretty(&self.rows).expect("plain values");
        fs::write(folder.join(format!("{}.json", self.part)), text).expect("target is writable");
    }
}

/// A goal holds where the whole interval reaches it, and is missed where none of it does.
fn verdict(ratio: Ratio, bound: f64, sense: &str) -> &'static str {
    let reaches = |value: f64| if sense == "<=" { value <= bound } else { value >= bound };
    match (reaches(ratio.low), reaches(ratio.high)) {
        (true, true) => "holds",
        (false, false) => "MISSED",
        (true, false) | (false, true) => "undecided",
    }
}
