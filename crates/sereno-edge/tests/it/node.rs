//! A stand-in for the node, and the edge process under test.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use analytics::record::WindowRecord;
use model::{BlockTarget, Outcome};
use ports::edge::{
    self, DeviceCounters, FromEdge, Judging, Order, ReplayControl, SourceState, Standing, ToEdge,
    Totals, Verb,
};

pub(crate) const MAC: &str = "b8:27:eb:7d:6b:a6";
const TOKEN: &str = "a-token-for-tests";

/// The two captures, shipped or shared; `None` where neither is there.
pub(crate) fn captures() -> Option<[PathBuf; 2]> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("SERENO_TEST_DATA")
        .map_or_else(|| root.join("../shared/data"), PathBuf::from)
        .join("detection/hakai");
    let shipped = root.join("data/captures");
    [
        [shipped.join("hakai-train.pcap.gz"), shipped.join("hakai-test.pcap.gz")],
        [shared.join("train.pcap.gz"), shared.join("test.pcap.gz")],
    ]
    .into_iter()
    .find(|pair| pair.iter().all(|path| path.is_file()))
}

/// The edge process; ended when dropped.
pub(crate) struct Edge(Child);

impl Drop for Edge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Edge {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
    pub(crate) fn wait(&mut self) -> std::process::ExitStatus {
        self.0.wait().unwrap()
    }
}

pub(crate) struct Node {
    pub(crate) folder: tempfile::TempDir,
    listener: UnixListener,
    stream: Option<UnixStream>,
    buffer: Vec<u8>,
    pub(crate) epoch: u64,
    /// Durable in the sense of the test: kept over the deaths of this stand-in.
    pub(crate) records: Vec<WindowRecord>,
    pub(crate) last_seq: Option<u64>,
    pub(crate) repeated: u64,
    pub(crate) hello: Option<FromEdge>,
    pub(crate) state: SourceState,
    pub(crate) counters: BTreeMap<String, DeviceCounters>,
    pub(crate) capture_dropped: u64,
    pub(crate) done: BTreeMap<String, Outcome>,
    pub(crate) totals: Totals,
    pub(crate) judging: Option<Judging>,
    pub(crate) standing: Vec<Standing>,
    /// Messages of counters so far.
    pub(crate) readings: u64,
    pub(crate) policy: Option<(u64, Option<String>)>,
    /// Acknowledge what is taken?
    pub(crate) acks: bool,
}

impl Node {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("edge.token"), TOKEN).unwrap();
        let listener = UnixListener::bind(folder.path().join("edge.sock")).unwrap();
        Self {
            folder,
            listener,
            stream: None,
            buffer: Vec::new(),
            epoch: 0,
            records: Vec::new(),
            last_seq: None,
            repeated: 0,
            hello: None,
            state: SourceState::default(),
            counters: BTreeMap::new(),
            capture_dropped: 0,
            done: BTreeMap::new(),
            totals: Totals::default(),
            judging: None,
            standing: Vec::new(),
            readings: 0,
            policy: None,
            acks: true,
        }
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Edge {
        let captures = captures().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
        command.args(arguments).args(["--device-mac", MAC]);
        for capture in &captures {
            command.arg("--capture").arg(capture);
        }
        command.arg("--socket").arg(self.folder.path().join("edge.sock"));
        command.arg("--token-file").arg(self.folder.path().join("edge.token"));
        Edge(command.stdin(Stdio::null()).spawn().unwrap())
    }

    /// A probe of this node.
    pub(crate) fn start_probe(&self, arguments: &[&std::ffi::OsStr]) -> Edge {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
        command
            .arg("probe")
            .args(arguments)
            .arg("--socket")
            .arg(self.folder.path().join("edge.sock"));
        command.arg("--token-file").arg(self.folder.path().join("edge.token"));
        Edge(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn stream(&mut self) -> &UnixStream {
        if self.stream.is_none() {
            let (stream, _) = self.listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            self.buffer.clear();
            self.stream = Some(stream);
        }
        self.stream.as_ref().unwrap()
    }

    /// The node dies and comes back: the edge must notice and begin again.
    pub(crate) fn die(&mut self) {
        self.stream = None;
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    pub(crate) fn say(&mut self, message: &ToEdge) {
        let mut wire = Vec::new();
        edge::encode(message, &mut wire).unwrap();
        self.stream().write_all(&wire).unwrap();
    }

    pub(crate) fn order(&mut self, key: &str, verb: Verb) {
        let target = BlockTarget { mac: Some(MAC.into()), addresses: vec![] };
        let (flow, why) = (None, "the test".to_owned());
        self.say(&ToEdge::Order(Order { key: key.into(), verb, target, flow, why }));
    }

    pub(crate) fn control(&mut self, control: ReplayControl) {
        self.say(&ToEdge::Replay(control));
    }

    /// Takes what the edge says until `enough`.
    pub(crate) fn until(&mut self, mut enough: impl FnMut(&Self) -> bool) {
        let mut chunk = vec![0; 64 * 1024];
        while !enough(self) {
            if let Some(message) = edge::decode::<FromEdge>(&mut self.buffer).unwrap() {
                self.take(message);
                continue;
            }
            match self.stream().read(&mut chunk) {
                Ok(0) => {
                    self.stream = None;
                }
                Ok(read) => self.buffer.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn take(&mut self, message: FromEdge) {
        match message {
            FromEdge::Hello { ref token, epoch, .. } => {
                assert_eq!(token, TOKEN);
                self.epoch = self.epoch.max(epoch);
                self.hello = Some(message);
                let last_seq = (self.epoch == epoch).then_some(self.last_seq).flatten();
                self.say(&ToEdge::Welcome { epoch, last_seq });
            }
            FromEdge::Windows(batch) => {
                if batch.epoch > self.epoch {
                    (self.epoch, self.last_seq) = (batch.epoch, None);
                    self.records.clear();
                }
                let expected = self.last_seq.map_or(0, |last| last + 1);
                if batch.seq < expected {
                    self.repeated += 1;
                } else {
                    assert_eq!(batch.seq, expected, "a batch is missing");
                    let records: Vec<WindowRecord> = serde_json::from_value(batch.records).unwrap();
                    self.records.extend(records);
                    self.last_seq = Some(batch.seq);
                }
                if self.acks {
                    self.say(&ToEdge::Ack { epoch: batch.epoch, seq: batch.seq });
                }
            }
            FromEdge::PolicyTaken { version, problem } => {
                self.policy = Some((version, problem));
            }
            FromEdge::Counters { devices, capture_dropped, totals, standing, judging, .. } => {
                self.judging = judging;
                self.capture_dropped = capture_dropped;
                (self.totals, self.standing) = (totals, standing);
                self.readings += 1;
                self.counters =
                    devices.into_iter().map(|device| (device.mac.clone(), device)).collect();
            }
            FromEdge::OrderDone { key, outcome } => {
                self.done.insert(key, outcome);
            }
            FromEdge::SourceState(state) => self.state = state,
        }
    }

    pub(crate) fn device(&self) -> Option<&DeviceCounters> {
        self.counters.get(MAC)
    }
}
