//! From what a filter says to the tests of a program. Offsets are those of an Ethernet frame.

use std::net::IpAddr;

use super::program::{
    AND_K, Builder, IF_ANY_BIT, IF_EQUAL, IF_GREATER, IF_GREATER_EQUAL, LOAD_BYTE, LOAD_HALF,
    LOAD_HALF_INDIRECT, LOAD_LENGTH, LOAD_WORD, LOAD_X_HEADER, Label,
};

pub(super) const IPV4: u32 = 0x0800;
pub(super) const IPV6: u32 = 0x86dd;
pub(super) const ARP: u32 = 0x0806;
pub(super) const TCP: u32 = 6;
pub(super) const UDP: u32 = 17;
pub(super) const SCTP: u32 = 132;

/// Which end of a frame is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Source,
    Destination,
    Either,
}

/// What an expression says.
#[derive(Clone, Debug)]
pub(super) enum Tree {
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    EtherType(u32),
    EtherHost(Direction, [u8; 6]),
    IpProtocol(u32),
    Net(Direction, IpAddr, u8),
    Ports(Direction, &'static [u32], u16, u16),
    LongerThan(u32),
}

/// Writes the test of a tree: to `pass` where it holds, else to `drop`.
pub(super) fn generate(builder: &mut Builder, tree: &Tree, pass: Label, drop: Label) {
    match tree {
        Tree::And(left, right) => {
            let middle = builder.label();
            generate(builder, left, middle, drop);
            builder.bind(middle);
            generate(builder, right, pass, drop);
        }
        Tree::Or(left, right) => {
            let middle = builder.label();
            generate(builder, left, pass, middle);
            builder.bind(middle);
            generate(builder, right, pass, drop);
        }
        Tree::Not(inner) => generate(builder, inner, drop, pass),
        Tree::EtherType(kind) => {
            builder.plain(LOAD_HALF, 12);
            builder.branch(IF_EQUAL, *kind, pass, drop);
        }
        Tree::LongerThan(length) => {
            builder.plain(LOAD_LENGTH, 0);
            builder.branch(IF_GREATER, *length, pass, drop);
        }
        Tree::EtherHost(side, mac) => {
            let offsets: &[u32] = sides(*side, &[6], &[0], &[6, 0]);
            alternatives(builder, offsets, pass, drop, |builder, offset, pass, drop| {
                let [a, b, c, d, e, f] = *mac;
                builder.plain(LOAD_WORD, offset + 2);
                builder.require(IF_EQUAL, u32::from_be_bytes([c, d, e, f]), drop);
                builder.plain(LOAD_HALF, *offset);
                builder.branch(IF_EQUAL, u32::from(u16::from_be_bytes([a, b])), pass, drop);
            });
        }
        Tree::IpProtocol(protocol) => {
            let (v4, v6) = (builder.label(), builder.label());
            families(builder, v4, v6, drop);
            builder.bind(v4);
            builder.plain(LOAD_BYTE, 23);
            builder.branch(IF_EQUAL, *protocol, pass, drop);
            builder.bind(v6);
            builder.plain(LOAD_BYTE, 20);
            builder.branch(IF_EQUAL, *protocol, pass, drop);
        }
        Tree::Net(side, IpAddr::V4(address), length) => {
            net_v4(builder, *side, u32::from(*address), *length, pass, drop);
        }
        Tree::Net(side, IpAddr::V6(address), length) => {
            builder.plain(LOAD_HALF, 12);
            builder.require(IF_EQUAL, IPV6, drop);
            let offsets: &[u32] = sides(*side, &[22], &[38], &[22, 38]);
            alternatives(builder, offsets, pass, drop, |builder, offset, pass, drop| {
                net_v6(builder, *offset, u128::from(*address), *length, pass, drop);
            });
        }
        Tree::Ports(side, transports, low, high) => {
            ports(builder, (*side, *transports), (*low, *high), pass, drop);
        }
    }
}

fn sides<T>(side: Direction, source: T, destination: T, either: T) -> T {
    match side {
        Direction::Source => source,
        Direction::Destination => destination,
        Direction::Either => either,
    }
}

/// Passes where the test holds for one of the alternatives.
fn alternatives<T>(
    builder: &mut Builder,
    all: &[T],
    pass: Label,
    drop: Label,
    test: impl Fn(&mut Builder, &T, Label, Label),
) {
    for (place, one) in all.iter().enumerate() {
        if place + 1 == all.len() {
            test(builder, one, pass, drop);
        } else {
            let next = builder.label();
            test(builder, one, pass, next);
            builder.bind(next);
        }
    }
}

fn families(builder: &mut Builder, v4: Label, v6: Label, neither: Label) {
    let not_v4 = builder.label();
    builder.plain(LOAD_HALF, 12);
    builder.branch(IF_EQUAL, IPV4, v4, not_v4);
    builder.bind(not_v4);
    builder.branch(IF_EQUAL, IPV6, v6, neither);
}

fn net_v4(
    builder: &mut Builder,
    side: Direction,
    address: u32,
    length: u8,
    pass: Label,
    drop: Label,
) {
    let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
    let (ip, not_ip, arp) = (builder.label(), builder.label(), builder.label());
    builder.plain(LOAD_HALF, 12);
    builder.branch(IF_EQUAL, IPV4, ip, not_ip);
    builder.bind(not_ip);
    builder.branch(IF_EQUAL, ARP, arp, drop);
    let offsets: [(Label, &[u32]); 2] =
        [(ip, sides(side, &[26], &[30], &[26, 30])), (arp, sides(side, &[28], &[38], &[28, 38]))];
    for (label, offsets) in offsets {
        builder.bind(label);
        alternatives(builder, offsets, pass, drop, |builder, offset, pass, drop| {
            builder.plain(LOAD_WORD, *offset);
            builder.plain(AND_K, mask);
            builder.branch(IF_EQUAL, address & mask, pass, drop);
        });
    }
}

fn net_v6(builder: &mut Builder, offset: u32, address: u128, length: u8, pass: Label, drop: Label) {
    let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
    for word in 0..4_u32 {
        let shift = 96 - 32 * word;
        let (part, part_mask) = ((address >> shift) as u32, (mask >> shift) as u32);
        let here = builder.label();
        builder.plain(LOAD_WORD, offset + 4 * word);
        builder.plain(AND_K, part_mask);
        let next = if word == 3 { pass } else { here };
        builder.branch(IF_EQUAL, part & part_mask, next, drop);
        builder.bind(here);
    }
}

fn ports(
    builder: &mut Builder,
    (side, transports): (Direction, &[u32]),
    (low, high): (u16, u16),
    pass: Label,
    drop: Label,
) {
    let (v4, v6) = (builder.label(), builder.label());
    families(builder, v4, v6, drop);
    let of_transport = |builder: &mut Builder| {
        let found = builder.label();
        alternatives(builder, transports, found, drop, |builder, transport, pass, drop| {
            builder.branch(IF_EQUAL, *transport, pass, drop);
        });
        builder.bind(found);
    };
    let within = |builder: &mut Builder, pass: Label, drop: Label| {
        builder.require(IF_GREATER_EQUAL, u32::from(low), drop);
        builder.branch(IF_GREATER, u32::from(high), drop, pass);
    };
    builder.bind(v4);
    builder.plain(LOAD_BYTE, 23);
    of_transport(builder);
    // Later fragments have no ports.
    let whole = builder.label();
    builder.plain(LOAD_HALF, 20);
    builder.branch(IF_ANY_BIT, 0x1fff, drop, whole);
    builder.bind(whole);
    builder.plain(LOAD_X_HEADER, 14);
    let offsets: &[u32] = sides(side, &[14], &[16], &[14, 16]);
    alternatives(builder, offsets, pass, drop, |builder, offset, pass, drop| {
        builder.plain(LOAD_HALF_INDIRECT, *offset);
        within(builder, pass, drop);
    });
    builder.bind(v6);
    builder.plain(LOAD_BYTE, 20);
    of_transport(builder);
    let offsets: &[u32] = sides(side, &[54], &[56], &[54, 56]);
    alternatives(builder, offsets, pass, drop, |builder, offset, pass, drop| {
        builder.plain(LOAD_HALF, *offset);
        within(builder, pass, drop);
    });
}
