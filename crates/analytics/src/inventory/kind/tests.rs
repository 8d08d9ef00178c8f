#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;
use crate::inventory::facts::{Asked, AskedBy, Dated, Hint, MAX_ASKED, NameSource, Part, Sent};
use crate::inventory::tests::nobody;

fn dated<T>(value: T) -> Dated<T> {
    Dated { value, first_us: 0, last_us: 0 }
}

fn hinting(hints: &[(HintKind, &str)]) -> DeviceFacts {
    let mut facts = nobody();
    let hint = |(kind, text): &(HintKind, &str)| dated(Hint { kind: *kind, text: (*text).into() });
    facts.hints = hints.iter().map(hint).collect();
    facts
}

#[test]
fn the_words_of_standards_tell_the_kind() {
    use HintKind::{DhcpVendor, HomekitCategory, MatterType, MdnsService, Model, SsdpTarget};
    for (hints, kind) in [
        (vec![(MdnsService, "_hap._tcp.local")], DeviceKind::Embedded),
        (vec![(MdnsService, "_hap._tcp.local"), (HomekitCategory, "2")], DeviceKind::Hub),
        (vec![(HomekitCategory, "6")], DeviceKind::Lock),
        (vec![(HomekitCategory, "4711")], DeviceKind::Unknown),
        (vec![(HomekitCategory, "\u{fffd}6")], DeviceKind::Unknown),
        (vec![(MatterType, "266")], DeviceKind::Plug),
        (vec![(SsdpTarget, "urn:Belkin:device:controllee:1")], DeviceKind::Plug),
        (vec![(SsdpTarget, "urn:Belkin:device:bridge:1")], DeviceKind::Hub),
        (vec![(SsdpTarget, "urn:x:device:bridge:1")], DeviceKind::Hub),
        (vec![(SsdpTarget, "urn:schemas-upnp-org:device:MediaRenderer:1")], DeviceKind::Television),
        (vec![(SsdpTarget, "urn:schemas-upnp-org:device:Basic:1")], DeviceKind::Unknown),
        (vec![(Model, "D-Link DCS-5020L")], DeviceKind::Camera),
        (vec![(Model, "DCS-5020L")], DeviceKind::Unknown),
        (vec![(DhcpVendor, "udhcp 1.22.1")], DeviceKind::Embedded),
        (vec![(DhcpVendor, "MSFT 5.0")], DeviceKind::Computer),
    ] {
        assert_eq!(guess(&hinting(&hints), None).kind, kind, "{hints:?}");
    }
    assert_eq!(
        guess(&hinting(&[(Model, "DCS-5020L")]), Some("D-Link International")).kind,
        DeviceKind::Camera
    );
}

#[test]
fn kinds_that_exclude_each_other_leave_only_what_they_share() {
    let named = |names: &[&str]| {
        let mut facts = nobody();
        facts.names = names.iter().map(|name| dated((NameSource::Dhcp, (*name).into()))).collect();
        guess(&facts, None)
    };
    assert_eq!(named(&["yard-camera"]).kind, DeviceKind::Camera);
    // Two names of one source are one reason.
    assert_eq!(named(&["yard-camera", "yard-camera-2"]), named(&["yard-camera"]));
    assert_eq!(named(&["yard-camera", "plug"]).kind, DeviceKind::Embedded);
    assert_eq!(named(&["yard-camera", "printer"]).kind, DeviceKind::Unknown);
}

#[test]
fn names_asked_for_tell_nothing_of_who_browses_or_asks_for_others() {
    let asking = |count: usize| {
        let mut facts = nobody();
        let name = |n: usize| Asked { by: AskedBy::Dns, name: format!("n{n}.meethue.com") };
        facts.asked = (0..count).map(|n| dated(name(n))).collect();
        facts
    };
    assert_eq!(guess(&asking(3), None).kind, DeviceKind::Hub);
    assert_eq!(guess(&asking(MAX_ASKED), None).kind, DeviceKind::Unknown);
    let mut resolver = asking(3);
    resolver.parts = vec![Part::DnsServer];
    assert_eq!(guess(&resolver, None).kind, DeviceKind::Unknown);
    let mut other = asking(0);
    other.asked = vec![dated(Asked { by: AskedBy::Tls, name: "notmeethue.com".into() })];
    assert_eq!(guess(&other, None).kind, DeviceKind::Unknown);
}

#[test]
fn the_shape_of_traffic_is_a_weak_reason() {
    let mut sleeper = nobody();
    sleeper.last_us = 48 * 3_600_000_000;
    sleeper.sent = Sent { frames: 2_000, bytes: 200_000, spans: 100, streaming: 0 };
    assert_eq!(guess(&sleeper, None).kind, DeviceKind::Embedded);
    sleeper.sent.spans = 10_000;
    assert_eq!(guess(&sleeper, None).kind, DeviceKind::Unknown);
    // Video alone could as well be a backup.
    sleeper.sent = Sent { frames: 900_000, bytes: 900_000_000, spans: 400, streaming: 300 };
    assert_eq!(guess(&sleeper, None).kind, DeviceKind::Unknown);
    sleeper.names.push(dated((NameSource::Dhcp, "cam".into())));
    let sure = guess(&sleeper, None);
    assert_eq!((sure.kind, sure.reasons.len()), (DeviceKind::Camera, 2));
}

proptest! {
    /// Whatever the reasons: a belief is between 0 and 1, a named kind reaches the least, and one
    /// more reason for it never lowers it.
    #[test]
    fn beliefs_are_beliefs(reasons in proptest::collection::vec((0usize..6, 0.05f64..0.95), 0..12)) {
        const KINDS: [DeviceKind; 6] = [
            DeviceKind::Camera, DeviceKind::Plug, DeviceKind::Printer,
            DeviceKind::Router, DeviceKind::Plc, DeviceKind::Embedded,
        ];
        let all: Vec<_> = reasons.iter().map(|(kind, weight)| (KINDS[*kind], *weight)).collect();
        if let Some((kind, belief)) = weigh(all.iter().copied()) {
            prop_assert!((LEAST..=1.0).contains(&belief), "{belief}");
            let more = weigh(all.iter().copied().chain([(kind, 0.3)])).unwrap();
            prop_assert_eq!(more.0, kind);
            prop_assert!(more.1 >= belief - 1e-12);
        }
    }
}
