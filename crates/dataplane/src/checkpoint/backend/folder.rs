//! Back-ends over a folder: plain, the upper layer of an overlay, a btrfs subvolume.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

use super::super::files::{self, Known};
use super::super::manifest::Entry;
use super::super::store::Store;
use super::super::supervise::{Process, output_within};
use super::super::{CheckpointError, files::exchange};
use super::{Backend, Frozen, Still};

/// How long a program that quiets a service, or btrfs, may take.
const TOOL_WITHIN: Duration = Duration::from_secs(60);

/// How the folder lies.
enum Layer {
    /// As it is; perhaps quieted by programs of its own: (quiesce, resume).
    Plain(Option<(Vec<String>, Vec<String>)>),
    /// `[lower, upper, work, merged]`; what is kept is `upper`.
    Overlay([PathBuf; 4]),
    /// A subvolume; a snapshot is made here.
    Btrfs(PathBuf),
}

/// A service whose state is a folder.
pub(super) struct Folder {
    process: Process,
    root: PathBuf,
    layer: Layer,
    clean: Option<PathBuf>,
    known: Known,
}

impl Folder {
    pub(super) fn plain(
        process: Process,
        root: PathBuf,
        quiet: Option<(Vec<String>, Vec<String>)>,
        clean: Option<PathBuf>,
    ) -> Self {
        Self { process, root, layer: Layer::Plain(quiet), clean, known: Known::default() }
    }

    pub(super) fn overlay(
        process: Process,
        paths: [PathBuf; 4],
        clean: Option<PathBuf>,
    ) -> Result<Self, CheckpointError> {
        let unfit = |path: &&PathBuf| path.to_string_lossy().contains([',', ':', '\\']);
        if let Some(path) = paths.iter().find(unfit) {
            let reason = format!("{}: an overlay's paths hold no ',', ':' or '\\'", path.display());
            return Err(CheckpointError::Backend { backend: "overlay", reason });
        }
        for path in &paths {
            std::fs::create_dir_all(path).map_err(CheckpointError::io(path))?;
        }
        let root = paths[1].clone();
        Ok(Self { process, root, layer: Layer::Overlay(paths), clean, known: Known::default() })
    }

    pub(super) fn btrfs(
        process: Process,
        root: PathBuf,
        clean: Option<PathBuf>,
    ) -> Result<Self, CheckpointError> {
        let failed = |reason| CheckpointError::Backend { backend: "btrfs", reason };
        btrfs_works().map_err(failed)?;
        let mut show = Command::new("btrfs");
        show.args(["subvolume", "show"]).arg(&root);
        output_within(show, TOOL_WITHIN)
            .map_err(|cause| failed(format!("{} is not a subvolume: {cause}", root.display())))?;
        let snapshot = beside(&root, "snapshot");
        Ok(Self { process, root, layer: Layer::Btrfs(snapshot), clean, known: Known::default() })
    }

    fn freeze(&self) -> Result<(), CheckpointError> {
        match &self.layer {
            Layer::Plain(Some((quiesce, _))) => run(quiesce, "quiesce"),
            _ => self.process.freeze(),
        }
    }

    fn thaw(&self) -> Result<(), CheckpointError> {
        match &self.layer {
            Layer::Plain(Some((_, resume))) => run(resume, "resume"),
            _ => {
                self.process.thaw();
                Ok(())
            }
        }
    }

    fn read(&mut self, store: &mut Store, still: Still) -> Result<Frozen, CheckpointError> {
        let mut writer = store.writer();
        let taken = files::take(&self.root, &mut writer, &mut self.known)?;
        Ok(still.end(taken.entries, writer.new_bytes(), taken.left_out))
    }

    /// Freezes only as long as a snapshot takes, and reads that.
    fn snapshot(
        &mut self,
        store: &mut Store,
        snapshot: &Path,
        held: bool,
    ) -> Result<Frozen, CheckpointError> {
        delete_subvolume(snapshot)?;
        let still = Still::begin();
        if !held {
            self.freeze()?;
        }
        let mut command = Command::new("btrfs");
        command.args(["subvolume", "snapshot", "-r"]).arg(&self.root).arg(snapshot);
        let made = output_within(command, TOOL_WITHIN);
        if !held {
            self.thaw()?;
        }
        let empty = still.end(Vec::new(), 0, 0);
        made.map_err(CheckpointError::backend("btrfs", "snapshot"))?;
        let mut writer = store.writer();
        // A snapshot's files have numbers of their own: nothing that is known of the others fits.
        let taken = files::take(snapshot, &mut writer, &mut Known::default());
        let new_bytes = writer.new_bytes();
        delete_subvolume(snapshot)?;
        let taken = taken?;
        Ok(Frozen { entries: taken.entries, new_bytes, left_out: taken.left_out, ..empty })
    }

    /// Where a state is made ready before it takes the place: beside it, on the same file system.
    fn ready(&self) -> Result<PathBuf, CheckpointError> {
        let fresh = beside(&self.root, "restoring");
        if matches!(self.layer, Layer::Btrfs(_)) && fresh.exists() {
            let _ = delete_subvolume(&fresh);
        }
        files::remove(&fresh)?;
        Ok(fresh)
    }

    fn settle(&mut self, fresh: &Path) -> Result<(), CheckpointError> {
        self.unmount()?;
        if let Layer::Overlay([_, _, work, _]) = &self.layer {
            // What the kernel keeps there belongs to the upper layer that goes.
            files::remove(work)?;
            std::fs::create_dir_all(work).map_err(CheckpointError::io(work))?;
        }
        self.known = Known::default();
        match &self.layer {
            Layer::Btrfs(_) => fill(fresh, &self.root),
            _ => exchange(fresh, &self.root),
        }
    }

    fn mount(&self) -> Result<(), CheckpointError> {
        let Layer::Overlay([lower, upper, work, merged]) = &self.layer else { return Ok(()) };
        self.unmount()?;
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            lower.display(),
            upper.display(),
            work.display()
        );
        // In a user namespace the overlay's marks must be user attributes, or nothing can be deleted in it.
        let options = if in_user_namespace() { format!("{options},userxattr") } else { options };
        let flags = MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
        mount(Some("overlay"), merged, Some("overlay"), flags, Some(options.as_str())).map_err(
            CheckpointError::backend("overlay", "mount (it needs CAP_SYS_ADMIN in its namespace)"),
        )
    }

    fn unmount(&self) -> Result<(), CheckpointError> {
        let Layer::Overlay([_, _, _, merged]) = &self.layer else { return Ok(()) };
        loop {
            match umount2(merged, MntFlags::MNT_DETACH) {
                Ok(()) => {}
                // Not mounted (any more).
                Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOENT) => return Ok(()),
                Err(cause) => return Err(CheckpointError::backend("overlay", "unmount")(cause)),
            }
        }
    }
}

impl Backend for Folder {
    fn name(&self) -> &'static str {
        match self.layer {
            Layer::Plain(_) => "state",
            Layer::Overlay(_) => "overlay",
            Layer::Btrfs(_) => "btrfs",
        }
    }

    fn start(&mut self) -> Result<(), CheckpointError> {
        self.process.end()?;
        self.mount()?;
        self.process.start(&[])
    }

    fn alive(&mut self) -> bool {
        self.process.alive()
    }

    fn hold(&mut self) -> Result<(), CheckpointError> {
        // Never by its own program: it may be the intruder's by now.
        self.process.freeze()
    }

    fn end(&mut self) -> Result<(), CheckpointError> {
        self.process.end()?;
        self.unmount()
    }

    fn take(&mut self, store: &mut Store, held: bool) -> Result<Frozen, CheckpointError> {
        if let Layer::Btrfs(snapshot) = &self.layer {
            let snapshot = snapshot.clone();
            return self.snapshot(store, &snapshot, held);
        }
        if held {
            return self.read(store, Still::begin());
        }
        // Most is read while the service works; standing still, only what has changed since.
        if let Err(error @ CheckpointError::Limit(_)) =
            files::take(&self.root, &mut store.writer(), &mut self.known)
        {
            return Err(error);
        }
        let still = Still::begin();
        self.freeze()?;
        let taken = self.read(store, still);
        self.thaw()?;
        taken
    }

    fn put_back(
        &mut self,
        store: &Store,
        counter: u64,
        entries: &[Entry],
    ) -> Result<(), CheckpointError> {
        let fresh = self.ready()?;
        if let Err(error) = files::put(store, counter, entries, &fresh) {
            files::remove(&fresh)?;
            return Err(error);
        }
        self.settle(&fresh)
    }

    fn put_clean(&mut self, store: &mut Store) -> Result<(), CheckpointError> {
        let fresh = self.ready()?;
        match &self.clean {
            Some(clean) => {
                let taken = files::take(clean, &mut store.writer(), &mut Known::default())?;
                files::put(store, 0, &taken.entries, &fresh)?;
            }
            // The base of an overlay is clean by itself: nothing above it.
            None if matches!(self.layer, Layer::Overlay(_)) => {
                std::fs::create_dir(&fresh).map_err(CheckpointError::io(&fresh))?;
            }
            None => return Err(no_clean(self.name())),
        }
        self.settle(&fresh)
    }

    fn busy_s(&self) -> Option<f64> {
        self.process.busy_s()
    }
}

pub(super) fn no_clean(backend: &'static str) -> CheckpointError {
    let reason = "no clean base is declared (service.clean)".to_owned();
    CheckpointError::Backend { backend, reason }
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// A subvolume cannot change places with a folder: its content does, entry by entry.
fn fill(fresh: &Path, root: &Path) -> Result<(), CheckpointError> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>, CheckpointError> {
        let read = std::fs::read_dir(folder).map_err(CheckpointError::io(folder))?;
        read.map(|entry| Ok(entry.map_err(CheckpointError::io(folder))?.path())).collect()
    };
    for path in list(root)? {
        files::remove(&path)?;
    }
    for path in list(fresh)? {
        let to = root.join(path.file_name().unwrap_or_default());
        std::fs::rename(&path, &to)
            .or_else(|_| copy(&path, &to))
            .map_err(CheckpointError::io(&to))?;
    }
    super::super::store::sync(root)?;
    files::remove(fresh)
}

/// Between subvolumes nothing can be renamed.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut command = Command::new("cp");
    command.arg("-a").arg(from).arg(to);
    output_within(command, TOOL_WITHIN).map(drop).map_err(std::io::Error::other)
}

fn delete_subvolume(path: &Path) -> Result<(), CheckpointError> {
    if !path.exists() {
        return Ok(());
    }
    let mut command = Command::new("btrfs");
    command.args(["subvolume", "delete"]).arg(path);
    output_within(command, TOOL_WITHIN)
        .map(drop)
        .map_err(CheckpointError::backend("btrfs", "an old snapshot"))
}

fn run(words: &[String], what: &str) -> Result<(), CheckpointError> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(arguments);
    output_within(command, TOOL_WITHIN).map(drop).map_err(CheckpointError::backend("state", what))
}

/// Is this process's user namespace another than the first? That one alone maps every number to itself.
fn in_user_namespace() -> bool {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    map.split_whitespace().collect::<Vec<_>>() != ["0", "0", "4294967295"]
}

pub(super) fn overlay_works() -> Result<(), String> {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if known.lines().any(|line| line.ends_with("\toverlay")) {
        return Ok(());
    }
    Err("this kernel has no overlay file system: load the module `overlay`".to_owned())
}

pub(super) fn btrfs_works() -> Result<(), String> {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.lines().any(|line| line.ends_with("\tbtrfs")) {
        return Err("this kernel has no btrfs: load the module `btrfs`".to_owned());
    }
    let mut command = Command::new("btrfs");
    command.arg("--version");
    output_within(command, TOOL_WITHIN)
        .map(drop)
        .map_err(|cause| format!("btrfs: {cause}: install the package btrfs-progs"))
}
