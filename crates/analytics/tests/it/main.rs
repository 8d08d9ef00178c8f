//! Tests of the crate as its users see it.

mod commands;
mod figures;
mod metrics_list;
mod models;
mod scenarios;
mod stress;
mod support;
mod windower;
