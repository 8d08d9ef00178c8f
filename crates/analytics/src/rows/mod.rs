//! Rows instead of packets: flow records become windows like those of packets, rows of unknown
//! meaning get windows of their own.

mod flow;
mod generic;

pub use flow::{FlowRow, FlowStats, FlowWindower, MAX_OPEN_WINDOWS};
pub use generic::{
    Cell, Feature, GenericJudge, GenericLearner, GenericModel, GenericReason, GenericWindow,
    MAX_COLUMNS, MAX_VALUES,
};
