//! What a device does: whom it asks for, what it needs of DHCP, when and how much it sends.

use super::DeviceKind::{self, *};
use super::Found;
use super::words::{says, tokens};
use crate::inventory::facts::{DeviceFacts, HintKind, MAX_ASKED, Part, SPAN_US};

/// Clouds that serve one kind of device, by the end of their names.
const CLOUDS: &[(&str, DeviceKind, f64)] = &[
    ("immedia-semi.com", Camera, 0.5),
    ("iotcplatform.com", Camera, 0.4),
    ("ezvizlife.com", Camera, 0.5),
    ("hik-connect.com", Camera, 0.5),
    ("easy4ip.com", Camera, 0.5),
    ("xmeye.net", Camera, 0.5),
    ("wyzecam.com", Camera, 0.4),
    ("arlo.com", Camera, 0.5),
    ("ring.com", Camera, 0.4),
    ("nuki.io", Lock, 0.5),
    ("meethue.com", Hub, 0.4),
    ("lifx.co", Light, 0.5),
    ("ecobee.com", Sensor, 0.5),
    ("sonos.com", Speaker, 0.5),
    ("roku.com", Television, 0.5),
    ("hpeprint.com", Printer, 0.5),
    ("epsonconnect.com", Printer, 0.5),
];

/// Words in the names and paths a device asks for; general ones (server, gateway, light) are left out.
const ASKED_WORDS: &[(&str, DeviceKind, f64)] = &[
    ("camera", Camera, 0.35),
    ("ipcam", Camera, 0.35),
    ("doorbell", Camera, 0.4),
    ("smartlock", Lock, 0.4),
    ("bridge", Hub, 0.3),
    ("bulb", Light, 0.35),
    ("smartplug", Plug, 0.4),
    ("thermostat", Sensor, 0.4),
    ("scale", Sensor, 0.4),
    ("printer", Printer, 0.3),
];

/// From so many different names on, somebody browses: the names tell about the person.
const BROWSES: usize = MAX_ASKED * 3 / 4;
/// A sleeper was watched so long …
const WATCHED_US: i64 = 6 * 3_600_000_000;
/// … sent in at most this share of the spans …
const AWAKE: f64 = 0.02;
/// … in frames of at most this size on average, bytes.
const SMALL_FRAME: u64 = 250;
/// Spans of a stream that make video, and their least share of all spans.
const STREAMING_SPANS: u64 = 18;
const STREAMING_SHARE: f64 = 0.2;
/// Options of DHCP only a computer with a person asks for: LDAP (95), NetBIOS (44, 46), proxy (252).
const PROXY: u8 = 252;
const OF_A_PERSON: [u8; 3] = [95, 44, 46];
/// Options a small thing can do with: mask, router, name servers, host and domain name, broadcast,
/// time servers (RFC 2132).
const BARE: [u8; 7] = [1, 3, 6, 12, 15, 28, 42];

/// What the behaviour tells.
pub(super) fn look(facts: &DeviceFacts, found: &mut Vec<Found>) {
    asks(facts, found);
    needs(facts, found);
    sends(facts, found);
}

/// Names asked for: not those of a person who browses, nor of one who asks for others.
fn asks(facts: &DeviceFacts, found: &mut Vec<Found>) {
    let for_others = facts.plays(Part::Router) || facts.plays(Part::DnsServer);
    if for_others || facts.asked.len() >= BROWSES {
        return;
    }
    for asked in &facts.asked {
        let name = &asked.value.name;
        let of = |cloud: &str| {
            name.strip_suffix(cloud).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if let Some((_, kind, weight)) = CLOUDS.iter().find(|(cloud, ..)| of(cloud)) {
            let text = format!("asks for \u{201c}{name}\u{201d}, which serves this kind");
            found.push(Found::new(*kind, *weight, "cloud", text));
        }
        words("it asks for", name, found);
    }
    for hint in facts.hints.iter().filter(|hint| hint.value.kind == HintKind::HttpPath) {
        words("the path it asks for", &hint.value.text, found);
    }
}

fn words(what: &str, text: &str, found: &mut Vec<Found>) {
    let tokens = tokens(text);
    if let Some((word, kind, weight)) =
        ASKED_WORDS.iter().find(|(word, ..)| tokens.iter().any(|token| token == word))
    {
        found.push(Found::new(*kind, *weight, "asked word", says(what, text, word)));
    }
}

/// What it wants to know when it asks for an address.
fn needs(facts: &DeviceFacts, found: &mut Vec<Found>) {
    for hint in facts.hints.iter().filter(|hint| hint.value.kind == HintKind::DhcpParameters) {
        let list: Vec<u8> = hint.value.text.split(',').filter_map(|n| n.parse().ok()).collect();
        if list.contains(&PROXY) && OF_A_PERSON.iter().any(|option| list.contains(option)) {
            let text = "asks DHCP for a web proxy and a directory: a person works there";
            found.push(Found::new(Computer, 0.25, "needs", text.to_owned()));
        } else if !list.is_empty() && list.iter().all(|option| BARE.contains(option)) {
            let text = "asks DHCP for the bare needs only";
            found.push(Found::new(Embedded, 0.2, "needs", text.to_owned()));
        }
    }
}

/// The shape of its traffic.
fn sends(facts: &DeviceFacts, found: &mut Vec<Found>) {
    let sent = facts.sent;
    let watched_us = facts.last_us.saturating_sub(facts.first_us);
    if sent.frames == 0 || facts.plays(Part::Router) {
        return;
    }
    let awake = sent.spans as f64 * SPAN_US as f64 / watched_us.max(1) as f64;
    if watched_us >= WATCHED_US && awake <= AWAKE && sent.bytes / sent.frames <= SMALL_FRAME {
        let text = format!(
            "sleeps: sent in {:.1} % of the time, {} bytes a frame",
            awake * 100.0,
            sent.bytes / sent.frames
        );
        found.push(Found::new(Embedded, 0.4, "sleeps", text));
    }
    let share = sent.streaming as f64 / sent.spans.max(1) as f64;
    let browses = facts.asked.len() >= BROWSES;
    if sent.streaming >= STREAMING_SPANS && share >= STREAMING_SHARE && !browses {
        let text = format!(
            "sends as much as a video stream in {} of {} spans of ten seconds",
            sent.streaming, sent.spans
        );
        found.push(Found::new(Camera, 0.3, "streams", text));
    }
}
