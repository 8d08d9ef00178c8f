//! Live capture from an interface: a filter before the copy, a ring, and every loss counted.

pub mod filter;
mod generate;
mod live;
mod program;

pub use filter::{Filter, FilterError};
pub use live::{CaptureCounts, Live, LiveFrame, RING_BYTES};
