//! What a maker says of a kind: makers known on networks for one kind of device, and the names of
//! their series.
//!
//! Common knowledge of their catalogues, written down by us and surely incomplete. A maker of many
//! kinds says nothing; its series may. A series counts where the maker is named besides, by the
//! prefix of the MAC address or by the device itself.

use super::DeviceKind::{self, *};
use super::Found;

/// Beginning of the maker's name as the tables of the IEEE write it, in small letters.
const MAKERS: &[(&str, DeviceKind, f64)] = &[
    ("hikvision", Camera, 0.6),
    ("hangzhou hikvision", Camera, 0.6),
    ("zhejiang dahua", Camera, 0.6),
    ("dahua", Camera, 0.6),
    ("axis communications", Camera, 0.6),
    ("mobotix", Camera, 0.6),
    ("vivotek", Camera, 0.6),
    ("reolink", Camera, 0.6),
    ("hanwha techwin", Camera, 0.6),
    ("arlo", Camera, 0.5),
    ("ring llc", Camera, 0.5),
    ("nuki", Lock, 0.6),
    ("august home", Lock, 0.6),
    ("salto systems", Lock, 0.5),
    // Their lamps and sensors speak Zigbee or a radio of their own: what has a MAC address is the hub.
    ("philips lighting", Hub, 0.4),
    ("eq-3", Hub, 0.4),
    ("lutron", Hub, 0.4),
    ("smartthings", Hub, 0.5),
    ("telldus", Hub, 0.5),
    ("nanoleaf", Light, 0.6),
    ("wiz ", Light, 0.5),
    ("netatmo", Sensor, 0.4),
    ("withings", Sensor, 0.4),
    ("ecobee", Sensor, 0.5),
    ("vaisala", Sensor, 0.5),
    ("davis instruments", Sensor, 0.5),
    ("landis", Sensor, 0.4),
    ("sonos", Speaker, 0.7),
    ("bose", Speaker, 0.5),
    ("roku", Television, 0.7),
    ("vizio", Television, 0.6),
    ("brother industries", Printer, 0.6),
    ("lexmark", Printer, 0.6),
    ("routerboard", Router, 0.5),
    ("ubiquiti", Router, 0.4),
    ("ruckus", Router, 0.5),
    ("fortinet", Router, 0.6),
    ("check point", Router, 0.5),
    ("juniper networks", Router, 0.5),
    ("teltonika", Router, 0.4),
    ("sierra wireless", Router, 0.4),
    ("avm ", Router, 0.4),
    ("rockwell automation", Plc, 0.5),
    ("beckhoff", Plc, 0.5),
    ("wago", Plc, 0.5),
    ("phoenix contact", Plc, 0.4),
    ("siemens ag, industr", Plc, 0.35),
    ("schweitzer", Ied, 0.5),
    ("espressif", Embedded, 0.5),
    ("tuya", Embedded, 0.5),
    ("hi-flying", Embedded, 0.5),
    ("gainspan", Embedded, 0.5),
];

/// Brand, beginning of the model, kind.
const SERIES: &[(&str, &str, DeviceKind)] = &[
    ("d-link", "dcs-", Camera),
    ("d-link", "dsp-w", Plug),
    ("d-link", "dch-g", Hub),
    ("d-link", "dch-s1", Sensor),
    ("d-link", "dch-s2", Alarm),
    ("d-link", "dir-", Router),
    ("d-link", "dwr-", Router),
    ("edimax", "ic-", Camera),
    ("edimax", "sp-", Plug),
    ("edimax", "br-", Router),
    ("tp-link", "hs1", Plug),
    ("tp-link", "kp1", Plug),
    ("tp-link", "kl1", Light),
    ("tp-link", "lb1", Light),
    ("tp-link", "nc4", Camera),
    ("tp-link", "archer", Router),
    ("tp-link", "tl-wr", Router),
    ("trendnet", "tv-ip", Camera),
    ("hikvision", "ds-2", Camera),
    ("dahua", "ipc-", Camera),
    ("reolink", "rlc-", Camera),
    ("foscam", "fi9", Camera),
    ("philips", "bsb00", Hub),
    ("shelly", "shplg", Plug),
    ("shelly", "shellyplug", Plug),
    ("shelly", "shellybulb", Light),
    ("samsung", "sm-", Phone),
    ("siemens", "6es7", Plc),
    ("schneider", "bmx", Plc),
    ("rockwell", "1756-", Plc),
    ("rockwell", "1769-", Plc),
    ("allen-bradley", "1756-", Plc),
    ("wago", "750-8", Plc),
    ("schweitzer", "sel-", Ied),
    ("abb", "ref6", Ied),
];
/// A series says what a maker means by a name: nearly as good as the device's own word.
const SERIES_WEIGHT: f64 = 0.6;

/// What the maker of the network interface tells.
pub(super) fn of(maker: &str, found: &mut Vec<Found>) {
    let lower = maker.to_lowercase();
    if let Some((_, kind, weight)) = MAKERS.iter().find(|(name, ..)| lower.starts_with(name)) {
        let text = format!("its maker \u{201c}{maker}\u{201d} is known for this kind");
        found.push(Found::new(*kind, *weight, "maker", text));
    }
}

/// What the names of series tell, among what a device says of itself.
pub(super) fn series(maker: Option<&str>, texts: &[(&str, String)], found: &mut Vec<Found>) {
    let maker = maker.unwrap_or_default().to_lowercase();
    let lower: Vec<String> = texts.iter().map(|(_, text)| text.to_lowercase()).collect();
    for (brand, model, kind) in SERIES {
        if !maker.starts_with(brand) && !lower.iter().any(|text| text.contains(brand)) {
            continue;
        }
        let told = lower.iter().position(|text| {
            text.split([' ', ',', ';', '/', '(', ')', '_']).any(|word| word.starts_with(model))
        });
        if let Some((what, text)) = told.and_then(|place| texts.get(place)) {
            let text =
                format!("{what} \u{201c}{text}\u{201d} is of the series {}", model.to_uppercase());
            found.push(Found::new(*kind, SERIES_WEIGHT, "series", text));
        }
    }
}
