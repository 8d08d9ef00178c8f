//! Section `[playbooks.actuators]`: what of the outside this node commands. What is not configured is not there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest time one command may take, seconds: the engine waits 30, and to connect takes up to 5.
pub const MAX_COMMAND_S: u64 = 24;

/// Settings of all actuators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActuatorsConfig {
    /// Whether hosts at addresses that are not public may be commanded. On, because what a response steers mostly
    /// stands in one's own network; off for a node that only tells others.
    pub allow_private: bool,
    /// Seconds one command may take, 1 to 24.
    pub timeout_s: u64,
    /// PEM file of further authorities whose certificates are accepted, for devices without a public one.
    pub ca_file: Option<String>,
    /// Hosts that keep `Idempotency-Key`: a POST or PATCH to them may be repeated after a crash.
    pub idempotent_hosts: Vec<String>,
    /// Commands over SSH.
    pub ssh: Ssh,
    /// Shell commands on this machine.
    pub bash: Bash,
    /// Mail.
    pub mail: Option<Mail>,
    /// MQTT 5.
    pub mqtt: Option<Mqtt>,
    /// Signed webhooks, by name.
    pub webhooks: BTreeMap<String, Hook>,
    /// Matrix.
    pub matrix: Option<Matrix>,
    /// Mattermost.
    pub mattermost: Option<Mattermost>,
    /// MITRE Caldera.
    pub caldera: Option<Service>,
    /// Elasticsearch.
    pub elastic: Option<Service>,
    /// Jupyter with its scheduler.
    pub jupyter: Option<Service>,
}

impl Default for ActuatorsConfig {
    fn default() -> Self {
        Self {
            allow_private: true,
            timeout_s: 20,
            ca_file: None,
            idempotent_hosts: vec![],
            ssh: Ssh::default(),
            bash: Bash::default(),
            mail: None,
            mqtt: None,
            webhooks: BTreeMap::new(),
            matrix: None,
            mattermost: None,
            caldera: None,
            elastic: None,
            jupyter: None,
        }
    }
}

/// Commands over SSH.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ssh {
    /// The fingerprint (`SHA256:…`) of each host's key; the key is `HOST`, or `HOST:PORT` where the port is not 22.
    pub host_keys: BTreeMap<String, String>,
    /// Hosts without a POSIX shell: the command is sent as it stands, and values of variables in it may only hold
    /// letters, digits and `._:/@%+,-`.
    pub raw_hosts: Vec<String>,
}

/// Shell commands on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bash {
    /// Whether there are any.
    pub enabled: bool,
    /// Memory of one process, MiB.
    pub memory_mib: u64,
    /// Largest file that may be written, MiB.
    pub file_mib: u64,
    /// Processor seconds of one process.
    pub cpu_s: u64,
}

impl Default for Bash {
    fn default() -> Self {
        Self { enabled: false, memory_mib: 512, file_mib: 16, cpu_s: 20 }
    }
}

/// Mail over SMTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// `smtps://HOST:PORT` (TLS at once), `smtp://HOST:PORT` (STARTTLS, required); without TLS only on this machine.
    pub server: String,
    /// Who logs in.
    #[serde(default)]
    pub user: Option<String>,
    /// The secret that logs in.
    #[serde(default)]
    pub secret: Option<String>,
    /// The sender.
    pub from: String,
    /// Who may be written to: addresses, and domains as `@domain`.
    pub to: Vec<String>,
}

/// An MQTT 5 broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// `mqtts://HOST:PORT`, or `mqtt://HOST:PORT` on this machine.
    pub broker: String,
    /// Who logs in.
    #[serde(default)]
    pub user: Option<String>,
    /// The secret that logs in.
    #[serde(default)]
    pub secret: Option<String>,
    /// Filters of the topics that may be published to, with `+` and `#`.
    pub topics: Vec<String>,
}

/// A receiver of signed messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// Where it is.
    pub url: String,
    /// The secret that signs (`whsec_…`, as Standard Webhooks writes it).
    pub secret: String,
}

/// A Matrix account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// The home server.
    pub url: String,
    /// The secret that holds the access token.
    pub secret: String,
    /// Rooms that may be written to (`!id:server`).
    pub rooms: Vec<String>,
}

/// A Mattermost account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mattermost {
    /// The server.
    pub url: String,
    /// The secret that holds the access token.
    pub secret: String,
    /// Ids of the channels that may be written to.
    pub channels: Vec<String>,
}

/// A service that is asked over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Where it is.
    pub url: String,
    /// The secret that holds its key or token.
    #[serde(default)]
    pub secret: Option<String>,
    /// Caldera: the group of agents (`red`). Elasticsearch: the indexes (`*`). Jupyter: the environment (`python3`).
    #[serde(default)]
    pub scope: Option<String>,
}

impl ActuatorsConfig {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key, the limit and the remedy.
    pub fn check(&self) -> Result<(), String> {
        let place = "playbooks.actuators";
        if !(1..=MAX_COMMAND_S).contains(&self.timeout_s) {
            return Err(format!("{place}.timeout_s must lie between 1 and {MAX_COMMAND_S}"));
        }
        let bash = &self.bash;
        for (key, value, most) in [
            ("memory_mib", bash.memory_mib, 65_536),
            ("file_mib", bash.file_mib, 65_536),
            ("cpu_s", bash.cpu_s, MAX_COMMAND_S),
        ] {
            if !(1..=most).contains(&value) {
                return Err(format!("{place}.bash.{key} must lie between 1 and {most}"));
            }
        }
        for (host, key) in &self.ssh.host_keys {
            if !key.starts_with("SHA256:") {
                return Err(format!(
                    "{place}.ssh.host_keys: the key of {host} must be a fingerprint that begins with \
                     SHA256:, as `ssh-keygen -lf` prints it"
                ));
            }
        }
        let nobody = [
            ("mail.to", self.mail.as_ref().is_some_and(|it| it.to.is_empty())),
            ("mqtt.topics", self.mqtt.as_ref().is_some_and(|it| it.topics.is_empty())),
            ("matrix.rooms", self.matrix.as_ref().is_some_and(|it| it.rooms.is_empty())),
            (
                "mattermost.channels",
                self.mattermost.as_ref().is_some_and(|it| it.channels.is_empty()),
            ),
        ];
        match nobody.into_iter().find(|(_, empty)| *empty) {
            Some((key, _)) => Err(format!("{place}.{key} is empty: name who may be reached")),
            None => Ok(()),
        }
    }
}
