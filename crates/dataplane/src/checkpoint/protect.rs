//! The declaration of what is protected: one TOML file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ports::checkpoint::MAX_MARGIN_S;
use serde::Deserialize;

use super::CheckpointError;
use super::timing::MAX_WAIT_S;

/// Largest declaration, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most services of one agent.
pub(crate) const MAX_SERVICES: usize = 64;
/// Longest name, bytes.
const MAX_NAME_BYTES: usize = 64;
/// Bounds of the declared bounds of an interval, seconds.
const INTERVALS: std::ops::RangeInclusive<f64> = 0.1..=2_592_000.0;

/// The whole declaration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protect {
    /// The agent.
    pub agent: AgentSettings,
    /// What it protects.
    #[serde(rename = "service")]
    pub services: Vec<ServiceSettings>,
}

/// Section `[agent]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSettings {
    /// Its name: lower-case letters, digits, `-`.
    pub name: String,
    /// Folder of the store.
    pub store: PathBuf,
    /// File of the signing key; `key` in the store when absent.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The counter against rollback.
    #[serde(default)]
    pub counter: CounterSettings,
    /// Most bytes of the store.
    #[serde(default = "gigabytes")]
    pub max_bytes: u64,
    /// Checkpoints kept of each service.
    #[serde(default = "keep")]
    pub keep: usize,
    /// Seconds before the first evidence from which nothing is trusted.
    #[serde(default = "margin")]
    pub margin_s: u32,
    /// Mean delay between infection and first evidence before anything was learned, seconds.
    #[serde(default = "delay")]
    pub mean_delay_s: f64,
    /// Mean wait before a service is stopped, seconds.
    #[serde(default = "three")]
    pub interrupt_mean_s: f64,
    /// Longest wait before it is stopped.
    #[serde(default = "twelve")]
    pub interrupt_max_s: f64,
    /// Mean wait before it runs again.
    #[serde(default = "three")]
    pub restart_mean_s: f64,
    /// Longest wait before it runs again.
    #[serde(default = "twelve")]
    pub restart_max_s: f64,
}

fn gigabytes() -> u64 {
    16 << 30
}
fn keep() -> usize {
    24
}
fn margin() -> u32 {
    600
}
fn delay() -> f64 {
    600.0
}
fn three() -> f64 {
    3.0
}
fn twelve() -> f64 {
    12.0
}

/// The counter against rollback.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum CounterSettings {
    /// A counter in the non-volatile memory of a TPM 2.0.
    Tpm {
        /// NV index, e.g. `0x01500020`.
        nv_index: String,
        /// How the TPM is reached, as tpm2-tools write it; their default when absent.
        #[serde(default)]
        tcti: Option<String>,
    },
    /// A file: shows mistakes, not an intruder with the rights of the agent.
    File {
        /// The file; `counter` in the store when absent.
        #[serde(default)]
        path: Option<PathBuf>,
    },
}

impl Default for CounterSettings {
    fn default() -> Self {
        Self::File { path: None }
    }
}

/// One `[[service]]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Its name: lower-case letters, digits, `-`.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Working folder of the program.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// What keeps its state.
    pub keep: BackendSettings,
    /// Shortest interval, seconds of operating time.
    #[serde(default = "shortest")]
    pub min_interval_s: f64,
    /// Longest interval, seconds of operating time.
    #[serde(default = "longest")]
    pub max_interval_s: f64,
    /// A folder (or image) that is known to be clean: what is started from when no checkpoint is old enough.
    #[serde(default)]
    pub clean: Option<PathBuf>,
}

fn shortest() -> f64 {
    60.0
}
fn longest() -> f64 {
    3_600.0
}

/// What keeps the state of a service.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "backend", rename_all = "lowercase", deny_unknown_fields)]
pub enum BackendSettings {
    /// Application state: a folder, and how the application is quieted.
    State {
        /// The folder.
        state: PathBuf,
        /// Program that quiets it (state written out, no change until it is resumed); the processes are frozen when absent.
        #[serde(default)]
        quiesce: Option<Vec<String>>,
        /// Program that lets it go on.
        #[serde(default)]
        resume: Option<Vec<String>>,
    },
    /// The upper layer of an overlay that the agent mounts.
    Overlay {
        /// What lies below, never changed.
        lower: PathBuf,
        /// Where changes go: what is kept.
        upper: PathBuf,
        /// The overlay's own folder, beside `upper`.
        work: PathBuf,
        /// Where it is mounted: what the service sees.
        merged: PathBuf,
    },
    /// A btrfs subvolume: frozen only as long as a snapshot takes.
    Btrfs {
        /// The subvolume.
        subvolume: PathBuf,
    },
    /// A virtual machine under QEMU; `command` starts it.
    Machine {
        /// Raw disk images that belong to the state.
        #[serde(default)]
        disks: Vec<PathBuf>,
    },
    /// A process tree, by CRIU.
    Criu,
}

impl Protect {
    /// Reads and checks a declaration.
    ///
    /// # Errors
    /// The file cannot be read, or names the key that is wrong.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let size = std::fs::metadata(path).map_err(CheckpointError::io(path))?.len();
        if size > MAX_FILE_BYTES {
            return Err(CheckpointError::Settings(format!(
                "{}: {size} bytes exceed the limit of {MAX_FILE_BYTES}",
                path.display()
            )));
        }
        let text = std::fs::read_to_string(path).map_err(CheckpointError::io(path))?;
        let read: Self = toml::from_str(&text)
            .map_err(|cause| CheckpointError::Settings(format!("{}: {cause}", path.display())))?;
        read.check()
            .map_err(|broken| CheckpointError::Settings(format!("{}: {broken}", path.display())))?;
        Ok(read)
    }

    fn check(&self) -> Result<(), String> {
        let agent = &self.agent;
        named("agent.name", &agent.name)?;
        let waits = [
            ("agent.interrupt_mean_s", agent.interrupt_mean_s),
            ("agent.interrupt_max_s", agent.interrupt_max_s),
            ("agent.restart_mean_s", agent.restart_mean_s),
            ("agent.restart_max_s", agent.restart_max_s),
        ];
        if let Some((key, wait)) = waits.iter().find(|(_, wait)| !(0.0..=MAX_WAIT_S).contains(wait))
        {
            return Err(format!("{key} must lie between 0 and {MAX_WAIT_S} seconds, not {wait}"));
        }
        if agent.margin_s > MAX_MARGIN_S {
            return Err(format!("agent.margin_s must not exceed {MAX_MARGIN_S} seconds"));
        }
        if !(agent.mean_delay_s >= 1.0 && agent.mean_delay_s <= f64::from(MAX_MARGIN_S)) {
            return Err(format!(
                "agent.mean_delay_s must lie between 1 and {MAX_MARGIN_S} seconds"
            ));
        }
        if !(6..=500).contains(&agent.keep) {
            return Err(format!("agent.keep must lie between 6 and 500, not {}", agent.keep));
        }
        if self.services.is_empty() || self.services.len() > MAX_SERVICES {
            return Err(format!(
                "1 to {MAX_SERVICES} services can be protected, not {}",
                self.services.len()
            ));
        }
        let mut names = BTreeSet::new();
        for service in &self.services {
            service.check()?;
            if !names.insert(&service.name) {
                return Err(format!("the service {} is declared twice", service.name));
            }
        }
        Ok(())
    }
}

impl ServiceSettings {
    fn check(&self) -> Result<(), String> {
        named("service.name", &self.name)?;
        let name = &self.name;
        if self.command.is_empty() {
            return Err(format!("service {name}: command is missing: name the program"));
        }
        let bounds = [self.min_interval_s, self.max_interval_s];
        if bounds.iter().any(|bound| !INTERVALS.contains(bound)) || bounds[0] > bounds[1] {
            return Err(format!(
                "service {name}: min_interval_s and max_interval_s must lie between {} and {} seconds, the first not \
                 above the second",
                INTERVALS.start(),
                INTERVALS.end()
            ));
        }
        if let BackendSettings::State { quiesce, resume, .. } = &self.keep
            && quiesce.is_some() != resume.is_some()
        {
            return Err(format!("service {name}: give both keep.quiesce and keep.resume, or none"));
        }
        Ok(())
    }
}

fn named(key: &str, name: &str) -> Result<(), String> {
    let fits = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    fits.then_some(()).ok_or_else(|| {
        format!(
            "{key} must be 1 to {MAX_NAME_BYTES} lower-case letters, digits and '-', not '{}'",
            name.escape_debug()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Protect, CheckpointError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("protect.toml");
        std::fs::write(&path, text).unwrap();
        Protect::read(&path)
    }

    const AGENT: &str = "[agent]\nname = 'harbour'\nstore = '/tmp/store'\n";
    const SERVICE: &str = "[[service]]\nname = 'telemetry'\ncommand = ['/bin/true']\nkeep = { backend = 'state', state = '/tmp/state' }\n";

    #[test]
    fn what_is_left_out_has_its_default_and_what_is_wrong_is_named() {
        let read_well = read(&format!("{AGENT}{SERVICE}")).unwrap();
        assert_eq!(read_well.agent.margin_s, 600);
        assert_eq!(read_well.agent.counter, CounterSettings::File { path: None });
        for (text, named) in [
            (format!("{AGENT}{SERVICE}{SERVICE}"), "declared twice"),
            (AGENT.to_owned(), "service"),
            (format!("{AGENT}restart_mean_s = 9e9\n{SERVICE}"), "agent.restart_mean_s"),
            (format!("{AGENT}mean_delay_s = nan\n{SERVICE}"), "agent.mean_delay_s"),
            (format!("{AGENT}{SERVICE}min_interval_s = 0\n"), "min_interval_s"),
            (format!("{AGENT}colour = 1\n{SERVICE}"), "colour"),
            (format!("{AGENT}{}", SERVICE.replace("telemetry", "../x")), "service.name"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{named}: {error}");
        }
    }
}
