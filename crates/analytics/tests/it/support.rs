//! Captures of the developer data, read into window records; labels read into windows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use analytics::host::Host;
use analytics::record::WindowRecord;
use analytics::windows::{Class, DEFAULT_WINDOW_US, Segment, WindowConfig, Windower};
use flate2::read::GzDecoder;
use protocols::capture::CaptureStream;
use protocols::flow::Tracker;
use protocols::packet::{LinkType, PacketView, decode};

/// Folder of a scenario, or `None` (with a message) where the data is not there.
pub(crate) fn scenario(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
    None
}

/// Windows of a gzip-packed capture.
pub(crate) fn windows(path: &Path) -> Vec<WindowRecord> {
    benign_windows(path, None)
}

/// Windows of a gzip-packed benign capture, with reconnects mixed in, if given.
pub(crate) fn benign_windows(path: &Path, noise: Option<&Reconnects>) -> Vec<WindowRecord> {
    let labelled = labelled_windows(path, &[], noise, &mut |_, _| Edited::Kept);
    labelled.into_iter().map(|(record, _)| record).collect()
}

/// A window with its label: any malicious packet makes it positive, otherwise any unscored one takes
/// it out (`None`).
pub(crate) type Labelled = (WindowRecord, Option<bool>);

/// What becomes of a malicious packet.
pub(crate) enum Edited {
    /// It stays as it is.
    Kept,
    /// It is not there.
    Dropped,
    /// These are there instead; of what they say nothing is known.
    Segments(Vec<Segment>),
    /// These Ethernet frames are there instead.
    Frames(Vec<Vec<u8>>),
}

/// Changes a malicious packet, seen at a time in nanoseconds.
pub(crate) type Edit<'a> = &'a mut dyn FnMut(i64, &Segment) -> Edited;

/// Packets to windows, with the messages of their conversations, as every product path has it.
pub(crate) struct Cut {
    pub(crate) windower: Windower,
    tracker: Tracker,
    records: Vec<WindowRecord>,
}

impl Cut {
    pub(crate) fn new(window_us: i64) -> Self {
        let config = WindowConfig { window_us, ..WindowConfig::default() };
        let windower = Windower::new(config).unwrap();
        Self { windower, tracker: Tracker::default(), records: Vec::new() }
    }

    pub(crate) fn packet(&mut self, ts_ns: i64, packet: &PacketView<'_>) {
        self.windower.push(ts_ns, packet);
        let windower = &mut self.windower;
        self.tracker.push(ts_ns, packet, &mut |sighting| windower.hear(sighting));
        self.records.append(&mut self.windower.take_ready());
    }

    pub(crate) fn segment(&mut self, ts_ns: i64, segment: &Segment) {
        self.windower.push_segment(ts_ns, segment);
        self.records.append(&mut self.windower.take_ready());
    }

    pub(crate) fn finish(mut self) -> Vec<WindowRecord> {
        self.windower.finish();
        self.records.append(&mut self.windower.take_ready());
        self.records
    }
}

/// Windows of a gzip-packed capture whose malicious packets are changed before they are counted.
/// Without labels every packet is benign.
pub(crate) fn labelled_windows(
    path: &Path,
    labels: &[char],
    noise: Option<&Reconnects>,
    edit: Edit<'_>,
) -> Vec<Labelled> {
    let mut cut = Cut::new(DEFAULT_WINDOW_US);
    let mut truth: BTreeMap<(Host, i64), Option<bool>> = BTreeMap::new();
    let (mut place, mut next_ns) = (0, None);
    each_frame(path, |ts_ns, link, captured, wire_len| {
        if let Some(noise) = noise {
            next_ns = Some(noise.add(&mut cut.windower, next_ns.unwrap_or(ts_ns), ts_ns));
        }
        let label = labels.get(place).copied().unwrap_or('0');
        place += 1;
        let Ok(packet) = decode(link, captured, wire_len) else { return };
        let segment = Segment::from(&packet);
        let start_us = ts_ns.div_euclid(1_000).div_euclid(DEFAULT_WINDOW_US) * DEFAULT_WINDOW_US;
        let mut note = |segment: &Segment| {
            for host in [segment.src, segment.dst].into_iter().flatten() {
                let entry = truth.entry((host, start_us)).or_insert(Some(false));
                match label {
                    '1' => *entry = Some(true),
                    'x' if *entry == Some(false) => *entry = None,
                    _ => {}
                }
            }
        };
        match if label == '1' { edit(ts_ns, &segment) } else { Edited::Kept } {
            Edited::Dropped => {}
            Edited::Kept => {
                note(&segment);
                cut.packet(ts_ns, &packet);
            }
            Edited::Segments(segments) => segments.iter().for_each(|segment| {
                note(segment);
                cut.segment(ts_ns, segment);
            }),
            Edited::Frames(frames) => frames.iter().for_each(|frame| {
                let packet = decode(LinkType::ETHERNET, frame, frame.len() as u32).unwrap();
                note(&Segment::from(&packet));
                cut.packet(ts_ns, &packet);
            }),
        }
    });
    assert!(labels.is_empty() || place == labels.len());
    let records = cut.finish();
    let label = |record: &WindowRecord| {
        // A window without labelled packets holds frames without internet addresses only: benign.
        truth.get(&(record.device, record.start_us)).copied().unwrap_or(Some(false))
    };
    records.into_iter().map(|record| (record.clone(), label(&record))).collect()
}

/// Windows of a gzip-packed capture whose packets are changed before they are counted; `edit` gets
/// the number of the packet, from 0. Reconnects, if given, are mixed in.
pub(crate) fn edited_windows(
    path: &Path,
    noise: Option<&Reconnects>,
    edit: impl Fn(usize, &mut Segment),
) -> Vec<WindowRecord> {
    let mut windower = Windower::new(WindowConfig::default()).unwrap();
    let mut records = Vec::new();
    let (mut place, mut next_ns) = (0, None);
    each_frame(path, |ts_ns, link, captured, wire_len| {
        if let Some(noise) = noise {
            next_ns = Some(noise.add(&mut windower, next_ns.unwrap_or(ts_ns), ts_ns));
        }
        if let Ok(packet) = decode(link, captured, wire_len) {
            let mut segment = Segment::from(&packet);
            edit(place, &mut segment);
            windower.push_segment(ts_ns, &segment);
            records.append(&mut windower.take_ready());
        }
        place += 1;
    });
    windower.finish();
    records.append(&mut windower.take_ready());
    records
}

/// Benign failed reconnects of a device to its usual peer: about four short bursts an hour, at
/// uneven times, from the time of the first packet on.
pub(crate) struct Reconnects {
    pub(crate) device: Host,
    pub(crate) peer: Host,
    pub(crate) port: u16,
}

impl Reconnects {
    /// Adds the attempts due before `until_ns` and returns the time of the next.
    fn add(&self, windower: &mut Windower, mut next_ns: i64, until_ns: i64) -> i64 {
        const SECOND_NS: i64 = 1_000_000_000;
        while next_ns <= until_ns {
            // A cheap, even scatter of the burst's length and of the pause after it.
            let scatter = (next_ns / SECOND_NS).wrapping_mul(2_654_435_761).rem_euclid(1_000);
            for attempt in 0..2 + scatter % 4 {
                let at_ns = next_ns + 2 * attempt * SECOND_NS;
                let segment = Segment {
                    src: Some(self.device),
                    dst: Some(self.peer),
                    class: Class::Tcp,
                    protocol: 6,
                    src_port: 50_000 + scatter as u16,
                    dst_port: self.port,
                    tcp_flags: 2,
                    ..Segment::frame(74)
                };
                windower.push_segment(at_ns, &segment);
            }
            next_ns += (500 + scatter) * SECOND_NS;
        }
        next_ns
    }
}

/// Labels of the packets of a scenario's test capture.
pub(crate) fn labels(folder: &Path) -> Vec<char> {
    let mut text = String::new();
    File::open(folder.join("labels.csv")).unwrap().read_to_string(&mut text).unwrap();
    text.lines().skip(1).filter_map(|line| line.split(',').nth(1)?.chars().next()).collect()
}

pub(crate) fn each_frame(
    path: &Path,
    mut take: impl FnMut(i64, protocols::packet::LinkType, &[u8], u32),
) {
    let mut stream = CaptureStream::new(GzDecoder::new(File::open(path).unwrap()));
    while let Some(frame) = stream.next_frame() {
        let frame = frame.unwrap();
        take(frame.ts_ns, frame.link, frame.captured, frame.wire_len);
    }
}

/// Label of a window: any malicious packet makes it positive, otherwise any unscored one takes it
/// out (`None`).
pub(crate) type Truth = BTreeMap<(Host, i64), Option<bool>>;

/// Labels of the windows of a scenario's test capture, by device and start (microseconds).
pub(crate) fn truth(folder: &Path, window_us: i64) -> Truth {
    let labels = labels(folder);
    let mut truth = Truth::new();
    let mut place = 0;
    each_frame(&folder.join("test.pcap.gz"), |ts_ns, link, captured, wire_len| {
        let label = labels[place];
        place += 1;
        let Ok(packet) = decode(link, captured, wire_len) else { return };
        let start_us = ts_ns.div_euclid(1_000).div_euclid(window_us) * window_us;
        for ip in [packet.src_ip(), packet.dst_ip()].into_iter().flatten() {
            let entry = truth.entry((Host::from(ip), start_us)).or_insert(Some(false));
            match label {
                '1' => *entry = Some(true),
                'x' if *entry == Some(false) => *entry = None,
                _ => {}
            }
        }
    });
    assert_eq!(place, labels.len());
    truth
}

/// Addresses of the protected devices of a scenario.
pub(crate) fn protected(folder: &Path) -> Vec<Host> {
    let text = std::fs::read_to_string(folder.join("scenario.toml")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("ip = \"")?.strip_suffix('"')?.parse().ok())
        .collect()
}
