//! Endpoints, one a file.

pub(crate) mod figures;
pub(crate) mod situation;
