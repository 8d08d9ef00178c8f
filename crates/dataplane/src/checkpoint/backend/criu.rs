//! Process trees by CRIU, where `criu check` says that it works.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::super::CheckpointError;
use super::super::files::{self, Known};
use super::super::manifest::Entry;
use super::super::store::Store;
use super::super::supervise::{Process, output_within};
use super::{Backend, Frozen, Still};

const NAME: &str = "criu";
/// How long CRIU may take.
const WITHIN: Duration = Duration::from_secs(120);

/// A process tree.
pub(super) struct Criu {
    process: Process,
    /// CRIU's images pass through here.
    images: PathBuf,
    restore: bool,
    /// Runs what was restored: the process that CRIU became.
    restored: Process,
}

impl Criu {
    pub(super) fn new(
        process: Process,
        notes: &Path,
        service: &str,
    ) -> Result<Self, CheckpointError> {
        works().map_err(|reason| CheckpointError::Backend { backend: NAME, reason })?;
        let images = notes.join(format!("{service}.images"));
        // CRIU stays as the parent of what it restored, so that the tree is supervised like any other.
        let command = ["criu", "restore", "--shell-job", "-D"].map(str::to_owned).into_iter();
        let command: Vec<String> = command.chain([images.display().to_string()]).collect();
        let restored = Process::new(&format!("{service}-restored"), &command, None, notes);
        Ok(Self { process, images, restore: false, restored })
    }

    fn running(&self) -> &Process {
        if self.restored.id().is_some() { &self.restored } else { &self.process }
    }
}

impl Backend for Criu {
    fn name(&self) -> &'static str {
        NAME
    }

    fn start(&mut self) -> Result<(), CheckpointError> {
        self.end()?;
        if !std::mem::take(&mut self.restore) {
            return self.process.start(&[]);
        }
        self.restored.start(&[])
    }

    fn alive(&mut self) -> bool {
        self.process.alive() || self.restored.alive()
    }

    fn hold(&mut self) -> Result<(), CheckpointError> {
        self.running().freeze()
    }

    fn end(&mut self) -> Result<(), CheckpointError> {
        self.process.end()?;
        self.restored.end()
    }

    fn take(&mut self, store: &mut Store, held: bool) -> Result<Frozen, CheckpointError> {
        let Some(id) = self.running().id() else {
            let reason = "the service does not run".to_owned();
            return Err(CheckpointError::Backend { backend: NAME, reason });
        };
        files::remove(&self.images)?;
        std::fs::create_dir_all(&self.images).map_err(CheckpointError::io(&self.images))?;
        let still = Still::begin();
        let mut command = Command::new("criu");
        command.args(["dump", "--shell-job", "-t", &id.to_string(), "-D"]).arg(&self.images);
        command.arg(if held { "--leave-stopped" } else { "--leave-running" });
        output_within(command, WITHIN).map_err(CheckpointError::backend(NAME, "dump"))?;
        let empty = still.end(Vec::new(), 0, 0);
        let mut writer = store.writer();
        let taken = files::take(&self.images, &mut writer, &mut Known::default())?;
        let new_bytes = writer.new_bytes();
        files::remove(&self.images)?;
        Ok(Frozen { entries: taken.entries, new_bytes, left_out: taken.left_out, ..empty })
    }

    fn put_back(
        &mut self,
        store: &Store,
        counter: u64,
        entries: &[Entry],
    ) -> Result<(), CheckpointError> {
        files::remove(&self.images)?;
        files::put(store, counter, entries, &self.images)?;
        self.restore = true;
        Ok(())
    }

    fn put_clean(&mut self, _store: &mut Store) -> Result<(), CheckpointError> {
        // A process started anew has no memory of what was.
        self.restore = false;
        Ok(())
    }

    fn busy_s(&self) -> Option<f64> {
        self.running().busy_s()
    }
}

pub(super) fn works() -> Result<(), String> {
    let mut command = Command::new("criu");
    command.arg("check");
    output_within(command, WITHIN).map(drop).map_err(|cause| {
        let last = cause.lines().last().unwrap_or_default().trim().to_owned();
        format!(
            "`criu check` says no: {last}. Debian 12's CRIU (3.17) does not start on recent kernels; use state, overlay \
             or machine"
        )
    })
}
