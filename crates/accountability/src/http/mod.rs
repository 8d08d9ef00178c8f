//! Endpoints, one a file.

pub(crate) mod consistency;
pub(crate) mod entries;
pub(crate) mod head;
pub(crate) mod proof;
pub(crate) mod verify;
