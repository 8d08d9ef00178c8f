//! What a device tells of itself in multicast DNS (RFC 6762, RFC 6763).

use protocols::app::message::Dns;
use protocols::app::message::dns::{Data, Entry, Name};

use super::device::Device;
use super::facts::{HintKind, NameSource};
use crate::host::Host;

/// Keys of text records under which makers write the model, in use since the services named.
const MODEL_KEYS: [&[u8]; 10] = [
    b"model",        // _device-info, Apple
    b"md",           // _hap, _googlecast
    b"ty",           // _ipp, printers
    b"product",      // _printer
    b"model_number", // _dhnap
    b"modelname",
    b"modelid", // _hue
    b"am",      // _raop
    b"usb_mdl", // printers
    b"devtype",
];
/// Fewest and most bytes of a text without a key that is taken as the name of a product.
const FREE_TEXT: std::ops::RangeInclusive<usize> = 5..=64;
/// Texts read of one record.
const MAX_TEXTS: usize = 32;

/// Notes its names and services; who only asks tells nothing.
pub(super) fn told(device: &mut Device, told: &Dns<'_>, at_us: i64) -> bool {
    if !told.is_response() {
        return false;
    }
    let own = device.facts.as_ref().map(|facts| facts.addresses.clone()).unwrap_or_default();
    let mut changed = false;
    for (name, address) in told.hosts() {
        if own.iter().any(|known| known.value == Host::from(address)) {
            changed |= device.name(NameSource::Mdns, name.to_string().as_bytes(), at_us);
        }
    }
    for (kind, instance) in told.services() {
        changed |= device.hint(HintKind::MdnsService, kind.to_string().as_bytes(), at_us);
        // Under this name services are listed, not offered (RFC 6763, 9).
        if !kind.is("_services._dns-sd._udp.local") {
            let name = instance.labels().next().unwrap_or_default();
            changed |= device.hint(HintKind::ServiceName, name, at_us);
        }
    }
    for entry in told.entries() {
        if matches!(entry.data(), Data::Txt(_)) {
            changed |= texts(device, &entry, at_us);
        }
    }
    changed
}

/// What a text record says of model and kind.
fn texts(device: &mut Device, entry: &Entry<'_>, at_us: i64) -> bool {
    let service = service(&entry.name);
    let mut changed = false;
    for text in entry.texts().take(MAX_TEXTS) {
        let Some(equals) = text.iter().position(|byte| *byte == b'=') else {
            let letters = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
            if FREE_TEXT.contains(&text.len()) && letters * 2 > text.len() {
                changed |= device.hint(HintKind::Model, text, at_us);
            }
            continue;
        };
        let (key, value) = (&text[..equals], &text[equals + 1..]);
        let kind = match &*service {
            b"_hap" if key.eq_ignore_ascii_case(b"ci") => HintKind::HomekitCategory,
            b"_matter" | b"_matterc" if key.eq_ignore_ascii_case(b"dt") => HintKind::MatterType,
            _ if MODEL_KEYS.iter().any(|known| known.eq_ignore_ascii_case(key)) => HintKind::Model,
            _ => continue,
        };
        changed |= device.hint(kind, value, at_us);
    }
    changed
}

/// The service of an instance: its first label that begins with `_`, in small letters.
fn service(name: &Name<'_>) -> Vec<u8> {
    let found = name.labels().find(|label| label.starts_with(b"_"));
    found.unwrap_or_default().to_ascii_lowercase()
}
