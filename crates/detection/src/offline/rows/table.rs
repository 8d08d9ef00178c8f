//! Rows of a table, one at a time: comma-separated (RFC 4180) or JSON lines, packed or plain.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::RowsError;
use crate::offline::input;

/// Longest row, bytes; a quoted field may hold line ends.
pub const MAX_ROW_BYTES: usize = 1 << 20;
/// Columns of a table at most.
pub const MAX_COLUMNS: usize = 1_024;
/// Bytes read at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Comma-separated, the first row names the columns.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

/// One row: a text per column, empty where it has none.
#[derive(Debug, Default)]
pub struct Row {
    /// Number of the row, from 1, without the names.
    pub number: u64,
    fields: Vec<String>,
}

impl Row {
    /// The text of a column; empty where the row has none.
    #[must_use]
    pub fn get(&self, column: usize) -> &str {
        self.fields.get(column).map_or("", String::as_str).trim()
    }

    /// The text of a column that may not exist.
    #[must_use]
    pub fn at(&self, column: Option<usize>) -> &str {
        column.map_or("", |column| self.get(column))
    }
}

/// Reads a table.
pub struct Table<R> {
    path: PathBuf,
    form: Form,
    source: BufReader<R>,
    line: u64,
    bytes: Vec<u8>,
    columns: Vec<String>,
    row: Row,
    /// A JSON row read ahead to learn the columns.
    ahead: bool,
}

impl Table<Box<dyn Read>> {
    /// Opens a table, unpacking it where it is packed.
    ///
    /// # Errors
    /// When it cannot be read or its first row names no columns.
    pub fn open(path: &Path, form: Form) -> Result<Self, RowsError> {
        let source = input::open(path, &Arc::new(AtomicU64::new(0)))
            .map_err(|source| RowsError::Read { path: path.to_path_buf(), source })?;
        Self::new(path, form, source)
    }
}

impl<R: Read> Table<R> {
    /// A table from any source; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn new(path: &Path, form: Form, source: R) -> Result<Self, RowsError> {
        let mut table = Self {
            path: path.to_path_buf(),
            form,
            source: BufReader::with_capacity(CHUNK_BYTES, source),
            line: 0,
            bytes: Vec::new(),
            columns: Vec::new(),
            row: Row::default(),
            ahead: false,
        };
        match form {
            Form::Csv => {
                if !table.read_csv()? {
                    return Err(table.wrong("is empty: the first row must name the columns"));
                }
                table.columns = std::mem::take(&mut table.row.fields);
                if let Some(first) = table.columns.first_mut() {
                    *first = first.trim_start_matches('\u{feff}').to_owned();
                }
            }
            Form::Jsonl => table.ahead = table.read_json()?,
        }
        Ok(table)
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read on, or a row breaks the form or a bound.
    pub fn next_row(&mut self) -> Result<Option<&Row>, RowsError> {
        let found = match self.form {
            _ if std::mem::take(&mut self.ahead) => true,
            Form::Csv => self.read_csv()?,
            Form::Jsonl => self.read_json()?,
        };
        if !found {
            return Ok(None);
        }
        self.row.number += 1;
        Ok(Some(&self.row))
    }

    fn wrong(&self, problem: impl Into<String>) -> RowsError {
        RowsError::Row { path: self.path.clone(), line: self.line, problem: problem.into() }
    }

    /// Appends a line to the buffer; false at the end.
    fn read_line(&mut self) -> Result<bool, RowsError> {
        let room = (MAX_ROW_BYTES + 1).saturating_sub(self.bytes.len()) as u64;
        let read = (&mut self.source)
            .take(room)
            .read_until(b'\n', &mut self.bytes)
            .map_err(|source| RowsError::Read { path: self.path.clone(), source })?;
        if read > 0 {
            self.line += 1;
        }
        if self.bytes.len() > MAX_ROW_BYTES {
            return Err(self.wrong(format!(
                "row longer than {MAX_ROW_BYTES} bytes: close its quotes or shorten it"
            )));
        }
        Ok(read > 0)
    }

    /// Reads a row into the fields; false at the end. Empty lines are passed over.
    fn read_csv(&mut self) -> Result<bool, RowsError> {
        loop {
            self.bytes.clear();
            if !self.read_line()? {
                return Ok(false);
            }
            // Quotes come in pairs; an odd number means the row goes on.
            while self.bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
                if !self.read_line()? {
                    return Err(self.wrong("a quote is never closed"));
                }
            }
            if self.bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
                break;
            }
        }
        let mut fields = std::mem::take(&mut self.row.fields);
        let count = split(&self.bytes, &mut fields);
        fields.truncate(count);
        self.row.fields = fields;
        if count > MAX_COLUMNS {
            return Err(self.wrong(format!("{count} columns, the limit is {MAX_COLUMNS}")));
        }
        Ok(true)
    }

    fn read_json(&mut self) -> Result<bool, RowsError> {
        loop {
            self.bytes.clear();
            if !self.read_line()? {
                return Ok(false);
            }
            if self.bytes.iter().any(|byte| !byte.is_ascii_whitespace()) {
                break;
            }
        }
        let object: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&self.bytes)
                .map_err(|error| self.wrong(format!("no JSON object: {error}")))?;
        self.row.fields.iter_mut().for_each(String::clear);
        for (name, value) in object {
            let known = self.columns.iter().position(|column| *column == name);
            let place = known.unwrap_or(self.columns.len());
            if known.is_none() {
                if place >= MAX_COLUMNS {
                    return Err(self.wrong(format!("more than {MAX_COLUMNS} different names")));
                }
                self.columns.push(name);
            }
            if self.row.fields.len() <= place {
                self.row.fields.resize_with(place + 1, String::new);
            }
            self.row.fields[place] = match value {
                serde_json::Value::String(text) => text,
                serde_json::Value::Null => String::new(),
                other => other.to_string(),
            };
        }
        Ok(true)
    }
}

/// Splits a row into fields, reusing their memory; returns their number.
fn split(bytes: &[u8], fields: &mut Vec<String>) -> usize {
    let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |p| p + 1);
    let (mut count, mut field, mut quoted) = (0, Vec::new(), false);
    let mut put = |field: &mut Vec<u8>, count: &mut usize| {
        let text = String::from_utf8_lossy(field);
        match fields.get_mut(*count) {
            Some(slot) => {
                slot.clear();
                slot.push_str(&text);
            }
            None => fields.push(text.into_owned()),
        }
        field.clear();
        *count += 1;
    };
    let mut place = 0;
    while place < end {
        match (bytes[place], quoted) {
            (b'"', true) if bytes.get(place + 1) == Some(&b'"') => {
                field.push(b'"');
                place += 1;
            }
            (b'"', _) => quoted = !quoted,
            (b',', false) => put(&mut field, &mut count),
            (byte, _) => field.push(byte),
        }
        place += 1;
    }
    put(&mut field, &mut count);
    count
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn read(form: Form, text: &str) -> Result<(Vec<String>, Vec<Vec<String>>), RowsError> {
        let mut table = Table::new(Path::new("t"), form, text.as_bytes())?;
        let mut rows = Vec::new();
        while let Some(row) = table.next_row()? {
            rows.push(row.fields.clone());
        }
        Ok((table.columns().to_vec(), rows))
    }

    #[test]
    fn quotes_line_ends_and_empty_lines() {
        let (columns, rows) =
            read(Form::Csv, "\u{feff}a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n\r\n,2").unwrap();
        assert_eq!(columns, ["a", "b"]);
        assert_eq!(rows, [["1", "x, \"y\"\nz"], ["", "2"]]);
    }

    #[test]
    fn json_lines_may_differ_in_their_names() {
        let (columns, rows) =
            read(Form::Jsonl, "{\"a\":1,\"b\":\"x\"}\n{\"b\":null,\"c\":[2]}\n").unwrap();
        assert_eq!(columns, ["a", "b", "c"]);
        assert_eq!(rows[0], ["1", "x"]);
        assert_eq!(rows[1], ["", "", "[2]"]);
    }

    #[test]
    fn errors_name_the_line() {
        for (form, text, line, word) in [
            (Form::Csv, "", 0, "empty"),
            (Form::Csv, "a\n\"b\n", 2, "never closed"),
            (Form::Jsonl, "{}\n[1]\n", 2, "no JSON object"),
        ] {
            let error = read(form, text).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}")) && error.contains(word), "{error}");
        }
        let long = format!("a\n{}", "x".repeat(MAX_ROW_BYTES + 1));
        assert!(read(Form::Csv, &long).unwrap_err().to_string().contains("longer"));
    }

    proptest! {
        #[test]
        fn fields_read_back(rows in proptest::collection::vec(proptest::collection::vec("[a-z\",\n ]{0,8}", 3), 1..8)) {
            let mut text = "a,b,c\n".to_owned();
            for row in &rows {
                let quoted: Vec<String> =
                    row.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
                text.push_str(&quoted.join(","));
                text.push('\n');
            }
            prop_assert_eq!(read(Form::Csv, &text).unwrap().1, rows);
        }

        #[test]
        fn anything_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = read(Form::Csv, &text);
            let _ = read(Form::Jsonl, &text);
        }
    }
}
