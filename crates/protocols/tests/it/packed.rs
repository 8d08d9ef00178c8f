//! Packed captures: the same frames as unpacked, and everything whole before a break.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use protocols::capture::{
    CaptureStream, CaptureWriter, MAX_UNPACKED_RATIO, UnpackLimits, Unpacked, WriterOptions,
};

const LIMITS: UnpackLimits = UnpackLimits { window_bytes: 8 << 20, unpacked_bytes: 1 << 36 };

/// A capture of so many frames that differ.
fn capture(frames: u32) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for number in 0..frames {
        let body: Vec<u8> =
            (0..60).map(|at| (number.wrapping_mul(2_654_435_761) >> (at % 24)) as u8).collect();
        writer.write(i64::from(number) * 1_000, &body, 60).unwrap();
    }
    writer.finish().unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Packed by the real program; `None`, with a word about it, where it is not installed.
fn zstd(plain: &[u8], arguments: &[&str]) -> Option<Vec<u8>> {
    let child = Command::new("zstd")
        .args(["-q", "-c"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: zstd is not installed");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let plain = plain.to_vec();
    let feeding = std::thread::spawn(move || input.write_all(&plain).unwrap());
    let output = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    Some(output.stdout)
}

/// Frames read, and how it ended.
fn frames(file: &[u8], limits: UnpackLimits) -> (u64, Result<(), String>) {
    let mut stream = CaptureStream::new(Unpacked::new(file, limits).unwrap());
    let mut ended = Ok(());
    while let Some(frame) = stream.next_frame() {
        ended = frame.map(drop).map_err(|error| error.to_string());
    }
    (stream.stats().frames, ended)
}

#[test]
fn packed_or_not_the_frames_are_the_same() {
    let plain = capture(50_000);
    let packed =
        [Some(plain.clone()), Some(gzip(&plain)), zstd(&plain, &["-3"]), zstd(&plain, &["-9"])];
    for file in packed.into_iter().flatten() {
        assert_eq!(frames(&file, LIMITS), (50_000, Ok(())));
    }
}

/// The decoder keeps a whole window back while a frame goes on: it must be given all the same.
#[test]
fn a_packed_file_that_breaks_off_gives_nearly_all_of_what_is_there() {
    let plain = capture(50_000);
    for packed in [Some(gzip(&plain)), zstd(&plain, &["-3", "--no-check"]), zstd(&plain, &["-3"])] {
        let Some(packed) = packed else { continue };
        let (read, ended) = frames(&packed[..packed.len() / 2], LIMITS);
        assert!((15_000..35_000).contains(&read), "{read} of 50,000 frames in half of the bytes");
        assert!(ended.is_err());
    }
}

#[test]
fn windows_beyond_the_limit_are_refused_with_the_remedy() {
    let plain = capture(200_000);
    let Some(packed) = zstd(&plain, &["--long=24", "-3"]) else { return };
    let (read, ended) = frames(&packed, LIMITS);
    let words = ended.unwrap_err();
    assert_eq!(read, 0);
    assert!(
        words.contains("16777216") && words.contains("8388608") && words.contains("--long"),
        "{words}"
    );
    assert_eq!(
        frames(&packed, UnpackLimits { window_bytes: 16 << 20, ..LIMITS }),
        (200_000, Ok(()))
    );
}

#[test]
fn a_trap_ends_at_its_bound() {
    // Sixteen million frames of nothing.
    let mut plain = capture(1);
    plain.resize(256 << 20, 0);
    let Some(packed) = zstd(&plain, &["-3"]) else { return };
    assert!((packed.len() as u64) * MAX_UNPACKED_RATIO < 256 << 20, "{} bytes", packed.len());
    let (read, ended) = frames(&packed, LIMITS);
    assert!(read < (128 << 20) / 16, "{read}");
    assert!(ended.unwrap_err().contains("trap"));
    let (_, ended) =
        frames(&gzip(&plain[..1 << 20]), UnpackLimits { unpacked_bytes: 1 << 16, ..LIMITS });
    assert!(ended.unwrap_err().contains("65536"));
}

proptest! {
    /// Whatever is damaged, nothing panics, nothing comes that is not there, and reading ends.
    #[test]
    fn damage_is_survived(at in 0_usize..4_096, bits in 1_u8.., cut in 0_usize..4_096) {
        let plain = capture(40);
        for packed in [gzip(&plain), PACKED.to_vec()] {
            let mut damaged = packed[..packed.len() - cut % packed.len()].to_vec();
            let place = at % damaged.len();
            damaged[place] ^= bits;
            let mut given = Vec::new();
            let _ = Unpacked::new(damaged.as_slice(), LIMITS).unwrap().take(1 << 20).read_to_end(&mut given);
            prop_assert!(given.len() <= 1 << 20);
        }
    }
}

/// A frame of Zstandard with compressed literals and sequences: `seq 1 200 | zstd -19`.
const PACKED: &[u8] = include_bytes!("../../../../fuzz/corpus/unpack/numbers.zst");
