//! The room's SQL and nothing else.

pub(crate) mod imports;
pub(crate) mod layouts;
