//! The lab really runs: a capture travels through a bridge in namespaces of its own to a stand-in
//! for the node, orders take effect, and nothing is lost when the node dies.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod checkpoint;
mod checkpoint_btrfs;
mod checkpoint_kit;
mod gate;
mod gate_inline;
mod gate_kit;
mod node;
mod probe;
mod robust;
mod runs;
