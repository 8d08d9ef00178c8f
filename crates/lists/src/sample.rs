//! A list of every kind of field, for tests and the fuzz target.

use crate::field::{Field, Kind, List, Sort};

const fn field(name: &'static str, kind: Kind, column: &'static str, help: &'static str) -> Field {
    Field { name, kind, column, help }
}

/// The list.
pub static LIST: List = List {
    table: "sample_list",
    text: "sample_text",
    marks: "sample_marks",
    fields: &[
        field(
            "state",
            Kind::Word(&["new", "triaged", "closed"]),
            "state",
            "new, triaged or closed",
        ),
        field(
            "severity",
            Kind::Rank(&["low", "medium", "high", "critical"]),
            "severity",
            "low to critical",
        ),
        field("device", Kind::Phrase, "device", "words of a name"),
        field("owner", Kind::Exact, "owner", "a name, me or none"),
        field("opened", Kind::Time, "recorded_at", "a day, a time, or -7d"),
        field("score", Kind::Number, "score", "a number or 2..5"),
        field("peer", Kind::Mark, "peer", "an address"),
        field("is", Kind::Flag(&[("open", "l.open = 1")]), "", "open"),
    ],
    sorts: &[Sort { name: "opened", column: "recorded_at", real: false }],
};
