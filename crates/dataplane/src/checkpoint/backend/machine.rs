//! Virtual machines under QEMU: memory by migration to a file, raw disks beside it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::super::CheckpointError;
use super::super::manifest::Entry;
use super::super::store::Store;
use super::super::supervise::{Process, output_within};
use super::qmp::{Qmp, quoted};
use super::{Backend, Frozen, Still, image, put_image};

const NAME: &str = "machine";
/// Name of the memory's image among the entries.
const MEMORY: &str = "memory";
/// How long QEMU may take to tell its version.
const VERSION_WITHIN: Duration = Duration::from_secs(10);

/// One machine.
pub(super) struct Machine {
    process: Process,
    disks: Vec<PathBuf>,
    /// Where QEMU listens.
    socket: PathBuf,
    /// Where the memory's image passes through.
    memory: PathBuf,
    /// The next start goes on from [`Self::memory`].
    incoming: bool,
}

impl Machine {
    pub(super) fn new(
        process: Process,
        disks: Vec<PathBuf>,
        notes: &Path,
        service: &str,
    ) -> Result<Self, CheckpointError> {
        works().map_err(|reason| CheckpointError::Backend { backend: NAME, reason })?;
        let socket = notes.join(format!("{service}.qmp"));
        let memory = notes.join(format!("{service}.memory"));
        Ok(Self { process, disks, socket, memory, incoming: false })
    }

    fn ask<T>(
        &self,
        what: impl FnOnce(&mut Qmp) -> Result<T, String>,
    ) -> Result<T, CheckpointError> {
        let failed = |reason| CheckpointError::Backend { backend: NAME, reason };
        let mut qmp = Qmp::connect(&self.socket).map_err(failed)?;
        what(&mut qmp).map_err(failed)
    }

    fn disk(at: usize) -> String {
        format!("disk{at}")
    }

    fn read(&self, store: &mut Store, still: Still) -> Result<Frozen, CheckpointError> {
        let mut writer = store.writer();
        let mut entries = vec![image(MEMORY, &self.memory, &mut writer)?];
        for (at, disk) in self.disks.iter().enumerate() {
            entries.push(image(&Self::disk(at), disk, &mut writer)?);
        }
        let new_bytes = writer.new_bytes();
        Ok(still.end(entries, new_bytes, 0))
    }
}

impl Backend for Machine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn start(&mut self) -> Result<(), CheckpointError> {
        self.process.end()?;
        let _ = std::fs::remove_file(&self.socket);
        let mut more =
            vec!["-qmp".to_owned(), format!("unix:{},server=on,wait=off", self.socket.display())];
        if self.incoming {
            more.extend(["-incoming".to_owned(), format!("exec:cat {}", quoted(&self.memory))]);
        }
        self.process.start(&more)?;
        if !self.incoming {
            return Ok(());
        }
        // It was stopped when it was taken, so it comes up stopped.
        self.ask(|qmp| {
            if qmp.wait_for(&["paused", "postmigrate", "running"])? != "running" {
                qmp.ask("cont", &Value::Null)?;
            }
            Ok(())
        })?;
        self.incoming = false;
        let _ = std::fs::remove_file(&self.memory);
        Ok(())
    }

    fn alive(&mut self) -> bool {
        self.process.alive()
    }

    fn hold(&mut self) -> Result<(), CheckpointError> {
        self.ask(|qmp| qmp.ask("stop", &Value::Null).map(drop))
    }

    fn end(&mut self) -> Result<(), CheckpointError> {
        self.process.end()
    }

    fn take(&mut self, store: &mut Store, held: bool) -> Result<Frozen, CheckpointError> {
        let still = Still::begin();
        let written = self.ask(|qmp| {
            qmp.ask("stop", &Value::Null)?;
            qmp.migrate(&self.memory)
        });
        let taken = match written {
            Ok(()) => self.read(store, still),
            Err(error) => Err(error),
        };
        if !held {
            self.ask(|qmp| qmp.ask("cont", &Value::Null).map(drop))?;
        }
        let _ = std::fs::remove_file(&self.memory);
        taken
    }

    fn put_back(
        &mut self,
        store: &Store,
        counter: u64,
        entries: &[Entry],
    ) -> Result<(), CheckpointError> {
        let find = |name: &str| {
            entries.iter().find(|entry| entry.path == name).ok_or_else(|| {
                let reason = format!("it has no '{name}': the declaration had other disks then");
                CheckpointError::Refused { counter, reason }
            })
        };
        for (at, disk) in self.disks.iter().enumerate() {
            put_image(store, counter, find(&Self::disk(at))?, disk)?;
        }
        put_image(store, counter, find(MEMORY)?, &self.memory)?;
        self.incoming = true;
        Ok(())
    }

    fn put_clean(&mut self, _store: &mut Store) -> Result<(), CheckpointError> {
        Err(super::folder::no_clean(NAME))
    }

    fn busy_s(&self) -> Option<f64> {
        self.process.busy_s()
    }
}

pub(super) fn works() -> Result<(), String> {
    let found =
        ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-system-arm"].iter().any(|name| {
            let mut command = Command::new(name);
            command.arg("--version");
            output_within(command, VERSION_WITHIN).is_ok()
        });
    found.then_some(()).ok_or_else(|| {
        "QEMU is not installed: install qemu-system-x86 (or the one of your processor)".to_owned()
    })
}
