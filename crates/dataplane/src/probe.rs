//! The probe: watches an interface, a folder where another tool rotates captures, or the flow export
//! of routers, and reports.
//! It only listens; orders are answered "not enforced here".

use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ports::edge::{self, FromEdge, Source};
use protocols::packet::LinkType;
use serde::Serialize;

use crate::capture::{CaptureCounts, Filter, Live};
use crate::flows::{FlowCounts, FlowIntake};
use crate::folder::{Folder, FolderCounts};
use crate::gateway::Helpers;
use crate::link::NodeAddress;
use crate::outbox::Outbox;
use crate::watch::{DeviceSide, Watch, WatchStats};
use crate::{EdgeError, clock};

/// How long the probe sleeps at most when nothing comes.
const IDLE: Duration = Duration::from_millis(100);
/// How often the kernel is asked what it dropped.
const DROPS_EVERY: Duration = Duration::from_millis(200);
/// How long a probe that ends waits for the node to take what is left.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(5);
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
        /// Where it is kept which files are done; without it, a restart reads all again.
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
    Folder(Box<Folder>),
    Flows(Box<FlowIntake>),
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
            (Intake::Folder(Box::new(folder)), Source::Live { interface: name }, true)
        }
        ProbeSource::Flows { listen, lateness } => {
            let lateness_us = i64::try_from(lateness.as_micros()).unwrap_or(i64::MAX / 4);
            let intake = FlowIntake::listen(listen, lateness_us)?;
            let interface = format!("flow export on {listen}");
            (Intake::Flows(Box::new(intake)), Source::Live { interface }, false)
        }
    };
    let outbox = Arc::new(Outbox::default());
    let epoch = u64::try_from(clock::realtime_ns() / 1_000_000).unwrap_or(1).max(1);
    outbox.start_epoch(epoch);
    let (name, report) = match settings.report {
        ReportTo::Node(node) => {
            let name = node.name.clone();
            let table = Err(ONLY_LISTENS.to_owned());
            (name, Report::Node(Helpers::start(node, source, table, outbox.clone(), stop)?))
        }
        ReportTo::File(path) => {
            let file = File::create(&path).map_err(|error| {
                EdgeError::Settings(format!("{}: {error}: choose another --out", path.display()))
            })?;
            ("probe".to_owned(), Report::File(BufWriter::new(file)))
        }
        ReportTo::Nobody => ("probe".to_owned(), Report::Nobody),
    };
    let shared = match &report {
        Report::Node(helpers) => helpers.shared.clone(),
        Report::File(_) | Report::Nobody => {
            outbox.welcome(epoch, None);
            Arc::default()
        }
    };
    let side = if settings.device_macs.is_empty() {
        DeviceSide::Everybody
    } else {
        DeviceSide::Listed(settings.device_macs.into_iter().collect())
    };
    let watch = Watch::new(&name, outbox.clone(), shared, side, waits)?;
    let drops_read_at = clock::monotonic();
    Ok(Probe { intake, filter: settings.filter, watch, outbox, report, drops_read_at })
}

impl Probe {
    /// Takes what is there; true when there was nothing.
    fn step(&mut self) -> Result<bool, EdgeError> {
        let watch = &mut self.watch;
        let idle = match &mut self.intake {
            Intake::Live(live) => {
                let taken = live.take(|frame| {
                    let (at, bytes) = (frame.arrival_ns, frame.bytes);
                    watch.frame(at, LinkType::ETHERNET, bytes, frame.wire_len, true);
                });
                if !taken {
                    // Frames up to one idle span ago have all been handed on.
                    watch.advance(clock::realtime_ns() - IDLE.as_nanos() as i64);
                    live.wait(IDLE)?;
                }
                !taken
            }
            Intake::Folder(_) if self.outbox.full() => {
                std::thread::sleep(IDLE / 4);
                false
            }
            Intake::Folder(folder) => {
                let filter = &self.filter;
                let taken = folder.read(|frame| {
                    if filter.passes(frame.captured, frame.wire_len) {
                        let (at, bytes) = (frame.ts_ns, frame.captured);
                        watch.frame(at, frame.link, bytes, frame.wire_len, true);
                    }
                })?;
                if !taken {
                    if self.outbox.unacked().0 == 0 {
                        folder.keep_state()?;
                    }
                    std::thread::sleep(IDLE);
                }
                !taken
            }
            Intake::Flows(flows) => {
                let taken = flows.take()?;
                if let Some((records, complete_us)) = flows.ready() {
                    watch.windows(records, complete_us);
                }
                if !taken {
                    std::thread::sleep(IDLE / 10);
                }
                !taken
            }
        };
        self.watch.settle();
        self.deliver()?;
        self.tell_drops()?;
        Ok(idle)
    }

    fn intake_done(&self) -> bool {
        matches!(&self.intake, Intake::Folder(folder) if folder.done())
    }

    /// Without a node, the windows go where they were asked to.
    fn deliver(&mut self) -> Result<(), EdgeError> {
        if matches!(self.report, Report::Node(_)) {
            return Ok(());
        }
        while let Some(mut frame) = self.outbox.next(Duration::ZERO) {
            let Ok(Some(FromEdge::Windows(batch))) = edge::decode::<FromEdge>(&mut frame) else {
                continue;
            };
            if let (Report::File(file), Some(records)) =
                (&mut self.report, batch.records.as_array())
            {
                for record in records {
                    writeln!(file, "{record}").map_err(EdgeError::system("writing the windows"))?;
                }
            }
            self.outbox.ack(batch.epoch, batch.seq);
        }
        Ok(())
    }

    fn tell_drops(&mut self) -> Result<(), EdgeError> {
        let now = clock::monotonic();
        if let (Intake::Live(live), Report::Node(helpers)) = (&mut self.intake, &self.report)
            && now.saturating_sub(self.drops_read_at) >= DROPS_EVERY
        {
            self.drops_read_at = now;
            let counts = live.counts()?;
            helpers.shared.capture_dropped(counts.dropped + counts.interface_dropped);
            if let Some(at) = self.watch.at() {
                helpers.shared.reached(at);
            }
        }
        Ok(())
    }

    fn end(mut self) -> Result<ProbeSummary, EdgeError> {
        let mut summary = ProbeSummary::default();
        let watch = &mut self.watch;
        match &mut self.intake {
            Intake::Live(live) => {
                summary.capture = Some(live.finish(|frame| {
                    let (at, bytes) = (frame.arrival_ns, frame.bytes);
                    watch.frame(at, LinkType::ETHERNET, bytes, frame.wire_len, true);
                })?);
            }
            Intake::Folder(folder) => summary.folder = Some(folder.counts()),
            Intake::Flows(flows) => {
                let (records, end_us) = flows.finish();
                if let Some(end_us) = end_us {
                    watch.windows(records, end_us);
                }
                summary.flows = Some(flows.counts());
            }
        }
        self.watch.finish();
        self.deliver()?;
        summary.watch = self.watch.stats();
        let until = clock::monotonic() + LAST_WORDS_WITHIN;
        while self.outbox.unacked().0 > 0 && clock::monotonic() < until {
            std::thread::sleep(IDLE / 4);
        }
        let left = self.outbox.unacked();
        if left.0 > 0 {
            tracing::warn!(batches = left.0, packets = left.1, "the node did not take these");
        } else if let Intake::Folder(folder) = &mut self.intake {
            folder.keep_state()?;
        }
        match self.report {
            Report::Node(helpers) => helpers.end(),
            Report::File(mut file) => {
                file.flush().map_err(EdgeError::system("writing the windows"))?;
            }
            Report::Nobody => {}
        }
        Ok(summary)
    }
}
