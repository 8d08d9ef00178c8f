//! One order from the check to the proof.

use model::{BlockTarget, Outcome};
use ports::edge::{Count, Flow, MAX_WHY_BYTES, Mode, Net, Order, Verb};
use serde_json::{Value, json};

use super::{Arms, Held, MAX_TIMEOUT_S, Reading, Shared};
use crate::clock;
use crate::nft::Form;
use crate::prove::ProbeFrame;

/// Networks of one quarantine at most.
pub(super) const MAX_NETS: usize = 64;

fn wrong(reason: String) -> Outcome {
    Outcome::Failed { reason, retry: false }
}

/// What the reading shows of an order: seconds left, what it caught; `None` when it is not there.
pub(super) fn seen(held: &Held, form: Form, reading: &Reading) -> Option<(u32, Count)> {
    let placed = held.placed();
    if !placed.is_whole_block() {
        let shown = reading.orders.get(&held.id).filter(|shown| shown.alive)?;
        return Some((shown.left_s, shown.caught));
    }
    let elements = placed.elements(form);
    let left = elements.iter().map(|(_, element)| reading.blocked.get(element).copied());
    let left = left.collect::<Option<Vec<u32>>>()?.into_iter().max()?;
    let mut caught = Count::default();
    for (_, element) in &elements {
        let device = reading.devices.get(element);
        caught += device
            .and_then(|device| device.dropped.get(&ports::edge::Reason::Block))
            .copied()
            .unwrap_or_default();
    }
    Some((left, caught))
}

impl Arms {
    /// After a start: puts what was in force into effect again, for the time it still has.
    pub(super) fn take_up(&mut self) {
        let before = self.before.take();
        let form = self.table.form();
        let held = std::mem::take(&mut self.book.standing);
        for held in held {
            // The kernel's timeouts do not care for a clock that was set; after a reboot only that is left.
            let left = match &before {
                Some(reading) => seen(&held, form, reading).map_or(0, |(left, _)| left),
                None => held.left_s(),
            };
            if left == 0 {
                continue;
            }
            match self.table.place(&held.placed(), left) {
                Ok(()) => self.book.standing.push(held),
                Err(error) => {
                    tracing::error!(key = held.key, %error, "an order could not be taken up again")
                }
            }
        }
        for (element, left) in before.map(|reading| reading.blocked).unwrap_or_default() {
            self.adopt(&element, left);
        }
        self.book.keep();
    }

    /// A block that the kernel holds and no file tells of.
    fn adopt(&mut self, element: &str, left: u32) {
        let form = self.table.form();
        let known =
            |held: &Held| held.placed().elements(form).iter().any(|(_, known)| known == element);
        if left == 0
            || self.book.standing.iter().any(|held| held.placed().is_whole_block() && known(held))
        {
            return;
        }
        let address = element.parse().ok();
        let target = BlockTarget {
            mac: address.is_none().then(|| element.to_owned()),
            addresses: address.into_iter().collect(),
        };
        let order = Order {
            key: format!("kernel/{element}"),
            verb: Verb::Block { timeout_s: left },
            target,
            flow: None,
            why: "was in force when this gateway process began".to_owned(),
        };
        if let Ok(id) = self.book.free_id(&order) {
            let held = hold(id, &order, order.target.clone(), false);
            match self.table.place(&held.placed(), left) {
                Ok(()) => self.book.standing.push(held),
                Err(error) => {
                    tracing::error!(element, %error, "a block could not be taken up again")
                }
            }
        }
    }

    pub(super) fn attempt(&mut self, order: &Order, shared: &Shared) -> Outcome {
        let target = match resolve(order, shared, self.table.form()) {
            Ok(target) => target,
            Err(reason) => return wrong(reason),
        };
        let result = match &order.verb {
            Verb::Release => self.release(&target, order.flow.as_ref()),
            Verb::Undo { order } => self.undo(order),
            _ => {
                if let Err(reason) = check(order) {
                    return wrong(reason);
                }
                if matches!(order.verb, Verb::Suspect { .. }) && !shared.inline.judges() {
                    let reason =
                        "this gateway judges no packets one by one: start it with --inline";
                    return Outcome::NotEnforced { reason: reason.to_owned(), data: Value::Null };
                }
                if let Some(answer) = self.in_force(order) {
                    return answer;
                }
                let id = match self.book.free_id(order) {
                    Ok(id) => id,
                    Err(reason) => return wrong(reason),
                };
                let held = hold(id, order, target, self.book.policy.mode == Mode::DryRun);
                if !matches!(held.verb, Verb::Allow { .. })
                    && let Err(reason) = self.protected.allows(&held.placed())
                {
                    return wrong(reason);
                }
                self.enforce(held)
            }
        };
        result.unwrap_or_else(|reason| Outcome::Failed { reason, retry: true })
    }

    /// The answer to an order that an earlier process of this gateway carried out and could not answer.
    fn in_force(&mut self, order: &Order) -> Option<Outcome> {
        let held =
            self.book.standing.iter().find(|held| held.key == order.key && !held.dry_run)?.clone();
        let reading = self.table.read().ok()?;
        let (left_s, _) = seen(&held, self.table.form(), &reading)?;
        let mut data = data(&reading, &held);
        data["timeout_s"] = json!(left_s);
        data["proof"] = json!({ "by": "read_back", "why_no_probe": "it was in force before this process began" });
        let summary = format!("{} ({}) for another {left_s} s", words(&held), held.name());
        Some(Outcome::Done { summary, data })
    }

    /// Puts the order into effect and reads the table back: only what is seen there is called done.
    fn enforce(&mut self, held: Held) -> Result<Outcome, String> {
        let started = clock::monotonic();
        if self.book.policy.mode == Mode::Watch {
            let reason = "this gateway only watches: set its mode to 'enforce' first";
            return Ok(Outcome::NotEnforced { reason: reason.to_owned(), data: Value::Null });
        }
        let (form, timeout_s) = (self.table.form(), held.verb.timeout_s().unwrap_or(0));
        self.table.place(&held.placed(), timeout_s)?;
        let effective = clock::monotonic();
        let reading = self.table.read()?;
        if seen(&held, form, &reading).is_none() {
            let _ = self.table.remove(&held.placed());
            return Err(format!("the table does not show {} after it was added", held.name()));
        }
        let proof = if held.dry_run { Ok(Value::Null) } else { self.prove(&held, &reading) };
        let mut data = data(&reading, &held);
        data["timeout_s"] = json!(timeout_s);
        data["effective_after_us"] = json!((effective - started).as_micros() as u64);
        data["took_us"] = json!((clock::monotonic() - started).as_micros() as u64);
        let summary = format!("{} ({}) for {timeout_s} s", words(&held), held.name());
        match proof {
            Err(reason) => {
                self.table.remove(&held.placed())?;
                Ok(Outcome::NotEnforced { reason, data })
            }
            Ok(proof) => {
                let dry_run = held.dry_run;
                // The same device blocked anew: the kernel has one element, and now its new time.
                self.book
                    .standing
                    .retain(|other| !(held.placed().is_whole_block() && same_block(other, &held)));
                self.book.standing.push(held);
                self.book.keep();
                if dry_run {
                    let reason = format!("dry run: {summary} is only counted");
                    return Ok(Outcome::NotEnforced { reason, data });
                }
                data["proof"] = proof;
                Ok(Outcome::Done { summary, data })
            }
        }
    }

    /// Sends a frame that the order must stop. `Err`: it passed, or nothing counted it.
    fn prove(&mut self, held: &Held, before: &Reading) -> Result<Value, String> {
        let read_back = |why: &str| {
            Ok(
                json!({ "by": "read_back", "why_no_probe": why, "counter_before": seen_packets(held, before) }),
            )
        };
        let prover = match &mut self.prover {
            Ok(prover) => prover,
            Err(reason) => return read_back(reason),
        };
        let Some(frame) = probe_for(held) else {
            return read_back("a frame cannot show this order without reaching somebody");
        };
        let arrived = match prover.probe(&frame) {
            Ok(arrived) => arrived,
            Err(reason) => return read_back(&reason),
        };
        let certain = prover.certain();
        let after = self.table.read()?;
        let dropped = after.probe_dropped.saturating_sub(before.probe_dropped);
        if arrived {
            return Err(format!(
                "a frame of {} sent through this gateway as a test passed all the same",
                held.name()
            ));
        }
        if dropped == 0 && !certain {
            return read_back("the frame of the self-test went another way at this router");
        }
        if dropped == 0 {
            return Err("a frame sent through this gateway as a test was neither seen nor counted as dropped".to_owned());
        }
        Ok(json!({
            "by": "probe", "sent": 1, "passed": 0, "dropped": dropped,
            "counter_before": before.probe_dropped, "counter_after": after.probe_dropped,
            "frame": frame.words(),
        }))
    }

    /// Ends all orders that `which` names.
    pub(super) fn end(&mut self, which: impl Fn(&Held) -> bool) -> Result<Vec<Held>, String> {
        let mut ended = Vec::new();
        while let Some(place) = self.book.standing.iter().position(&which) {
            let held = self.book.standing[place].clone();
            self.table.remove(&held.placed())?;
            ended.push(self.book.standing.remove(place));
        }
        if !ended.is_empty() {
            self.book.keep();
        }
        Ok(ended)
    }

    fn release(&mut self, target: &BlockTarget, flow: Option<&Flow>) -> Result<Outcome, String> {
        let ended = self.end(|held| held.concerns(target, flow))?;
        let reading = self.table.read()?;
        if let Some(mac) =
            target.mac.as_ref().filter(|mac| flow.is_none() && reading.blocked.contains_key(*mac))
        {
            return Err(format!("the table still shows {mac} after it was removed"));
        }
        let name = target.mac.clone().or_else(|| target.addresses.first().map(ToString::to_string));
        let name = name.unwrap_or_else(|| "the traffic named".to_owned());
        let mut data = counts(&reading, target);
        data["ended"] = json!(ended.into_iter().map(|held| held.key).collect::<Vec<_>>());
        Ok(Outcome::Done { summary: format!("{name} may pass again"), data })
    }

    fn undo(&mut self, key: &str) -> Result<Outcome, String> {
        let ended = self.end(|held| held.key == key)?;
        let Some(held) = ended.first() else {
            let summary = format!("order {key} was not in force");
            return Ok(Outcome::Done { summary, data: json!({ "ended": [] }) });
        };
        let reading = self.table.read()?;
        if seen(held, self.table.form(), &reading).is_some() {
            return Err(format!("the table still shows order {key} after it was removed"));
        }
        let mut data = data(&reading, held);
        data["ended"] = json!([key]);
        Ok(Outcome::Done { summary: format!("{} ({}) has ended", words(held), held.name()), data })
    }
}

fn same_block(one: &Held, other: &Held) -> bool {
    one.placed().is_whole_block() && one.target == other.target
}

fn hold(id: u16, order: &Order, target: BlockTarget, dry_run: bool) -> Held {
    let seconds = i64::from(order.verb.timeout_s().unwrap_or(0));
    Held {
        id,
        key: order.key.clone(),
        verb: order.verb.clone(),
        target,
        flow: order.flow.clone(),
        why: order.why.clone(),
        until_us: clock::realtime_ns() / 1_000 + seconds * 1_000_000,
        dry_run,
    }
}

fn words(held: &Held) -> &'static str {
    match held.verb {
        Verb::Block { .. } => "blocked",
        Verb::RateLimit { .. } => "slowed down",
        Verb::Quarantine { .. } => "in quarantine",
        Verb::Redirect { .. } => "sent elsewhere",
        Verb::Suspect { .. } => "a suspect",
        Verb::Allow { .. } => "allowed",
        Verb::Release | Verb::Undo { .. } => "ended",
    }
}

fn counts(reading: &Reading, target: &BlockTarget) -> Value {
    let address = target.addresses.first().map(ToString::to_string);
    let name = target.mac.clone().or(address).unwrap_or_default();
    let device = reading.devices.get(&name).cloned().unwrap_or_default();
    let dropped: u64 = device.dropped.values().map(|count| count.packets).sum();
    json!({
        "mac": target.mac,
        "forwarded_before": device.forwarded.packets,
        "forwarded_bytes_before": device.forwarded.bytes,
        "dropped_before": dropped,
    })
}

fn data(reading: &Reading, held: &Held) -> Value {
    counts(reading, &held.target)
}

fn seen_packets(held: &Held, reading: &Reading) -> u64 {
    reading.orders.get(&held.id).map_or(0, |order| order.caught.packets)
}

/// The target with what this gateway knows of it: a bridge adds the MAC address, a router the addresses.
fn resolve(order: &Order, shared: &Shared, form: Form) -> Result<BlockTarget, String> {
    let mut target = order.target.clone();
    target.mac = target.mac.map(|mac| mac.to_ascii_lowercase());
    if let Some(mac) = target.mac.as_ref().filter(|mac| analytics::host::parse_mac(mac).is_none()) {
        return Err(format!("'{mac}' is not a MAC address such as b8:27:eb:00:00:01"));
    }
    match form {
        Form::Bridge if target.mac.is_none() => target.mac = shared.mac_of(&target),
        Form::Router if target.addresses.is_empty() => {
            target.addresses =
                target.mac.as_ref().map(|mac| shared.addresses_of(mac)).unwrap_or_default();
        }
        _ => {}
    }
    Ok(target)
}

fn check(order: &Order) -> Result<(), String> {
    let timeout_s = order.verb.timeout_s().unwrap_or(0);
    if !(1..=MAX_TIMEOUT_S).contains(&timeout_s) {
        return Err(format!("an order lasts 1 to {MAX_TIMEOUT_S} seconds, not {timeout_s}"));
    }
    if order.why.len() > MAX_WHY_BYTES {
        return Err(format!("the reason of an order has at most {MAX_WHY_BYTES} bytes"));
    }
    let nobody = order.target.mac.is_none() && order.target.addresses.is_empty();
    match &order.verb {
        Verb::RateLimit { packets_s, bytes_s, .. }
            if packets_s.is_none_or(|n| n == 0) && bytes_s.is_none_or(|n| n == 0) =>
        {
            Err("a rate limit needs packets or bytes a second, at least 1".to_owned())
        }
        Verb::Quarantine { .. } | Verb::Redirect { .. } | Verb::Suspect { .. } if nobody => {
            Err(format!("{} needs a device: its MAC or internet address", order.verb.name()))
        }
        Verb::Suspect { .. } if order.flow.is_some() => {
            Err("a suspect is a device as a whole: leave the flow out".to_owned())
        }
        Verb::Quarantine { to, .. } if to.len() > MAX_NETS => {
            Err(format!("a quarantine names at most {MAX_NETS} networks, not {}", to.len()))
        }
        Verb::Redirect { mac: Some(mac), .. } if analytics::host::parse_mac(mac).is_none() => {
            Err(format!("'{mac}' is not a MAC address such as b8:27:eb:00:00:01"))
        }
        _ => Ok(()),
    }
}

/// A frame that the order must stop, where one can be made.
fn probe_for(held: &Held) -> Option<ProbeFrame> {
    let flow = held.flow.clone().unwrap_or_default();
    let first = |net: Option<Net>| net.map(Net::address);
    let v4 = |address: &std::net::IpAddr| address.is_ipv4();
    if flow.direction == Some(ports::edge::Direction::In) {
        // The frame comes from the device side.
        return None;
    }
    let remote = match &held.verb {
        Verb::Block { .. } => first(flow.remote),
        // Somewhere it may not go: addresses for documentation (RFC 5737) are nobody's.
        Verb::Quarantine { to, .. } => {
            let places = ["198.51.100.1", "203.0.113.1", "192.0.2.1"];
            let free = |place: &std::net::IpAddr| !to.iter().any(|net| net.holds(*place));
            Some(places.iter().filter_map(|place| place.parse().ok()).find(free)?)
        }
        _ => return None,
    };
    // Frames of the self-test are of IPv4.
    let source = first(flow.local).or_else(|| held.target.addresses.iter().copied().find(v4));
    let mut frame = ProbeFrame::from_to(source, remote)?;
    if let Some(mac) = held.target.mac.as_deref().and_then(analytics::host::parse_mac) {
        frame.mac = mac;
    }
    frame.protocol = flow.protocol.unwrap_or(frame.protocol);
    frame.source_port = flow.local_port.unwrap_or(frame.source_port);
    frame.destination_port = flow.remote_port.unwrap_or(frame.destination_port);
    Some(frame)
}
