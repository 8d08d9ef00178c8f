//! The room's endpoints, one a file; what is done with one backup stands together.

pub(crate) mod list;
pub(crate) mod make;
pub(crate) mod one;
