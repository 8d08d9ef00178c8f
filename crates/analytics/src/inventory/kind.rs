//! What kind of thing a device is, guessed from its facts, with a confidence and the reasons.
//!
//! Each rule that holds is a reason with a weight; independent reasons for one kind add up to
//! `1 − Π(1 − weight)`. The weights are judgement, not measurement. Below [`LEAST`] the answer is
//! "unknown": a wrong kind is worse than none.

use serde::{Deserialize, Serialize};

use super::facts::{DeviceFacts, HintKind, Part};

/// Confidence below which no kind is named.
pub(super) const LEAST: f64 = 0.35;
/// Reasons kept.
const MAX_REASONS: usize = 6;

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Not known.
    Unknown,
    /// Camera or video doorbell.
    Camera,
    /// Door lock.
    Lock,
    /// Bridge of other small devices.
    Hub,
    /// Lamp.
    Light,
    /// Switched socket or switch.
    Plug,
    /// Sensor, scale, thermostat, weather station.
    Sensor,
    /// Loudspeaker or voice assistant.
    Speaker,
    /// Television or media player.
    Television,
    /// Printer.
    Printer,
    /// Telephone or tablet.
    Phone,
    /// Workplace computer.
    Computer,
    /// Server.
    Server,
    /// Router, access point or firewall.
    Router,
    /// Programmable controller or remote terminal unit.
    Plc,
    /// Control centre, operator station or gateway that commands machines.
    Controller,
    /// Protection relay or other intelligent electronic device of a substation.
    Ied,
    /// A small networked thing of a kind not known more closely.
    Embedded,
}

impl DeviceKind {
    /// In plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Camera => "camera",
            Self::Lock => "door lock",
            Self::Hub => "hub of small devices",
            Self::Light => "lamp",
            Self::Plug => "switch or socket",
            Self::Sensor => "sensor",
            Self::Speaker => "loudspeaker",
            Self::Television => "television or media player",
            Self::Printer => "printer",
            Self::Phone => "telephone or tablet",
            Self::Computer => "computer",
            Self::Server => "server",
            Self::Router => "router",
            Self::Plc => "PLC or RTU",
            Self::Controller => "control station",
            Self::Ied => "protection relay (IED)",
            Self::Embedded => "small embedded device",
        }
    }
}

/// Why a kind was guessed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    /// In plain words.
    pub text: String,
    /// How much it says, 0 to 1.
    pub weight: f64,
}

/// A guess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindGuess {
    /// The kind.
    pub kind: DeviceKind,
    /// How sure, 0 to 1.
    pub confidence: f64,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
}

use DeviceKind as K;

/// Words in names, hints and makers that tell a kind. Longer words stand first where one contains
/// another.
const WORDS: &[(&str, DeviceKind, f64)] = &[
    ("doorbell", K::Camera, 0.6),
    ("webcam", K::Camera, 0.6),
    ("camera", K::Camera, 0.6),
    ("ipcam", K::Camera, 0.6),
    ("hikvision", K::Camera, 0.6),
    ("dahua", K::Camera, 0.6),
    ("axis communications", K::Camera, 0.6),
    ("digitalsecuritycamera", K::Camera, 0.9),
    ("_axis-video", K::Camera, 0.9),
    ("_rtsp", K::Camera, 0.5),
    ("deadbolt", K::Lock, 0.6),
    ("doorlock", K::Lock, 0.6),
    ("smartlock", K::Lock, 0.6),
    ("lock", K::Lock, 0.4),
    ("bridge", K::Hub, 0.4),
    ("gateway", K::Hub, 0.3),
    ("_hue", K::Hub, 0.8),
    ("hub", K::Hub, 0.4),
    ("bulb", K::Light, 0.6),
    ("lightify", K::Light, 0.5),
    ("lamp", K::Light, 0.4),
    ("smartplug", K::Plug, 0.6),
    ("plug", K::Plug, 0.5),
    ("socket", K::Plug, 0.4),
    ("switch", K::Plug, 0.35),
    ("belkin:device", K::Plug, 0.5),
    ("thermostat", K::Sensor, 0.6),
    ("weather", K::Sensor, 0.5),
    ("sensor", K::Sensor, 0.5),
    ("scale", K::Sensor, 0.35),
    ("smoke", K::Sensor, 0.4),
    ("sonos", K::Speaker, 0.7),
    ("zoneplayer", K::Speaker, 0.7),
    ("_spotify-connect", K::Speaker, 0.5),
    ("_raop", K::Speaker, 0.5),
    ("echo", K::Speaker, 0.35),
    ("_googlecast", K::Television, 0.6),
    ("mediarenderer", K::Television, 0.4),
    ("appletv", K::Television, 0.7),
    ("roku", K::Television, 0.7),
    ("bravia", K::Television, 0.7),
    ("_printer", K::Printer, 0.8),
    ("_ipp", K::Printer, 0.8),
    ("_pdl-datastream", K::Printer, 0.8),
    ("printer", K::Printer, 0.6),
    ("laserjet", K::Printer, 0.8),
    ("officejet", K::Printer, 0.8),
    ("iphone", K::Phone, 0.8),
    ("ipad", K::Phone, 0.8),
    ("android-dhcp", K::Phone, 0.7),
    ("android", K::Phone, 0.5),
    ("galaxy", K::Phone, 0.5),
    ("msft 5.0", K::Computer, 0.8),
    ("windows nt", K::Computer, 0.7),
    ("macintosh", K::Computer, 0.7),
    ("macbook", K::Computer, 0.8),
    ("laptop", K::Computer, 0.7),
    ("desktop-", K::Computer, 0.7),
    ("_workstation", K::Computer, 0.5),
    ("raspberry", K::Computer, 0.3),
    ("internetgatewaydevice", K::Router, 0.9),
    ("wandevice", K::Router, 0.8),
    ("mikrotik", K::Router, 0.5),
    ("fritz", K::Router, 0.5),
    ("siemens", K::Plc, 0.35),
    ("schneider", K::Plc, 0.35),
    ("rockwell", K::Plc, 0.5),
    ("allen-bradley", K::Plc, 0.5),
    ("beckhoff", K::Plc, 0.5),
    ("wago", K::Plc, 0.5),
    ("phoenix contact", K::Plc, 0.5),
    ("omron", K::Plc, 0.4),
    ("_hap", K::Embedded, 0.5),
    ("_miio", K::Embedded, 0.5),
    ("_matter", K::Embedded, 0.5),
    ("udhcp", K::Embedded, 0.4),
    ("espressif", K::Embedded, 0.5),
    ("esp_", K::Embedded, 0.5),
    ("tuya", K::Embedded, 0.5),
    ("lwip", K::Embedded, 0.4),
];

/// TCP ports of a service offered that tell a kind.
const PORTS: &[(u16, DeviceKind, f64, &str)] = &[
    (554, K::Camera, 0.5, "offers a video stream (RTSP)"),
    (9100, K::Printer, 0.7, "takes print jobs (port 9100)"),
    (631, K::Printer, 0.6, "takes print jobs (IPP)"),
    (515, K::Printer, 0.6, "takes print jobs (LPD)"),
    (8009, K::Television, 0.5, "takes casts (port 8009)"),
    (3389, K::Computer, 0.6, "offers a remote desktop"),
    (445, K::Computer, 0.4, "shares files (SMB)"),
];

/// Parts that tell a kind.
const PARTS: &[(Part, DeviceKind, f64, &str)] = &[
    (Part::GoosePublisher, K::Ied, 0.9, "publishes GOOSE messages"),
    (Part::Outstation, K::Plc, 0.8, "answers in an industrial protocol"),
    (Part::Controller, K::Controller, 0.8, "asks or commands machines in an industrial protocol"),
    (Part::Router, K::Router, 0.8, "hands on packets of many others"),
    (Part::DhcpServer, K::Router, 0.5, "gives addresses"),
    (Part::DnsServer, K::Router, 0.3, "answers names"),
    (Part::NtpServer, K::Server, 0.4, "gives time"),
];

/// Guesses the kind of a device. `maker` is the maker of its network interface, where known.
#[must_use]
pub fn guess(facts: &DeviceFacts, maker: Option<&str>) -> KindGuess {
    let mut reasons: Vec<(DeviceKind, Reason)> = Vec::new();
    let mut add = |kind, weight, text: String| reasons.push((kind, Reason { text, weight }));
    for (part, kind, weight, text) in PARTS {
        // A gateway that both asks and answers is first of all a station that commands.
        let weaker = *part == Part::Outstation && facts.plays(Part::Controller);
        if facts.plays(*part) {
            add(*kind, if weaker { weight / 2.0 } else { *weight }, (*text).to_owned());
        }
    }
    if facts.plays(Part::Outstation) && facts.protocols.iter().any(|name| name == "mms") {
        add(K::Ied, 0.85, "answers MMS requests".to_owned());
    }
    for (port, kind, weight, text) in PORTS {
        if facts.offers.iter().any(|offer| offer.value.transport == 6 && offer.value.port == *port)
        {
            add(*kind, *weight, (*text).to_owned());
        }
    }
    let texts = texts(facts, maker);
    for (what, text) in &texts {
        let lower = text.to_lowercase();
        if let Some((word, kind, weight)) =
            WORDS.iter().find(|(word, ..)| lower.contains(word)).copied()
        {
            add(
                kind,
                weight,
                format!("{what} \u{201c}{text}\u{201d} contains \u{201c}{word}\u{201d}"),
            );
        }
    }
    best(reasons)
}

/// What may contain a telling word, with what it is.
fn texts(facts: &DeviceFacts, maker: Option<&str>) -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> =
        facts.names.iter().map(|name| ("its name", name.value.1.clone())).collect();
    for hint in &facts.hints {
        let what = match hint.value.kind {
            HintKind::DhcpVendor => "its DHCP vendor class",
            HintKind::MdnsService => "its service",
            HintKind::SsdpTarget => "its UPnP kind",
            HintKind::SsdpServer => "its UPnP server",
            HintKind::UserAgent => "its user agent",
            HintKind::MqttClient => "its MQTT name",
            // Whom it asks for and how it encrypts says little about what it is.
            HintKind::DhcpParameters | HintKind::Ssh | HintKind::Ja4 | HintKind::ServerName => {
                continue;
            }
        };
        texts.push((what, hint.value.text.clone()));
    }
    texts.extend(maker.map(|maker| ("its maker", maker.to_owned())));
    // The same text twice is one reason.
    texts.sort();
    texts.dedup_by(|a, b| a.1 == b.1);
    texts
}

fn best(reasons: Vec<(DeviceKind, Reason)>) -> KindGuess {
    let mut kinds: Vec<(DeviceKind, f64)> = Vec::new();
    for (kind, reason) in &reasons {
        match kinds.iter_mut().find(|(known, _)| known == kind) {
            Some((_, against)) => *against *= 1.0 - reason.weight,
            None => kinds.push((*kind, 1.0 - reason.weight)),
        }
    }
    let winner = kinds.into_iter().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    match winner {
        Some((kind, against)) if 1.0 - against >= LEAST => {
            let of_kind = reasons.into_iter().filter(|(known, _)| *known == kind);
            let mut reasons: Vec<Reason> = of_kind.map(|(_, reason)| reason).collect();
            reasons.sort_by(|a, b| b.weight.total_cmp(&a.weight));
            reasons.truncate(MAX_REASONS);
            KindGuess { kind, confidence: 1.0 - against, reasons }
        }
        _ => KindGuess { kind: K::Unknown, confidence: 0.0, reasons: Vec::new() },
    }
}
