//! What `sereno ledger` takes.

use std::path::PathBuf;

use clap::Subcommand;

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Check the whole log, or one entry's proof, offline. Exit 0 or 1.
    Verify {
        #[command(flatten)]
        place: Place,
        /// A proof file of `ledger proof`; the data folder is then not needed.
        #[arg(long)]
        proof: Option<PathBuf>,
        /// The node's public key in hex; the key in the proof is then not trusted.
        #[arg(long, requires = "proof")]
        key: Option<String>,
    },
    /// The signed tree head.
    Head(Place),
    /// The newest entries.
    List(Place),
    /// One entry's inclusion proof.
    Proof {
        #[command(flatten)]
        place: Place,
        /// Position in the log, from 0.
        index: u64,
    },
}
