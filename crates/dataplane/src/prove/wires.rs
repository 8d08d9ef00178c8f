//! The ports of the self-test, made over rtnetlink.

use std::net::Ipv4Addr;

use futures::TryStreamExt;
use rtnetlink::packet_route::link::{InfoBridgePort, LinkAttribute};
use rtnetlink::packet_route::neighbour::{NeighbourFlags, NeighbourState};
use rtnetlink::packet_route::rule::RuleAction;
use rtnetlink::{Handle, LinkBridgePort, LinkUnspec, LinkVeth, RouteMessageBuilder};

use crate::lab::wires::{index, netlink, silence, wait_until_up};

/// The port by which frames of the self-test come into the bridge.
pub const PROBE_PORT: &str = "sereno-p0";
const PROBE_END: &str = "sereno-p1";
const OUT_PORT: &str = "sereno-q0";
const OUT_END: &str = "sereno-q1";
/// Where frames of the self-test go: beyond the second port. The first byte keeps the bridge from
/// taking this address for its own: it takes the lowest of its ports.
pub(super) const OUT_MAC: [u8; 6] = [0xfe, 0x53, 0x45, 0x52, 0x00, 0x04];
/// Where frames of the self-test go at a router: the first port itself, which hands them to the routing.
pub(super) const IN_MAC: [u8; 6] = [0xfe, 0x53, 0x45, 0x52, 0x00, 0x01];
/// The table that routes frames of the self-test, and theirs alone, to the second port; the rule's place before the
/// machine's own tables. Both numbers are the port of nothing else by custom.
const TABLE: u32 = 21_331;
/// Bytes of a frame that the ports at a router take.
const MTU: u32 = 1_500;
/// The addresses of the other three interfaces.
const MACS: [(&str, [u8; 6]); 4] = [
    (PROBE_PORT, IN_MAC),
    (PROBE_END, [0xfe, 0x53, 0x45, 0x52, 0x00, 0x02]),
    (OUT_PORT, [0xfe, 0x53, 0x45, 0x52, 0x00, 0x03]),
    (OUT_END, OUT_MAC),
];

/// Numbers of the interfaces outside the bridge.
pub(super) struct Ends {
    pub(super) into: u32,
    pub(super) out: u32,
}

/// The bridge a port belongs to, and the port's MTU in bytes.
async fn bridge_of(
    handle: &Handle,
    port: &str,
) -> Result<(Option<u32>, Option<u32>), rtnetlink::Error> {
    let mut links = handle.link().get().match_name(port.to_owned()).execute();
    let Some(link) = links.try_next().await? else { return Ok((None, None)) };
    let (mut bridge, mut mtu) = (None, None);
    for attribute in link.attributes {
        match attribute {
            LinkAttribute::Controller(index) => bridge = Some(index),
            LinkAttribute::Mtu(bytes) => mtu = Some(bytes),
            _ => {}
        }
    }
    Ok((bridge, mtu))
}

/// A port that neither learns nor takes what is flooded.
fn deaf(index: u32) -> rtnetlink::packet_route::link::LinkMessage {
    let off = [
        InfoBridgePort::Learning(false),
        InfoBridgePort::UnicastFlood(false),
        InfoBridgePort::MulticastFlood(false),
        InfoBridgePort::BroadcastFlood(false),
    ];
    let mut port = LinkBridgePort::new(index);
    for switch in off {
        port = port.append_info_data(switch);
    }
    port.build()
}

async fn pair(
    handle: &Handle,
    bridge: Option<u32>,
    mtu: u32,
    names: (&str, &str),
) -> Result<(u32, u32), rtnetlink::Error> {
    // The kernel answers a question for a name that nobody has with an error.
    let old = index(handle, names.0).await.unwrap_or(0);
    if old != 0 {
        // Left by a process that was killed.
        handle.link().del(old).execute().await?;
    }
    handle.link().add(LinkVeth::new(names.0, names.1).build()).execute().await?;
    let found = (index(handle, names.0).await?, index(handle, names.1).await?);
    for (name, number) in [(names.0, found.0), (names.1, found.1)] {
        silence(handle, number).await;
        let mac = MACS.iter().find(|(known, _)| *known == name).map_or(OUT_MAC, |(_, mac)| *mac);
        let message = LinkUnspec::new_with_index(number).address(mac.to_vec()).mtu(mtu).build();
        handle.link().set(message).execute().await?;
    }
    if let Some(bridge) = bridge {
        let joins = LinkUnspec::new_with_index(found.0).controller(bridge).build();
        handle.link().set(joins).execute().await?;
        // Before it is up: so that nothing is flooded to it in between.
        handle.link().set_port(deaf(found.0)).execute().await?;
    } else {
        // Nobody is asked for the far end's address.
        let quiet = LinkUnspec::new_with_index(found.0).arp(false).build();
        handle.link().set(quiet).execute().await?;
    }
    for number in [found.0, found.1] {
        handle.link().set(LinkUnspec::new_with_index(number).up().build()).execute().await?;
    }
    Ok(found)
}

/// Makes the ports on the bridge of `device_port`.
pub(super) fn build(device_port: &str) -> Result<Ends, String> {
    let ends = netlink(async |handle| {
        let (Some(bridge), mtu) = bridge_of(&handle, device_port).await? else { return Ok(None) };
        let mtu = mtu.unwrap_or(1_500);
        let (_, into) = pair(&handle, Some(bridge), mtu, (PROBE_PORT, PROBE_END)).await?;
        let (port, out) = pair(&handle, Some(bridge), mtu, (OUT_PORT, OUT_END)).await?;
        let known = handle.neighbours().add_bridge(port, &OUT_MAC);
        known.state(NeighbourState::Noarp).flags(NeighbourFlags::Controller).execute().await?;
        Ok(Some(Ends { into, out }))
    })
    .map_err(|error| format!("the ports of the self-test cannot be made: {error}"))?;
    let ends = ends.ok_or_else(|| format!("{device_port} is not a port of a bridge"))?;
    wait_until_up(&[PROBE_PORT, PROBE_END, OUT_PORT, OUT_END])?;
    Ok(ends)
}

/// Makes the ports at a router: what comes in by the first is routed out by the second, whatever it is for.
pub(super) fn build_routed() -> Result<Ends, String> {
    let ends = netlink(async |handle| {
        let (port, into) = pair(&handle, None, MTU, (PROBE_PORT, PROBE_END)).await?;
        let (out_port, out) = pair(&handle, None, MTU, (OUT_PORT, OUT_END)).await?;
        let everywhere = RouteMessageBuilder::<Ipv4Addr>::new();
        let route = everywhere.output_interface(out_port).table_id(TABLE).build();
        handle.route().add(route).replace().execute().await?;
        let rule = handle.rule().add().v4().input_interface(PROBE_PORT).table_id(TABLE);
        let rule = rule.priority(TABLE).action(RuleAction::ToTable).execute().await;
        if let Err(error) = rule {
            // That of a process before, mostly; the frame that must pass tells.
            tracing::debug!(%error, port, "the rule of the self-test is not added");
        }
        Ok(Ends { into, out })
    })
    .map_err(|error| format!("the ports of the self-test cannot be made: {error}"))?;
    wait_until_up(&[PROBE_PORT, PROBE_END, OUT_PORT, OUT_END])?;
    // Their sources are of the devices, which are elsewhere.
    for (switch, value) in [("rp_filter", "0"), ("forwarding", "1")] {
        let path = format!("/proc/sys/net/ipv4/conf/{PROBE_PORT}/{switch}");
        if let Err(error) = std::fs::write(&path, value) {
            tracing::debug!(path, %error, "a switch of the self-test's port stays as it is");
        }
    }
    Ok(ends)
}
