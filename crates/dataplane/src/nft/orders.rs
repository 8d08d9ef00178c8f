//! Orders as rules.

use std::net::IpAddr;

use ports::edge::{Direction, Flow, Net, Verb};

use super::Form;

/// An order as the table is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Its number in the table; free again when it has ended.
    pub id: u16,
    /// What to do.
    pub verb: Verb,
    /// The device's MAC address, where it is known.
    pub mac: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Only this traffic.
    pub flow: Option<Flow>,
}

/// What an order needs in the table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rules {
    /// Rules where packets are forwarded.
    pub(crate) forward: Vec<String>,
    /// Rules that send packets elsewhere, before they are.
    pub(crate) steer: Vec<String>,
}

/// Expressions that match packets from the device and to it; `None` where that cannot be told.
struct Side {
    from: String,
    to: Option<String>,
    /// `Some(true)` for IPv4 only.
    v4: Option<bool>,
}

fn listed(items: &[String]) -> String {
    match items {
        [one] => one.clone(),
        many => format!("{{ {} }}", many.join(", ")),
    }
}

fn word(v4: bool) -> &'static str {
    if v4 { "ip" } else { "ip6" }
}

impl Placed {
    /// Whether it is an element of the sets of blocked devices: that costs passing packets nothing.
    #[must_use]
    pub fn is_whole_block(&self) -> bool {
        matches!(self.verb, Verb::Block { .. }) && self.flow.is_none()
    }

    /// Whether it lets pass what others stop: it is looked at before them.
    #[must_use]
    pub fn exempts(&self) -> bool {
        matches!(self.verb, Verb::Allow { .. })
    }

    /// Whether it sends packets elsewhere.
    #[must_use]
    pub fn steers(&self) -> bool {
        matches!(self.verb, Verb::Redirect { .. })
    }

    /// The elements of the sets of blocked devices it stands for: suffix of the set, element.
    #[must_use]
    pub fn elements(&self, form: Form) -> Vec<(&'static str, String)> {
        let mut found: Vec<(&'static str, String)> =
            self.mac.iter().map(|mac| ("", mac.clone())).collect();
        // On a link the MAC address says it all; an address may be somebody else's tomorrow.
        if form == Form::Router || found.is_empty() {
            found.extend(
                self.addresses.iter().map(|address| {
                    (if address.is_ipv4() { "4" } else { "6" }, address.to_string())
                }),
            );
        }
        found
    }

    fn sides(&self, form: Form) -> Vec<Side> {
        let mut sides = Vec::new();
        if let Some(mac) = &self.mac {
            let to = (form == Form::Bridge).then(|| format!("ether daddr {mac}"));
            sides.push(Side { from: format!("ether saddr {mac}"), to, v4: None });
        }
        if form == Form::Router || self.mac.is_none() {
            for v4 in [true, false] {
                let of_kind = self.addresses.iter().filter(|address| address.is_ipv4() == v4);
                let texts: Vec<String> = of_kind.map(ToString::to_string).collect();
                if !texts.is_empty() {
                    let (ip, list) = (word(v4), listed(&texts));
                    let (from, to) =
                        (format!("{ip} saddr {list}"), Some(format!("{ip} daddr {list}")));
                    sides.push(Side { from, to, v4: Some(v4) });
                }
            }
        }
        if sides.is_empty() {
            sides.push(Side { from: String::new(), to: Some(String::new()), v4: None });
        }
        sides
    }

    /// Expressions for the packets this order is about; `from` the device or to it.
    fn matches(&self, form: Form, from: bool) -> Vec<String> {
        let flow = self.flow.clone().unwrap_or_default();
        let mut matches = Vec::new();
        for side in self.sides(form) {
            let Some(device) = (if from { Some(side.from) } else { side.to }) else { continue };
            let other_kind = |net: &Net| side.v4.is_some_and(|v4| v4 != net.is_v4());
            if [flow.local, flow.remote].iter().flatten().any(other_kind) {
                continue;
            }
            let near = if from { ("s", "d") } else { ("d", "s") };
            matches.push(expression(&device, &flow, near));
            if flow.either {
                matches.push(expression(&device, &flow, (near.1, near.0)));
            }
        }
        matches
    }

    /// The same where packets are forwarded: the interface tells the direction.
    fn forwarded(&self, form: Form, from: bool) -> Vec<String> {
        let only = self.flow.as_ref().and_then(|flow| flow.direction);
        if matches!((only, from), (Some(Direction::In), true) | (Some(Direction::Out), false)) {
            return Vec::new();
        }
        let side = if from { "iifname @inside" } else { "oifname @inside" };
        let matches = self.matches(form, from);
        matches.into_iter().map(|what| format!("{side} {what}").trim_end().to_owned()).collect()
    }

    pub(crate) fn rules(&self, form: Form) -> Result<Rules, String> {
        let both = [self.forwarded(form, true), self.forwarded(form, false)];
        let mut rules = Rules::default();
        match &self.verb {
            Verb::Block { .. } => {
                rules.forward.extend(
                    both.iter().flatten().map(|what| format!("{what} counter goto drop_block")),
                );
            }
            Verb::Allow { .. } => {
                rules
                    .forward
                    .extend(both.iter().flatten().map(|what| format!("{what} counter goto pass")));
            }
            Verb::RateLimit { packets_s, bytes_s, .. } => {
                for what in both.iter().flatten() {
                    if let Some(rate) = packets_s {
                        let burst = (rate / 4).clamp(1, 1_000);
                        rules.forward.push(format!("{what} limit rate over {rate}/second burst {burst} packets counter goto drop_rate"));
                    }
                    if let Some(rate) = bytes_s {
                        let burst = (*rate).max(2_000);
                        rules.forward.push(format!("{what} limit rate over {rate} bytes/second burst {burst} bytes counter goto drop_rate"));
                    }
                }
            }
            Verb::Quarantine { to, .. } => {
                for (what, end) in both[0]
                    .iter()
                    .map(|what| (what, "d"))
                    .chain(both[1].iter().map(|what| (what, "s")))
                {
                    rules.forward.extend(cage(what, end, to));
                }
            }
            // The table only counts; this process judges, behind it.
            Verb::Suspect { .. } => {
                rules.forward.extend(both.iter().flatten().map(|what| format!("{what} counter")));
            }
            Verb::Redirect { to, port, mac, .. } => {
                return self.steer(form, *to, *port, mac.as_deref());
            }
            Verb::Release | Verb::Undo { .. } => {}
        }
        if rules.forward.is_empty() {
            return Err(
                "nothing can match this order: its addresses are of different kinds, or a router \
                        was given only a MAC address of which it has not seen the internet address"
                    .to_owned(),
            );
        }
        Ok(rules)
    }

    fn steer(
        &self,
        form: Form,
        to: IpAddr,
        port: Option<u16>,
        mac: Option<&str>,
    ) -> Result<Rules, String> {
        let steer = match form {
            Form::Router => self.steer_connections(to, port),
            Form::Bridge => self.steer_packets(to, port, mac)?,
        };
        if steer.is_empty() {
            return Err(
                "nothing can match this redirect: its addresses are of different kinds".to_owned()
            );
        }
        Ok(Rules { forward: Vec::new(), steer })
    }

    /// A router lets the kernel follow connections.
    fn steer_connections(&self, to: IpAddr, port: Option<u16>) -> Vec<String> {
        let (ip, v4) = (word(to.is_ipv4()), to.is_ipv4());
        let place = match (port, v4) {
            (None, _) => to.to_string(),
            (Some(port), true) => format!("{to}:{port}"),
            (Some(port), false) => format!("[{to}]:{port}"),
        };
        let kind = format!("meta nfproto {}", if v4 { "ipv4" } else { "ipv6" });
        let any = self.flow.as_ref().is_none_or(|flow| flow.protocol.is_none());
        let ports = if port.is_some() && any { " meta l4proto { 6, 17 }" } else { "" };
        let matches = self.matches(Form::Router, true);
        matches
            .iter()
            .map(|what| format!("{kind} {what}{ports} counter dnat {ip} to {place}"))
            .collect()
    }

    /// A bridge keeps no connections: what it changes on the way out it changes back by the same rule
    /// turned around, and that needs one far end.
    fn steer_packets(
        &self,
        to: IpAddr,
        port: Option<u16>,
        mac: Option<&str>,
    ) -> Result<Vec<String>, String> {
        let (ip, v4) = (word(to.is_ipv4()), to.is_ipv4());
        let flow = self.flow.clone().unwrap_or_default();
        let one = flow.remote.filter(|net| *net == Net::one(net.address()) && net.is_v4() == v4);
        let Some(remote) = one else {
            return Err("on a bridge a redirect needs the one remote address whose traffic is to go elsewhere".to_owned());
        };
        let name = match (flow.protocol, port) {
            (_, None) => "",
            (Some(6), _) => "tcp",
            (Some(17), _) => "udp",
            _ => {
                return Err(
                    "a redirect to another port needs protocol 6 (TCP) or 17 (UDP)".to_owned()
                );
            }
        };
        let (there, back) = match (port, flow.remote_port) {
            (None, _) => (String::new(), String::new()),
            (Some(new), Some(old)) => {
                (format!(" {name} dport set {new}"), format!(" {name} sport set {old}"))
            }
            (Some(_), None) => {
                return Err(
                    "a redirect to another port needs the remote port it replaces".to_owned()
                );
            }
        };
        let link = mac.map_or_else(String::new, |mac| format!("ether daddr set {mac} "));
        let out = self.matches(Form::Bridge, true);
        let mut rules: Vec<String> = out
            .iter()
            .map(|what| {
                format!("iifname @inside {what} counter {link}{ip} daddr set {to}{there} accept")
            })
            .collect();
        let remote_port = port.or(flow.remote_port);
        let turned = Self {
            flow: Some(Flow { remote: Some(Net::one(to)), remote_port, ..flow }),
            ..self.clone()
        };
        rules.extend(turned.matches(Form::Bridge, false).iter().map(|what| {
            format!("iifname != @inside {what} {ip} saddr set {}{back} accept", remote.address())
        }));
        Ok(rules)
    }
}

/// What a packet of the flow looks like; `near` says which of its ends is the near one, `s` or `d`.
fn expression(device: &str, flow: &Flow, (local, remote): (&str, &str)) -> String {
    let mut parts = vec![device.to_owned()];
    for (net, end) in [(flow.local, local), (flow.remote, remote)] {
        parts.extend(net.map(|net| format!("{} {end}addr {net}", word(net.is_v4()))));
    }
    match flow.protocol {
        Some(protocol) => parts.push(format!("meta l4proto {protocol}")),
        None if flow.local_port.is_some() || flow.remote_port.is_some() => {
            parts.push("meta l4proto { 6, 17 }".to_owned());
        }
        None => {}
    }
    for (port, end) in [(flow.local_port, local), (flow.remote_port, remote)] {
        parts.extend(port.map(|port| format!("th {end}port {port}")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Drops what goes anywhere but to these networks. What finds a neighbour (ARP, neighbour discovery)
/// passes where there is one to find.
fn cage(what: &str, end: &str, to: &[Net]) -> Vec<String> {
    let caught = "counter goto drop_quarantine";
    let mut rules = vec![format!("{what} meta protocol != {{ ip, ip6, arp }} {caught}")];
    for (v4, kind) in [(true, "ip"), (false, "ip6")] {
        // Of networks within each other the kernel takes only the widest.
        let of_kind: Vec<Net> = to.iter().copied().filter(|net| net.is_v4() == v4).collect();
        let mut texts: Vec<String> = of_kind
            .iter()
            .filter(|net| !of_kind.iter().any(|wider| wider != *net && wider.covers(**net)))
            .map(ToString::to_string)
            .collect();
        texts.sort();
        texts.dedup();
        if texts.is_empty() {
            rules.push(format!("{what} meta protocol {kind} {caught}"));
            continue;
        }
        let but = if v4 { "" } else { "meta l4proto != 58 " };
        rules.push(format!("{what} {but}{kind} {end}addr != {{ {} }} {caught}", texts.join(", ")));
    }
    rules
}
