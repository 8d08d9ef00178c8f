//! Separated values: RFC 4180 with choices of delimiter, quote, comment, header and columns.
//!
//! Records are cut out by lines, so that a quote that is never closed costs one record: after
//! [`MAX_RECORD_LINES`] lines its first line is refused and reading goes on at the next one.

use std::collections::VecDeque;
use std::io::Read;
use std::ops::ControlFlow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::lines::{Line, Lines};
use crate::record::{
    Emit, End, Kinds, Limits, Place, Raw, Reason, Record, Sink, Summary, split_tags,
};

/// Most lines that one record may spread over.
pub const MAX_RECORD_LINES: usize = 16;

/// A column, by place or by its name in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// From 0.
    At(usize),
    /// As in the header, case ignored, blanks and `#` around it left out.
    Named(String),
}

/// How to read separated values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv {
    /// Which values it holds, where `kind` does not say.
    pub kinds: Kinds,
    /// Between fields.
    pub delimiter: u8,
    /// Around fields; `None`: quotes mean nothing.
    pub quote: Option<u8>,
    /// At the beginning of a line that is no record.
    pub comment: Option<u8>,
    /// Whether the first record names the columns.
    pub header: bool,
    /// Column of the value.
    pub value: Column,
    /// Column that names the kind ([`crate::record::kinds_of_name`]).
    pub kind: Option<Column>,
    /// Column of the score.
    pub score: Option<Column>,
    /// Column of a comment.
    pub remark: Option<Column>,
    /// Column of the first sight.
    pub first_seen: Option<Column>,
    /// Column of the last sight.
    pub last_seen: Option<Column>,
    /// Column of tags, separated by commas, semicolons or bars.
    pub tags: Option<Column>,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            kinds: Kinds::Any,
            delimiter: b',',
            quote: Some(b'"'),
            comment: Some(b'#'),
            header: false,
            value: Column::At(0),
            kind: None,
            score: None,
            remark: None,
            first_seen: None,
            last_seen: None,
            tags: None,
        }
    }
}

/// Reads separated values into records.
pub fn read(reader: impl Read, format: &Csv, limits: Limits, sink: &mut Sink<'_>) -> Summary {
    let mut emit = Emit::new(sink, limits);
    let mut columns = if format.header { None } else { Some(Columns::find(format, &[])) };
    let mut rows = Rows::new(reader, format, limits);
    let end = loop {
        match rows.next() {
            Err(end) => break end,
            Ok(None) => break End::Complete,
            Ok(Some(Row::Blank)) => emit.counts.skipped += 1,
            Ok(Some(Row::Bad(line, reason, raw))) => {
                if emit.reject(Place::Line(line), reason, &raw).is_break() {
                    break End::Stopped;
                }
            }
            Ok(Some(Row::Fields(line))) => {
                let row = rows.fields();
                let flow = match &columns {
                    Some(Ok(columns)) => one(columns, row, line, format, &mut emit),
                    Some(Err(name)) => {
                        let reason = format!("there is no column `{name}`; see the header");
                        break End::Broken { place: Place::Line(line), reason };
                    }
                    None => {
                        let names: Vec<String> = (0..row.len()).map(|at| row.lossy(at)).collect();
                        columns = Some(Columns::find(format, &names));
                        emit.counts.skipped += 1;
                        ControlFlow::Continue(())
                    }
                };
                if flow.is_break() {
                    break End::Stopped;
                }
            }
        }
    };
    emit.counts.bytes = rows.lines.bytes();
    emit.finish(end)
}

fn one(
    columns: &Columns,
    row: Fields<'_>,
    line: u64,
    format: &Csv,
    emit: &mut Emit<'_, '_, Record>,
) -> ControlFlow<()> {
    let place = Place::Line(line);
    if std::str::from_utf8(row.bytes).is_err() {
        return emit.reject(place, Reason::NotUtf8, row.bytes);
    }
    let Some(value) = row.text(columns.value) else {
        let reason = Reason::MissingField(format!("column {}", columns.value));
        return emit.reject(place, reason, row.bytes);
    };
    let at = |column: Option<usize>| column.and_then(|at| row.text(at));
    let raw = Raw {
        value,
        kind: at(columns.kind),
        score: at(columns.score),
        comment: at(columns.remark),
        first_seen: at(columns.first_seen),
        last_seen: at(columns.last_seen),
        tags: at(columns.tags).map(split_tags).unwrap_or_default(),
    };
    match raw.judge(&format.kinds, place, &mut emit.counts) {
        Ok(record) => emit.record(record),
        Err((place, reason)) => emit.reject(place, reason, row.bytes),
    }
}

/// Places of the columns that are wanted.
struct Columns {
    value: usize,
    kind: Option<usize>,
    score: Option<usize>,
    remark: Option<usize>,
    first_seen: Option<usize>,
    last_seen: Option<usize>,
    tags: Option<usize>,
}

impl Columns {
    fn find(format: &Csv, names: &[String]) -> Result<Self, String> {
        let bare = |name: &str| name.trim_matches([' ', '\t', '#', '"']).to_lowercase();
        let place = |column: &Column| match column {
            Column::At(at) => Ok(*at),
            Column::Named(name) => {
                names.iter().position(|have| bare(have) == bare(name)).ok_or_else(|| name.clone())
            }
        };
        let optional = |column: &Option<Column>| column.as_ref().map(place).transpose();
        Ok(Self {
            value: place(&format.value)?,
            kind: optional(&format.kind)?,
            score: optional(&format.score)?,
            remark: optional(&format.remark)?,
            first_seen: optional(&format.first_seen)?,
            last_seen: optional(&format.last_seen)?,
            tags: optional(&format.tags)?,
        })
    }
}

/// Unquoted fields of one record.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Fields<'a> {
    pub(crate) const fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn text(&self, at: usize) -> Option<&'a str> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        std::str::from_utf8(&self.bytes[start..end]).ok().map(str::trim)
    }

    fn lossy(&self, at: usize) -> String {
        self.text(at).unwrap_or_default().to_owned()
    }
}

pub(crate) enum Row {
    /// A record that begins in this line; see [`Rows::fields`].
    Fields(u64),
    /// A comment or an empty line.
    Blank,
    /// What cannot be cut into fields.
    Bad(u64, Reason, Vec<u8>),
}

/// Cuts lines into records and records into fields.
pub(crate) struct Rows<R> {
    pub(crate) lines: Lines<R>,
    core: Reader,
    comment: Option<u8>,
    limits: Limits,
    /// Lines read ahead for a record that then did not end.
    again: VecDeque<(u64, Vec<u8>)>,
    raw: Vec<u8>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    used: (usize, usize),
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(reader: R, format: &Csv, limits: Limits) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(format.delimiter);
        match format.quote {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        Self {
            lines: Lines::new(reader, limits),
            core: builder.build(),
            comment: format.comment,
            limits,
            again: VecDeque::new(),
            raw: Vec::new(),
            bytes: vec![0; 4 << 10],
            ends: vec![0; 64],
            used: (0, 0),
        }
    }

    /// The fields of the record read last.
    pub(crate) fn fields(&self) -> Fields<'_> {
        Fields { bytes: &self.bytes[..self.used.0], ends: &self.ends[..self.used.1] }
    }

    /// Appends the next line to `raw`; its number, or why there is none.
    fn line(&mut self) -> Result<Option<(u64, bool)>, End> {
        if let Some((number, line)) = self.again.pop_front() {
            self.raw.extend_from_slice(&line);
            return Ok(Some((number, false)));
        }
        let long = match self.lines.next()? {
            Line::None => return Ok(None),
            Line::Whole => false,
            Line::TooLong => true,
        };
        self.raw.extend_from_slice(self.lines.line());
        Ok(Some((self.lines.number(), long)))
    }

    pub(crate) fn next(&mut self) -> Result<Option<Row>, End> {
        self.raw.clear();
        let Some((first, long)) = self.line()? else { return Ok(None) };
        if long {
            let reason = Reason::TooLong(self.limits.max_record_bytes);
            return Ok(Some(Row::Bad(first, reason, self.raw.clone())));
        }
        let trimmed = self.raw.trim_ascii();
        if trimmed.is_empty() || self.comment.is_some_and(|mark| trimmed.starts_with(&[mark])) {
            return Ok(Some(Row::Blank));
        }
        let mut ends = vec![(first, self.raw.len())];
        loop {
            self.raw.push(b'\n');
            match self.cut() {
                Ok(true) => return Ok(Some(Row::Fields(first))),
                Ok(false) => {}
                Err(reason) => return Ok(Some(Row::Bad(first, reason, self.raw.clone()))),
            }
            let before = self.raw.len();
            let full = ends.len() >= MAX_RECORD_LINES || before > self.limits.max_record_bytes;
            match if full { None } else { self.line()? } {
                Some((number, false)) => ends.push((number, self.raw.len())),
                Some((number, true)) => {
                    // It could not belong to the record, and is refused when its turn comes.
                    ends.push((number, self.raw.len()));
                    return Ok(Some(self.give_back(&ends)));
                }
                None => return Ok(Some(self.give_back(&ends))),
            }
        }
    }

    /// Refuses the first line and keeps the others to be read again.
    fn give_back(&mut self, ends: &[(u64, usize)]) -> Row {
        for pair in ends.windows(2).rev() {
            let line = self.raw[pair[0].1 + 1..pair[1].1].to_vec();
            self.again.push_front((pair[1].0, line));
        }
        let (first, end) = ends[0];
        Row::Bad(first, Reason::OpenQuote(MAX_RECORD_LINES), self.raw[..end].to_vec())
    }

    /// Cuts `raw` into fields; whether the record ended.
    fn cut(&mut self) -> Result<bool, Reason> {
        self.core.reset();
        if self.bytes.len() < self.raw.len() {
            self.bytes.resize(self.raw.len(), 0);
        }
        let (mut read, mut written, mut fields) = (0, 0, 0);
        loop {
            let (result, used, out, ended) = self.core.read_record(
                &self.raw[read..],
                &mut self.bytes[written..],
                &mut self.ends[fields..],
            );
            read += used;
            written += out;
            fields += ended;
            match result {
                ReadRecordResult::Record => {
                    self.used = (written, fields);
                    return Ok(true);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < self.limits.max_fields => {
                    let more = (self.ends.len() * 2).min(self.limits.max_fields);
                    self.ends.resize(more, 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(Reason::TooManyFields(self.limits.max_fields));
                }
                ReadRecordResult::OutputFull => self.bytes.resize(self.bytes.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return Ok(false),
            }
        }
    }
}
