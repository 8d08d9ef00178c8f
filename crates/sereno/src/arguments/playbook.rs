//! Arguments of `sereno playbook`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::Timestamp;

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum PlaybookCommand {
    /// Does the file keep the standard, and can this node run it? Exit 0 or 1.
    Validate {
        /// A CACAO v2 playbook.
        file: PathBuf,
    },
    /// The playbook in plain words.
    Explain {
        /// A CACAO v2 playbook.
        file: PathBuf,
    },
    /// What changed from one file to another. Exit 0 when nothing did, 1 otherwise.
    Diff {
        /// A CACAO v2 playbook.
        before: PathBuf,
        /// Another, or a later version.
        after: PathBuf,
    },
    /// Is the file well signed? Exit 0 or 1.
    Verify {
        /// A CACAO v2 playbook.
        file: PathBuf,
        /// As of this time (RFC 3339); now without it.
        #[arg(long, value_name = "TIME")]
        at: Option<Timestamp>,
        /// Only this key counts: a PEM public key or certificate. Again for more. Without it the key that the signature carries
        /// will do: then the answer only says that the owner of that key signed.
        #[arg(long, value_name = "FILE")]
        key: Vec<PathBuf>,
        /// This key is revoked, and since when: FILE or FILE@TIME; a fingerprint instead of a file will do.
        #[arg(long, value_name = "KEY[@TIME]")]
        revoked: Vec<String>,
    },
    /// Add a signature to the file.
    Sign {
        /// A CACAO v2 playbook.
        file: PathBuf,
        /// The private key: PKCS #8, PEM or DER; RSA, P-256, P-384 or Ed25519.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Who signs, in words.
        #[arg(long)]
        signee: String,
        /// Who signs, as a STIX identity.
        #[arg(long, value_name = "identity--UUID")]
        identity: Option<String>,
        /// RS256 to RS512, PS256 to PS512, ES256, ES384, Ed25519; the usual one of the key without it.
        #[arg(long)]
        algorithm: Option<String>,
        /// Until when it holds (RFC 3339); for good without it.
        #[arg(long, value_name = "TIME")]
        valid_until: Option<Timestamp>,
        /// Counter-sign this signature (its id) instead of signing the playbook.
        #[arg(long, value_name = "jss--UUID")]
        counter: Option<String>,
        /// Where to write; into the file itself without it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// The node's playbooks.
    List(crate::commands::playbook_more::ListPlace),
    #[command(flatten)]
    More(crate::commands::playbook_more::MorePlaybookCommand),
    /// Store a playbook in the node.
    Add {
        #[command(flatten)]
        place: Place,
        /// A CACAO v2 playbook.
        file: PathBuf,
    },
    /// Start a playbook, or rehearse it.
    Run {
        #[command(flatten)]
        place: Place,
        /// A file, which is stored first, or the id of a stored playbook.
        playbook: String,
        /// The incident it answers.
        #[arg(long)]
        incident: Option<String>,
        /// A value of an external variable; again for more.
        #[arg(long = "var", value_name = "NAME=VALUE")]
        variables: Vec<String>,
        /// Touch nothing: every command says what it would do.
        #[arg(long)]
        dry_run: bool,
        /// Wait until the run ends. Exit 0 when it succeeded, 1 otherwise.
        #[arg(long)]
        wait: bool,
    },
    /// Runs, newest first.
    Runs {
        #[command(flatten)]
        place: Place,
        /// Most runs listed.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One run step by step.
    Show(RunPlace),
    /// Stop a run; a command that is being carried out is not taken back.
    Cancel(RunPlace),
    /// Hold a run: no further step begins.
    Pause(RunPlace),
    /// Let a held run go on.
    Resume(RunPlace),
    /// Try an ended run again from where it failed.
    Retry {
        #[command(flatten)]
        run: RunPlace,
        /// From this step (its CACAO id) instead.
        #[arg(long)]
        step: Option<String>,
    },
    /// Answer the manual step a run waits at.
    Answer {
        #[command(flatten)]
        run: RunPlace,
        /// The step: its number in the run, or its CACAO id.
        step: String,
        /// Done and approved, or declined.
        answer: YesNo,
        /// What is to be said about it.
        #[arg(long, default_value = "")]
        text: String,
        /// A value that the step gives back; again for more.
        #[arg(long = "var", value_name = "NAME=VALUE")]
        variables: Vec<String>,
    },
    /// Say whether a command that was interrupted took effect.
    Settle {
        #[command(flatten)]
        run: RunPlace,
        /// The step: its number in the run, or its CACAO id.
        step: String,
        /// What became of it; `not-done` asks for it once more.
        answer: SettleAnswer,
    },
}

/// A run of a node.
#[derive(Debug, Args)]
pub(crate) struct RunPlace {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The run's id.
    pub(crate) run: String,
}

/// A person's yes or no.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum YesNo {
    Approve,
    Decline,
}

/// What became of an interrupted command.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SettleAnswer {
    Done,
    NotDone,
    GiveUp,
}
