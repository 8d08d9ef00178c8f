//! What a device states in the words of a standard: parts it plays, services it offers, types of
//! UPnP, DNS service discovery, HomeKit and Matter.

use super::DeviceKind::{self, *};
use super::Found;
use crate::inventory::facts::{DeviceFacts, HintKind, Part};

/// Parts that tell a kind.
const PARTS: &[(Part, DeviceKind, f64, &str)] = &[
    (Part::GoosePublisher, Ied, 0.9, "publishes GOOSE messages"),
    (Part::Controller, Controller, 0.8, "asks or commands machines in an industrial protocol"),
    (Part::Router, Router, 0.8, "hands on packets of many others"),
    (Part::DhcpServer, Router, 0.5, "gives addresses"),
    (Part::DnsServer, Router, 0.3, "answers names"),
    (Part::NtpServer, Server, 0.4, "gives time"),
];

/// TCP ports of a service offered that tell a kind.
const PORTS: &[(u16, DeviceKind, f64, &str)] = &[
    (554, Camera, 0.5, "offers a video stream (RTSP)"),
    (9100, Printer, 0.7, "takes print jobs (port 9100)"),
    (631, Printer, 0.6, "takes print jobs (IPP)"),
    (515, Printer, 0.6, "takes print jobs (LPD)"),
    (8009, Television, 0.4, "takes casts (port 8009)"),
    (8060, Television, 0.4, "takes remote control (port 8060)"),
    (62078, Phone, 0.6, "offers synchronisation of a telephone (port 62078)"),
    (3389, Computer, 0.6, "offers a remote desktop"),
    (445, Computer, 0.4, "shares files (SMB)"),
];

/// UPnP: what stands behind `:device:`, or whole where the standard knows no such part.
const UPNP: &[(&str, DeviceKind, f64)] = &[
    ("internetgatewaydevice", Router, 0.9),
    ("wandevice", Router, 0.8),
    ("wanconnectiondevice", Router, 0.8),
    ("wlanaccesspointdevice", Router, 0.8),
    ("digitalsecuritycamera", Camera, 0.9),
    ("networkcamera", Camera, 0.8),
    ("netcamsensor", Camera, 0.7),
    ("binarylight", Light, 0.7),
    ("dimmablelight", Light, 0.8),
    ("controllee", Plug, 0.7),
    ("lightswitch", Plug, 0.7),
    ("insight", Plug, 0.7),
    ("outdoor_plug", Plug, 0.8),
    ("hvac_system", Sensor, 0.5),
    ("sensormanagement", Sensor, 0.6),
    ("zoneplayer", Speaker, 0.9),
    ("mediarenderer", Television, 0.35),
    ("tvdevice", Television, 0.8),
    ("dial", Television, 0.5),
    ("mediaserver", Server, 0.35),
    ("printer", Printer, 0.9),
    ("printerbasic", Printer, 0.9),
    ("scanner", Printer, 0.5),
];

/// Services of DNS-SD (registry of RFC 6335), by their first label.
const SERVICES: &[(&str, DeviceKind, f64)] = &[
    ("_axis-video", Camera, 0.9),
    ("_psia", Camera, 0.8),
    ("_onvif", Camera, 0.8),
    ("_rtsp", Camera, 0.5),
    ("_hue", Hub, 0.8),
    ("_zigbee-gateway", Hub, 0.8),
    ("_deconz-http", Hub, 0.7),
    ("_lutron", Hub, 0.8),
    ("_leap", Hub, 0.6),
    ("_home-assistant", Hub, 0.6),
    ("_meshcop", Hub, 0.3),
    ("_nanoleafapi", Light, 0.9),
    ("_elg", Light, 0.7),
    ("_wled", Light, 0.8),
    ("_ecobee", Sensor, 0.7),
    ("_sonos", Speaker, 0.8),
    ("_soundtouch", Speaker, 0.9),
    ("_spotify-connect", Speaker, 0.4),
    ("_raop", Speaker, 0.3),
    ("_airplay", Television, 0.3),
    ("_googlecast", Television, 0.4),
    ("_androidtvremote2", Television, 0.8),
    ("_viziocast", Television, 0.8),
    ("_amzn-wplay", Television, 0.4),
    ("_printer", Printer, 0.8),
    ("_ipp", Printer, 0.8),
    ("_ipps", Printer, 0.8),
    ("_pdl-datastream", Printer, 0.8),
    ("_uscan", Printer, 0.5),
    ("_apple-mobdev2", Phone, 0.7),
    ("_afpovertcp", Computer, 0.4),
    ("_smb", Computer, 0.4),
    ("_rfb", Computer, 0.4),
    ("_workstation", Computer, 0.3),
    ("_adisk", Server, 0.5),
    ("_hap", Embedded, 0.5),
    ("_miio", Embedded, 0.5),
    ("_matter", Embedded, 0.5),
    ("_matterc", Embedded, 0.5),
    ("_esphomelib", Embedded, 0.6),
    ("_shelly", Embedded, 0.5),
];

/// Accessory categories (HomeKit Accessory Protocol Specification R2, table 12-3).
const HOMEKIT: &[(&[u32], DeviceKind, &str)] = &[
    (&[2], Hub, "bridge"),
    (&[5], Light, "lamp"),
    (&[6], Lock, "door lock"),
    (&[7], Plug, "outlet"),
    (&[8], Plug, "switch"),
    (&[9], Sensor, "thermostat"),
    (&[10], Sensor, "sensor"),
    (&[11], Alarm, "security system"),
    (&[17], Camera, "camera"),
    (&[18], Camera, "video doorbell"),
    (&[24, 31, 35, 36], Television, "television or its box"),
    (&[25, 26, 34], Speaker, "loudspeaker"),
    (&[16, 27, 33], Router, "router or access point"),
    (&[3, 4, 12, 13, 14, 15, 19, 20, 21, 22, 23, 28, 29, 30], Embedded, "appliance"),
];

/// Device types of Matter (Device Library 1.0), as `DT` tells them before the device is taken into use.
const MATTER: &[(&[u32], DeviceKind, &str)] = &[
    (&[0x000a], Lock, "door lock"),
    (&[0x000e], Hub, "aggregator"),
    (&[0x0100, 0x0101, 0x010c, 0x010d], Light, "lamp"),
    (&[0x0103, 0x0104, 0x0105, 0x010a, 0x010b], Plug, "switch or outlet"),
    (&[0x0015, 0x0106, 0x0107, 0x0302, 0x0305, 0x0306, 0x0307], Sensor, "sensor"),
    (&[0x0301], Sensor, "thermostat"),
    (&[0x0022], Speaker, "loudspeaker"),
    (&[0x0023, 0x0028], Television, "television or its box"),
];
/// A category in the words of a standard is as much as a device can say of itself.
const CATEGORY_WEIGHT: f64 = 0.9;

/// What the facts state.
pub(super) fn look(facts: &DeviceFacts, found: &mut Vec<Found>) {
    outstation(facts, found);
    for (_, kind, weight, text) in PARTS.iter().filter(|(part, ..)| facts.plays(*part)) {
        found.push(Found::new(*kind, *weight, text, (*text).to_owned()));
    }
    for (port, kind, weight, text) in PORTS {
        let is = |transport: u8, offered: u16| transport == 6 && offered == *port;
        if facts.offers.iter().any(|offer| is(offer.value.transport, offer.value.port)) {
            found.push(Found::new(*kind, *weight, text, (*text).to_owned()));
        }
    }
    for hint in &facts.hints {
        let text = &hint.value.text;
        match hint.value.kind {
            HintKind::SsdpTarget => upnp(text, found),
            HintKind::MdnsService => service(text, found),
            HintKind::HomekitCategory => category("HomeKit", HOMEKIT, text, found),
            HintKind::MatterType => category("Matter", MATTER, text, found),
            _ => {}
        }
    }
}

/// Who answers machines' requests: a relay where it speaks MMS, otherwise a controller of machines.
fn outstation(facts: &DeviceFacts, found: &mut Vec<Found>) {
    if !facts.plays(Part::Outstation) {
        return;
    }
    // A gateway that both asks and answers is first of all a station that commands.
    let share = if facts.plays(Part::Controller) { 0.5 } else { 1.0 };
    let (kind, weight, text) = if facts.protocols.iter().any(|name| name == "mms") {
        (Ied, 0.85, "answers MMS requests")
    } else {
        (Plc, 0.8, "answers in an industrial protocol")
    };
    found.push(Found::new(kind, weight * share, "outstation", text.to_owned()));
}

fn upnp(target: &str, found: &mut Vec<Found>) {
    let lower = target.to_lowercase();
    let mut parts = lower.split(':').rev();
    let last = parts.next().unwrap_or_default();
    // `urn:domain:device:Type:1`: the type stands before its version.
    let named = if last.parse::<u16>().is_ok() { parts.next().unwrap_or_default() } else { last };
    let known = UPNP.iter().find(|(name, ..)| *name == named).copied();
    // The same words name other things elsewhere: these are Belkin's.
    let of_belkin = match named {
        "bridge" => Some(("bridge", Hub, 0.7)),
        "sensor" => Some(("sensor", Sensor, 0.7)),
        "socket" => Some(("socket", Plug, 0.7)),
        _ => None,
    };
    let known = known.or(of_belkin.filter(|_| lower.contains("belkin")));
    if let Some((_, kind, weight)) = known {
        let text = format!("tells the UPnP kind \u{201c}{target}\u{201d}");
        found.push(Found::new(kind, weight, "word", text));
    }
}

fn service(service: &str, found: &mut Vec<Found>) {
    let lower = service.to_lowercase();
    let label = lower.split('.').next().unwrap_or_default();
    if let Some((_, kind, weight)) = SERVICES.iter().find(|(name, ..)| *name == label) {
        let text = format!("offers the service \u{201c}{service}\u{201d}");
        found.push(Found::new(*kind, *weight, "service", text));
    }
}

fn category(
    whose: &str,
    table: &[(&[u32], DeviceKind, &str)],
    number: &str,
    found: &mut Vec<Found>,
) {
    let Ok(number) = number.trim().parse::<u32>() else { return };
    if let Some((_, kind, words)) = table.iter().find(|(numbers, ..)| numbers.contains(&number)) {
        let text = format!("its {whose} category is {number} ({words})");
        found.push(Found::new(*kind, CATEGORY_WEIGHT, "category", text));
    }
}
