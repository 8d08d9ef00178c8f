//! Where the developer data lies, and how it is opened.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the detection data, or `None` (said on standard error) where there is none.
pub(crate) fn detection() -> Option<PathBuf> {
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

/// All bytes of a file, unpacked when its name ends in `.gz`.
pub(crate) fn read(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
    plain
}

/// Every file below a folder whose name says capture, sorted.
pub(crate) fn captures_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if [".pcap", ".pcapng", ".cap", ".pcap.gz"].iter().any(|end| name.ends_with(end))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Unpacks the archives of the detection data; `None` (said) where `tar` cannot.
pub(crate) fn unpack_archives(detection: &Path) -> Option<tempfile::TempDir> {
    let target = tempfile::tempdir().unwrap();
    for archive in ["ics-pcaps/ics-pcaps-iti.tar.zst", "iot-sentinel-a-h/iot-sentinel-a-h.tar.zst"]
    {
        let done = Command::new("tar")
            .args(["--zstd", "-xf"])
            .arg(detection.join(archive))
            .arg("-C")
            .arg(target.path())
            .status();
        if !done.is_ok_and(|status| status.success()) {
            eprintln!("skipped: tar --zstd could not unpack {archive}");
            return None;
        }
    }
    Some(target)
}
