//! Statements over many rows at once.

use std::fmt::Write;

/// Rows that one statement writes or asks for at most: few texts to prepare, parameters well below what
/// SQLite allows (32,766).
pub(crate) const ROWS: usize = 256;

/// `($1, $2), ($3, $4)` for `rows` rows of `columns` parameters.
pub(crate) fn tuples(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            let _ = write!(text, "{comma}${}", row * columns + column + 1);
        }
        text.push(')');
    }
    text
}

/// `$4, $5, $6` for `count` parameters from `first`.
pub(crate) fn marks(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 6);
    for at in first..first + count {
        let comma = if at == first { "" } else { ", " };
        let _ = write!(text, "{comma}${at}");
    }
    text
}
