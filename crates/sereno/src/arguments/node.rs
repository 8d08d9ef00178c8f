//! What `sereno config` and `sereno token` take.

use clap::Subcommand;

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Is the configuration right? Exit 0 or 1.
    Check(Place),
    /// The configuration in force.
    Show(Place),
    /// Every section and key: type, default, meaning (Markdown).
    Reference,
    /// A file with every key and its default, commented out, to begin with.
    Example,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token; it is shown once.
    New {
        #[command(flatten)]
        place: Place,
        /// What it may do: administrator, analyst, operator, assessor, read-only, taxii.
        #[arg(long)]
        role: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        label: String,
        /// Days until it expires.
        #[arg(long, default_value_t = 365)]
        days: u32,
        /// A right on one TAXII collection, ID:read, ID:write or ID:read,write (id or alias); repeatable.
        /// With such rights it has no others.
        #[arg(long = "collection")]
        collections: Vec<String>,
        /// The other organisation it is for, by name or id: what it reads is judged and redacted for that one.
        #[arg(long = "for")]
        organisation: Option<String>,
    },
    /// Tokens, for whom they are and when they expire.
    List(Place),
    /// Make a token worthless.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}
