//! What this machine allows the edge to do, each with cause and remedy.

use ports::edge::GatewayPolicy;
use serde::Serialize;

use crate::lab;
use crate::nft::{Form, NftTable, TablePlace};

/// One capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capability {
    /// What it is.
    pub name: &'static str,
    /// Does it work here?
    pub works: bool,
    /// Why not; empty when it works.
    pub cause: String,
    /// What to do about it; empty when it works.
    pub remedy: &'static str,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Can orders take effect in a lab on this machine?
    pub enforces: bool,
    /// The capabilities, in the order they build on each other.
    pub capabilities: Vec<Capability>,
}

const USER_NAMESPACE: (&str, &str) = (
    "user namespace",
    "allow them: sysctl user.max_user_namespaces=15000 (Debian also kernel.unprivileged_userns_clone=1, \
     Ubuntu kernel.apparmor_restrict_unprivileged_userns=0); in a container, a seccomp profile that permits unshare",
);
const BRIDGE: (&str, &str) = (
    "network namespaces, veth pairs and bridge",
    "a kernel with CONFIG_VETH and CONFIG_BRIDGE, or their modules loaded: modprobe veth bridge",
);
const NFT: (&str, &str) = ("program nft", "install the package nftables");
const NFT_BRIDGE: (&str, &str) =
    ("nftables bridge family", "a kernel with CONFIG_NF_TABLES_BRIDGE, or its module loaded");
const RAW: (&str, &str) =
    ("packet sockets", "a kernel with CONFIG_PACKET and the right CAP_NET_RAW in the namespace");

fn capability(what: (&'static str, &'static str), result: Result<(), String>) -> Capability {
    let (name, remedy) = what;
    match result {
        Ok(()) => Capability { name, works: true, cause: String::new(), remedy: "" },
        Err(cause) => Capability { name, works: false, cause, remedy },
    }
}

fn try_table() -> Result<(), String> {
    let place = TablePlace {
        form: Form::Bridge,
        device_port: lab::DEVICE_PORT.to_owned(),
        rest_port: lab::REST_PORT.to_owned(),
        probe_port: None,
    };
    NftTable::create(place, &GatewayPolicy::default()).map(drop)
}

/// Tries everything for real, in namespaces that vanish with this process. The calling process
/// stays in them: do nothing else afterwards. Must be called before there is a second thread.
#[must_use]
pub fn run() -> Report {
    let namespaces = lab::own_namespaces();
    let inside = namespaces.is_ok();
    let not_tried = || Err("not tried: there is no namespace to try it in".to_owned());
    let mut capabilities = vec![capability(USER_NAMESPACE, namespaces)];
    capabilities.push(capability(BRIDGE, if inside { lab::try_wires() } else { not_tried() }));
    capabilities.push(capability(NFT, crate::nft::find().map(drop)));
    capabilities.push(capability(NFT_BRIDGE, if inside { try_table() } else { not_tried() }));
    capabilities.push(capability(
        RAW,
        if inside {
            crate::sys::open_capture().map(drop).map_err(|error| error.to_string())
        } else {
            not_tried()
        },
    ));
    Report { enforces: capabilities.iter().all(|found| found.works), capabilities }
}
