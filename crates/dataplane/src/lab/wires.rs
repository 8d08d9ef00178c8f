//! The wires of the lab: two veth pairs and a bridge, made over rtnetlink.

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use futures::TryStreamExt;
use rtnetlink::packet_route::link::{
    AfSpecInet6, AfSpecUnspec, BridgeStpState, In6AddrGenMode, LinkAttribute, LinkFlags, State,
};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth};

use super::netns;
use crate::clock;
use crate::sys;

/// Largest frame payload a veth carries, bytes.
pub(super) const MTU: u32 = 65_535;
/// Name of the bridge.
const BRIDGE: &str = "bridge";
/// Name of the far end of each wire, in its own namespace.
const END: &str = "end";
/// How long wires may take to come up.
const UP_WITHIN: Duration = Duration::from_secs(5);

/// Sockets that send frames into the far ends of the wires. They keep their namespaces alive.
#[derive(Debug)]
pub(super) struct Ends {
    /// On the device side.
    pub(super) device: OwnedFd,
    /// On the other side.
    pub(super) rest: OwnedFd,
}

/// Speaks rtnetlink in the network namespace of the calling thread.
pub(crate) fn netlink<T>(
    work: impl AsyncFnOnce(Handle) -> Result<T, rtnetlink::Error>,
) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let (connection, handle, _) =
            rtnetlink::new_connection().map_err(|error| format!("no netlink socket: {error}"))?;
        tokio::select! {
            result = work(handle) => result.map_err(|error| error.to_string()),
            () = connection => Err("the netlink socket was closed".to_owned()),
        }
    })
}

pub(crate) async fn index(handle: &Handle, name: &str) -> Result<u32, rtnetlink::Error> {
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    Ok(links.try_next().await?.map_or(0, |link| link.header.index))
}

/// No address of the kernel's own making, hence nothing to say about one.
fn without_addresses() -> LinkAttribute {
    LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![AfSpecInet6::AddrGenMode(
        In6AddrGenMode::None,
    )])])
}

fn up(index: u32) -> rtnetlink::packet_route::link::LinkMessage {
    LinkUnspec::new_with_index(index).mtu(MTU).up().build()
}

/// Sets a link silent; kernels without IPv6 refuse, and then there is nothing to silence.
pub(crate) async fn silence(handle: &Handle, index: u32) {
    let message =
        LinkUnspec::new_with_index(index).append_extra_attribute(without_addresses()).build();
    if let Err(error) = handle.link().set(message).execute().await {
        tracing::debug!(%error, "addresses of the kernel's own making cannot be switched off");
    }
}

/// A bridge that forwards every frame untouched to the other port: it learns nothing, asks nobody,
/// and says nothing.
async fn bridge(handle: &Handle) -> Result<u32, rtnetlink::Error> {
    let message = LinkBridge::new(BRIDGE)
        .ageing_time(0)
        .stp_state(BridgeStpState::Disabled)
        .mcast_snooping(false)
        .mcast_querier(false)
        .build();
    handle.link().add(message).execute().await?;
    let bridge = index(handle, BRIDGE).await?;
    silence(handle, bridge).await;
    handle.link().set(up(bridge)).execute().await?;
    Ok(bridge)
}

/// One wire from a port of the bridge into another namespace.
async fn wire(
    handle: &Handle,
    bridge: u32,
    port: &str,
    namespace: &OwnedFd,
) -> Result<(), rtnetlink::Error> {
    let far = format!("{port}-end");
    handle.link().add(LinkVeth::new(port, &far).build()).execute().await?;
    let (near, far) = (index(handle, port).await?, index(handle, &far).await?);
    let moved =
        LinkUnspec::new_with_index(far).name(END).setns_by_fd(namespace.as_raw_fd()).build();
    handle.link().set(moved).execute().await?;
    silence(handle, near).await;
    handle
        .link()
        .set(LinkUnspec::new_with_index(near).controller(bridge).build())
        .execute()
        .await?;
    handle.link().set(up(near)).execute().await
}

/// Brings the far end up and opens the socket that sends into it.
fn far_end(namespace: &OwnedFd) -> Result<OwnedFd, String> {
    netns::inside(namespace, || {
        let end = netlink(async |handle| {
            let end = index(&handle, END).await?;
            silence(&handle, end).await;
            handle.link().set(up(end)).execute().await?;
            Ok(end)
        })?;
        sys::open_sender(end).map_err(|error| format!("no packet socket: {error}"))
    })
}

/// True when frames pass: the link is up and its other end too.
async fn carries(handle: &Handle, name: &str) -> Result<bool, rtnetlink::Error> {
    let mut links = handle.link().get().match_name(name.to_owned()).execute();
    let Some(link) = links.try_next().await? else { return Ok(false) };
    let running = link.header.flags.contains(LinkFlags::LowerUp | LinkFlags::Running);
    let state = link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::OperState(state) => Some(*state),
        _ => None,
    });
    Ok(running && state == Some(State::Up))
}

pub(crate) fn wait_until_up(names: &[&str]) -> Result<(), String> {
    let until = clock::monotonic() + UP_WITHIN;
    loop {
        let all = netlink(async |handle| {
            for name in names {
                if !carries(&handle, name).await? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        if all {
            return Ok(());
        }
        if clock::monotonic() > until {
            return Err(format!("the wires {} did not come up", names.join(", ")));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Builds everything in the calling thread's network namespace, which becomes the gateway's.
///
/// # Errors
/// What cannot be made here.
pub(super) fn build(device_port: &str, rest_port: &str) -> Result<Ends, String> {
    let (device, rest) = (netns::create()?, netns::create()?);
    netlink(async |handle| {
        let bridge = bridge(&handle).await?;
        wire(&handle, bridge, device_port, &device).await?;
        wire(&handle, bridge, rest_port, &rest).await
    })
    .map_err(|error| format!("a bridge between two veth pairs cannot be made here: {error}"))?;
    let ends = Ends { device: far_end(&device)?, rest: far_end(&rest)? };
    wait_until_up(&[device_port, rest_port, BRIDGE])?;
    for namespace in [&device, &rest] {
        netns::inside(namespace, || wait_until_up(&[END]))?;
    }
    Ok(ends)
}
