//! Tests of the room as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod commands;
mod eval;
mod evaluations;
mod feedback;
mod hakai;
mod law_captures;
mod laws;
mod learning;
mod meter;
mod node;
mod offline;
mod online;
mod row_files;
mod scenarios;
mod substation;
mod substation_rows;
mod upgrade;
