//! Scenarios in row form: one row per message or flow, in CSV or JSON lines.
//!
//! [`read_spec`] finds out what the rows are (GOOSE messages, MMS messages, flow records, or anything
//! with a time); [`learn`] makes the models that fit, [`score`] judges every window with each of them.
//! The detector `ensemble` joins them: for messages the model of their protocol decides, for other
//! rows the largest score.

mod columns;
mod engine;
mod messages;
pub mod parse;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::host::Host;
use serde::{Deserialize, Serialize};

pub use columns::{Columns, Shape};
pub use engine::{RowModels, RowScores, learn, records, score};
pub use messages::{GooseRow, MmsRow};
pub use table::{Form, MAX_COLUMNS, MAX_ROW_BYTES, Row, Table};

use super::scenario::{Kind, Scenario};

/// Rows read from one file at most.
pub const MAX_ROWS: u64 = 100_000_000;
/// Bytes of a description at most.
const MAX_DESCRIPTION_BYTES: u64 = 1 << 20;
/// Skipped rows a summary tells with their reason.
const MAX_TOLD: usize = 5;

/// Why rows could not be used.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row breaks the form.
    #[error("{path}, line {line}: {problem}")]
    Row {
        /// The file.
        path: PathBuf,
        /// Line in it, from 1.
        line: u64,
        /// What is wrong, and the remedy.
        problem: String,
    },
    /// The columns do not say what is needed.
    #[error("{path}: {problem}")]
    Columns {
        /// The file.
        path: PathBuf,
        /// What lacks, and the remedy.
        problem: String,
    },
    /// Nothing could be learned.
    #[error("{path}: nothing to learn from: {problem}")]
    Nothing {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

/// How to read the rows of a scenario.
#[derive(Clone, Debug)]
pub struct RowsSpec {
    /// How rows are written.
    pub form: Form,
    /// Meaning → name of a column, as the description says.
    pub named: BTreeMap<String, String>,
    /// Protected devices; empty for every local one.
    pub devices: Vec<Host>,
}

/// What was read of one file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RowSummary {
    /// Rows read.
    pub rows: u64,
    /// Rows that could not be used.
    pub skipped: u64,
    /// The first of them: row and reason.
    pub reasons: Vec<(u64, String)>,
}

impl RowSummary {
    fn skip(&mut self, row: u64, reason: &str) {
        self.skipped += 1;
        if self.reasons.len() < MAX_TOLD {
            self.reasons.push((row, reason.to_owned()));
        }
    }
}

/// Where and when a row happened: what labels of rows are joined by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFacts {
    /// Number of the row, from 1.
    pub number: u64,
    /// Time, microseconds.
    pub ts_us: i64,
    /// Addresses of both ends, as far as the row names them.
    pub ends: Vec<Host>,
    /// The run.
    pub group: Option<Arc<str>>,
}

#[derive(Deserialize, Default)]
struct Description {
    #[serde(default)]
    rows: BTreeMap<String, String>,
}

/// Whether a scenario is in row form.
#[must_use]
pub const fn is_row_scenario(scenario: &Scenario) -> bool {
    matches!(scenario.kind, Kind::RowsCsv | Kind::RowsJsonl)
}

/// Reads how the rows of a scenario are to be read.
///
/// # Errors
/// When the description cannot be read or its `[rows]` is no table of names.
pub fn read_spec(scenario: &Scenario) -> Result<RowsSpec, RowsError> {
    let path = scenario.folder.join(super::scenario::SCENARIO_FILE);
    let read = |source| RowsError::Read { path: path.clone(), source };
    let wrong = |problem: String| RowsError::Columns { path: path.clone(), problem };
    if std::fs::metadata(&path).map_err(read)?.len() > MAX_DESCRIPTION_BYTES {
        return Err(wrong(format!("larger than {MAX_DESCRIPTION_BYTES} bytes: shorten it")));
    }
    let text = std::fs::read_to_string(&path).map_err(read)?;
    let found: Description =
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
    let form = if scenario.kind == Kind::RowsJsonl { Form::Jsonl } else { Form::Csv };
    let devices = scenario.devices.iter().filter_map(|device| device.ip.or(device.mac)).collect();
    Ok(RowsSpec { form, named: found.rows, devices })
}

/// Tells where and when each row happened, in the order of the file. Rows without a time are told as
/// skipped in the summary.
///
/// # Errors
/// When the file cannot be read or breaks its form.
pub fn each_row(
    path: &Path,
    spec: &RowsSpec,
    mut each: impl FnMut(RowFacts),
) -> Result<RowSummary, RowsError> {
    let (mut table, columns) = open(path, spec)?;
    let mut summary = RowSummary::default();
    let mut groups = Groups::default();
    while let Some(row) = table.next_row()? {
        summary.rows += 1;
        let Some(ts_us) = parse::time_us(columns.text(row, "time")) else {
            summary.skip(row.number, "no time");
            continue;
        };
        let ends = ["src_ip", "dst_ip", "src_mac", "dst_mac"];
        let ends = ends.iter().filter_map(|end| parse::host(columns.text(row, end))).collect();
        let group = groups.get(columns.text(row, "group"));
        each(RowFacts { number: row.number, ts_us, ends, group });
    }
    Ok(summary)
}

/// Opens a table and finds its columns.
fn open(
    path: &Path,
    spec: &RowsSpec,
) -> Result<(Table<Box<dyn std::io::Read>>, Columns), RowsError> {
    let table = Table::open(path, spec.form)?;
    let columns = Columns::find(table.columns(), &spec.named)
        .map_err(|problem| RowsError::Columns { path: path.to_path_buf(), problem })?;
    Ok((table, columns))
}

/// Names of runs, kept once.
#[derive(Default)]
struct Groups(BTreeMap<String, Arc<str>>);

impl Groups {
    /// Runs kept at most; names beyond it are made anew each time.
    const MOST: usize = 100_000;

    fn get(&mut self, name: &str) -> Option<Arc<str>> {
        if name.is_empty() {
            return None;
        }
        if let Some(known) = self.0.get(name) {
            return Some(Arc::clone(known));
        }
        let group: Arc<str> = name.into();
        if self.0.len() < Self::MOST {
            self.0.insert(name.to_owned(), Arc::clone(&group));
        }
        Some(group)
    }
}
