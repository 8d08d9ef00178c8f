//! What the list of findings can be asked, and its pages.

use std::collections::HashMap;

use lists::{Asker, Field, Kind, List, Query, Sort};
use model::Finding;
use platform::db::DbError;
use platform::http::Problem;
use platform::lists::Hit;
use sqlx::AnyConnection;

use crate::store;

const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const KINDS: &[&str] = &[
    "scan",
    "flood",
    "command_and_control",
    "anomaly",
    "brute_force",
    "exfiltration",
    "lateral_movement",
    "false_command",
    "replay",
    "man_in_the_middle",
    "model_attack",
];
const FLAGS: &[(&str, &str)] = &[("judged", "l.verdict <> ''"), ("unjudged", "l.verdict = ''")];

const fn field(name: &'static str, kind: Kind, column: &'static str, help: &'static str) -> Field {
    Field { name, kind, column, help }
}

/// The list of findings.
pub(crate) static LIST: List = List {
    table: "detection_list",
    text: "detection_list_text",
    marks: "detection_list_marks",
    fields: &[
        field(
            "severity",
            Kind::Rank(SEVERITIES),
            "severity",
            "low, medium, high or critical; also < <= > >=",
        ),
        field("kind", Kind::Word(KINDS), "kind", "a kind of attack, e.g. scan"),
        field("device", Kind::Phrase, "device", "words of a device's name"),
        field("device_id", Kind::Exact, "device", "a device's id"),
        field("address", Kind::Exact, "address", "the device's address"),
        field("mac", Kind::Exact, "mac", "the device's MAC address"),
        field("peer", Kind::Mark, "peer", "a remote address"),
        field("port", Kind::Mark, "port", "a service port"),
        field("technique", Kind::Mark, "technique", "a technique, e.g. T1046"),
        field("verdict", Kind::Exact, "verdict", "normal, attack, or none"),
        field("is", Kind::Flag(FLAGS), "", "judged or unjudged"),
        field("score", Kind::Number, "score", "a number; also < <= > >= and 2..5"),
        field("windows", Kind::Number, "windows", "a number; also < <= > >= and 2..5"),
        field("detector", Kind::Exact, "detector", "a detector, e.g. aarnn"),
        field("title", Kind::Phrase, "title", "words of the title"),
        field(
            "known",
            Kind::Time,
            "recorded_at",
            "when it became known here: a day, a time, or -7d; with < <= > >=",
        ),
        field(
            "first",
            Kind::Time,
            "first_at",
            "packet time of its begin: a day, a time, or -7d; with < <= > >=",
        ),
        field(
            "last",
            Kind::Time,
            "last_at",
            "packet time of its end: a day, a time, or -7d; with < <= > >=",
        ),
    ],
    sorts: &[
        Sort { name: "known", column: "recorded_at", real: false },
        Sort { name: "last", column: "last_at", real: false },
        Sort { name: "first", column: "first_at", real: false },
        Sort { name: "severity", column: "severity", real: false },
        Sort { name: "score", column: "score", real: true },
        Sort { name: "windows", column: "windows", real: false },
    ],
};

/// Everybody who may read findings may read all of them.
pub(crate) const SIGHT: &str = "1 = 1";

/// Reads a query; `me` is who asks.
pub(crate) fn read(text: Option<&str>, now_us: i64, me: &str) -> Result<Query, Problem> {
    platform::lists::read_query(text, &LIST, Asker { now_us, me })
}

/// A finding of a list, with what people last said of it.
pub(crate) type Row = (Finding, Option<String>);

/// The findings of a page, in its order.
pub(crate) async fn rows(
    connection: &mut AnyConnection,
    hits: &[Hit],
) -> Result<Vec<Row>, DbError> {
    let ids: Vec<String> = hits.iter().map(|hit| hit.id.clone()).collect();
    let found = store::findings::of_ids(connection, &ids).await?;
    let mut by_id: HashMap<String, Row> =
        found.into_iter().map(|row| (row.0.id.to_string(), row)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_attack_can_be_asked_for() {
        for word in KINDS {
            let kind: Result<model::AttackKind, _> =
                serde_json::from_value(serde_json::Value::String((*word).to_owned()));
            assert_eq!(kind.ok().map(model::AttackKind::word), Some(*word));
        }
    }
}
