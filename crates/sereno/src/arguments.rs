//! The command line: `sereno <noun> <verb>`.

use std::net::SocketAddr;
use std::path::PathBuf;

mod analyst;
mod intelligence;
mod ledger;
mod node;
mod playbook;

use clap::{Args, Parser, Subcommand};

pub(crate) use analyst::{Decay, DecayCommand, Licences, WarninglistCommand, WebhookCommand};
pub(crate) use intelligence::{
    Credentials, FeedCommand, IntelCommand, MispCommand, NewFeed, PatternCommand, PushCommand,
    StixCommand,
};
pub(crate) use ledger::LedgerCommand;
pub(crate) use node::{ConfigCommand, TokenCommand};
pub(crate) use playbook::{PlaybookCommand, RunPlace, SettleAnswer, YesNo};

/// Watches IoT, OT and AI systems, calls out to the people who must know, and can prove it.
#[derive(Debug, Parser)]
#[command(name = "sereno", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Answer in JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node's data is.
#[derive(Clone, Debug, Args)]
pub(crate) struct Place {
    /// The node's data folder.
    #[arg(long, env = "SERENO_DATA", default_value = "sereno-data")]
    pub(crate) data: PathBuf,
    /// The configuration file; `sereno.toml` in the data folder when absent.
    #[arg(long, env = "SERENO_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the node.
    Up(Up),
    /// Walk the whole loop on a real capture with two nodes and a gateway.
    Demo(Demo),
    /// Each part of the node: state, cause, remedy.
    Doctor(Place),
    /// Check or show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Train and score on capture files.
    #[command(subcommand)]
    Detect(DetectCommand),
    /// Copies of the data folder: made while the node runs, verified, restored.
    #[command(subcommand)]
    Backup(crate::commands::backup::BackupCommand),
    /// The accountability log.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// CACAO v2 playbooks.
    #[command(subcommand)]
    Playbook(PlaybookCommand),
    /// What happens by itself, and what waits for a yes.
    #[command(subcommand)]
    Automation(crate::commands::automation::AutomationCommand),
    /// Accounts, and where mail reaches them.
    #[command(subcommand)]
    User(crate::commands::user::UserCommand),
    /// What playbooks command: the list, and whether one would take commands.
    #[command(subcommand)]
    Actuator(crate::commands::actuator::ActuatorCommand),
    /// Credentials that playbooks refer to by name.
    #[command(subcommand)]
    Secret(crate::commands::secret::SecretCommand),
    /// The intelligence store.
    #[command(subcommand)]
    Intel(IntelCommand),
    /// Feeds of others: fetched on a schedule or loaded by hand.
    #[command(subcommand)]
    Feed(FeedCommand),
    /// Under which terms the knowledge here may be used.
    Licenses(Licences),
    /// Receivers outside that are told what becomes known.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Services restarted from before an infection; blocks that lift by themselves.
    #[command(subcommand)]
    Recovery(Box<crate::commands::recovery::RecoveryCommand>),
    /// MISP files: to STIX 2.1 and back.
    #[command(subcommand)]
    Misp(MispCommand),
    /// STIX 2.1 files.
    #[command(subcommand)]
    Stix(StixCommand),
    /// The TAXII server: API roots, collections, accounts.
    #[command(subcommand)]
    Taxii(crate::commands::taxii::TaxiiCommand),
    /// Hand intelligence to other nodes, see who got it, take it back.
    #[command(subcommand)]
    Share(crate::commands::share::ShareCommand),
    /// Letters to and from other nodes.
    #[command(subcommand)]
    Federation(crate::commands::share::FederationCommand),
    /// Nodes we exchange with.
    #[command(subcommand)]
    Peer(PeerCommand),
    /// Organisations: this node's own, and one for each node it exchanges with.
    #[command(subcommand)]
    Organisation(crate::commands::community::OrganisationCommand),
    /// Communities: who belongs together.
    #[command(subcommand)]
    Community(Box<crate::commands::community::CommunityCommand>),
    /// Sharing policies: what may leave, to whom.
    #[command(subcommand)]
    Policy(crate::commands::sharing::PolicyCommand),
    /// Redaction rules: what is changed on the way out.
    #[command(subcommand)]
    Redaction(crate::commands::sharing::RedactionCommand),
    /// Devices seen.
    Devices(List),
    /// Findings of the detectors: the list, a word on one, its packets.
    Findings(crate::commands::feedback::Findings),
    /// Devices, their kind and what is known of them; or those of a capture.
    Assets(crate::commands::assets::Assets),
    /// Sites: where devices stand; maps and plans of the house.
    #[command(subcommand)]
    Site(Box<crate::commands::site::SiteCommand>),
    /// What machines may be told: the model of each edge as text, and its versions.
    Commands(crate::commands::machines::Commands),
    /// What GOOSE and MMS keep to behind each edge, and its versions.
    Laws(crate::commands::laws::Laws),
    /// Versions of the devices' models: list, compare, go back.
    Models(crate::commands::models::Models),
    /// What people called normal: list, take back.
    Suppressions(crate::commands::models::Suppressions),
    /// Incidents.
    Incidents(List),
    /// Playbook runs.
    Runs(List),
    /// Shares with other organisations.
    Shares(List),
    /// Gateways and their counters.
    Gateways(List),
    /// One gateway: orders, mode, allow lists.
    #[command(subcommand)]
    Gateway(Box<crate::commands::gateway::GatewayCommand>),
    /// Any resource of the API, e.g. `sereno get /api/v1/orders`.
    Get(Get),
    /// Completions for a shell, on standard output.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Manual pages into a folder.
    Man {
        /// The folder.
        #[arg(long)]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Console and API, loopback only [default: 127.0.0.1:8642].
    #[arg(long)]
    pub(crate) listen: Option<SocketAddr>,
    /// Console, API and peers with TLS, on any address.
    #[arg(long)]
    pub(crate) tls_listen: Option<SocketAddr>,
    /// How log lines look: for people, or one JSON object a line [default: human].
    #[arg(long, value_parser = ["human", "json"])]
    pub(crate) log_format: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    pub(crate) action: Option<DemoAction>,
    /// Folder for both nodes.
    #[arg(long, env = "SERENO_DEMO_DATA", default_value = "sereno-demo", global = true)]
    pub(crate) data: PathBuf,
    /// The operator's console; the CERT's takes the next port.
    #[arg(long, default_value = "127.0.0.1:8642")]
    pub(crate) listen: SocketAddr,
    /// How many times faster than real time the capture is replayed.
    #[arg(long, default_value_t = 720.0)]
    pub(crate) speed: f64,
    /// Without a browser: walk the loop, print one report, end.
    #[arg(long)]
    pub(crate) headless: bool,
    /// Do not use network namespaces; read the capture from the file and say "not enforced here".
    #[arg(long)]
    pub(crate) no_enforce: bool,
    /// Seconds after which the demonstration's own duty officer answers when nobody has.
    #[arg(long, default_value_t = 45)]
    pub(crate) answer_after_s: u64,
    /// Give up after this many seconds (headless only).
    #[arg(long, default_value_t = 300)]
    pub(crate) timeout_s: u64,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DemoAction {
    /// Stop the demonstration and delete everything it made.
    Remove,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DetectCommand {
    /// Learn what is normal from captures of normal traffic.
    Train(Train),
    /// Judge a capture window by window. Exit 1 when there is an alert.
    Score(Score),
    /// Compare every detector on scenario folders with labels: AUC, TPR, FPR, delay, false alarms,
    /// times. `--json` prints the report as JSON.
    Eval(Eval),
    /// Two detectors or two versions side by side, and where they disagree.
    Compare(Compare),
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// A model file, `FILE#DETECTOR`, or with --scenario the name of a detector.
    pub(crate) a: String,
    /// The other.
    pub(crate) b: String,
    /// The capture to judge.
    #[arg(long, required_unless_present = "scenario")]
    pub(crate) pcap: Option<PathBuf>,
    /// The scenario whose test part is judged; its labels give figures.
    #[arg(long, conflicts_with = "pcap")]
    pub(crate) scenario: Option<PathBuf>,
    /// Seed of detectors that are trained for the comparison.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Train {
    /// pcap, pcapng, also packed with gzip or Zstandard; in order of time.
    #[arg(long, num_args = 1.., required_unless_present = "scenario")]
    pub(crate) pcap: Vec<PathBuf>,
    /// A scenario folder: its training part, and the suggested one where its own is short.
    #[arg(long, conflicts_with_all = ["pcap", "device"])]
    pub(crate) scenario: Option<PathBuf>,
    /// The model file to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Seed of every random draw.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Protected device (address or MAC); all private addresses when absent.
    #[arg(long)]
    pub(crate) device: Vec<String>,
    /// Length of a window in seconds, 1 to 3600; the model file keeps it, and scoring uses it.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    pub(crate) window: f64,
    /// Train the shipped detector alone, without those to compare with.
    #[arg(long, value_parser = ["ensemble"])]
    pub(crate) only: Option<String>,
    /// Sign the file with this Ed25519 private key (PKCS #8, PEM).
    #[arg(long)]
    pub(crate) sign: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Score {
    /// A model file of `detect train`.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// pcap or pcapng, also packed with gzip or Zstandard.
    #[arg(long, required_unless_present = "scenario")]
    pub(crate) pcap: Option<PathBuf>,
    /// A scenario folder: its test part.
    #[arg(long, conflicts_with = "pcap")]
    pub(crate) scenario: Option<PathBuf>,
    /// JSON lines, one per window, device and detector.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// A detector of the model file; may be repeated [default: ensemble].
    #[arg(long)]
    pub(crate) detector: Vec<String>,
    /// Refuse the model file unless the owner of this Ed25519 public key signed it.
    #[arg(long)]
    pub(crate) verify_key: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// Scenario folders (`scenario.toml`, train and test part, `labels.csv`), or folders of them.
    #[arg(required = true)]
    pub(crate) scenario: Vec<PathBuf>,
    /// Only this detector; may be repeated.
    #[arg(long)]
    pub(crate) detector: Vec<String>,
    /// Seeds for detectors that draw random numbers.
    #[arg(long, default_value_t = detection::offline::eval::DEFAULT_SEEDS)]
    pub(crate) seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Share of benign windows that may alert.
    #[arg(long, default_value_t = analytics::threshold::DEFAULT_ALPHA)]
    pub(crate) alpha: f64,
    /// Folder for the scores: `<scenario>/<detector>.jsonl`.
    #[arg(long)]
    pub(crate) scores: Option<PathBuf>,
    /// The report as JSON, into a file.
    #[arg(long)]
    pub(crate) json_file: Option<PathBuf>,
    /// The report as one self-contained page.
    #[arg(long)]
    pub(crate) html: Option<PathBuf>,
    /// The report as Markdown.
    #[arg(long)]
    pub(crate) markdown: Option<PathBuf>,
    /// Keep the report on the node under this name, so that the console shows it.
    #[arg(long, value_name = "NAME")]
    pub(crate) keep: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PeerCommand {
    /// Make an invitation for another node: a file that works once.
    Invite {
        #[command(flatten)]
        place: Place,
        /// The invited organisation.
        #[arg(long)]
        name: String,
        /// What it is: operator, cert, other.
        #[arg(long, default_value = "operator")]
        kind: String,
    },
    /// Accept another node's invitation.
    Join {
        #[command(flatten)]
        place: Place,
        /// The invitation file.
        invitation: PathBuf,
    },
    /// Nodes we exchange with.
    List(Place),
    /// End the exchange with a node; its certificate no longer opens anything.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) place: Place,
    /// One of them by id.
    pub(crate) id: Option<String>,
    /// How many.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) place: Place,
    /// A path of the API with its query.
    pub(crate) path: String,
}
