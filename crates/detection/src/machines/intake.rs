//! From the operations of a batch to reports.

use std::collections::HashSet;

use analytics::commands::Summary;
use analytics::host::Host;
use analytics::operations::Report;
use serde_json::Value;

/// Reports a batch may hold; those beyond are counted.
pub(crate) const MAX_BATCH_REPORTS: usize = 4_096;

/// The reports of a batch.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// By the start of their windows.
    pub(crate) commands: Vec<Summary>,
    /// What could not be read, or is beyond the bound.
    pub(crate) unread: i64,
    /// Of GOOSE and MMS, as they came.
    pub(crate) laws: Vec<Report>,
}

impl Reports {
    /// Whether there is nothing of commands.
    pub(crate) const fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.unread == 0
    }

    /// Everybody whom commands name.
    pub(crate) fn hosts(&self) -> HashSet<Host> {
        self.commands.iter().flat_map(|report| [report.from, report.to]).collect()
    }

    /// Reads them. One that cannot be read does not hold up the others.
    pub(crate) fn read(operations: &Value) -> Self {
        let Some(items) = operations.as_array() else {
            return Self { unread: i64::from(!operations.is_null()), ..Self::default() };
        };
        let mut reports = Self::default();
        for item in items.iter().take(MAX_BATCH_REPORTS) {
            match serde::Deserialize::deserialize(item) {
                Ok(Report::Commands(summary)) => reports.commands.push(summary),
                Ok(other) => reports.laws.push(other),
                Err(_) => reports.unread += 1,
            }
        }
        reports.unread += items.len().saturating_sub(MAX_BATCH_REPORTS) as i64;
        reports.commands.sort_by_key(|one| (one.start_us, one.from, one.to, one.unit));
        reports
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_read_is_counted_and_holds_up_nothing() {
        let good = json!({
            "kind": "commands", "from": "10.0.0.1", "to": "10.0.0.2", "protocol": "modbus",
            "unit": 1, "role": "request", "start_us": 0, "end_us": 10, "entries": [],
        });
        let reports = Reports::read(&json!([good, null, {"kind": "other"}, 7]));
        assert_eq!((reports.commands.len(), reports.unread), (1, 3));
        assert!(Reports::read(&Value::Null).is_empty());
        assert_eq!(Reports::read(&json!("x")).unread, 1);
        let many = Value::Array(vec![Value::Null; MAX_BATCH_REPORTS + 5]);
        assert_eq!(Reports::read(&many).unread, MAX_BATCH_REPORTS as i64 + 5);
    }
}
