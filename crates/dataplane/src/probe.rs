//! The probe: watches an interface, a folder where another tool rotates captures, or the flow export
//! of routers, and reports.
//! It only listens; orders are answered "not enforced here".

mod health;
mod steps;

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ports::edge::Source;
use serde::Serialize;

use crate::capture::{CaptureCounts, Filter, Live};
use crate::flows::{FlowCounts, FlowIntake};
use crate::folder::{Folder, FolderCounts, Marks, Place, Told};
use crate::gateway::Helpers;
use crate::link::NodeAddress;
use crate::outbox::Outbox;
use crate::watch::{DeviceSide, Watch, WatchStats};
use crate::{EdgeError, clock};

use health::Health;

const ONLY_LISTENS: &str = "a probe only listens; put a gateway in the path to enforce";

/// Where the packets come from.
#[derive(Clone, Debug)]
pub enum ProbeSource {
    /// A live interface.
    Interface {
        /// Its name.
        name: String,
        /// Bytes of the capture ring.
        ring_bytes: usize,
    },
    /// A folder into which another tool rotates captures.
    Folder {
        /// The folder.
        path: PathBuf,
        /// How long a file without a successor must rest before it is read.
        settle: Duration,
        /// Where it is kept what is told of, so that a restart, even after a kill, tells nothing twice
        /// and leaves nothing out; without it, a restart reads all again.
        state: Option<PathBuf>,
        /// Ends when every file there is has been read.
        once: bool,
    },
    /// NetFlow 5, 9 or IPFIX over UDP.
    Flows {
        /// Where to listen.
        listen: SocketAddr,
        /// How long a window stays open for flows that are told late.
        lateness: Duration,
    },
}

/// Who gets the windows.
#[derive(Clone, Debug)]
pub enum ReportTo {
    /// A node.
    Node(NodeAddress),
    /// A file, one window record as JSON a line.
    File(PathBuf),
    /// Nobody: only the counts matter.
    Nobody,
}

/// What a probe does.
#[derive(Clone, Debug)]
pub struct ProbeSettings {
    /// Where the packets come from.
    pub source: ProbeSource,
    /// Which of them count.
    pub filter: Filter,
    /// MAC addresses of the devices; empty: every local host is one.
    pub device_macs: Vec<[u8; 6]>,
    /// Who gets the windows.
    pub report: ReportTo,
    /// End after so long (wall time).
    pub last: Option<Duration>,
}

/// What a probe did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProbeSummary {
    /// Frames of a live interface.
    pub capture: Option<CaptureCounts>,
    /// Files of a folder.
    pub folder: Option<FolderCounts>,
    /// Flows that exporters told.
    pub flows: Option<FlowCounts>,
    /// What became of the frames.
    pub watch: WatchStats,
}

enum Intake {
    Live(Box<Live>),
    Folder(Box<FolderIntake>),
    Flows(Box<FlowIntake>),
}

/// A folder, and where in it the windows begin that are not told.
struct FolderIntake {
    folder: Folder,
    marks: Marks,
    /// How far the folder is told once the node has acknowledged it.
    next: Option<(Option<Place>, Told)>,
    /// When it was last noted how far that is, and how long it took.
    kept_at: Duration,
    kept_in: Duration,
}

enum Report {
    Node(Helpers),
    File(BufWriter<File>),
    Nobody,
}

struct Probe {
    intake: Intake,
    filter: Filter,
    watch: Watch,
    outbox: Arc<Outbox>,
    report: Report,
    drops_read_at: Duration,
    health: Health,
}

/// Runs until `stop` is set, the time is over, or a folder that is read once is done.
///
/// # Errors
/// It cannot work here: no interface, no right to capture, no folder, nothing to write to.
pub fn run(settings: ProbeSettings, stop: &Arc<AtomicBool>) -> Result<ProbeSummary, EdgeError> {
    let until = settings.last.map(|last| clock::monotonic() + last);
    let mut probe = build(settings, stop)?;
    let over =
        || stop.load(Ordering::Relaxed) || until.is_some_and(|until| clock::monotonic() >= until);
    while !over() {
        let idle = probe.step()?;
        if idle && probe.intake_done() {
            break;
        }
    }
    probe.end()
}

fn build(settings: ProbeSettings, stop: &Arc<AtomicBool>) -> Result<Probe, EdgeError> {
    let (intake, source, waits) = match settings.source {
        ProbeSource::Interface { name, ring_bytes } => {
            let live = Live::open(&name, &settings.filter, ring_bytes)?;
            (Intake::Live(Box::new(live)), Source::Live { interface: name }, false)
        }
        ProbeSource::Folder { path, settle, state, once } => {
            let name = path.display().to_string();
            let folder = Folder::open(path, settle, state, once)?;
            let kept_at = clock::monotonic();
            let marks = Marks::default();
            let (next, kept_in) = (None, Duration::ZERO);
            let intake = FolderIntake { folder, marks, next, kept_at, kept_in };
            (Intake::Folder(Box::new(intake)), Source::Live { interface: name }, true)
        }
        ProbeSource::Flows { listen, lateness } => {
            let lateness_us = i64::try_from(lateness.as_micros()).unwrap_or(i64::MAX / 4);
            let intake = FlowIntake::listen(listen, lateness_us)?;
            let interface = format!("flow export on {listen}");
            (Intake::Flows(Box::new(intake)), Source::Live { interface }, false)
        }
    };
    let outbox = Arc::new(Outbox::default());
    let told = match &intake {
        Intake::Folder(intake) => intake.folder.told(),
        Intake::Live(_) | Intake::Flows(_) => None,
    };
    match told {
        Some(told) => outbox.resume_epoch(told.epoch, told.next_seq),
        None => {
            let epoch = u64::try_from(clock::realtime_ns() / 1_000_000).unwrap_or(1).max(1);
            outbox.start_epoch(epoch);
        }
    }
    let (name, report) = match settings.report {
        ReportTo::Node(node) => {
            let name = node.name.clone();
            let table = Err(ONLY_LISTENS.to_owned());
            (name, Report::Node(Helpers::start(node, source, table, outbox.clone(), stop)?))
        }
        ReportTo::File(path) => {
            let file = open_out(&path, told.and_then(|told| told.out_bytes));
            let file = file.map_err(|error| {
                EdgeError::Settings(format!("{}: {error}: choose another --out", path.display()))
            })?;
            ("probe".to_owned(), Report::File(BufWriter::new(file)))
        }
        ReportTo::Nobody => ("probe".to_owned(), Report::Nobody),
    };
    let shared = match &report {
        Report::Node(helpers) => helpers.shared.clone(),
        Report::File(_) | Report::Nobody => {
            outbox.welcome(outbox.epoch(), None);
            Arc::default()
        }
    };
    let side = if settings.device_macs.is_empty() {
        DeviceSide::Everybody
    } else {
        DeviceSide::Listed(settings.device_macs.into_iter().collect())
    };
    let mut watch = Watch::new(&name, outbox.clone(), shared, side, waits)?;
    if matches!(intake, Intake::Folder(_)) {
        watch = watch.repeatable(told.and_then(|told| told.closed_us));
    }
    let (drops_read_at, health) = (clock::monotonic(), Health::default());
    let filter = settings.filter;
    Ok(Probe { intake, filter, watch, outbox, report, drops_read_at, health })
}

/// The file for the windows: a new one, or one that is gone on with after the windows that were
/// safe when it was last noted.
fn open_out(path: &Path, safe_bytes: Option<u64>) -> io::Result<File> {
    let Some(safe_bytes) = safe_bytes else { return File::create(path) };
    let mut file = File::options().create(true).truncate(false).write(true).open(path)?;
    let length = file.metadata()?.len();
    if length < safe_bytes {
        tracing::warn!(path = %path.display(), length, safe_bytes, "windows written before are missing");
    }
    file.set_len(length.min(safe_bytes))?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}
