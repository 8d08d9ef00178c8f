//! What `sereno intel decay`, `sereno intel warninglist` and `sereno webhook` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Place;

/// How fast values fade.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Decay {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Option<DecayCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DecayCommand {
    /// Choose parameters for a kind of values; what is not named stays.
    Set {
        #[command(flatten)]
        place: Place,
        /// address, network, domain, url, email, hash, file, … or other.
        kind: String,
        /// τ: after so many days without a sighting nothing is left.
        #[arg(long)]
        lifetime_days: Option<f64>,
        /// δ: above 1 most is lost early, below 1 late.
        #[arg(long)]
        decay_speed: Option<f64>,
        /// Score below which a value raises nothing, 0 to 100.
        #[arg(long)]
        threshold: Option<f64>,
        /// Base where the source gives no confidence, 0 to 100.
        #[arg(long)]
        default_base: Option<f64>,
        /// Part of the way to 100 that a sighting raises the base, 0 to 1.
        #[arg(long)]
        sighting_gain: Option<f64>,
        /// Part of the base that a false positive takes away, 0 to 1.
        #[arg(long)]
        false_positive_cost: Option<f64>,
    },
    /// Let the program's own parameters hold again for a kind.
    Reset {
        #[command(flatten)]
        place: Place,
        /// The kind.
        kind: String,
    },
    /// How much a source's word weighs.
    Weigh {
        #[command(flatten)]
        place: Place,
        /// Key of the source, as `sereno intel decay --json` tells it.
        source: String,
        /// Percent, 0 to 100.
        percent: i64,
    },
}

/// Terms of use of what is known.
#[derive(Debug, Args)]
pub(crate) struct Licences {
    #[command(flatten)]
    pub(crate) place: Place,
    /// The whole text of one, by its name. Exit 0, or 1 where there is none.
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WarninglistCommand {
    /// The lists, loaded and shipped.
    List(Place),
    /// Load a list in MISP's format, in place of the one of its name.
    Add {
        #[command(flatten)]
        place: Place,
        /// `list.json` of a warninglist.
        file: PathBuf,
    },
    /// Remove a list: what it excused counts again.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WebhookCommand {
    /// The webhooks and how they are.
    List(Place),
    /// Add a webhook; its secret is shown this once.
    Add {
        #[command(flatten)]
        place: Place,
        /// Who is called: https, a public address.
        url: String,
        /// What is told: object.new, object.updated, object.revoked, sighting, lookup.hit, feed.failed, feed.works,
        /// share.moved, incident.opened, rule.changed.
        #[arg(long = "event", required = true)]
        events: Vec<String>,
        /// STIX types that are told; all when absent.
        #[arg(long = "type")]
        types: Vec<String>,
        /// Labels of which an object must carry one.
        #[arg(long = "label")]
        labels: Vec<String>,
        /// The highest label that is told.
        #[arg(long, default_value = "green")]
        tlp: String,
        /// Its name; the host when absent.
        #[arg(long)]
        name: Option<String>,
    },
    /// Send a test message. Exit 0 taken, 1 not.
    Test {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
    },
    /// Give it another secret, which is shown this once; for a while the old one signs too.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
        /// For so long messages carry both signatures, at most 30d: a number with s, m, h or d.
        #[arg(long, default_value = "24h", value_parser = seconds)]
        overlap: i64,
    },
    /// Tell it nothing for now; what becomes known waits.
    Pause {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
    },
    /// Tell it what waits.
    Resume {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
    },
    /// Messages that were given up.
    Dead {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
    },
    /// Tell a message again that was given up.
    Resend {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
        /// Its number.
        n: i64,
    },
    /// Remove a webhook with all that waits.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Id or name.
        webhook: String,
    },
}

/// Seconds of a text like `24h`.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("'{text}' is no time; write it like 90m, 24h or 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).filter(|seconds| *seconds >= 0).ok_or_else(wrong)
}
