//! What kind of thing a device is, guessed from its facts, with a confidence and the reasons.
//!
//! Each rule that holds is a reason with a weight. Reasons from different sources for one kind add up
//! to `1 − Π(1 − weight)`; of one source the weightiest counts, for it only repeats itself. Kinds that
//! exclude each other are weighed by Dempster's rule (G. Shafer, *A Mathematical Theory of Evidence*,
//! 1976, chapter 3): with supports `s`, the belief in kind `i` is `sᵢ Π_{j≠i}(1 − sⱼ)`, divided by the
//! sum of that over all kinds and `Π(1 − sⱼ)`. The weights are judgement, not measurement. Below
//! [`LEAST`], or where another kind comes near, the answer is "unknown": a wrong kind is worse than
//! none.

mod behaviour;
mod makers;
mod stated;
mod words;

use serde::{Deserialize, Serialize};

use super::facts::{DeviceFacts, HintKind};

/// Confidence below which no kind is named.
pub(super) const LEAST: f64 = 0.35;
/// How many times the belief in the next kind the belief in a named kind has to be.
const LEAD: f64 = 2.0;
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
    /// Siren or alarm panel.
    Alarm,
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
    /// Whether it is a small networked thing: then [`Self::Embedded`] is not wrong, only vague.
    const fn is_thing(self) -> bool {
        use DeviceKind::{Alarm, Camera, Embedded, Hub, Light, Lock, Plug, Sensor, Speaker};
        matches!(self, Camera | Lock | Hub | Light | Plug | Sensor | Alarm | Speaker | Embedded)
    }

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
            Self::Alarm => "siren or alarm panel",
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

/// A rule that holds.
struct Found {
    kind: DeviceKind,
    /// Where the knowledge comes from; the same source twice is one reason.
    source: &'static str,
    reason: Reason,
}

impl Found {
    const fn new(kind: DeviceKind, weight: f64, source: &'static str, text: String) -> Self {
        Self { kind, source, reason: Reason { text, weight } }
    }
}

/// Guesses the kind of a device. `maker` is the maker of its network interface, where known.
#[must_use]
pub fn guess(facts: &DeviceFacts, maker: Option<&str>) -> KindGuess {
    let mut found: Vec<Found> = Vec::new();
    stated::look(facts, &mut found);
    let texts = texts(facts);
    for (what, text) in &texts {
        words::look(what, text, &mut found);
    }
    makers::series(maker, &texts, &mut found);
    if let Some(maker) = maker {
        makers::of(maker, &mut found);
    }
    behaviour::look(facts, &mut found);
    best(strongest(found))
}

/// What a device says of itself, with what it is.
fn texts(facts: &DeviceFacts) -> Vec<(&'static str, String)> {
    let mut texts: Vec<(&'static str, String)> =
        facts.names.iter().map(|name| ("its name", name.value.1.clone())).collect();
    for hint in &facts.hints {
        let what = match hint.value.kind {
            HintKind::DhcpVendor => "its DHCP vendor class",
            HintKind::ServiceName => "the name of its service",
            HintKind::Model => "the product it names",
            HintKind::SsdpServer => "its UPnP server",
            HintKind::SsdpTarget => "its UPnP kind",
            HintKind::UserAgent => "its user agent",
            HintKind::MqttClient => "its MQTT name",
            // Read by rules of their own, or of no use: how it encrypts is how its library does.
            HintKind::MdnsService
            | HintKind::HomekitCategory
            | HintKind::MatterType
            | HintKind::HttpPath
            | HintKind::DhcpParameters
            | HintKind::Ssh
            | HintKind::Ja4
            | HintKind::ServerName => continue,
        };
        texts.push((what, hint.value.text.clone()));
    }
    texts.sort();
    texts
}

/// Of each source and kind the weightiest reason.
fn strongest(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|a, b| b.reason.weight.total_cmp(&a.reason.weight));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if !kept.iter().any(|known| (known.kind, known.source) == (one.kind, one.source)) {
            kept.push(one);
        }
    }
    kept
}

/// Weighs the kinds. What says only "a small thing" speaks neither for nor against a closer kind;
/// where none stands out but all are things, it is a thing.
fn best(found: Vec<Found>) -> KindGuess {
    let closer = found.iter().filter(|one| one.kind != DeviceKind::Embedded);
    let vague = |kind: DeviceKind| if kind.is_thing() { DeviceKind::Embedded } else { kind };
    let winner = weigh(closer.map(|one| (one.kind, one.reason.weight)))
        .or_else(|| weigh(found.iter().map(|one| (vague(one.kind), one.reason.weight))));
    let Some((kind, confidence)) = winner else {
        return KindGuess { kind: DeviceKind::Unknown, confidence: 0.0, reasons: Vec::new() };
    };
    let supports =
        |one: &Found| one.kind == kind || (kind == DeviceKind::Embedded && one.kind.is_thing());
    let reasons = found.into_iter().filter(supports).map(|one| one.reason);
    KindGuess { kind, confidence, reasons: reasons.take(MAX_REASONS).collect() }
}

/// The kind that stands out, with the belief in it.
fn weigh(reasons: impl Iterator<Item = (DeviceKind, f64)>) -> Option<(DeviceKind, f64)> {
    // Per kind, what its reasons leave open: Π(1 − weight).
    let mut open: Vec<(DeviceKind, f64)> = Vec::new();
    for (kind, weight) in reasons {
        match open.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, left)) => *left *= 1.0 - weight,
            None => open.push((kind, 1.0 - weight)),
        }
    }
    let nothing: f64 = open.iter().map(|(_, left)| left).product();
    let alone = |left: f64| (1.0 - left) * nothing / left.max(f64::MIN_POSITIVE);
    let all = nothing + open.iter().map(|(_, left)| alone(*left)).sum::<f64>();
    let mut beliefs: Vec<(DeviceKind, f64)> =
        open.iter().map(|(kind, left)| (*kind, alone(*left) / all)).collect();
    beliefs.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let rival = beliefs.get(1).map_or(0.0, |(_, belief)| *belief);
    beliefs.first().copied().filter(|(_, belief)| *belief >= LEAST && *belief >= rival * LEAD)
}

#[cfg(test)]
mod tests;
