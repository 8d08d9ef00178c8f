//! Statements over many rows at once.
//!
//! Their parameters are written `?`, in the order of binding, and never mixed with `$1`: SQLite keeps the names of
//! `$n` parameters in a list that is searched for each of them, which makes a statement of 3,000
//! parameters cost its square (measured: half of the time of storing ATT&CK). PostgreSQL will number them here.

/// Rows that one statement writes or asks for at most: few texts to prepare, parameters well below what
/// SQLite allows (32,766).
pub(crate) const ROWS: usize = 256;

/// `(?, ?), (?, ?)` for `rows` rows of `columns` parameters.
pub(crate) fn tuples(rows: usize, columns: usize) -> String {
    let row = format!("({})", marks(columns));
    let mut text = String::with_capacity(rows * (row.len() + 2));
    for at in 0..rows {
        if at > 0 {
            text.push_str(", ");
        }
        text.push_str(&row);
    }
    text
}

/// `?, ?, ?` for `count` parameters.
pub(crate) fn marks(count: usize) -> String {
    let mut text = "?, ".repeat(count);
    text.truncate(text.len().saturating_sub(2));
    text
}
