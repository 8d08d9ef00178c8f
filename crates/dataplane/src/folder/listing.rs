//! Which captures lie in the folder, and which of them nobody writes any more.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use crate::clock;

/// Files of a folder looked at; of more, the rest is counted and comes when others are gone.
pub const MAX_FILES: usize = 100_000;
/// How a capture's name may end.
const ENDINGS: [&str; 3] = ["pcap", "pcapng", "cap"];
/// How a packer's output ends.
const PACKED: [&str; 3] = ["gz", "zst", "zstd"];

/// A capture in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name without the ending of a packer: packing does not make it another capture.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) changed_ns: i64,
    packed: bool,
}

/// The captures of a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Since when (our own clock) a file looks as it does, for those that changed lately.
    restless: HashMap<PathBuf, (u64, i64, Duration)>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Captures that have rested, in the order of their last change.
    pub(super) rested: Vec<Entry>,
    /// Names of all captures, the restless ones too.
    pub(super) names: BTreeMap<String, bool>,
    /// Files beyond [`MAX_FILES`].
    pub(super) beyond: u64,
}

impl Listing {
    /// Looks into the folder.
    pub(super) fn look(&mut self, folder: &Path, settle: Duration) -> io::Result<Found> {
        let (mut found, mut best) = (Found::default(), BTreeMap::<String, Entry>::new());
        let mut restless = HashMap::new();
        for (place, entry) in fs::read_dir(folder)?.flatten().enumerate() {
            if place >= MAX_FILES {
                found.beyond += 1;
                continue;
            }
            let Some(entry) = self::entry(&entry) else { continue };
            // While a packer works both forms are there: the plain one is whole.
            match best.get(&entry.name) {
                Some(other) if !other.packed || entry.packed => {}
                _ => drop(best.insert(entry.name.clone(), entry)),
            }
        }
        for (name, entry) in best {
            let rested = self.rested(&entry, settle, &mut restless);
            found.names.insert(name, rested);
            if rested {
                found.rested.push(entry);
            }
        }
        self.restless = restless;
        found.rested.sort_by(|a, b| (a.changed_ns, &a.name).cmp(&(b.changed_ns, &b.name)));
        Ok(found)
    }

    /// Whether the file's last change lies back far enough, by its own time or, where clocks differ,
    /// since we look at it.
    fn rested(
        &self,
        entry: &Entry,
        settle: Duration,
        restless: &mut HashMap<PathBuf, (u64, i64, Duration)>,
    ) -> bool {
        let settle_ns = i64::try_from(settle.as_nanos()).unwrap_or(i64::MAX);
        if clock::realtime_ns().saturating_sub(entry.changed_ns) >= settle_ns {
            return true;
        }
        let now = clock::monotonic();
        let since = match self.restless.get(&entry.path) {
            Some((size, changed_ns, since))
                if (*size, *changed_ns) == (entry.size, entry.changed_ns) =>
            {
                *since
            }
            _ => now,
        };
        restless.insert(entry.path.clone(), (entry.size, entry.changed_ns, since));
        now.saturating_sub(since) >= settle
    }
}

fn entry(entry: &fs::DirEntry) -> Option<Entry> {
    let file = entry.file_name().to_string_lossy().into_owned();
    let (name, packed) = capture_name(&file)?;
    let name = name.to_owned();
    let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
    let (size, changed_ns) = looks(&metadata);
    Some(Entry { name, path: entry.path(), size, changed_ns, packed })
}

/// Bytes and last change of a file.
pub(super) fn looks(metadata: &fs::Metadata) -> (u64, i64) {
    let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (metadata.len(), i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The name of a capture without the ending of a packer, and whether it had one.
fn capture_name(file: &str) -> Option<(&str, bool)> {
    let packed = file.rsplit_once('.').filter(|(name, ending)| {
        !name.is_empty() && PACKED.iter().any(|known| ending.eq_ignore_ascii_case(known))
    });
    if let Some((name, _)) = packed {
        // Sensors also name packed captures without the first ending: 2026-11-30.gz.
        return (!name.starts_with('.')).then_some((name, true));
    }
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    // tcpdump -C numbers its files: capture.pcap12.
    let numbered = file.rsplit_once(".pcap").is_some_and(|(_, number)| {
        number.trim_start_matches("ng").bytes().all(|byte| byte.is_ascii_digit())
    });
    let known = numbered || ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known));
    // rsync and others write to a hidden name and rename it when it is whole.
    (known && !file.starts_with('.')).then_some((file, false))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rotated_names_are_captures() {
        for (file, name) in [
            ("a.pcap", "a.pcap"),
            ("a.pcapng", "a.pcapng"),
            ("a.pcap.gz", "a.pcap"),
            ("a.pcap12.zst", "a.pcap12"),
            ("a.pcap12", "a.pcap12"),
            ("A.PCAP", "A.PCAP"),
            ("x_0001.cap", "x_0001.cap"),
            ("night.ZST", "night"),
        ] {
            assert_eq!(capture_name(file).map(|(name, _)| name), Some(name), "{file}");
        }
        for file in ["a.txt", "pcap", "a.pcapx", ".hidden", ".a.pcap", ".a.pcap.gz", ".gz"] {
            assert_eq!(capture_name(file), None, "{file}");
        }
    }

    #[test]
    fn what_is_written_now_waits_and_of_two_forms_the_plain_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| fs::write(folder.path().join(name), b"x").unwrap();
        write("a.pcap");
        write("a.pcap.gz");
        write("b.pcap.zst");
        let mut listing = Listing::default();
        let found = listing.look(folder.path(), Duration::from_secs(3_600)).unwrap();
        assert!(found.rested.is_empty() && found.names.len() == 2);
        let found = listing.look(folder.path(), Duration::ZERO).unwrap();
        let paths: Vec<_> = found.rested.iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, ["a.pcap", "b.pcap.zst"].map(|name| folder.path().join(name)));
    }

    /// A file from a machine whose clock is ahead rests all the same, by our own clock.
    #[test]
    fn a_change_in_the_future_rests_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcap");
        let file = fs::File::create(&path).unwrap();
        let now = Duration::from_nanos(u64::try_from(clock::realtime_ns()).unwrap());
        let tomorrow = SystemTime::UNIX_EPOCH + now + Duration::from_secs(86_400);
        file.set_modified(tomorrow).unwrap();
        let (mut listing, settle) = (Listing::default(), Duration::from_millis(20));
        assert!(listing.look(folder.path(), settle).unwrap().rested.is_empty());
        std::thread::sleep(settle);
        assert_eq!(listing.look(folder.path(), settle).unwrap().rested.len(), 1);
    }
}
