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
