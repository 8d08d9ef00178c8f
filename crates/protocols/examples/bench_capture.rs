//! Builds the benchmark capture: about two million Ethernet packets from real captures.
//!
//!     cargo run -p protocols --example bench_capture -- OUT.pcap [--packets N]
//!
//! The captures of the developer data (`SERENO_TEST_DATA`, folder `detection`: scenarios and both
//! archives, unpacked with `tar --zstd`) follow each other in the order of their names, again and
//! again, until enough packets are written. Each begins one second after the end of the one
//! before, so time only rises; addresses stay as they are. The same input gives the same bytes.
//!
//! The result is for measuring only: some of its sources may not be redistributed.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use protocols::capture::{CaptureError, CaptureReader, CaptureWriter, WriterOptions};
use protocols::packet::{LinkType, Transport, decode};
use sha2::{Digest, Sha256};

type Outcome<T> = Result<T, Box<dyn Error>>;

const DEFAULT_PACKETS: u64 = 2_000_000;
/// Time of the first packet: 2020-01-01 00:00:00 UTC.
const START_NS: i64 = 1_577_836_800_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
/// Longer pauses within a capture (clocks that were set, tools that slept) are cut to this.
const MAX_GAP_NS: i64 = 3600 * SECOND_NS;
/// Most bytes one unpacked capture may have; the largest of the set has 8 MB.
const MAX_CAPTURE_BYTES: u64 = 256 * 1024 * 1024;
/// Share of packets that must carry payload for the file to be a fair load.
const MIN_PAYLOAD_SHARE: f64 = 0.30;

const ARCHIVES: [&str; 2] =
    ["ics-pcaps/ics-pcaps-iti.tar.zst", "iot-sentinel-a-h/iot-sentinel-a-h.tar.zst"];

/// Writes on and keeps count and digest of what went by.
struct Digesting<W> {
    output: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.output.write(buffer)?;
        self.digest.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[derive(Default)]
struct Counts {
    packets: u64,
    with_payload: u64,
    other_links: u64,
    cut_captures: u64,
    rounds: u64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench_capture: {error}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Outcome<()> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "usage: bench_capture OUT.pcap [--packets N]";
    let out = PathBuf::from(arguments.next().ok_or(usage)?);
    let mut wanted = DEFAULT_PACKETS;
    if let Some(flag) = arguments.next() {
        let count = arguments.next().filter(|_| flag == "--packets").ok_or(usage)?;
        wanted = count.to_str().and_then(|text| text.parse().ok()).ok_or(usage)?;
    }
    let detection = data_folder()?;
    let unpacked = tempfile::tempdir()?;
    for archive in ARCHIVES {
        unpack(&detection.join(archive), unpacked.path())?;
    }
    let mut files = captures_below(&detection)?;
    files.extend(captures_below(unpacked.path())?);
    let captures = files.iter().map(|path| read(path)).collect::<Outcome<Vec<_>>>()?;

    let partial = out.with_extension("partial");
    let output = Digesting { output: File::create(&partial)?, digest: Sha256::new(), bytes: 0 };
    let (counts, output) = write(&captures, BufWriter::with_capacity(1 << 20, output), wanted)?;
    output.output.sync_all()?;
    std::fs::rename(&partial, &out)?;
    report(&out, files.len(), &counts, output)
}

fn data_folder() -> Outcome<PathBuf> {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection");
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(format!("{} is not there: set SERENO_TEST_DATA to the developer data", folder.display())
        .into())
}

fn unpack(archive: &Path, target: &Path) -> Outcome<()> {
    let status =
        Command::new("tar").arg("--zstd").arg("-xf").arg(archive).arg("-C").arg(target).status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("tar could not unpack {} (is zstd installed?)", archive.display()).into())
}

/// Every capture below a folder, in the order of the path names.
fn captures_below(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.to_string_lossy().to_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if [".pcap", ".pcapng", ".cap", ".pcap.gz"].iter().any(|end| name.ends_with(end))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).take(MAX_CAPTURE_BYTES).read_to_end(&mut bytes)?;
    } else {
        file.take(MAX_CAPTURE_BYTES).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Writes round after round of the captures until `wanted` packets are out.
fn write<W: Write>(
    captures: &[Vec<u8>],
    output: BufWriter<W>,
    wanted: u64,
) -> Outcome<(Counts, W)> {
    let mut writer = CaptureWriter::new(output, WriterOptions::default())?;
    let mut counts = Counts::default();
    let mut clock_ns = START_NS;
    while counts.packets < wanted {
        counts.rounds += 1;
        let before = counts.packets;
        for bytes in captures {
            append(bytes, &mut writer, &mut counts, &mut clock_ns, wanted)?;
        }
        if counts.packets == before {
            return Err("the captures hold no Ethernet packet".into());
        }
    }
    let output = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((counts, output))
}

fn append<W: Write>(
    bytes: &[u8],
    writer: &mut CaptureWriter<W>,
    counts: &mut Counts,
    clock_ns: &mut i64,
    wanted: u64,
) -> Outcome<()> {
    *clock_ns += SECOND_NS;
    let mut before_ns = None;
    for item in CaptureReader::new(bytes) {
        let frame = match item {
            Ok(frame) => frame,
            Err(CaptureError::Truncated { .. }) => {
                // The later rounds meet the same ones again.
                counts.cut_captures += u64::from(counts.rounds == 1);
                break;
            }
            Err(error) => return Err(error.into()),
        };
        if frame.link != LinkType::ETHERNET {
            counts.other_links += 1;
            continue;
        }
        if counts.packets >= wanted {
            break;
        }
        let gap_ns = frame.ts_ns - before_ns.unwrap_or(frame.ts_ns);
        *clock_ns += gap_ns.clamp(0, MAX_GAP_NS);
        before_ns = Some(before_ns.unwrap_or(frame.ts_ns).max(frame.ts_ns));
        writer.write(*clock_ns, frame.captured, frame.wire_len)?;
        counts.packets += 1;
        counts.with_payload += u64::from(has_payload(frame.captured, frame.wire_len));
    }
    Ok(())
}

/// Whether payload bytes of a transport protocol were captured.
fn has_payload(captured: &[u8], wire_len: u32) -> bool {
    decode(LinkType::ETHERNET, captured, wire_len)
        .is_ok_and(|view| view.transport != Transport::None && !view.payload.is_empty())
}

fn report<W>(out: &Path, files: usize, counts: &Counts, output: Digesting<W>) -> Outcome<()> {
    let share = counts.with_payload as f64 / counts.packets as f64;
    println!("file          {}", out.display());
    println!("sha256        {}", hex(&output.digest.finalize()));
    println!("packets       {}", counts.packets);
    println!("bytes         {}", output.bytes);
    println!("with payload  {} ({:.1} %)", counts.with_payload, share * 100.0);
    println!("made from     {files} captures, {} rounds", counts.rounds);
    println!("left out      {} frames of other link types", counts.other_links);
    println!("cut off       {} captures (their whole frames were used)", counts.cut_captures);
    if share < MIN_PAYLOAD_SHARE {
        let least = MIN_PAYLOAD_SHARE * 100.0;
        return Err(format!("fewer than {least} % of the packets carry payload").into());
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
