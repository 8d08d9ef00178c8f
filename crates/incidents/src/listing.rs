//! What the list of incidents can be asked, and its pages.

use std::collections::HashMap;

use lists::{Asker, Field, Kind, List, Query, Sort};
use model::{Incident, IncidentState, Tlp};
use platform::db::DbError;
use platform::http::{Beyond, Problem};
use platform::lists::{Hit, Wanted};
use sqlx::AnyConnection;

use crate::store;

const STATES: [&str; IncidentState::ALL.len()] = {
    let mut words = [""; IncidentState::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = IncidentState::ALL[at].word();
        at += 1;
    }
    words
};
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const LABELS: &[&str] = &["clear", "green", "amber", "amber+strict", "red"];
const FLAGS: &[(&str, &str)] = &[
    ("open", "l.open = 1"),
    ("closed", "l.open = 0"),
    ("acknowledged", "l.acknowledged <> ''"),
    ("unacknowledged", "l.acknowledged = ''"),
    ("received", "l.received = 1"),
    ("own", "l.received = 0"),
];

const fn field(name: &'static str, kind: Kind, column: &'static str, help: &'static str) -> Field {
    Field { name, kind, column, help }
}

/// The list of incidents.
pub(crate) static LIST: List = List {
    table: "incidents_list",
    text: "incidents_list_text",
    marks: "incidents_list_marks",
    fields: &[
        field(
            "is",
            Kind::Flag(FLAGS),
            "",
            "open, closed, acknowledged, unacknowledged, received or own",
        ),
        field("state", Kind::Word(&STATES), "state", "a state, e.g. new,triaged"),
        field(
            "severity",
            Kind::Rank(SEVERITIES),
            "severity",
            "low, medium, high or critical; also < <= > >=",
        ),
        field("owner", Kind::Exact, "owner", "a name, me, or none"),
        field("tag", Kind::Mark, "tag", "a tag"),
        field("device", Kind::Phrase, "device", "words of a device's name"),
        field("device_id", Kind::Mark, "device", "a device's id"),
        field("address", Kind::Mark, "address", "the address of a device"),
        field("mac", Kind::Mark, "mac", "the MAC address of a device"),
        field("peer", Kind::Mark, "peer", "a remote address"),
        field("technique", Kind::Mark, "technique", "a technique, e.g. T1046"),
        field("title", Kind::Phrase, "title", "words of the title"),
        field(
            "tlp",
            Kind::Rank(LABELS),
            "tlp",
            "clear, green, amber, amber+strict or red; also < <= > >=",
        ),
        field("origin", Kind::Exact, "origin", "the organisation that opened it"),
        field("acknowledged_by", Kind::Exact, "acknowledged", "a name, me, or none"),
        field("findings", Kind::Number, "findings", "a number; also < <= > >= and 2..5"),
        field(
            "opened",
            Kind::Time,
            "recorded_at",
            "when it became known here: a day, a time, or -7d; with < <= > >=",
        ),
        field(
            "updated",
            Kind::Time,
            "updated_at",
            "its last change: a day, a time, or -7d; with < <= > >=",
        ),
        field(
            "happened",
            Kind::Time,
            "event_at",
            "packet time: a day, a time, or -7d; with < <= > >=",
        ),
    ],
    sorts: &[
        Sort { name: "opened", column: "recorded_at", real: false },
        Sort { name: "updated", column: "updated_at", real: false },
        Sort { name: "happened", column: "event_at", real: false },
        Sort { name: "severity", column: "severity", real: false },
        Sort { name: "findings", column: "findings", real: false },
    ],
};

/// What a reader may see, as a condition: of others' incidents those under no label beyond sight. Labels are constants of
/// this program, never input.
pub(crate) fn sight(beyond: &Beyond) -> String {
    let hidden: Vec<String> = Tlp::ALL
        .iter()
        .enumerate()
        .filter(|(_, tlp)| beyond.0.contains(tlp))
        .map(|(rank, _)| rank.to_string())
        .collect();
    if hidden.is_empty() {
        return "1 = 1".into();
    }
    format!("(l.received = 0 OR +l.tlp NOT IN ({}))", hidden.join(", "))
}

/// Reads a query; `me` is who asks.
pub(crate) fn read(text: Option<&str>, now_us: i64, me: &str) -> Result<Query, Problem> {
    platform::lists::read_query(text, &LIST, Asker { now_us, me })
}

/// An incident of a list, with what is not part of it elsewhere.
pub(crate) type Row = (Incident, Option<String>, Vec<String>);

/// The incidents of a page, in its order.
pub(crate) async fn rows(
    connection: &mut AnyConnection,
    hits: &[Hit],
) -> Result<Vec<Row>, DbError> {
    let ids: Vec<String> = hits.iter().map(|hit| hit.id.clone()).collect();
    let found = store::of_ids(connection, &ids).await?;
    let mut by_id: HashMap<String, Row> =
        found.into_iter().map(|row| (row.0.id.to_string(), row)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

/// The newest first.
pub(crate) fn usual<'a>(
    query: &'a Query,
    sight: &'a str,
    known: &'a [lists::Rarity],
) -> Wanted<'a> {
    Wanted { list: &LIST, query, sight, known, sort: &LIST.sorts[0], down: true }
}
