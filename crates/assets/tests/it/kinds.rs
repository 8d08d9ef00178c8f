//! The kinds guessed on captures of known devices, printed as the table of docs/devices.md:
//!
//!     cargo nextest run -p assets --no-capture kinds
//!
//! Types are those of the maker of the captures; the kind is that of the device whose MAC address is
//! seen: a sensor behind a hub shows the hub. The rules were written while looking at the types
//! marked so; the others were held out.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use analytics::host::Host;
use analytics::inventory::{DeviceFacts, DeviceKind, Inventory, guess};
use assets::makers::{FOLDER, Makers};
use protocols::capture::CaptureStream;
use protocols::flow::Tracker;
use protocols::packet::decode;

use DeviceKind::{Alarm, Camera, Controller, Embedded, Hub, Lock, Plc, Plug, Sensor, Unknown};

/// Type, kind on the wire, and whether the rules were written while looking at it.
const SENTINEL: [(&str, DeviceKind, bool); 19] = [
    ("Aria", Sensor, true),
    ("D-LinkCam", Camera, true),
    ("D-LinkDayCam", Camera, false),
    ("D-LinkDoorSensor", Hub, false),
    ("D-LinkHomeHub", Hub, true),
    ("D-LinkSensor", Sensor, false),
    ("D-LinkSiren", Alarm, false),
    ("D-LinkSwitch", Plug, true),
    ("D-LinkWaterSensor", Sensor, true),
    ("EdimaxCam1", Camera, true),
    ("EdimaxCam2", Camera, false),
    ("EdimaxPlug1101W", Plug, true),
    ("EdimaxPlug2101W", Plug, false),
    ("EdnetCam1", Camera, false),
    ("EdnetCam2", Camera, false),
    ("EdnetGateway", Hub, true),
    ("HomeMaticPlug", Hub, false),
    ("HueBridge", Hub, true),
    ("HueSwitch", Hub, false),
];

/// Capture, MAC address and kind of the device it is about.
const SCENARIOS: [(&str, &str, DeviceKind); 8] = [
    ("blink-cam-01/train.pcap.gz", "f4:b8:5e:ff:2b:1b", Camera),
    ("blink-cam-02/train.pcap.gz", "f4:b8:5e:35:67:b0", Camera),
    ("lockly-hub-01/train.pcap.gz", "24:6f:28:d9:a7:64", Hub),
    ("schlage-lock-01/train.pcap.gz", "78:db:2f:db:43:48", Lock),
    ("modbus-cnc/train.pcap.gz", "00:0c:29:ee:b7:84", Controller),
    ("modbus-cnc/train.pcap.gz", "00:0c:29:f9:a8:75", Plc),
    ("modbus-moving-files/train.pcap.gz", "00:0c:29:ee:b7:84", Controller),
    ("modbus-characterization/test.pcap.gz", "00:0c:29:f9:a8:75", Plc),
];

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    right: usize,
    vague: usize,
    unknown: usize,
    wrong: usize,
}

impl Count {
    fn add(&mut self, guessed: DeviceKind, is: DeviceKind) {
        match guessed {
            kind if kind == is => self.right += 1,
            Unknown => self.unknown += 1,
            Embedded => self.vague += 1,
            _ => self.wrong += 1,
        }
    }

    /// What most runs of a type say.
    fn verdict(self) -> &'static str {
        let all = [
            (self.right, "right"),
            (self.wrong, "wrong"),
            (self.vague, "small thing"),
            (self.unknown, "unknown"),
        ];
        all.into_iter().max_by_key(|(count, _)| *count).map_or("unknown", |(_, word)| word)
    }
}

fn detection() -> Option<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
    None
}

fn facts_of(path: &Path, mac: &str) -> DeviceFacts {
    let file = BufReader::new(File::open(path).unwrap());
    let packed = path.extension().is_some_and(|extension| extension == "gz");
    let source: Box<dyn Read> =
        if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut stream = CaptureStream::new(source);
    let (mut inventory, mut tracker) = (Inventory::default(), Tracker::default());
    while let Some(Ok(frame)) = stream.next_frame() {
        if let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) {
            inventory.packet(frame.ts_ns, &packet);
            tracker.push(frame.ts_ns, &packet, &mut |sighting| inventory.message(sighting));
        }
    }
    tracker.finish(&mut |sighting| inventory.message(sighting));
    let mac = analytics::host::parse_mac(mac).map(Host::mac);
    inventory.all().into_iter().find(|facts| facts.mac == mac).unwrap()
}

fn guessed(facts: &DeviceFacts, makers: &Makers) -> (DeviceKind, f64, String) {
    let maker = facts.mac.and_then(Host::as_mac).and_then(|mac| makers.of(mac));
    let guess = guess(facts, maker);
    let why = guess.reasons.first().map(|reason| reason.text.clone()).unwrap_or_default();
    (guess.kind, guess.confidence, why)
}

#[test]
fn kinds_of_nineteen_devices_while_they_are_set_up() {
    let Some(detection) = detection() else { return };
    let folder = tempfile::tempdir().unwrap();
    let archive = detection.join("iot-sentinel-a-h/iot-sentinel-a-h.tar.zst");
    let mut tar = Command::new("tar");
    let unpacked = tar.args(["--zstd", "-xf"]).arg(&archive).arg("-C").arg(folder.path()).status();
    if !unpacked.is_ok_and(|status| status.success()) {
        eprintln!("skipped: tar --zstd could not unpack {}", archive.display());
        return;
    }
    let makers = Makers::read(Path::new(FOLDER));
    println!("makers of {} prefixes known (ieee-data)\n", makers.len());
    println!(
        "| type | kind on the wire | looked at | runs | right | small thing | unknown | wrong | first reason, most common |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut totals: BTreeMap<(bool, &str), usize> = BTreeMap::new();
    let mut wrong_runs = 0;
    for (name, kind, looked) in SENTINEL {
        let of_type = folder.path().join(name);
        let mac = std::fs::read_to_string(of_type.join("_iotdevice-mac.txt")).unwrap();
        let (mut count, mut whys) = (Count::default(), BTreeMap::<String, usize>::new());
        for entry in std::fs::read_dir(&of_type).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "pcap") {
                let (guess, _, why) = guessed(&facts_of(&path, mac.trim()), &makers);
                count.add(guess, kind);
                *whys.entry(why).or_default() += 1;
            }
        }
        let why = whys.into_iter().max_by_key(|(_, count)| *count).unwrap_or_default().0;
        let Count { right, vague, unknown, wrong } = count;
        let runs = right + vague + unknown + wrong;
        let seen = if looked { "yes" } else { "no" };
        println!(
            "| {name} | {} | {seen} | {runs} | {right} | {vague} | {unknown} | {wrong} | {why} |",
            kind.words()
        );
        *totals.entry((looked, count.verdict())).or_default() += 1;
        wrong_runs += wrong;
    }
    println!(
        "\ntypes by the word of most runs (looked at, verdict): {totals:?}; wrong runs {wrong_runs}"
    );
    let right = |looked| totals.get(&(looked, "right")).copied().unwrap_or_default();
    assert_eq!(wrong_runs, 0, "a wrong kind is worse than none");
    assert!(right(true) + right(false) >= if makers.is_empty() { 8 } else { 12 });
}

#[test]
fn kinds_of_the_devices_of_the_scenarios() {
    let Some(detection) = detection() else { return };
    let makers = Makers::read(Path::new(FOLDER));
    println!("| capture | device is | guessed | sure | first reason |\n|---|---|---|---|---|");
    for (capture, mac, kind) in SCENARIOS {
        let (guess, sure, why) = guessed(&facts_of(&detection.join(capture), mac), &makers);
        println!("| {capture} | {} | {} | {sure:.2} | {why} |", kind.words(), guess.words());
        // There an intruder asks from the RTU itself: it behaves as the station it is not.
        if capture.starts_with("modbus-characterization") {
            continue;
        }
        assert!([kind, Embedded, Unknown].contains(&guess), "{capture}: {guess:?}");
        let told = matches!(kind, Controller | Plc | Lock);
        assert!(!told || guess == kind, "{capture}: {guess:?}");
    }
}
