//! CWE: numbers and names of weaknesses out of the files that its site offers (`cwe.mitre.org/data/downloads.html`): the
//! whole list in XML, or a view as a CSV table.

mod xml;

use csv_core::{ReadRecordResult, ReaderBuilder};

/// Longest table, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// Most weaknesses of a table.
pub const MAX_WEAKNESSES: usize = 20_000;
/// Characters of a name.
const MAX_NAME_CHARS: usize = 300;
/// Columns of one record at most; longest record, in bytes.
const MAX_COLUMNS: usize = 64;
const MAX_RECORD_BYTES: usize = 1 << 20;

/// A weakness.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Weakness {
    /// Identifier, `CWE-79`.
    pub id: String,
    /// Name.
    pub name: String,
    /// What it is; empty where the table does not say.
    pub description: String,
}

/// Why a table cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CweError {
    /// Longer than [`MAX_BYTES`].
    #[error("the table has {0} bytes, more than {MAX_BYTES}")]
    TooLarge(usize),
    /// More than [`MAX_WEAKNESSES`].
    #[error("the table holds more than {MAX_WEAKNESSES} weaknesses; is it CWE?")]
    TooMany,
    /// A record longer than may be.
    #[error(
        "record {0} is longer than {MAX_RECORD_BYTES} bytes or has more than {MAX_COLUMNS} columns"
    )]
    TooLong(usize),
    /// The columns are missing.
    #[error("no columns `CWE-ID` and `Name`; is it a CSV table of CWE?")]
    Columns,
    /// No weakness inside.
    #[error("no weakness in it; is it a CSV table or the XML list of CWE?")]
    Empty,
    /// The XML cannot be read from this byte on.
    #[error("byte {0} of the XML: {1}")]
    Xml(usize, &'static str),
}

/// Reads the list in XML, or a table with the columns `CWE-ID`, `Name` and perhaps `Description`. What has no number, is
/// deprecated or a category is passed over.
///
/// # Errors
/// [`CweError`].
pub fn read(bytes: &[u8]) -> Result<Vec<Weakness>, CweError> {
    if bytes.len() > MAX_BYTES {
        return Err(CweError::TooLarge(bytes.len()));
    }
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if rest.trim_ascii_start().starts_with(b"<") {
        return xml::read(rest);
    }
    let mut reader = ReaderBuilder::new().build();
    let (mut text, mut ends) = (vec![0; MAX_RECORD_BYTES], [0; MAX_COLUMNS]);
    let mut columns: Option<(usize, usize, Option<usize>)> = None;
    let (mut found, mut record) = (Vec::new(), 0);
    loop {
        let (result, used, _, count) = reader.read_record(rest, &mut text, &mut ends);
        rest = &rest[used..];
        match result {
            ReadRecordResult::End => break,
            // An empty rest then tells the reader that this is the end.
            ReadRecordResult::InputEmpty => continue,
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                return Err(CweError::TooLong(record + 1));
            }
            ReadRecordResult::Record => {}
        }
        record += 1;
        let field = |at: usize| {
            let start = if at == 0 { 0 } else { *ends[..count].get(at - 1)? };
            let end = *ends[..count].get(at)?;
            Some(String::from_utf8_lossy(text.get(start..end)?).trim().to_owned())
        };
        match columns {
            None => {
                let named =
                    |name: &str| (0..count).find(|at| field(*at).is_some_and(|text| text == name));
                let (Some(id), Some(name)) = (named("CWE-ID"), named("Name")) else {
                    return Err(CweError::Columns);
                };
                columns = Some((id, name, named("Description")));
            }
            Some((id, name, description)) => {
                let number: Option<u32> = field(id).and_then(|text| text.parse().ok());
                let name: String =
                    field(name).unwrap_or_default().chars().take(MAX_NAME_CHARS).collect();
                let Some(number) = number.filter(|_| !name.is_empty()) else { continue };
                if found.len() >= MAX_WEAKNESSES {
                    return Err(CweError::TooMany);
                }
                let description = description.and_then(field).unwrap_or_default();
                found.push(Weakness { id: format!("CWE-{number}"), name, description });
            }
        }
    }
    if columns.is_none() {
        return Err(CweError::Columns);
    }
    if found.is_empty() { Err(CweError::Empty) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_table_is_read_by_the_names_of_its_columns() {
        let table = "CWE-ID,Name,Weakness Abstraction,Description\n\
            79,\"Cross-site, quoted\",Base,\"It says \"\"hello\"\"\nover two lines\"\n\
            x,no number,Base,\n1004,Sensitive Cookie,Variant,\n";
        let found = read(table.as_bytes()).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].id.as_str(), found[0].name.as_str()),
            ("CWE-79", "Cross-site, quoted")
        );
        assert_eq!(found[0].description, "It says \"hello\"\nover two lines");
        assert_eq!(found[1].id, "CWE-1004");
    }

    #[test]
    fn what_is_no_table_is_refused() {
        assert_eq!(read(b""), Err(CweError::Columns));
        assert_eq!(read(b"a,b\n1,2\n"), Err(CweError::Columns));
        assert_eq!(read(b"CWE-ID,Name\nx,y\n"), Err(CweError::Empty));
        let long = format!("CWE-ID,Name\n1,\"{}", "a".repeat(MAX_RECORD_BYTES + 1));
        assert_eq!(read(long.as_bytes()), Err(CweError::TooLong(2)));
    }
}
