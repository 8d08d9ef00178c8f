#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

/// Ethernet, IPv4 or IPv6, then TCP or UDP ports; enough for every test of the language.
fn frame(source: &str, destination: &str, protocol: u8, ports: (u16, u16)) -> Vec<u8> {
    let (source, destination): (IpAddr, IpAddr) =
        (source.parse().unwrap(), destination.parse().unwrap());
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            frame.extend([0x08, 0x00, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, protocol, 0, 0]);
            frame.extend(source.octets());
            frame.extend(destination.octets());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, protocol, 64]);
            frame.extend(source.octets());
            frame.extend(destination.octets());
        }
        _ => panic!("two families"),
    }
    frame.extend(ports.0.to_be_bytes());
    frame.extend(ports.1.to_be_bytes());
    frame.extend([0; 8]);
    frame
}

fn passes_text(expression: &str, frame: &[u8]) -> bool {
    Filter::compile(expression).unwrap().passes(frame, frame.len() as u32)
}

#[test]
fn every_primitive_says_yes_and_no() {
    let modbus = frame("192.168.1.5", "10.0.0.9", 6, (40_000, 502));
    for (expression, passes) in [
        ("", true),
        ("tcp", true),
        ("udp", false),
        ("ip", true),
        ("ip6", false),
        ("arp", false),
        ("icmp", false),
        ("host 10.0.0.9", true),
        ("src host 10.0.0.9", false),
        ("dst 10.0.0.9", true),
        ("net 192.168.0.0/16", true),
        ("dst net 192.168.0.0/16", false),
        ("net 0.0.0.0/0", true),
        ("port 502", true),
        ("src port 502", false),
        ("tcp dst port 502", true),
        ("udp port 502", false),
        ("portrange 500-510", true),
        ("portrange 503-510", false),
        ("ether host 02:00:00:00:00:01", true),
        ("ether dst 02:00:00:00:00:01", false),
        ("ether proto 0x88b8", false),
        ("less 46", true),
        ("greater 47", false),
        ("not tcp", false),
        ("! udp and (port 1 or port 502)", true),
        // Equal binding, from the left: (tcp or udp) and port 1.
        ("tcp or udp and port 1", false),
    ] {
        assert_eq!(passes_text(expression, &modbus), passes, "{expression}");
    }
    let mut fragment = modbus.clone();
    fragment[21] = 1;
    assert!(!passes_text("port 502", &fragment), "a later fragment has no ports");
    let six = frame("fd00::5", "2001:db8::9", 17, (5_353, 53));
    for (expression, passes) in [
        ("ip6 and udp port 53", true),
        ("net fd00::/8", true),
        ("src net 2001:db8::/32", false),
        ("host 2001:db8::9", true),
        ("tcp", false),
        ("net ::/0", true),
    ] {
        assert_eq!(passes_text(expression, &six), passes, "{expression}");
    }
}

#[test]
fn errors_name_the_place_and_the_remedy() {
    for (expression, at, word) in [
        ("tcp port", 9, "port number"),
        ("port 70000", 6, "port number"),
        ("tcp and", 8, "expected tcp"),
        ("(tcp", 5, "`)`"),
        ("tcp udp", 5, "`and`"),
        ("net 10.0.0.0/33", 5, "network"),
        ("host hub.example", 6, "address"),
        ("vlan 5", 1, "expected tcp"),
    ] {
        let error = Filter::compile(expression).unwrap_err();
        assert_eq!(error.at, at, "{expression}: {error}");
        assert!(error.what.contains(word), "{expression}: {error}");
    }
    let deep = "(".repeat(MAX_DEPTH + 1);
    assert!(Filter::compile(&deep).unwrap_err().what.contains("nested"));
    let long = "tcp or ".repeat(1_000);
    assert!(Filter::compile(&long).unwrap_err().what.contains("longer than"));
}

proptest! {
    #[test]
    fn any_text_is_compiled_or_refused(text in "[a-z0-9 ().:/!-]{0,80}", bytes: Vec<u8>) {
        if let Ok(filter) = Filter::compile(&text) {
            let _ = filter.passes(&bytes, bytes.len() as u32);
        }
    }

    /// Boolean laws over real programs.
    #[test]
    fn and_or_not_are_boolean(port in 0_u16..4, udp: bool, last in 0_u8..3) {
        let bytes = frame(&format!("10.0.0.{last}"), "10.0.0.9", if udp { 17 } else { 6 }, (port, 9));
        let (a, b) = ("udp", "src port 2");
        let (x, y) = (passes_text(a, &bytes), passes_text(b, &bytes));
        prop_assert_eq!(passes_text(&format!("{a} and {b}"), &bytes), x && y);
        prop_assert_eq!(passes_text(&format!("{a} or {b}"), &bytes), x || y);
        prop_assert_eq!(passes_text(&format!("not ({a} or {b})"), &bytes), !(x || y));
    }
}
