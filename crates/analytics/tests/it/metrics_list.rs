//! The list of metrics for people says what the code says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::Path;

use analytics::metrics::ALL;

#[test]
fn the_documented_metrics_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut table = String::new();
    for metric in ALL {
        let judged = if metric.is_judged() { "yes" } else { "no" };
        writeln!(table, "| `{}` | {} | {judged} |", metric.name(), metric.describe()).unwrap();
    }
    assert!(text.contains(&table), "docs/metrics.md must hold this table:\n{table}");
}
