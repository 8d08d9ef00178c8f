//! What was changed, cut off, exchanged or put back is refused; what died in between loses nothing else.

use std::path::{Path, PathBuf};

use model::Timestamp;
use ports::fake::FakeRandom;

use super::*;
use crate::checkpoint::counter;
use crate::checkpoint::files::{self, Known};
use crate::checkpoint::manifest::What;
use crate::checkpoint::protect::CounterSettings;

fn open_with(folder: &Path, accept_rollback: bool) -> Result<Store, CheckpointError> {
    std::fs::create_dir_all(folder).unwrap();
    let random = FakeRandom::seeded(5);
    let key = super::super::sign::open_key(&folder.join("key"), &random)?;
    let settings = StoreSettings {
        folder: folder.to_path_buf(),
        max_bytes: 64 << 20,
        keep: 24,
        accept_rollback,
    };
    let counter = counter::open(&CounterSettings::default(), folder);
    Store::open(settings, key, counter, &random)
}

fn open(folder: &Path) -> Store {
    open_with(folder, false).unwrap()
}

/// Takes the folder `state` at second `at`.
fn take(store: &mut Store, state: &Path, at: i64) -> Manifest {
    let mut writer = store.writer();
    let taken = files::take(state, &mut writer, &mut Known::default()).unwrap();
    let new_bytes = writer.new_bytes();
    let draft = Draft {
        service: "telemetry".into(),
        backend: "state",
        evidence: false,
        taken_at: Timestamp::from_secs(at),
        frozen_us: 1_000,
        entries: taken.entries,
        suspects: vec![],
        new_bytes,
    };
    store.commit(draft).unwrap()
}

struct Ground {
    _folder: tempfile::TempDir,
    store: PathBuf,
    state: PathBuf,
}

/// A store with three checkpoints of a growing state.
fn ground() -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let (store, state) = (folder.path().join("store"), folder.path().join("state"));
    std::fs::create_dir_all(state.join("deep")).unwrap();
    let mut bytes = vec![0; 1 << 20];
    ports::Random::fill(&FakeRandom::seeded(1), &mut bytes);
    std::fs::write(state.join("deep/large"), &bytes).unwrap();
    std::os::unix::fs::symlink("../elsewhere", state.join("link")).unwrap();
    let mut open = open(&store);
    for at in 1..=3 {
        std::fs::write(state.join("count"), at.to_string()).unwrap();
        take(&mut open, &state, at);
    }
    Ground { _folder: folder, store, state }
}

fn manifest(ground: &Ground, counter: u64) -> PathBuf {
    ground.store.join(format!("manifests/{counter:020}.json"))
}

fn restored(store: &Store, counter: u64, to: &Path) -> Result<(), CheckpointError> {
    files::put(store, counter, &store.tree(counter)?, to)
}

#[test]
fn what_comes_back_is_what_was_taken_and_is_kept_once() {
    let ground = ground();
    let store = open(&ground.store);
    let sizes: Vec<u64> = store.of("telemetry").iter().map(|info| info.new_bytes).collect();
    assert!(sizes[0] > 1 << 20 && sizes[1] < 2_000 && sizes[2] < 2_000, "{sizes:?}");
    let to = ground.state.with_file_name("again");
    restored(&store, 2, &to).unwrap();
    assert_eq!(std::fs::read_to_string(to.join("count")).unwrap(), "2");
    let large = |root: &Path| std::fs::read(root.join("deep/large")).unwrap();
    assert_eq!(large(&to), large(&ground.state));
    assert_eq!(std::fs::read_link(to.join("link")).unwrap(), Path::new("../elsewhere"));
    let modified =
        |root: &Path| std::fs::metadata(root.join("deep/large")).unwrap().modified().unwrap();
    assert_eq!(modified(&to), modified(&ground.state));
}

#[test]
fn a_changed_or_cut_chunk_is_refused_and_named() {
    let ground = ground();
    let entries = open(&ground.store).tree(3).unwrap();
    let chunk = entries.iter().find_map(|entry| match &entry.what {
        What::File { chunks, .. } if entry.path == "deep/large" => chunks.first().cloned(),
        _ => None,
    });
    let chunk = chunk.unwrap();
    let path = super::chunk_path(&ground.store, &chunk).unwrap();
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    for body in [bad, good[..good.len() / 2].to_vec(), vec![], vec![9, 9, 9]] {
        std::fs::write(&path, body).unwrap();
        let store = open(&ground.store);
        let error = store.verify(3).unwrap_err().to_string();
        assert!(error.contains(&chunk), "{error}");
        assert!(restored(&store, 3, &ground.state.with_file_name("never")).is_err());
        let _ = std::fs::remove_dir_all(ground.state.with_file_name("never"));
    }
}

#[test]
fn a_changed_cut_or_foreign_manifest_is_refused() {
    let ground = ground();
    let good = std::fs::read(manifest(&ground, 2)).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let cases = [
        (text.replace("telemetry", "telemetrx").into_bytes(), "signature"),
        (good[..good.len() - 20].to_vec(), "cut off"),
        (std::fs::read(manifest(&ground, 1)).unwrap(), "another's place"),
        (b"{}".to_vec(), "damaged"),
    ];
    for (body, why) in cases {
        std::fs::write(manifest(&ground, 2), body).unwrap();
        let store = open(&ground.store);
        let error = store.tree(2).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
        store.verify(1).unwrap();
        store.verify(3).unwrap();
    }
    // Signed by us, right number, but of another history: made by the same key in a copy of the store.
    std::fs::write(manifest(&ground, 2), &good).unwrap();
    let copy = ground.store.with_file_name("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["key", "store.json"] {
        std::fs::copy(ground.store.join(file), copy.join(file)).unwrap();
    }
    let mut other = open(&copy);
    take(&mut other, &ground.state, 1);
    take(&mut other, &ground.state, 2);
    std::fs::copy(copy.join("manifests/00000000000000000002.json"), manifest(&ground, 2)).unwrap();
    let error = open(&ground.store).tree(2).unwrap_err().to_string();
    assert!(error.contains("not the one that the newest checkpoint names"), "{error}");
}

#[test]
fn an_older_store_that_was_put_back_is_refused_until_a_person_accepts_it() {
    let ground = ground();
    std::fs::remove_file(manifest(&ground, 3)).unwrap();
    let mut store = open(&ground.store);
    assert!(store.rollback().unwrap().contains("stands at 3, the newest checkpoint here is 2"));
    assert!(matches!(store.tree(2), Err(CheckpointError::Rollback(_))));
    let draft = Draft {
        service: "telemetry".into(),
        backend: "state",
        evidence: false,
        taken_at: Timestamp::from_secs(9),
        frozen_us: 0,
        entries: vec![],
        suspects: vec![],
        new_bytes: 0,
    };
    assert!(matches!(store.commit(draft), Err(CheckpointError::Rollback(_))));
    drop(store);
    let mut store = open_with(&ground.store, true).unwrap();
    store.verify(2).unwrap();
    let newest = take(&mut store, &ground.state, 9);
    assert_eq!(newest.counter, 4);
    assert!(newest.gap.unwrap().contains("stands at 3"), "what was accepted stays on record");
    drop(store);
    assert_eq!(open(&ground.store).rollback(), None);
}

#[test]
fn all_checkpoints_gone_is_a_rollback_too_and_another_key_opens_nothing() {
    let ground = ground();
    std::fs::remove_dir_all(ground.store.join("manifests")).unwrap();
    assert!(open(&ground.store).rollback().unwrap().contains("the newest checkpoint here is 0"));
    std::fs::write(ground.store.join("key"), "11".repeat(32)).unwrap();
    let error = open_with(&ground.store, false).err().unwrap().to_string();
    assert!(error.contains("another agent's store"), "{error}");
}

#[test]
fn what_died_before_the_counter_moved_is_swept_away() {
    let ground = ground();
    // As after a death between manifest and counter, with chunks of a fifth that never got so far.
    std::fs::copy(manifest(&ground, 3), manifest(&ground, 4)).unwrap();
    let orphan = ground.store.join("chunks/ab").join("ab".repeat(32));
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "half").unwrap();
    std::fs::write(manifest(&ground, 5).with_extension("new"), "half").unwrap();
    let mut store = open(&ground.store);
    assert_eq!(store.rollback(), None);
    assert!(!manifest(&ground, 4).exists() && !orphan.exists());
    assert_eq!(take(&mut store, &ground.state, 4).counter, 4);
    assert_eq!(store.counters(), [1, 2, 3, 4]);
}

#[test]
fn the_bound_of_the_store_is_told_and_old_checkpoints_go() {
    let ground = ground();
    let mut store = open(&ground.store);
    store.settings.keep = 6;
    for at in 4..20 {
        std::fs::write(ground.state.join("count"), at.to_string()).unwrap();
        take(&mut store, &ground.state, at);
    }
    // Six and the newest, among them the oldest.
    assert_eq!(store.counters().len(), 7);
    assert_eq!(store.counters()[0], 1);
    for counter in store.counters() {
        store.verify(counter).unwrap();
    }
    store.settings.max_bytes = store.stored_bytes();
    let error = store.writer().stream(&b"something new"[..]).unwrap_err().to_string();
    assert!(error.contains("agent.max_bytes"), "{error}");
}

#[test]
fn a_path_that_leaves_its_place_is_refused() {
    let ground = ground();
    let store = open(&ground.store);
    let mut entries = store.tree(3).unwrap();
    for path in ["../out", "/etc/out", "link/out"] {
        let mut bad = entries[1].clone();
        bad.path = path.into();
        bad.what = What::File { size: 0, chunks: vec![] };
        let mut with = entries.clone();
        with.push(bad);
        let to = ground.state.with_file_name("bad");
        let error = files::put(&store, 3, &with, &to).unwrap_err();
        assert!(
            matches!(error, CheckpointError::Refused { .. } | CheckpointError::Io { .. }),
            "{error}"
        );
        std::fs::remove_dir_all(to).unwrap();
    }
    assert!(!ground.state.with_file_name("out").exists());
    entries.clear();
}

/// A TPM in software, on two ports of its own; `None` with a sentence where it is not installed.
struct Swtpm {
    child: std::process::Child,
    _folder: tempfile::TempDir,
}

impl Drop for Swtpm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Swtpm {
    fn start(folder: tempfile::TempDir, port: u16) -> Option<Self> {
        let mut command = std::process::Command::new("swtpm");
        command.args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"]);
        command.arg(format!("dir={}", folder.path().display()));
        command.args(["--server", &format!("type=tcp,port={port}")]);
        command.args(["--ctrl", &format!("type=tcp,port={}", port + 1)]);
        match command.spawn() {
            Ok(child) => Some(Self { child, _folder: folder }),
            Err(cause) => {
                eprintln!(
                    "skipped: the TPM counter (swtpm: {cause}; install swtpm and tpm2-tools)"
                );
                None
            }
        }
    }

    fn counter(port: u16) -> Box<dyn MonotonicCounter> {
        let tcti = Some(format!("swtpm:host=127.0.0.1,port={port}"));
        counter::open(&CounterSettings::Tpm { nv_index: "0x01500020".into(), tcti }, Path::new(""))
    }
}

#[test]
fn a_tpm_counts_on_over_its_own_restart_and_shows_a_store_put_back() {
    if std::process::Command::new("tpm2_nvread").arg("--version").output().is_err() {
        return eprintln!("skipped: the TPM counter (tpm2-tools are not installed)");
    }
    // Two free ports beside each other.
    let port = (0..50)
        .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port())
        .find(|port| *port < 65_000 && std::net::TcpListener::bind(("127.0.0.1", port + 1)).is_ok())
        .unwrap();
    let Some(tpm) = Swtpm::start(tempfile::tempdir().unwrap(), port) else { return };
    let ready = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(ready, "swtpm does not listen");
    let ground = ground();
    let (folder, random) = (ground.store.with_file_name("tpm-store"), FakeRandom::seeded(6));
    std::fs::create_dir(&folder).unwrap();
    let settings = StoreSettings {
        folder: folder.clone(),
        max_bytes: 64 << 20,
        keep: 24,
        accept_rollback: false,
    };
    let open = || {
        let key = super::super::sign::open_key(&folder.join("key"), &random).unwrap();
        Store::open(settings.clone(), key, Swtpm::counter(port), &random).unwrap()
    };
    let mut store = open();
    assert_eq!(store.counter_words(), "TPM 2.0 NV counter 0x01500020");
    let first = take(&mut store, &ground.state, 1).counter;
    let old = std::fs::read_dir(folder.join("manifests")).unwrap().count();
    assert_eq!(take(&mut store, &ground.state, 2).counter, first + 1);
    drop(store);
    assert_eq!((old, open().rollback()), (1, None));
    // Everything on the disk is put back to the first checkpoint; the TPM is not on the disk.
    std::fs::remove_file(folder.join(format!("manifests/{:020}.json", first + 1))).unwrap();
    assert!(open().rollback().unwrap().contains("put back"));
    drop(tpm);
}
