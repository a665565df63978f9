//! Status tables as data: what a gateway's type and state mean in neutral words.

use crate::model::{EventType, PaymentStatus, SubjectKind};

/// One row: the first row of a table that matches decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRow {
    /// The gateway's type, exact, or a prefix that ends in `*`.
    pub gateway_type: &'static str,
    /// The state the parser found in the payload (a native status word, or a word of the parser's
    /// own such as `full`), exact; `*` for any.
    pub state: &'static str,
    /// What the payload describes.
    pub subject: SubjectKind,
    /// The neutral type that this state proves.
    pub event_type: EventType,
    /// What it proves about the payment.
    pub status: Option<PaymentStatus>,
}

/// One row, in the order of its columns.
pub(crate) const fn row(
    gateway_type: &'static str,
    state: &'static str,
    subject: SubjectKind,
    event_type: EventType,
    status: Option<PaymentStatus>,
) -> StatusRow {
    StatusRow { gateway_type, state, subject, event_type, status }
}

/// The row for a type and a state; `None` means the type has no neutral meaning here.
pub(crate) fn find<'t>(
    table: &'t [StatusRow],
    gateway_type: &str,
    state: &str,
) -> Option<&'t StatusRow> {
    let state_fits = |row: &StatusRow| row.state == "*" || row.state == state;
    table.iter().find(|row| row.names(gateway_type) && state_fits(row))
}

/// Whether any row is about a type.
pub(crate) fn knows(table: &[StatusRow], gateway_type: &str) -> bool {
    table.iter().any(|row| row.names(gateway_type))
}

impl StatusRow {
    fn names(&self, gateway_type: &str) -> bool {
        match self.gateway_type.strip_suffix('*') {
            Some(prefix) => gateway_type.starts_with(prefix),
            None => self.gateway_type == gateway_type,
        }
    }
}
