//! The demo's table: what was sent, what came back, whether that is right.

use std::{fmt::Write as _, io::Write as _, net::SocketAddr};

use crate::{gateway::Sample, proto, tools::ToolError};

/// What the server answered.
pub(super) enum Outcome {
    Verified(Box<proto::VerifyAndParseResponse>),
    Refused(String),
}

/// The table so far.
pub(super) struct Table {
    text: String,
    rows: usize,
    wrong: usize,
}

impl Table {
    pub(super) fn new(address: SocketAddr) -> Self {
        // The port differs from run to run; the README shows the rest.
        let text = format!("payhook demo: the real server on {}, throw-away keys\n", address.ip());
        Self { text, rows: 0, wrong: 0 }
    }

    pub(super) fn section(&mut self, title: &str, scheme: &str) {
        let _ = write!(self.text, "\n{title} ({scheme})\n");
    }

    /// A genuine webhook: its event must be what the sample says.
    pub(super) fn genuine(&mut self, sample: &Sample, outcome: &Outcome) {
        let (right, told) = match outcome {
            Outcome::Refused(reason) => (false, format!("refused   {reason}")),
            Outcome::Verified(response) => match &response.events[..] {
                [event] => (means(sample, event), format!("verified  {}", describe(event))),
                events => (false, format!("verified  {} events", events.len())),
            },
        };
        self.row(sample.title, &told, right);
    }

    /// A forgery: it must be refused for one of these reasons.
    pub(super) fn refused(&mut self, title: &str, reasons: &[&str], outcome: &Outcome) {
        let (right, told) = match outcome {
            Outcome::Refused(reason) => {
                (reasons.contains(&reason.as_str()), format!("refused   {reason}"))
            }
            Outcome::Verified(_) => (false, "verified  a forgery".to_owned()),
        };
        self.row(title, &told, right);
    }

    /// A sample that could not be sent.
    pub(super) fn broken(&mut self, title: &str, problem: &dyn std::fmt::Display) {
        self.row(title, &format!("not sent  {problem}"), false);
    }

    fn row(&mut self, title: &str, told: &str, right: bool) {
        self.rows = self.rows.saturating_add(1);
        self.wrong = self.wrong.saturating_add(usize::from(!right));
        let mark = if right { "ok   " } else { "WRONG" };
        let _ = writeln!(self.text, "  {mark} {title:<38} {told}");
    }

    /// Prints the table; true when every row is right.
    pub(super) fn print(&self) -> Result<bool, ToolError> {
        let right = self.rows.saturating_sub(self.wrong);
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}\n{right} of {} outcomes are right", self.text, self.rows)?;
        Ok(self.wrong == 0 && self.rows > 0)
    }
}

fn means(sample: &Sample, event: &proto::PaymentEvent) -> bool {
    let kind = event.r#type().as_str_name().strip_prefix("EVENT_TYPE_");
    let status = sample.status.map_or("unspecified", crate::model::PaymentStatus::as_str);
    kind == Some(sample.event_type.as_str()) && status_word(event) == status
}

fn status_word(event: &proto::PaymentEvent) -> String {
    event.status().as_str_name().trim_start_matches("PAYMENT_STATUS_").to_ascii_lowercase()
}

/// Type, amount, status and reference, each where there is one.
fn describe(event: &proto::PaymentEvent) -> String {
    let kind = event.r#type().as_str_name().trim_start_matches("EVENT_TYPE_").to_owned();
    let amount = event.amount.as_ref();
    let amount = amount.map(|money| format!("{} {}", money.decimal, money.currency_code));
    let status = Some(status_word(event)).filter(|word| word != "unspecified");
    let status = status.unwrap_or_else(|| "-".to_owned());
    let amount = amount.unwrap_or_else(|| "-".to_owned());
    let line = format!("{kind:<28} {amount:>14}  {status:<9}  {}", event.merchant_reference);
    line.trim_end().to_owned()
}
