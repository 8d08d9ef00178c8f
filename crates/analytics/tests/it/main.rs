//! Tests of the crate as its users see it.

mod before;
mod commands;
mod figures;
mod frames;
mod metrics_list;
mod models;
mod reports;
mod resumed;
mod scenarios;
mod stress;
mod summaries;
mod support;
mod talk;
mod windower;
