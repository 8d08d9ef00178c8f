//! Words in names and products that tell a kind.
//!
//! A text is taken apart where letters end, where a capital follows a small letter, and at digits:
//! `clock` is no lock and `upscale` no scale. People name devices in their own language; a few words
//! of the neighbours are there.

use super::DeviceKind::{self, *};
use super::Found;

/// How a word has to stand in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    /// Alone.
    Alone,
    /// At the end of a word.
    Last,
    /// Anywhere in a word: long words that are part of no other.
    Within,
}
use Stands::{Alone, Last, Within};

const WORDS: &[(&str, Stands, DeviceKind, f64)] = &[
    ("doorbell", Within, Camera, 0.6),
    ("camera", Within, Camera, 0.6),
    ("kamera", Within, Camera, 0.6),
    ("camara", Within, Camera, 0.6),
    ("cam", Last, Camera, 0.5),
    ("deadbolt", Within, Lock, 0.6),
    ("doorlock", Within, Lock, 0.6),
    ("smartlock", Within, Lock, 0.6),
    ("schlage", Within, Lock, 0.6),
    ("kwikset", Within, Lock, 0.6),
    ("nuki", Alone, Lock, 0.5),
    ("lock", Alone, Lock, 0.4),
    ("bridge", Last, Hub, 0.4),
    ("hub", Alone, Hub, 0.45),
    ("gateway", Within, Hub, 0.3),
    ("bulb", Last, Light, 0.6),
    ("lamp", Last, Light, 0.5),
    ("lampe", Last, Light, 0.5),
    ("dimmer", Within, Light, 0.4),
    ("lightstrip", Within, Light, 0.6),
    ("plug", Last, Plug, 0.5),
    ("outlet", Alone, Plug, 0.5),
    ("enchufe", Alone, Plug, 0.5),
    ("steckdose", Within, Plug, 0.6),
    ("socket", Alone, Plug, 0.35),
    ("switch", Alone, Plug, 0.3),
    ("thermostat", Within, Sensor, 0.6),
    ("weatherstation", Within, Sensor, 0.6),
    ("weather", Alone, Sensor, 0.4),
    ("sensor", Last, Sensor, 0.5),
    ("detector", Last, Sensor, 0.4),
    ("scale", Alone, Sensor, 0.4),
    ("meter", Alone, Sensor, 0.4),
    ("siren", Last, Alarm, 0.6),
    ("sirene", Last, Alarm, 0.6),
    ("alarm", Alone, Alarm, 0.4),
    ("zoneplayer", Within, Speaker, 0.7),
    ("sonos", Within, Speaker, 0.7),
    ("homepod", Within, Speaker, 0.7),
    ("soundbar", Within, Speaker, 0.6),
    ("soundtouch", Within, Speaker, 0.7),
    ("loudspeaker", Within, Speaker, 0.6),
    ("speaker", Last, Speaker, 0.5),
    ("echo", Alone, Speaker, 0.35),
    ("chromecast", Within, Television, 0.7),
    ("appletv", Within, Television, 0.7),
    ("bravia", Within, Television, 0.7),
    ("roku", Alone, Television, 0.7),
    ("tv", Last, Television, 0.4),
    ("laserjet", Within, Printer, 0.8),
    ("officejet", Within, Printer, 0.8),
    ("printer", Within, Printer, 0.6),
    ("drucker", Within, Printer, 0.6),
    ("impresora", Within, Printer, 0.6),
    ("imprimante", Within, Printer, 0.6),
    ("iphone", Within, Phone, 0.8),
    ("ipad", Alone, Phone, 0.8),
    ("android", Alone, Phone, 0.5),
    ("galaxy", Alone, Phone, 0.4),
    ("macbook", Within, Computer, 0.8),
    ("imac", Alone, Computer, 0.7),
    ("macintosh", Within, Computer, 0.7),
    ("laptop", Within, Computer, 0.7),
    ("desktop", Alone, Computer, 0.6),
    ("raspberry", Alone, Computer, 0.3),
    ("nas", Alone, Server, 0.4),
    ("server", Last, Server, 0.3),
    ("router", Last, Router, 0.5),
    ("firewall", Within, Router, 0.6),
    ("mikrotik", Within, Router, 0.5),
    ("plc", Alone, Plc, 0.6),
    ("rtu", Alone, Plc, 0.6),
    ("hmi", Alone, Controller, 0.5),
    ("scada", Alone, Controller, 0.5),
];

/// Texts of programs that tell a kind wherever they stand.
const PROGRAMS: &[(&str, DeviceKind, f64)] = &[
    ("msft 5.0", Computer, 0.7),
    ("windows nt", Computer, 0.7),
    ("android-dhcp", Phone, 0.5),
    ("udhcp", Embedded, 0.4),
    ("espressif", Embedded, 0.5),
    ("esp_", Embedded, 0.5),
    ("tuya", Embedded, 0.5),
    ("lwip", Embedded, 0.4),
];

/// What the words of a text tell: the weightiest word, and the weightiest program.
pub(super) fn look(what: &str, text: &str, found: &mut Vec<Found>) {
    let tokens = tokens(text);
    let words = WORDS.iter().filter(|(word, stands, ..)| {
        tokens.iter().any(|token| match stands {
            Alone => token == word,
            Last => token.ends_with(word),
            Within => token.contains(word),
        })
    });
    if let Some((word, _, kind, weight)) = words.max_by(|a, b| a.3.total_cmp(&b.3)) {
        found.push(Found::new(*kind, *weight, "word", says(what, text, word)));
    }
    let lower = text.to_lowercase();
    let programs = PROGRAMS.iter().filter(|(program, ..)| lower.contains(program));
    if let Some((program, kind, weight)) = programs.max_by(|a, b| a.2.total_cmp(&b.2)) {
        found.push(Found::new(*kind, *weight, "program", says(what, text, program)));
    }
}

pub(super) fn says(what: &str, text: &str, word: &str) -> String {
    format!("{what} \u{201c}{text}\u{201d} contains \u{201c}{word}\u{201d}")
}

/// The words of a text, in small letters.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let mut tokens = vec![String::new()];
    let mut before = ' ';
    for letter in text.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase()) {
            tokens.push(String::new());
        }
        if letter.is_alphabetic()
            && let Some(token) = tokens.last_mut()
        {
            token.extend(letter.to_lowercase());
        }
        before = letter;
    }
    tokens.retain(|token| !token.is_empty());
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_alone_unless_they_are_long() {
        assert_eq!(tokens("NetworkCamera-2b LaserJet"), ["network", "camera", "b", "laser", "jet"]);
        for (text, kind) in [
            ("wall-clock", None),
            ("upscaler", None),
            ("iotcam5b0e.local", Some(Camera)),
            ("IC-3115W Network Camera", Some(Camera)),
            ("Front Door Lock", Some(Lock)),
            ("IpBridge/1.9.0", Some(Hub)),
            ("HP LASERJET 400", Some(Printer)),
            ("MSFT 5.0", Some(Computer)),
        ] {
            let mut found = Vec::new();
            look("x", text, &mut found);
            assert_eq!(found.first().map(|found| found.kind), kind, "{text}");
        }
    }
}
