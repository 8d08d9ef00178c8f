//! Configuration: `sereno.toml`, then `SERENO_SECTION__KEY` variables, then flags; parsed completely
//! before any port opens. Each room reads its own section; what nobody reads is an error.

use std::collections::BTreeSet;
use std::path::Path;

use model::NodeId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Largest configuration file read.
pub const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Who this node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeIdentity {
    /// The node.
    pub id: NodeId,
    /// The organisation's name.
    pub name: String,
    /// `operator`, `cert` or `other`.
    pub kind: String,
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Unreadable(String, String),
    /// The file is not TOML, or a section does not have the right shape.
    #[error("{place}: {cause}")]
    Wrong {
        /// File or section.
        place: String,
        /// What is wrong.
        cause: String,
    },
    /// A section or key that nothing reads.
    #[error("unknown section [{0}]; known sections: {1}")]
    UnknownSection(String, String),
}

/// A configuration being read section by section.
#[derive(Clone, Debug, Default)]
pub struct Config {
    table: Table,
    read: BTreeSet<String>,
}

impl Config {
    /// Reads the file (if it is there), then the environment.
    ///
    /// # Errors
    /// Unreadable, too large, or not TOML.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table = Table::new();
        if let Some(path) = file {
            let place = path.display().to_string();
            let unreadable =
                |cause: std::io::Error| ConfigError::Unreadable(place.clone(), cause.to_string());
            let size = std::fs::metadata(path).map_err(unreadable)?.len();
            if size > MAX_CONFIG_BYTES {
                let cause = format!("{size} bytes exceed the limit of {MAX_CONFIG_BYTES}");
                return Err(ConfigError::Wrong { place, cause });
            }
            let text = std::fs::read_to_string(path).map_err(unreadable)?;
            table = text.parse::<Table>().map_err(|cause| ConfigError::Wrong {
                place: place.clone(),
                cause: cause.to_string(),
            })?;
        }
        let mut config = Self { table, read: BTreeSet::new() };
        for (name, value) in environment {
            if let Some((section, key)) =
                name.strip_prefix("SERENO_").and_then(|rest| rest.split_once("__"))
            {
                config.set(&section.to_lowercase(), &key.to_lowercase(), parse_scalar(&value));
            }
        }
        Ok(config)
    }

    /// Sets one key, as a flag does.
    pub fn set(&mut self, section: &str, key: &str, value: Value) {
        let entry =
            self.table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        if let Value::Table(table) = entry {
            table.insert(key.to_owned(), value);
        }
    }

    /// A room's section; absent keys take the type's defaults.
    ///
    /// # Errors
    /// The section does not have the shape of `T`; the text names the key.
    pub fn section<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, ConfigError> {
        self.read.insert(name.to_owned());
        let value = self.table.get(name).cloned().unwrap_or_else(|| Value::Table(Table::new()));
        value.try_into().map_err(|cause: toml::de::Error| ConfigError::Wrong {
            place: format!("section [{name}]"),
            cause: cause.message().to_owned(),
        })
    }

    /// Refuses sections that no room has read: a mistyped name must not be silently ignored.
    ///
    /// # Errors
    /// Names the first unknown section and the known ones.
    pub fn finish(self) -> Result<(), ConfigError> {
        match self.table.keys().find(|name| !self.read.contains(*name)) {
            None => Ok(()),
            Some(unknown) => Err(ConfigError::UnknownSection(
                unknown.clone(),
                self.read.into_iter().collect::<Vec<_>>().join(", "),
            )),
        }
    }
}

/// `true`, `8`, `0.5` and lists keep their type; everything else is text.
fn parse_scalar(text: &str) -> Value {
    format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Section {
        limit: u32,
        name: String,
    }
    impl Default for Section {
        fn default() -> Self {
            Self { limit: 3, name: "x".into() }
        }
    }

    fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn flags_win_over_environment_and_defaults_fill_the_rest() {
        let mut config = Config::load(None, env(&[("SERENO_CTI__LIMIT", "7")])).unwrap();
        let section: Section = config.section("cti").unwrap();
        assert_eq!((section.limit, section.name.as_str()), (7, "x"));
        config.set("cti", "limit", Value::Integer(9));
        assert_eq!(config.section::<Section>("cti").unwrap().limit, 9);
        config.finish().unwrap();
    }

    #[test]
    fn what_nobody_reads_is_named() {
        let mut config =
            Config::load(None, env(&[("SERENO_CTY__LIMIT", "7"), ("SERENO_CTI__LIMITT", "7")]))
                .unwrap();
        let wrong = config.section::<Section>("cti").err().unwrap().to_string();
        assert!(wrong.contains("limitt"), "{wrong}");
        let unknown = config.finish().unwrap_err().to_string();
        assert!(unknown.contains("[cty]") && unknown.contains("cti"), "{unknown}");
    }
}
