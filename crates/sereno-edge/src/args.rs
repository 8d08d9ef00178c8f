//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand};
use dataplane::NodeAddress;
use dataplane::capture::Filter;
use dataplane::inline::InlineSettings;
use dataplane::probe::{ProbeSettings, ProbeSource, ReportTo};
use dataplane::replay::{ReplaySettings, SPEEDS};

/// Probe and gateway for the lamppost.
#[derive(Debug, Parser)]
#[command(name = "sereno-edge", version, about)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send a recorded capture as real frames through a gateway of its own, in namespaces of its own
    Lab(LabArgs),
    /// Watch what passes between two sides, report windows to the node, carry out its orders
    Gateway(Box<GatewayArgs>),
    /// Only listen: on an interface, to a folder of rotated captures, or to the flow export of routers
    Probe(Box<ProbeArgs>),
    /// Keep services under checkpoint, and restart them from before an infection
    #[command(subcommand)]
    Checkpoint(crate::checkpoint::CheckpointCommand),
    /// Tell what this machine allows
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct NodeArgs {
    /// Socket of the node (<data>/run/edge.sock)
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// File with the proof of enrolment (<data>/keys/edge.token)
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Name of this edge
    #[arg(long, default_value = "harbour-gw")]
    name: String,
}

impl NodeArgs {
    pub(crate) fn address(&self) -> NodeAddress {
        NodeAddress {
            socket: self.socket.clone(),
            token_file: self.token_file.clone(),
            name: self.name.clone(),
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReplayArgs {
    /// A capture (pcap or pcapng, also packed with gzip or Zstandard); repeat for more. The first of several is training time
    #[arg(long = "capture", value_name = "FILE", required = true)]
    captures: Vec<PathBuf>,
    /// How many times faster than real time
    #[arg(long, default_value_t = 720.0, value_name = "FACTOR")]
    speed: f64,
    /// Speed of the first capture, where it should differ
    #[arg(long, value_name = "FACTOR")]
    train_speed: Option<f64>,
    /// Name and credit of the capture, shown to people
    #[arg(long, value_name = "TEXT")]
    credit: Option<String>,
}

impl ReplayArgs {
    pub(crate) fn settings(&self) -> Result<ReplaySettings> {
        for speed in [Some(self.speed), self.train_speed].into_iter().flatten() {
            ensure!(
                SPEEDS.contains(&speed),
                "speed {speed} is out of bounds: choose {} to {}",
                SPEEDS.start(),
                SPEEDS.end()
            );
        }
        let names = self.captures.iter().filter_map(|path| path.file_name());
        let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        Ok(ReplaySettings {
            captures: self.captures.clone(),
            speed: self.speed,
            train_speed: self.train_speed,
            credit: self.credit.clone().unwrap_or_else(|| names.join(", ")),
        })
    }
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("from").required(true).args(["interface", "folder", "netflow"]))]
#[command(group = ArgGroup::new("to").required(true).args(["socket", "out", "count"]))]
pub(crate) struct ProbeArgs {
    /// Interface to capture on (needs CAP_NET_RAW)
    #[arg(long, value_name = "NAME")]
    pub(crate) interface: Option<String>,
    /// Folder into which captures are rotated (.pcap, .pcapng, .cap, also with .gz or .zst)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Address on which routers tell their flows (NetFlow 5, 9, IPFIX over UDP)
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with_all = ["filter", "device_macs"])]
    pub(crate) netflow: Option<SocketAddr>,
    /// Seconds that windows wait for flows told late: the active timeout of the routers, and more
    #[arg(long, default_value_t = 90, value_name = "SECONDS", requires = "netflow")]
    pub(crate) lateness: u64,
    /// Only packets that pass, in the language of tcpdump: 'tcp port 502 and net 10.0.0.0/8'
    #[arg(long, default_value = "", value_name = "EXPRESSION", value_parser = filter)]
    pub(crate) filter: Filter,
    /// MAC address of a device; repeat for more (default: every local host)
    #[arg(long = "device-mac", value_name = "MAC", value_parser = mac)]
    pub(crate) device_macs: Vec<[u8; 6]>,
    /// Memory of the capture ring, MiB
    #[arg(long, default_value_t = 64, value_name = "MIB", requires = "interface")]
    pub(crate) ring: usize,
    /// Seconds that a file of the folder must rest before it is read
    #[arg(long, default_value_t = 5, value_name = "SECONDS", requires = "folder")]
    pub(crate) settle: u64,
    /// File that keeps what of the folder was told, so that a restart tells nothing twice; one probe each
    #[arg(long, value_name = "FILE", requires = "folder")]
    pub(crate) state: Option<PathBuf>,
    /// End when all captures of the folder have been read
    #[arg(long, requires = "folder")]
    pub(crate) once: bool,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) last: Option<u64>,
    /// Socket of the node (<data>/run/edge.sock)
    #[arg(long, value_name = "PATH", requires = "token_file")]
    pub(crate) socket: Option<PathBuf>,
    /// File with the proof of enrolment (<data>/keys/edge.token)
    #[arg(long, value_name = "FILE", requires = "socket")]
    pub(crate) token_file: Option<PathBuf>,
    /// Name of this edge
    #[arg(long, default_value = "probe")]
    pub(crate) name: String,
    /// Write window records there as JSON lines instead of telling a node
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Only count
    #[arg(long)]
    pub(crate) count: bool,
    /// End when the process that started this one ends
    #[arg(long)]
    pub(crate) exit_with_parent: bool,
}

impl ProbeArgs {
    pub(crate) fn settings(self) -> Result<ProbeSettings> {
        let source = match (self.interface, self.folder, self.netflow) {
            (Some(name), ..) => {
                ProbeSource::Interface { name, ring_bytes: self.ring.saturating_mul(1 << 20) }
            }
            (None, Some(path), _) => ProbeSource::Folder {
                path,
                settle: Duration::from_secs(self.settle),
                state: self.state,
                once: self.once,
            },
            (None, None, Some(listen)) => {
                ProbeSource::Flows { listen, lateness: Duration::from_secs(self.lateness) }
            }
            (None, None, None) => anyhow::bail!("name --interface, --folder or --netflow"),
        };
        let report = match (self.socket, self.token_file, self.out) {
            (Some(socket), Some(token_file), _) => {
                ReportTo::Node(NodeAddress { socket, token_file, name: self.name })
            }
            (_, _, Some(out)) => ReportTo::File(out),
            _ => ReportTo::Nobody,
        };
        let (filter, device_macs) = (self.filter, self.device_macs);
        let last = self.last.map(Duration::from_secs);
        Ok(ProbeSettings { source, filter, device_macs, report, last })
    }
}

fn filter(text: &str) -> Result<Filter, String> {
    Filter::compile(text).map_err(|error| error.to_string())
}

fn mac(text: &str) -> Result<[u8; 6], String> {
    analytics::host::parse_mac(text)
        .ok_or_else(|| format!("'{text}' is not a MAC address such as b8:27:eb:00:00:01"))
}

fn loss(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| (0.001..=1e9).contains(number));
    number.ok_or_else(|| format!("'{text}' is not a number from 0.001 to 1e9"))
}

#[derive(Debug, ClapArgs)]
pub(crate) struct LabArgs {
    #[command(flatten)]
    pub(crate) replay: ReplayArgs,
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// MAC address of a device behind the gateway; repeat for more
    #[arg(long = "device-mac", value_name = "MAC", value_parser = mac, required = true)]
    pub(crate) device_macs: Vec<[u8; 6]>,
    /// Play from the file without a network, giving this reason
    #[arg(long, value_name = "REASON")]
    pub(crate) force_file: Option<String>,
    /// Stay when the process that started this one ends
    #[arg(long)]
    pub(crate) stay: bool,
}

impl GatewayArgs {
    /// How packets are judged one by one, where they are.
    pub(crate) fn inline(&self) -> Option<(Option<PathBuf>, InlineSettings)> {
        let settings = InlineSettings {
            queue: self.inline_queue,
            wait: Duration::from_millis(self.inline_wait),
            flood_window: self.flood_window,
            flood_loss: self.flood_loss,
            usual_after: Duration::from_secs(self.usual_after),
            spend: Duration::from_micros(self.inline_spend),
        };
        let judged = self.inline || self.inline_patterns.is_some();
        judged.then(|| (self.inline_patterns.clone(), settings))
    }
}

#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("judged").multiple(true))]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Interface on the device side; of a bridge, its port there
    #[arg(long, value_name = "INTERFACE", conflicts_with = "captures")]
    pub(crate) device_port: Option<String>,
    /// Interface on the other side
    #[arg(long, value_name = "INTERFACE", conflicts_with = "captures")]
    pub(crate) rest_port: Option<String>,
    /// This machine routes between the two sides; without, they are ports of one bridge
    #[arg(long, conflicts_with = "captures")]
    pub(crate) router: bool,
    /// Judge packets one by one: of a suspect only what was usual passes; needs NFQUEUE and iptables
    #[arg(long, conflicts_with = "captures", group = "judged")]
    pub(crate) inline: bool,
    /// As --inline, with a file of patterns (text, or hex: and bytes, one a line) that no packet may hold
    #[arg(long, value_name = "FILE", conflicts_with = "captures", group = "judged")]
    pub(crate) inline_patterns: Option<PathBuf>,
    /// Number of the queue by which packets are judged
    #[arg(long, default_value_t = 31, value_name = "NUMBER", requires = "judged")]
    pub(crate) inline_queue: u16,
    /// Longest that a packet may wait for its verdict; what would wait longer is shed
    #[arg(long, default_value_t = 100, value_name = "MILLISECONDS", requires = "judged",
        value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) inline_wait: u64,
    /// Packets looked at together while a flood goes on; batches are dropped between them. 0: never
    #[arg(long, default_value_t = 64, value_name = "PACKETS", requires = "judged",
        value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) flood_window: u32,
    /// Cost of losing a packet that was not of a flood, in judgings: dearer losses make smaller batches
    #[arg(long, default_value_t = 100.0, value_name = "NUMBER", requires = "judged", value_parser = loss)]
    pub(crate) flood_loss: f64,
    /// Seconds before a suspicion from which something must have been seen to be usual
    #[arg(long, default_value_t = 600, value_name = "SECONDS", requires = "judged",
        value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub(crate) usual_after: u64,
    /// Microseconds spent on each packet besides judging it, to try out a slower judge
    #[arg(long, default_value_t = 0, hide = true, value_name = "MICROSECONDS", requires = "judged",
        value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub(crate) inline_spend: u64,
    /// File that keeps mode, allow lists and orders over a restart
    #[arg(long, value_name = "FILE", conflicts_with = "captures")]
    pub(crate) state: Option<PathBuf>,
    /// Internet address that no order may cut off; repeat for more (this machine's own and its default router's are known)
    #[arg(long, value_name = "ADDRESS", conflicts_with = "captures")]
    pub(crate) protect: Vec<std::net::IpAddr>,
    /// MAC address that no order may cut off; repeat for more
    #[arg(long = "protect-mac", value_name = "MAC", value_parser = mac, conflicts_with = "captures")]
    pub(crate) protect_macs: Vec<[u8; 6]>,
    /// MAC address of a device; repeat for more (default: whoever sends on the device side)
    #[arg(long = "device-mac", value_name = "MAC", value_parser = mac)]
    pub(crate) device_macs: Vec<[u8; 6]>,
    /// Read captures instead of an interface; nothing is enforced then
    #[arg(long = "file", requires = "captures")]
    pub(crate) from_file: bool,
    #[command(flatten)]
    pub(crate) file: Option<ReplayArgs>,
    /// Why it is read from a file, for people
    #[arg(long, value_name = "TEXT", requires = "captures")]
    pub(crate) reason: Option<String>,
    /// End when the process that started this one ends
    #[arg(long)]
    pub(crate) exit_with_parent: bool,
    /// Standard input is the lane to the lab that feeds this gateway; the capture's name and credit
    #[arg(long, hide = true, value_name = "CREDIT")]
    pub(crate) replay_on_stdin: Option<String>,
}
