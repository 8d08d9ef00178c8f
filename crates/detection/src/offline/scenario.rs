//! A scenario folder: what it holds, who is protected, what to train on.
//!
//! `scenario.toml` names the files; the labels are read elsewhere ([`super::eval`]), after scoring.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use analytics::host::Host;
use analytics::policy::{DevicePolicy, is_local};
use serde::{Deserialize, Serialize};

/// Name of the description.
pub const SCENARIO_FILE: &str = "scenario.toml";
/// Bytes of a description at most.
const MAX_SCENARIO_BYTES: u64 = 1 << 20;
/// Scenarios of one evaluation at most.
pub const MAX_SCENARIOS: usize = 256;
/// Protected devices of one scenario at most.
pub const MAX_PROTECTED: usize = 4_096;
/// Training windows of a protected device below which a suggested training is used as well.
pub const SHORT_TRAINING_WINDOWS: usize = 300;

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The place.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The description is not what it should be.
    #[error("{path}: {problem}")]
    Description {
        /// The description.
        path: PathBuf,
        /// What, and what to do.
        problem: String,
    },
    /// A folder holds neither a scenario nor folders with scenarios.
    #[error(
        "{0} holds no {SCENARIO_FILE}, and none of its folders does: give a scenario folder, or a folder of them"
    )]
    NoScenario(PathBuf),
    /// More than [`MAX_SCENARIOS`].
    #[error("{0} scenarios: the limit is {MAX_SCENARIOS}; evaluate fewer at a time")]
    TooMany(usize),
}

/// What the files of a scenario hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Captures.
    Pcap,
    /// One row per message or flow, comma-separated.
    RowsCsv,
    /// One row per message or flow, JSON lines.
    RowsJsonl,
    /// Captures without labels, packed together: nothing to evaluate.
    Archive,
}

/// A device the scenario protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// As the output prints it: its internet address, else its MAC address.
    pub name: Arc<str>,
    /// Internet address.
    pub ip: Option<Host>,
    /// MAC address.
    pub mac: Option<Host>,
    /// What it is.
    pub role: String,
}

/// A scenario folder, read and checked.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The folder.
    pub folder: PathBuf,
    /// Its name; safe as a file name.
    pub name: String,
    /// What its files hold.
    pub kind: Kind,
    /// In plain words.
    pub description: String,
    /// Where the data comes from.
    pub source: String,
    /// Its licence, as stated.
    pub licence: String,
    /// Whether the data may be passed on.
    pub redistributable: bool,
    /// Protected devices.
    pub devices: Vec<Protected>,
    /// The folder's own training part.
    pub train: Option<PathBuf>,
    /// The part to judge; absent for archives.
    pub test: Option<PathBuf>,
    /// Folder of the suggested training, beside this one.
    pub suggested_train: Option<String>,
}

#[derive(Deserialize)]
struct Description {
    name: String,
    kind: Kind,
    #[serde(default)]
    description: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    licence: String,
    #[serde(default)]
    redistributable: bool,
    #[serde(default)]
    device: Vec<DeviceText>,
    train: Option<Part>,
    test: Option<Part>,
    protocol: Option<ProtocolText>,
}

#[derive(Deserialize)]
struct DeviceText {
    ip: Option<Host>,
    mac: Option<Host>,
    #[serde(default)]
    role: String,
}

#[derive(Deserialize)]
struct Part {
    file: Option<String>,
}

#[derive(Deserialize)]
struct ProtocolText {
    suggested_train: Option<String>,
}

impl Scenario {
    /// Reads the description of a folder and looks for the files.
    ///
    /// # Errors
    /// When the description cannot be read, lacks something, or names what is not there.
    pub fn read(folder: &Path) -> Result<Self, ScenarioError> {
        let path = folder.join(SCENARIO_FILE);
        let wrong = |problem: String| ScenarioError::Description { path: path.clone(), problem };
        let read = |source| ScenarioError::Read { path: path.clone(), source };
        if std::fs::metadata(&path).map_err(read)?.len() > MAX_SCENARIO_BYTES {
            return Err(wrong(format!("larger than {MAX_SCENARIO_BYTES} bytes: shorten it")));
        }
        let text = std::fs::read_to_string(&path).map_err(read)?;
        let found: Description =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        if !is_plain_name(&found.name) {
            return Err(wrong(format!(
                "name `{}` cannot name a file: use letters, digits, `-`, `_` and `.`",
                found.name.escape_debug()
            )));
        }
        if found.device.len() > MAX_PROTECTED {
            return Err(wrong(format!(
                "{} devices, the limit is {MAX_PROTECTED}",
                found.device.len()
            )));
        }
        let mut devices = Vec::with_capacity(found.device.len());
        for (place, device) in found.device.into_iter().enumerate() {
            devices.push(device.checked(place + 1).map_err(wrong)?);
        }
        if found.kind != Kind::Archive && devices.is_empty() {
            return Err(wrong("no [[device]]: name the protected devices by ip or mac".to_owned()));
        }
        let file = |part: Option<Part>, stem: &str| {
            part_file(folder, part, stem, found.kind).map_err(wrong)
        };
        let train = file(found.train, "train")?;
        let test = file(found.test, "test")?;
        if found.kind != Kind::Archive && test.is_none() {
            return Err(wrong("no test part: add [test] with its file".to_owned()));
        }
        let suggested_train = found.protocol.and_then(|protocol| protocol.suggested_train);
        if let Some(other) = suggested_train.as_ref().filter(|other| !is_plain_name(other)) {
            return Err(wrong(format!(
                "suggested_train `{}` is not the name of a folder beside this one",
                other.escape_debug()
            )));
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            name: found.name,
            kind: found.kind,
            description: found.description,
            source: found.source,
            licence: found.licence,
            redistributable: found.redistributable,
            devices,
            train,
            test,
            suggested_train,
        })
    }

    /// Folder of the suggested training: beside this folder, wherever that is.
    #[must_use]
    pub fn suggested_folder(&self) -> Option<PathBuf> {
        let name = self.suggested_train.as_ref()?;
        // `.` and `a/..` have no parent in writing; the real place has one.
        let real = std::fs::canonicalize(&self.folder).ok()?;
        Some(real.parent()?.join(name))
    }

    /// Who counts as a device: every local address, unless a protected device is known otherwise.
    #[must_use]
    pub fn policy(&self) -> DevicePolicy {
        let local = |device: &Protected| device.ip.and_then(Host::ip).is_some_and(is_local);
        if self.devices.iter().all(local) {
            return DevicePolicy::Local;
        }
        DevicePolicy::Listed(
            self.devices.iter().filter_map(|device| device.ip.or(device.mac)).collect(),
        )
    }
}

impl DeviceText {
    fn checked(self, number: usize) -> Result<Protected, String> {
        if self.ip.is_some_and(|ip| ip.ip().is_none()) {
            return Err(format!("device {number}: its ip is a MAC address: write mac = …"));
        }
        if self.mac.is_some_and(|mac| mac.as_mac().is_none()) {
            return Err(format!("device {number}: its mac is an internet address: write ip = …"));
        }
        let name = self
            .ip
            .or(self.mac)
            .ok_or_else(|| format!("device {number} has neither ip nor mac: give one"))?;
        Ok(Protected { name: name.to_string().into(), ip: self.ip, mac: self.mac, role: self.role })
    }
}

/// Letters, digits, `-`, `_`, `.`, not hidden: safe as one step of a path.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// The file of a part: as named, else by its usual name in any of the usual packings.
fn part_file(
    folder: &Path,
    part: Option<Part>,
    stem: &str,
    kind: Kind,
) -> Result<Option<PathBuf>, String> {
    if let Some(name) = part.and_then(|part| part.file) {
        if !is_plain_name(&name) {
            return Err(format!(
                "[{stem}] file `{}` is not the name of a file in this folder",
                name.escape_debug()
            ));
        }
        let path = folder.join(&name);
        return if path.is_file() {
            Ok(Some(path))
        } else {
            Err(format!("[{stem}] names `{name}`, which is not in the folder"))
        };
    }
    let forms: &[&str] = match kind {
        Kind::Pcap => &["pcap", "pcapng"],
        Kind::RowsCsv => &["csv"],
        Kind::RowsJsonl => &["jsonl"],
        Kind::Archive => &[],
    };
    let named = forms.iter().flat_map(|form| {
        ["", ".gz", ".zst"].into_iter().map(move |packing| format!("{stem}.{form}{packing}"))
    });
    Ok(named.map(|name| folder.join(name)).find(|path| path.is_file()))
}

/// The scenario folders behind the given ones: a folder with a description, else the folders in it
/// that have one, by name.
///
/// # Errors
/// When a folder cannot be read, holds no scenario, or there are more than [`MAX_SCENARIOS`].
pub fn scenario_folders(given: &[PathBuf]) -> Result<Vec<PathBuf>, ScenarioError> {
    let mut folders = Vec::new();
    for path in given {
        let read = |source| ScenarioError::Read { path: path.clone(), source };
        if path.join(SCENARIO_FILE).is_file() {
            folders.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(read)? {
            let folder = entry.map_err(read)?.path();
            if folder.join(SCENARIO_FILE).is_file() {
                inside.push(folder);
            }
        }
        if inside.is_empty() {
            return Err(ScenarioError::NoScenario(path.clone()));
        }
        inside.sort();
        folders.append(&mut inside);
    }
    if folders.len() > MAX_SCENARIOS {
        return Err(ScenarioError::TooMany(folders.len()));
    }
    Ok(folders)
}
