//! The texts handed to `nft`.
//!
//! One chain per reason drops and counts; all others only decide where a packet goes. So every packet
//! of the device side ends in exactly one counter, and `seen = passed + dropped` holds by construction.

use std::fmt::Write;

use ports::edge::{FailMode, GatewayPolicy, Mode, Reason};

use super::Form;
use super::allow;
use super::orders::Placed;

/// Devices the sets have room for. A device beyond still is blocked, only not counted.
pub(crate) const SET_SIZE: usize = 4_096;
/// Seconds that traffic goes on as before after the last sign of life of the gateway process.
pub const BEAT_FOR_S: u32 = 4;
/// The reasons a table of the kernel drops for.
pub(crate) const REASONS: [Reason; 5] =
    [Reason::FailClosed, Reason::Block, Reason::Rate, Reason::Quarantine, Reason::AllowList];

/// How a device is told by a packet: type of the key, and the expressions for packets from and to it.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    pub(crate) suffix: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) from: &'static str,
    pub(crate) to: &'static str,
}

const MAC: Key = Key { suffix: "", kind: "ether_addr", from: "ether saddr", to: "ether daddr" };
const V4: Key = Key { suffix: "4", kind: "ipv4_addr", from: "ip saddr", to: "ip daddr" };
const V6: Key = Key { suffix: "6", kind: "ipv6_addr", from: "ip6 saddr", to: "ip6 daddr" };

/// A device on the link of a bridge is its MAC address, one behind a router its internet address.
pub(crate) const fn keys(form: Form) -> &'static [Key] {
    match form {
        Form::Bridge => &[MAC],
        Form::Router => &[V4, V6],
    }
}

/// The table of a form.
pub(crate) const fn table(form: Form) -> &'static str {
    match form {
        Form::Bridge => "bridge sereno",
        Form::Router => "inet sereno",
    }
}

/// The whole table anew, in one transaction: there is no moment without it.
pub(crate) fn whole(
    form: Form,
    inside: &[&str],
    probe: Option<&str>,
    policy: &GatewayPolicy,
) -> Result<String, String> {
    let name = table(form);
    let mut text = format!("table {name} {{ }}\ndelete table {name}\ntable {name} {{\n");
    let names: Vec<String> = inside.iter().map(|port| format!("\"{port}\"")).collect();
    let _ =
        writeln!(text, "  set inside {{ type ifname; elements = {{ {} }}; }}", names.join(", "));
    let _ = match probe {
        Some(port) => writeln!(text, "  set probe {{ type ifname; elements = {{ \"{port}\" }}; }}"),
        None => writeln!(text, "  set probe {{ type ifname; }}"),
    };
    text.push_str(
        "  set beat { type ifname; flags timeout; }\n  counter seen { }\n  counter passed { }\n",
    );
    text.push_str("  counter probe_passed { }\n  counter probe_dropped { }\n");
    sets(&mut text, form);
    for reason in REASONS {
        let _ =
            writeln!(text, "  counter drop_{0} {{ }}\n  counter would_{0} {{ }}", reason.name());
    }
    text.push_str(&allow::sets(form));
    text.push_str(PLAIN_CHAINS);
    for reason in REASONS {
        let _ = writeln!(text, "  chain drop_{} {{ }}", reason.name());
    }
    text.push_str(BASE);
    text.push_str("}\n");
    text.push_str(&policy_script(form, policy)?);
    Ok(text)
}

/// Chains that are filled later, in an order in which each is known before it is named.
const PLAIN_CHAINS: &str =
    "  chain pass { }\n  chain exempt { }\n  chain orders { }\n  chain allow { }
  chain allow_from { }\n  chain allow_to { }\n  chain live { }\n  chain lost { }\n";

/// Frames of the self-test are judged as any other and counted by themselves.
const BASE: &str = "  chain forward {
    type filter hook forward priority -10; policy accept;
    iifname != @inside oifname != @inside accept
    iifname @probe goto live
    counter name \"seen\"
    iifname @beat goto live
    oifname @beat goto live
    goto lost
  }
";

/// A look-up in a set that counts would count too, hence the separate sets `seen`.
fn sets(text: &mut String, form: Form) {
    for key in [MAC, V4, V6] {
        let _ = writeln!(
            text,
            "  set blocked{} {{ type {}; flags timeout; size {SET_SIZE}; }}",
            key.suffix, key.kind
        );
    }
    for Key { suffix, kind, .. } in keys(form) {
        let counted = |name: &str| {
            format!("  set {name}{suffix} {{ type {kind}; flags dynamic; size {SET_SIZE}; }}\n")
        };
        text.push_str(&counted("known"));
        text.push_str(&counted("forwarded"));
        for reason in REASONS {
            text.push_str(&counted(&format!("by_{}", reason.name())));
        }
    }
}

/// What the chains hold under a policy; in one transaction.
pub(crate) fn policy_script(form: Form, policy: &GatewayPolicy) -> Result<String, String> {
    let name = table(form);
    let mut text = String::new();
    let mut chains = vec!["pass".to_owned(), "live".to_owned(), "lost".to_owned()];
    chains.extend(["allow", "allow_from", "allow_to"].map(ToOwned::to_owned));
    chains.extend(REASONS.iter().map(|reason| format!("drop_{}", reason.name())));
    for chain in chains {
        let _ = writeln!(text, "flush chain {name} {chain}");
    }
    text.push_str(&allow::elements(form, &policy.allow)?);
    let _ = writeln!(text, "table {name} {{");
    pass(&mut text, form);
    for reason in REASONS {
        drop_chain(&mut text, form, reason, policy.mode);
    }
    text.push_str(&allow::chains(form));
    live(&mut text, form, policy.mode);
    let lost = match (policy.mode, policy.fail) {
        (Mode::Enforce, FailMode::Closed) => "goto drop_fail_closed",
        _ => "goto live",
    };
    let _ = writeln!(text, "  chain lost {{ {lost}; }}\n}}");
    Ok(text)
}

fn pass(text: &mut String, form: Form) {
    text.push_str("  chain pass {\n    iifname @probe counter name \"probe_passed\" accept\n    counter name \"passed\"\n");
    for Key { suffix, from, to, .. } in keys(form) {
        let _ = writeln!(text, "    iifname @inside add @known{suffix} {{ {from} }}");
        let _ =
            writeln!(text, "    iifname @inside update @forwarded{suffix} {{ {from} counter }}");
        let _ = writeln!(
            text,
            "    oifname @inside {to} @known{suffix} update @forwarded{suffix} {{ {to} counter }}"
        );
    }
    text.push_str("    accept\n  }\n");
}

fn drop_chain(text: &mut String, form: Form, reason: Reason, mode: Mode) {
    let name = reason.name();
    let _ = writeln!(text, "  chain drop_{name} {{");
    if mode == Mode::Enforce {
        let _ = writeln!(text, "    iifname @probe counter name \"probe_dropped\" drop");
        let _ = writeln!(text, "    counter name \"drop_{name}\"");
        for Key { suffix, from, to, .. } in keys(form) {
            let _ = writeln!(
                text,
                "    iifname @inside update @by_{name}{suffix} {{ {from} counter }}"
            );
            let _ =
                writeln!(text, "    oifname @inside update @by_{name}{suffix} {{ {to} counter }}");
        }
        text.push_str("    drop\n  }\n");
    } else {
        let _ = writeln!(text, "    counter name \"would_{name}\"\n    goto pass\n  }}");
    }
}

/// The blocks of whole devices stand first: one look-up each, however many there are.
fn live(text: &mut String, form: Form, mode: Mode) {
    text.push_str("  chain live {\n");
    if mode != Mode::Watch {
        text.push_str("    jump exempt\n");
        for Key { suffix, from, to, .. } in [MAC, V4, V6] {
            let _ = writeln!(text, "    iifname @inside {from} @blocked{suffix} goto drop_block");
            // Behind a router a frame's destination is the router.
            if form == Form::Bridge || !suffix.is_empty() {
                let _ = writeln!(text, "    oifname @inside {to} @blocked{suffix} goto drop_block");
            }
        }
        text.push_str("    jump orders\n    jump allow\n");
    }
    text.push_str("    goto pass\n  }\n");
}

/// A sign of life: for the next seconds the gateway is there.
pub(crate) fn beat(form: Form, port: &str) -> String {
    let name = table(form);
    // Adding an element that is there keeps its old timeout: out and in again, in one transaction.
    format!(
        "add element {name} beat {{ \"{port}\" }}\ndelete element {name} beat {{ \"{port}\" }}\n\
         add element {name} beat {{ \"{port}\" timeout {BEAT_FOR_S}s }}\n"
    )
}

/// An element of a set of blocks, in or out.
pub(crate) fn block(form: Form, suffix: &str, element: &str, timeout_s: Option<u32>) -> String {
    let set = format!("{} blocked{suffix}", table(form));
    let mut text =
        format!("add element {set} {{ {element} }}\ndelete element {set} {{ {element} }}\n");
    if let Some(seconds) = timeout_s {
        let _ = writeln!(text, "add element {set} {{ {element} timeout {seconds}s }}");
    }
    text
}

/// The list of orders with rules of their own: number, and whether it lets pass what others stop.
pub(crate) fn order_list(form: Form, orders: &[(u16, bool)]) -> String {
    let name = table(form);
    let mut text = format!("flush chain {name} orders\nflush chain {name} exempt\n");
    for (id, exempts) in orders {
        let chain = if *exempts { "exempt" } else { "orders" };
        let _ = writeln!(
            text,
            "add rule {name} {chain} iifname @inside iifname @alive_{id} jump order_{id}"
        );
        let _ = writeln!(
            text,
            "add rule {name} {chain} oifname @inside oifname @alive_{id} jump order_{id}"
        );
    }
    text
}

/// Set, chain and rules of one order; it ends with its set's elements, without anybody's doing.
pub(crate) fn order(
    form: Form,
    ports: &[&str],
    placed: &Placed,
    timeout_s: u32,
) -> Result<String, String> {
    let (name, id) = (table(form), placed.id);
    let elements: Vec<String> =
        ports.iter().map(|port| format!("\"{port}\" timeout {timeout_s}s")).collect();
    let mut text = format!(
        "add set {name} alive_{id} {{ type ifname; flags timeout; elements = {{ {} }}; }}\nadd chain {name} order_{id}\n",
        elements.join(", ")
    );
    let rules = placed.rules(form)?;
    for rule in &rules.forward {
        let _ = writeln!(text, "add rule {name} order_{id} {rule}");
    }
    if !rules.steer.is_empty() {
        let hook = match form {
            Form::Bridge => "type filter hook prerouting priority -300; policy accept;",
            Form::Router => "type nat hook prerouting priority -100; policy accept;",
        };
        let _ = writeln!(text, "add chain {name} steer_{id} {{ {hook} }}");
        for rule in &rules.steer {
            let _ = writeln!(text, "add rule {name} steer_{id} iifname @alive_{id} {rule}");
        }
    }
    Ok(text)
}

/// Takes an order's chain and set away; the list must no longer name it.
pub(crate) fn forget(form: Form, placed: &Placed) -> String {
    let (name, id) = (table(form), placed.id);
    let mut text = format!("flush chain {name} order_{id}\ndelete chain {name} order_{id}\n");
    if placed.steers() {
        let _ = writeln!(text, "flush chain {name} steer_{id}\ndelete chain {name} steer_{id}");
    }
    let _ = writeln!(text, "delete set {name} alive_{id}");
    text
}
