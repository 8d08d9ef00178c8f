//! accountability
