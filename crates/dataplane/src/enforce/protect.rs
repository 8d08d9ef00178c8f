//! Whom no order may cut off: this gateway itself, its way out, and its node.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ports::edge::Net;

use crate::nft::Placed;

/// Widest network an order without a device may name, bits of prefix: wider ones cut off everybody.
pub(super) const LEAST_PREFIX: (u8, u8) = (8, 16);

/// Addresses that must stay reachable, each with what it is.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    macs: BTreeMap<String, &'static str>,
    addresses: BTreeMap<IpAddr, &'static str>,
}

impl Protected {
    /// What this host knows of itself: its interfaces, its default router.
    #[must_use]
    pub fn of_this_host() -> Self {
        let mut found = Self::default();
        let own = "is this gateway's own address";
        for interface in nix::ifaddrs::getifaddrs().into_iter().flatten() {
            let Some(address) = interface.address else { continue };
            if let Some(v4) = address.as_sockaddr_in() {
                found.addresses.insert(v4.ip().into(), own);
            } else if let Some(v6) = address.as_sockaddr_in6() {
                found.addresses.insert(v6.ip().into(), own);
            } else if let Some(mac) =
                address.as_link_addr().and_then(nix::sys::socket::LinkAddr::addr)
                && mac != [0; 6]
            {
                found.macs.insert(analytics::host::Host::mac(mac).to_string(), own);
            }
        }
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (routes, neighbours) =
            (read("/proc/thread-self/net/route"), read("/proc/thread-self/net/arp"));
        for router in default_routers(&routes) {
            found.addresses.insert(router.into(), "is the default router of this gateway");
            if let Some(mac) = mac_of(&neighbours, router) {
                found.macs.insert(mac, "is the default router of this gateway");
            }
        }
        found
    }

    /// Further addresses.
    pub fn add(&mut self, addresses: &[IpAddr], macs: &[[u8; 6]], what: &'static str) {
        self.addresses.extend(addresses.iter().map(|address| (*address, what)));
        self.macs
            .extend(macs.iter().map(|mac| (analytics::host::Host::mac(*mac).to_string(), what)));
    }

    /// Why an order may not be carried out, if it would cut off somebody who must stay.
    ///
    /// # Errors
    /// The reason and the remedy, for people.
    pub fn allows(&self, placed: &Placed) -> Result<(), String> {
        let refused = |who: &str, what: &str| {
            Err(format!(
                "refused: {who} {what}, and without it nobody could take the order back; name another target"
            ))
        };
        if let Some((mac, what)) = placed.mac.as_ref().and_then(|mac| self.macs.get_key_value(mac))
        {
            return refused(mac, what);
        }
        for address in &placed.addresses {
            if let Some(what) = self.addresses.get(address) {
                return refused(&address.to_string(), what);
            }
        }
        let named = placed.mac.is_some() || !placed.addresses.is_empty();
        let nets: Vec<Net> =
            placed.flow.iter().flat_map(|flow| [flow.local, flow.remote]).flatten().collect();
        if named {
            return Ok(());
        }
        if nets.is_empty() {
            return Err("an order needs a device, an address or a network".to_owned());
        }
        let (v4, v6) = LEAST_PREFIX;
        if nets.iter().all(|net| net.prefix() < if net.is_v4() { v4 } else { v6 }) {
            return Err(format!(
                "refused: an order for everybody may name a network of /{v4} (IPv6: /{v6}) or narrower"
            ));
        }
        let whole = placed
            .flow
            .as_ref()
            .is_none_or(|flow| flow.local_port.is_none() && flow.remote_port.is_none());
        for net in nets.iter().filter(|_| whole) {
            if let Some((address, what)) =
                self.addresses.iter().find(|(address, _)| net.holds(**address))
            {
                return refused(&format!("{address} in {net}"), what);
            }
        }
        Ok(())
    }

    /// All protected addresses, for people.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.macs.keys().cloned().chain(self.addresses.keys().map(ToString::to_string)).collect()
    }
}

/// Routers of default routes in the kernel's table (`/proc/net/route`: hexadecimal, byte order of the host).
fn default_routers(routes: &str) -> Vec<Ipv4Addr> {
    let router = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = u32::from_str_radix(words.get(2)?, 16).ok()?;
        (*words.get(1)? == "00000000" && number != 0).then(|| Ipv4Addr::from(number.to_ne_bytes()))
    };
    routes.lines().skip(1).filter_map(router).collect()
}

/// The MAC address of a neighbour (`/proc/net/arp`).
fn mac_of(neighbours: &str, address: Ipv4Addr) -> Option<String> {
    let text = address.to_string();
    neighbours.lines().skip(1).find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let mac = (*words.first()? == text).then(|| words.get(3)).flatten()?;
        (*mac != "00:00:00:00:00:00").then(|| mac.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ports::edge::{Flow, Verb};

    use super::*;

    fn placed(mac: Option<&str>, addresses: &[&str], remote: Option<&str>) -> Placed {
        Placed {
            id: 0,
            verb: Verb::Block { timeout_s: 1 },
            mac: mac.map(ToOwned::to_owned),
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            flow: remote.map(|net| Flow { remote: Some(net.parse().unwrap()), ..Flow::default() }),
        }
    }

    #[test]
    fn who_must_stay_reachable_is_not_cut_off() {
        let mut protected = Protected::default();
        protected.add(&["10.0.0.1".parse().unwrap()], &[[2, 0, 0, 0, 0, 9]], "is the node");
        for wrong in [
            placed(Some("02:00:00:00:00:09"), &[], None),
            placed(None, &["10.0.0.1"], None),
            placed(None, &["10.0.0.1"], Some("192.0.2.0/24")),
            placed(None, &[], Some("10.0.0.0/24")),
            placed(None, &[], Some("0.0.0.0/0")),
            placed(None, &[], None),
        ] {
            assert!(protected.allows(&wrong).is_err(), "{wrong:?}");
        }
        for right in [
            placed(Some("02:00:00:00:00:01"), &["10.0.0.7"], None),
            // A device may be kept from the gateway itself: nobody else loses it.
            placed(Some("02:00:00:00:00:01"), &[], Some("10.0.0.1")),
            placed(None, &[], Some("192.0.2.0/24")),
        ] {
            assert!(protected.allows(&right).is_ok(), "{right:?}");
        }
    }

    #[test]
    fn the_default_router_is_read_from_the_kernel() {
        let routes = "Iface\tDestination\tGateway\neth0\t00000000\t0100000A\t0003\neth0\t0000000A\t00000000\t0001\n";
        let expected = Ipv4Addr::from(0x0100_000a_u32.to_ne_bytes());
        assert_eq!(default_routers(routes), [expected]);
        let arp = format!(
            "IP address HW type Flags HW address Mask Device\n{expected} 0x1 0x2 02:00:00:00:00:FE * eth0\n"
        );
        assert_eq!(mac_of(&arp, expected).unwrap(), "02:00:00:00:00:fe");
    }
}
