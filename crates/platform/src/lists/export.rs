//! A list as a file, streamed page by page: CSV (RFC 4180) or JSON lines.

use std::pin::Pin;

use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use crate::http::Problem;

/// Rows of one export; the last line says where it was cut.
pub const MAX_EXPORT_ROWS: usize = 100_000;
/// Rows read at once: what an export holds in memory.
pub const EXPORT_PAGE_ROWS: u32 = 500;
const UTF8_MARK: &str = "\u{feff}";

/// What is wanted as a file.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct ExportQuery {
    /// The query.
    pub q: Option<String>,
    /// The order, as of the list.
    pub sort: Option<String>,
    /// `csv` (default) or `jsonl`.
    pub format: Option<String>,
    /// The columns, with commas between them; all when absent.
    pub columns: Option<String>,
    /// Begin a CSV file with the mark of UTF-8, for spreadsheets that guess otherwise.
    pub bom: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    JsonLines,
}

/// Rows of a page, and where to go on.
pub type ExportPage = (Vec<Value>, Option<(String, i64)>);

type Reading = Pin<Box<dyn Future<Output = Result<ExportPage, Problem>> + Send>>;

struct Run<F> {
    read: F,
    format: Format,
    columns: Vec<&'static str>,
    after: Option<(String, i64)>,
    rows: usize,
    head: Option<String>,
    over: bool,
}

/// The file; `read` reads the rows after a place, as JSON objects.
///
/// # Errors
/// A format or a column that there is not.
pub fn export<F>(
    query: &ExportQuery,
    name: &str,
    known: &[&'static str],
    read: F,
) -> Result<Response, Problem>
where
    F: FnMut(Option<(String, i64)>) -> Reading + Send + 'static,
{
    let format = match query.format.as_deref() {
        None | Some("csv") => Format::Csv,
        Some("jsonl") => Format::JsonLines,
        Some(other) => {
            let said: String = other.chars().take(40).collect();
            return Err(Problem::bad_request(format!("there is no format `{said}`"))
                .remedy("Use csv or jsonl."));
        }
    };
    let columns = columns(query.columns.as_deref(), known)?;
    let mark = if query.bom == Some(true) { UTF8_MARK } else { "" };
    let head = (format == Format::Csv).then(|| format!("{mark}{}\r\n", columns.join(",")));
    let run = Run { read, format, columns, after: None, rows: 0, head, over: false };
    let chunks = stream::unfold(run, |mut run| async move {
        let chunk = step(&mut run).await?;
        Some((chunk, run))
    });
    let (kind, ending) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::JsonLines => ("application/jsonl", "jsonl"),
    };
    let place = format!("attachment; filename=\"{name}.{ending}\"");
    Ok(([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, place)], Body::from_stream(chunks))
        .into_response())
}

async fn step<F>(run: &mut Run<F>) -> Option<Result<String, std::io::Error>>
where
    F: FnMut(Option<(String, i64)>) -> Reading,
{
    if let Some(head) = run.head.take() {
        return Some(Ok(head));
    }
    if run.over {
        return None;
    }
    let (rows, next) = match (run.read)(run.after.take()).await {
        Ok(page) => page,
        Err(_) => {
            // The status is gone; a connection that breaks is the only honest end.
            run.over = true;
            return Some(Err(std::io::Error::other("the export broke off; ask again")));
        }
    };
    let mut text = String::new();
    for row in rows.iter().take(MAX_EXPORT_ROWS - run.rows) {
        match run.format {
            Format::Csv => csv(&mut text, row, &run.columns),
            Format::JsonLines => json(&mut text, row, &run.columns),
        }
    }
    run.rows = (run.rows + rows.len()).min(MAX_EXPORT_ROWS);
    let more = next.is_some();
    run.after = next;
    run.over = !more || run.rows >= MAX_EXPORT_ROWS;
    if run.over && more {
        let said = format!("cut after {MAX_EXPORT_ROWS} rows (MAX_EXPORT_ROWS); narrow the query");
        match run.format {
            Format::Csv => text.push_str(&format!("# {said}\r\n")),
            Format::JsonLines => {
                text.push_str(&format!("{}\n", serde_json::json!({ "cut": said })))
            }
        }
    }
    Some(Ok(text))
}

fn columns(said: Option<&str>, known: &[&'static str]) -> Result<Vec<&'static str>, Problem> {
    let Some(said) = said else { return Ok(known.to_vec()) };
    let one = |name: &str| {
        known.iter().find(|own| **own == name).copied().ok_or_else(|| {
            let name: String = name.chars().take(40).collect();
            Problem::bad_request(format!("there is no column `{name}`"))
                .remedy(format!("Use {}.", known.join(", ")))
        })
    };
    said.split(',').take(known.len()).map(one).collect()
}

fn csv(text: &mut String, row: &Value, columns: &[&str]) {
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        cell(text, &row[*column]);
    }
    text.push_str("\r\n");
}

/// A cell; what a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection).
fn cell(text: &mut String, value: &Value) {
    let shown = match value {
        Value::Null => String::new(),
        Value::String(one) => one.clone(),
        Value::Array(all) => {
            let all: Vec<String> = all
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect();
            all.join(" ")
        }
        other => other.to_string(),
    };
    let formula = !value.is_number() && shown.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let shown = if formula { format!("'{shown}") } else { shown };
    if shown.contains([',', '"', '\r', '\n']) || formula {
        text.push('"');
        text.push_str(&shown.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(&shown);
    }
}

fn json(text: &mut String, row: &Value, columns: &[&str]) {
    let shown: serde_json::Map<String, Value> =
        columns.iter().map(|column| ((*column).to_owned(), row[*column].clone())).collect();
    text.push_str(&Value::Object(shown).to_string());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_defused() {
        let mut text = String::new();
        let row = json!({"a": "=HYPERLINK(\"x\")", "b": "two, \"three\"", "c": -1.5, "d": ["x", "y"], "e": null, "f": "\ttab"});
        csv(&mut text, &row, &["a", "b", "c", "d", "e", "f", "missing"]);
        assert_eq!(
            text,
            "\"'=HYPERLINK(\"\"x\"\")\",\"two, \"\"three\"\"\",-1.5,x y,,\"'\ttab\",\r\n"
        );
    }
}
