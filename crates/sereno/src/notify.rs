//! What systemd is told (`sd_notify(3)`): ready, still well, stopping. Where `NOTIFY_SOCKET` is not set nobody asks,
//! and nothing is told.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The service manager that started this process.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Manager {
    /// The manager named by the environment, if there is one.
    pub(crate) fn from_environment() -> Option<Self> {
        Self::at(&std::env::var("NOTIFY_SOCKET").ok()?)
    }

    /// A manager at an absolute path, or at a name of the abstract namespace (`@name`).
    fn at(place: &str) -> Option<Self> {
        let address = match place.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name),
            None if place.starts_with('/') => SocketAddr::from_pathname(place),
            None => return None,
        };
        let socket = UnixDatagram::unbound().ok()?;
        Some(Self { socket, address: address.ok()? })
    }

    /// Every door is open.
    pub(crate) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// The node still does its work.
    pub(crate) fn well(&self) {
        self.tell("WATCHDOG=1");
    }

    /// A stop was asked for.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    fn tell(&self, text: &str) {
        // A manager that is gone changes nothing about the node.
        if let Err(cause) = self.socket.send_to_addr(text.as_bytes(), &self.address) {
            tracing::debug!(%cause, "the service manager was not told");
        }
    }
}

/// Within how long the manager wants to hear from this process, from `WATCHDOG_USEC` and `WATCHDOG_PID`.
pub(crate) fn watchdog() -> Option<Duration> {
    watchdog_of(
        std::env::var("WATCHDOG_USEC").ok().as_deref(),
        std::env::var("WATCHDOG_PID").ok().as_deref(),
    )
}

fn watchdog_of(usec: Option<&str>, pid: Option<&str>) -> Option<Duration> {
    let micros: u64 = usec?.parse().ok().filter(|micros| *micros > 0)?;
    match pid {
        // Meant for another process: this one inherited the variable.
        Some(pid) if pid != std::process::id().to_string() => None,
        _ => Some(Duration::from_micros(micros)),
    }
}

/// A line break would begin another field.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_hears_what_happens_and_nothing_is_smuggled_into_a_field() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let told = Manager::at(path.to_str().unwrap()).unwrap();
        told.ready("http://localhost:8642\nSTOPPING=1");
        told.well();
        told.stopping();
        let heard = || {
            let mut buffer = [0; 256];
            let length = manager.recv(&mut buffer).unwrap();
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        };
        assert_eq!(heard(), "READY=1\nSTATUS=http://localhost:8642 STOPPING=1");
        assert_eq!(heard(), "WATCHDOG=1");
        assert_eq!(heard(), "STOPPING=1\nSTATUS=stopping");
    }

    #[test]
    fn a_manager_in_the_abstract_namespace_is_reached() {
        let name = format!("sereno-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        Manager::at(&format!("@{name}")).unwrap().well();
        let mut buffer = [0; 64];
        let length = manager.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"WATCHDOG=1");
        assert!(Manager::at("relative").is_none());
    }

    #[test]
    fn a_watchdog_meant_for_another_process_is_not_ours() {
        let own = std::process::id().to_string();
        let ours = Some(Duration::from_secs(60));
        assert_eq!(watchdog_of(Some("60000000"), None), ours);
        assert_eq!(watchdog_of(Some("60000000"), Some(&own)), ours);
        assert_eq!(watchdog_of(Some("60000000"), Some("1")), None);
        assert_eq!(watchdog_of(Some("0"), None), None);
        assert_eq!(watchdog_of(Some("soon"), None), None);
        assert_eq!(watchdog_of(None, None), None);
    }
}
