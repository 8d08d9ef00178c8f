//! One endpoint, one file.

pub(crate) mod counters;
pub(crate) mod gateways;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod replay;
