//! The configuration in force: file, then environment, then flags; read completely before any port opens.

use std::path::Path;

use platform::config::Config;
use serde::Serialize;
use server::config::{DemoConfig, LogConfig, NodeConfig, ServerConfig};

use crate::arguments::{Place, Up};
use crate::output::Failure;

/// Every section of the configuration.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Settings {
    pub(crate) server: ServerConfig,
    pub(crate) node: NodeConfig,
    pub(crate) log: LogConfig,
    pub(crate) demo: DemoConfig,
    pub(crate) rooms: server::wire::RoomConfigs,
}

/// Reads and checks everything.
pub(crate) fn load(place: &Place, flags: Option<&Up>) -> Result<Settings, Failure> {
    let beside = place.data.join("sereno.toml");
    let file: Option<&Path> = match &place.config {
        Some(file) => Some(file),
        None => beside.is_file().then_some(beside.as_path()),
    };
    let wrong = |cause: &dyn std::fmt::Display| {
        Failure::wrong_use(format!("configuration: {cause}"))
            .remedy("`sereno config show` prints what is in force; the manual lists every key.")
    };
    let mut config = Config::load(file, std::env::vars()).map_err(|cause| wrong(&cause))?;
    if let Some(up) = flags {
        if let Some(listen) = up.listen {
            config.set("server", "listen", listen.to_string().into());
        }
        if let Some(listen) = up.tls_listen {
            config.set("server", "tls_listen", listen.to_string().into());
        }
        if let Some(form) = &up.log_format {
            config.set("log", "form", form.clone().into());
        }
    }
    let read = |config: &mut Config| -> Result<Settings, platform::config::ConfigError> {
        Ok(Settings {
            server: config.section("server")?,
            node: config.section("node")?,
            log: config.section("log")?,
            demo: config.section("demo")?,
            rooms: server::wire::RoomConfigs::read(config)?,
        })
    };
    let settings = read(&mut config).map_err(|cause| wrong(&cause))?;
    config.finish().map_err(|cause| wrong(&cause))?;
    settings.server.check().map_err(|cause| Failure::wrong_use(cause.to_string()))?;
    Ok(settings)
}
