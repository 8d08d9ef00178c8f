#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::process::Command;

use protocols::capture::{CaptureWriter, WriterOptions};

use super::*;

const TOLD: Told = Told { closed_us: None, epoch: 1, next_seq: 0, out_bytes: None };

/// A capture of frames one second apart, the first at `start_s`.
fn capture(start_s: i64, frames: i64) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for number in start_s..start_s + frames {
        writer.write(number * 1_000_000_000, &[7; 60], 60).unwrap();
    }
    writer.finish().unwrap()
}

struct Case {
    folder: tempfile::TempDir,
    state: Option<PathBuf>,
}

impl Case {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), state: None }
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn open(&self) -> Folder {
        let path = self.folder.path().to_owned();
        Folder::open(path, Duration::ZERO, self.state.clone(), true).unwrap()
    }
}

/// Seconds of the fresh frames there are now, and how many are read again.
fn seconds(folder: &mut Folder) -> (Vec<i64>, usize) {
    let (mut fresh, mut again) = (Vec::new(), 0);
    folder.look_at = Duration::ZERO;
    while folder.read(|seen| {
        if seen.fresh {
            fresh.push(seen.frame.ts_ns / 1_000_000_000);
        } else {
            again += 1;
        }
    }) != Taken::Nothing
    {}
    (fresh, again)
}

fn fresh(folder: &mut Folder) -> Vec<i64> {
    seconds(folder).0
}

#[test]
fn a_capture_taken_half_is_read_on_when_it_grows() {
    let (case, whole) = (Case::new(), capture(100, 5));
    let mut folder = case.open();
    // Cut in the middle of the third frame, as a tool that writes through a buffer leaves it.
    case.write("a.pcap", &whole[..24 + 2 * 76 + 30]);
    assert_eq!(fresh(&mut folder), [100, 101]);
    assert_eq!((folder.counts().files, folder.counts().damaged), (1, 1));
    case.write("a.pcap", &whole[..24 + 4 * 76]);
    assert_eq!(fresh(&mut folder), [102, 103]);
    case.write("a.pcap", &whole);
    assert_eq!(fresh(&mut folder), [104]);
    let counts = folder.counts();
    assert_eq!((counts.files, counts.grown, counts.damaged, counts.frames), (1, 2, 0, 5));
}

#[test]
fn another_capture_under_an_old_name_is_read() {
    let case = Case::new();
    let mut folder = case.open();
    case.write("ring0.pcap", &capture(100, 3));
    assert_eq!(fresh(&mut folder), [100, 101, 102]);
    case.write("ring0.pcap", &capture(200, 2));
    assert_eq!(fresh(&mut folder), [200, 201]);
    assert_eq!((folder.counts().files, folder.counts().grown), (2, 0));
}

#[test]
fn packing_does_not_make_another_capture() {
    let case = Case::new();
    let mut folder = case.open();
    case.write("a.pcap", &capture(100, 3));
    assert_eq!(fresh(&mut folder), [100, 101, 102]);
    let gzip = Command::new("gzip").arg(case.folder.path().join("a.pcap")).status();
    if !gzip.is_ok_and(|status| status.success()) {
        panic!("gzip is part of every Debian");
    }
    assert_eq!(fresh(&mut folder), [] as [i64; 0]);
    assert_eq!((folder.counts().files, folder.counts().damaged), (1, 0));
}

#[test]
fn what_is_no_capture_is_counted_once_and_later_ones_go_on() {
    let case = Case::new();
    let mut folder = case.open();
    case.write("1.pcap", b"no capture at all");
    case.write("2.pcap.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8]);
    case.write("3.pcap", &capture(100, 1));
    case.write("4.txt", b"not looked at");
    assert_eq!(fresh(&mut folder), [100]);
    assert_eq!(fresh(&mut folder), [] as [i64; 0]);
    assert_eq!((folder.counts().files, folder.counts().damaged), (3, 2));
    assert!(folder.done());
}

/// The first frame that is not told of lies in the first capture: both are read again, and only the
/// frames before it are not fresh.
#[test]
fn a_restart_begins_at_the_first_frame_that_was_not_told() {
    let mut case = Case::new();
    case.state = Some(case.folder.path().join("state.json"));
    case.write("1.pcap", &capture(100, 4));
    case.write("2.pcap", &capture(104, 4));
    let mut folder = case.open();
    assert_eq!(fresh(&mut folder).len(), 8);
    folder.keep(Some(Place { capture: 1, frame: 3 }), TOLD).unwrap();
    // Killed here. Meanwhile the first one is packed.
    let gzip = Command::new("gzip").arg(case.folder.path().join("1.pcap")).status();
    assert!(gzip.unwrap().success());
    let mut folder = case.open();
    assert_eq!(folder.told(), Some(TOLD));
    let (fresh, again) = seconds(&mut folder);
    assert_eq!((fresh.as_slice(), again), (&[103, 104, 105, 106, 107][..], 3));
    folder.keep(None, TOLD).unwrap();
    let mut folder = case.open();
    assert_eq!(seconds(&mut folder), (vec![], 0), "all is told");
}

/// Killed again while it reads what was told: the place of before must not be lost.
#[test]
fn nothing_is_noted_before_a_restart_has_come_to_where_it_left_off() {
    let mut case = Case::new();
    case.state = Some(case.folder.path().join("state.json"));
    case.write("2.pcap", &capture(0, 2 * BURST as i64));
    let first = Place { capture: 1, frame: BURST as u64 + 10 };
    let mut folder = case.open();
    while folder.read(|_| ()) != Taken::Nothing {}
    folder.keep(Some(first), TOLD).unwrap();
    // An older capture comes late; it is read first.
    case.write("1.pcap", &capture(0, 1));
    let older = fs::File::open(case.folder.path().join("1.pcap")).unwrap();
    older.set_modified(std::time::UNIX_EPOCH).unwrap();
    let mut folder = case.open();
    for taken in [Taken::Capture, Taken::Frames] {
        assert_eq!(folder.read(|_| ()), taken);
        folder.keep(None, Told { next_seq: 9, ..TOLD }).unwrap();
    }
    let mut folder = case.open();
    assert_eq!(folder.told(), Some(TOLD));
    let (fresh, again) = seconds(&mut folder);
    assert_eq!((fresh.len(), again), (1 + BURST - 10, BURST + 10));
    // Gone altogether, it does not hold up what comes after.
    for name in ["1.pcap", "2.pcap"] {
        fs::remove_file(case.folder.path().join(name)).unwrap();
    }
    case.write("3.pcap", &capture(0, 3));
    let mut folder = case.open();
    assert_eq!((seconds(&mut folder).0.len(), folder.counts().gone), (3, 1));
    folder.keep(None, Told { next_seq: 9, ..TOLD }).unwrap();
    assert_eq!(case.open().told().unwrap().next_seq, 9);
}

#[test]
fn a_state_that_is_none_names_the_remedy() {
    let mut case = Case::new();
    case.state = Some(case.folder.path().join("state.json"));
    case.write("state.json", b"{\"done\": 7}");
    let path = case.folder.path().to_owned();
    let error = Folder::open(path, Duration::ZERO, case.state.clone(), true).err().unwrap();
    assert!(error.to_string().contains("remove the file"), "{error}");
}
