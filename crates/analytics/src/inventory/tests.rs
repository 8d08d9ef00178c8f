#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use protocols::packet::{LinkType, decode};

use super::*;

const SECOND_NS: i64 = 1_000_000_000;

fn frame(mac: u8, to_mac: u8, src: [u8; 4], dst: [u8; 4], flags: u8) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, to_mac, 2, 0, 0, 0, 0, mac, 0x08, 0x00];
    frame.extend([0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend(src);
    frame.extend(dst);
    frame.extend([0x01, 0xf6, 0x9c, 0x40, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    frame
}

fn push(inventory: &mut Inventory, second: i64, frame: &[u8]) {
    let view = decode(LinkType::ETHERNET, frame, frame.len() as u32).unwrap();
    inventory.packet(second * SECOND_NS, &view);
}

/// Facts that say nothing.
pub(super) fn nobody() -> DeviceFacts {
    let mut inventory = Inventory::default();
    push(&mut inventory, 0, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    let mut facts = inventory.all().remove(0);
    facts.sent = Sent::default();
    facts
}

fn mac(last: u8) -> Host {
    Host::mac([2, 0, 0, 0, 0, last])
}

#[test]
fn a_device_keeps_its_identity_when_its_address_changes() {
    let mut inventory = Inventory::default();
    push(&mut inventory, 1, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    push(&mut inventory, 500, &frame(1, 9, [10, 0, 0, 77], [10, 0, 0, 9], 0x10));
    // Another device takes the old address: two devices, not one.
    push(&mut inventory, 900, &frame(2, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    let all = inventory.all();
    assert_eq!(all.len(), 2);
    let first = all.iter().find(|facts| facts.mac == Some(mac(1))).unwrap();
    let addresses: Vec<String> = first.addresses.iter().map(|a| a.value.to_string()).collect();
    assert_eq!(addresses, ["10.0.0.1", "10.0.0.77"]);
    assert_eq!(first.addresses[0].last_us, 1_000_000);
    assert!(first.mac_is_private());
}

#[test]
fn many_foreign_addresses_make_a_router_and_local_ones_behind_it_are_devices() {
    let mut inventory = Inventory::default();
    for last in 0..20 {
        push(&mut inventory, last.into(), &frame(1, 9, [192, 0, 2, last], [10, 0, 0, 9], 0x10));
    }
    push(&mut inventory, 30, &frame(1, 9, [10, 7, 0, 3], [10, 0, 0, 9], 0x10));
    let all = inventory.all();
    let router = all.iter().find(|facts| facts.mac == Some(mac(1))).unwrap();
    assert!(router.plays(Part::Router) && router.addresses.is_empty());
    let behind = all.iter().find(|facts| facts.mac.is_none()).unwrap();
    assert_eq!(behind.addresses[0].value, Host::v4([10, 7, 0, 3].into()));
    assert_eq!(guess(router, None).kind, DeviceKind::Router);
}

#[test]
fn an_answered_connection_tells_both_ends() {
    let mut inventory = Inventory::default();
    push(&mut inventory, 1, &frame(2, 1, [10, 0, 0, 2], [10, 0, 0, 1], 0x10));
    push(&mut inventory, 2, &frame(1, 2, [10, 0, 0, 1], [10, 0, 0, 2], 0x12));
    let all = inventory.all();
    let server = all.iter().find(|facts| facts.mac == Some(mac(1))).unwrap();
    let client = all.iter().find(|facts| facts.mac == Some(mac(2))).unwrap();
    assert_eq!((server.offers[0].value.port, server.plays(Part::Server)), (502, true));
    assert_eq!((client.uses[0].value.port, client.plays(Part::Client)), (502, true));
}

#[test]
fn news_are_told_once_and_again_after_the_touch() {
    let mut inventory = Inventory::default();
    let told = |inventory: &mut Inventory| {
        let mut count = 0;
        inventory.drain(|_| count += 1);
        count
    };
    push(&mut inventory, 1, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    assert_eq!(told(&mut inventory), 1);
    push(&mut inventory, 20, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    assert_eq!(told(&mut inventory), 0);
    push(&mut inventory, 700, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    assert_eq!(told(&mut inventory), 1);
}

#[test]
fn a_million_made_up_devices_are_bounded_and_counted() {
    let mut inventory = Inventory::new(1_000);
    for number in 0..1_000_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let mut frame = frame(1, 9, [10, a, b, c], [10, 0, 0, 9], 0x10);
        frame[8..11].copy_from_slice(&[a, b, c]);
        push(&mut inventory, 1, &frame);
    }
    assert_eq!(inventory.stats(), InventoryStats { devices: 1_000, beyond: 999_000 });
    assert!(inventory.owners.len() <= 1_000 * MAX_ADDRESSES);
}

#[test]
fn a_kind_needs_reasons_and_tells_them() {
    let mut inventory = Inventory::default();
    push(&mut inventory, 1, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    let mut facts = inventory.all().remove(0);
    assert_eq!(guess(&facts, None).kind, DeviceKind::Unknown);
    facts.names.push(Dated {
        value: (NameSource::Dhcp, "front-door-camera".into()),
        first_us: 0,
        last_us: 0,
    });
    let named = guess(&facts, None);
    assert_eq!(named.kind, DeviceKind::Camera);
    let more = guess(&facts, Some("Hikvision Digital Technology"));
    assert!(more.confidence > named.confidence && more.confidence < 1.0);
    assert_eq!(more.reasons.len(), 2);
    assert!(more.reasons.iter().any(|reason| reason.text.contains("front-door-camera")));
}

/// ARP: the sender claims its address on the link.
fn claim(mac: u8, ip: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, mac, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend([2, 0, 0, 0, 0, mac]);
    frame.extend(ip);
    frame.extend([0; 6]);
    frame.extend(ip);
    frame
}

/// A neighbour solicitation, or an ordinary packet, from an IPv6 address.
fn six(mac: u8, last: u8, hops: u8) -> Vec<u8> {
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, mac, 0x86, 0xdd];
    frame.extend([0x60, 0, 0, 0, 0, 24, 58, hops]);
    frame.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    frame.extend([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    frame.extend([135, 0, 0, 0, 0, 0, 0, 0]);
    frame.extend([0; 16]);
    frame
}

#[test]
fn many_leases_one_after_the_other_make_no_router() {
    let mut inventory = Inventory::default();
    for day in 0..12 {
        let frame = frame(1, 9, [10, 0, 0, 10 + day], [10, 0, 0, 9], 0x10);
        push(&mut inventory, i64::from(day) * 86_400, &frame);
    }
    let all = inventory.all();
    assert_eq!((all.len(), all[0].addresses.len()), (1, 12));
    assert!(!all[0].plays(Part::Router));
}

#[test]
fn internet_addresses_of_version_six_claimed_on_the_link_are_the_devices_own() {
    let mut inventory = Inventory::default();
    for last in 0..12 {
        push(&mut inventory, last.into(), &six(1, last, 255));
        push(&mut inventory, 100, &six(1, last, 64));
        // The same addresses seen behind a router say so by their hop limit.
        push(&mut inventory, 200, &six(7, 100 + last, 63));
    }
    let all = inventory.all();
    let own = all.iter().find(|facts| facts.mac == Some(mac(1))).unwrap();
    assert_eq!((own.addresses.len(), own.plays(Part::Router)), (12, false));
    let router = all.iter().find(|facts| facts.mac == Some(mac(7))).unwrap();
    assert_eq!((router.addresses.len(), router.plays(Part::Router)), (0, true));
}

#[test]
fn a_router_keeps_the_address_it_claims_and_no_other() {
    let mut inventory = Inventory::default();
    push(&mut inventory, 0, &claim(1, [10, 0, 0, 1]));
    for last in 10..30 {
        push(&mut inventory, last.into(), &frame(1, 9, [10, 7, 0, last], [10, 0, 0, 9], 0x10));
    }
    // Its own packets, later: no second device.
    push(&mut inventory, 300, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    let all = inventory.all();
    let router = all.iter().find(|facts| facts.mac == Some(mac(1))).unwrap();
    let own: Vec<String> = router.addresses.iter().map(|known| known.value.to_string()).collect();
    assert_eq!(own, ["10.0.0.1"]);
    assert!(router.plays(Part::Router));
    let second = all.iter().filter(|facts| facts.mac.is_none());
    assert!(second.clone().count() >= 12);
    let gateway = Host::v4([10, 0, 0, 1].into());
    assert!(second.flat_map(|facts| &facts.addresses).all(|known| known.value != gateway));
}

#[test]
fn names_are_heard_before_there_is_an_address_and_shown_as_they_are() {
    let mut inventory = Inventory::default();
    let mut tracker = protocols::flow::Tracker::default();
    let name = b"cam\x1b[2J\xe2\x80\xae\xffgpj";
    let mut dhcp = vec![1, 1, 6, 0, 0, 0, 0, 1];
    dhcp.resize(28, 0);
    dhcp.extend([2, 0, 0, 0, 0, 1]);
    dhcp.resize(236, 0);
    dhcp.extend([0x63, 0x82, 0x53, 0x63, 53, 1, 1, 12, name.len() as u8]);
    dhcp.extend(name);
    dhcp.extend([55, 3, 1, 3, 6, 255]);
    let length = |more: usize| ((dhcp.len() + more) as u16).to_be_bytes();
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1, 0x08, 0, 0x45, 0]);
    frame.extend(length(28));
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 68, 0, 67]);
    frame.extend(length(8));
    frame.extend([0, 0]);
    frame.extend(&dhcp);
    let view = decode(LinkType::ETHERNET, &frame, frame.len() as u32).unwrap();
    inventory.packet(SECOND_NS, &view);
    tracker.push(SECOND_NS, &view, &mut |sighting| inventory.message(sighting));
    let facts = inventory.all().remove(0);
    let name = (NameSource::Dhcp, "cam\u{fffd}[2J\u{fffd}\u{fffd}gpj".to_owned());
    assert_eq!(facts.names[0].value, name);
    assert_eq!((facts.mac, facts.hints[0].value.text.as_str()), (Some(mac(1)), "1,3,6"));
}

#[test]
fn what_is_sent_is_counted_in_spans() {
    let mut inventory = Inventory::default();
    for tenth in 0..250 {
        let frame = frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10);
        let view = decode(LinkType::ETHERNET, &frame, 15_000).unwrap();
        inventory.packet(tenth * SECOND_NS / 10, &view);
    }
    // A minute later one small frame.
    push(&mut inventory, 90, &frame(1, 9, [10, 0, 0, 1], [10, 0, 0, 9], 0x10));
    let sent = inventory.all().remove(0).sent;
    assert_eq!((sent.frames, sent.bytes, sent.spans, sent.streaming), (251, 3_750_054, 4, 3));
    // Told once: what was put to the account is not counted again.
    assert_eq!(inventory.all().remove(0).sent, sent);
}
