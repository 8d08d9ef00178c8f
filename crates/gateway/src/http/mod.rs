//! One endpoint, one file.

pub(crate) mod allow;
pub(crate) mod counters;
pub(crate) mod gateway;
pub(crate) mod gateways;
pub(crate) mod mud;
pub(crate) mod openc2;
pub(crate) mod order;
pub(crate) mod orders;
pub(crate) mod policy;
pub(crate) mod replay;
