//! detection

pub mod offline;
