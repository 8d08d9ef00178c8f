//! Tests of the room as its users see it.

mod offline;
