//! Tests of the crate as its users see it.

mod commands;
mod scenarios;
mod support;
mod windower;
