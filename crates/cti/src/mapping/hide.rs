//! Internal addresses out of what leaves the house: in fields and inside sentences.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::Finding;
use ports::Pseudonymiser;
use ports::pseudonyms::{self, Mac};

/// Replaces internal addresses for one recipient and remembers which.
pub(crate) struct Hide<'a> {
    with: &'a dyn Pseudonymiser,
    recipient: String,
    /// For IPv4 and for IPv6.
    names: [String; 2],
    seen: BTreeMap<IpAddr, IpAddr>,
}

/// Whether an address belongs to the house: private, link-local, shared or loopback.
pub(crate) fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private()
                || v4.is_link_local()
                || v4.is_loopback()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.to_ipv4_mapped().is_some_and(|v4| is_internal(v4.into()))
        }
    }
}

impl<'a> Hide<'a> {
    /// For a recipient, by its node id, with the names under which its pseudonyms are made: redaction gives it the same.
    pub(crate) fn new(with: &'a dyn Pseudonymiser, recipient: String, names: [String; 2]) -> Self {
        Self { with, recipient, names, seen: BTreeMap::new() }
    }

    /// How many different internal addresses were replaced.
    pub(crate) fn count(&self) -> usize {
        self.seen.len()
    }

    /// The address as the recipient sees it, and whether it was replaced.
    pub(crate) fn address(&mut self, address: IpAddr) -> (IpAddr, bool) {
        if !is_internal(address) {
            return (address, false);
        }
        let name = &self.names[usize::from(address.is_ipv6())];
        let pseudonym = self.with.pseudonym(name, address);
        self.seen.insert(address, pseudonym);
        (pseudonym, true)
    }

    /// A MAC address as the recipient sees it.
    fn mac(&self, mac: Mac) -> String {
        let hidden = pseudonyms::mac(self.with, &self.recipient, mac);
        hidden.map(|byte| format!("{byte:02x}")).join(":")
    }

    /// A sentence with every internal IP address and every MAC address in it replaced.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while !rest.is_empty() {
            let is_part = |c: char| c.is_ascii_hexdigit() || c == ':' || c == '.';
            let run = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            if run > 0 {
                out.push_str(&self.word(&rest[..run]));
                rest = &rest[run..];
            }
            let gap = rest.find(is_part).unwrap_or(rest.len());
            out.push_str(&rest[..gap]);
            rest = &rest[gap..];
        }
        out
    }

    /// One run of characters that may be an address, perhaps with a port or a full stop after it.
    fn word(&mut self, word: &str) -> String {
        let core = word.trim_end_matches(['.', ':']);
        let tail = &word[core.len()..];
        if let Some(mac) = parse_mac(core) {
            return format!("{}{tail}", self.mac(mac));
        }
        if let Ok(address) = core.parse::<IpAddr>() {
            return format!("{}{tail}", self.address(address).0);
        }
        if let Some((address, port)) = core.rsplit_once(':')
            && let Ok(address) = address.parse::<IpAddr>()
        {
            return format!("{}:{port}{tail}", self.address(address).0);
        }
        word.to_owned()
    }

    /// A finding as the recipient sees it.
    pub(crate) fn finding(&mut self, finding: &Finding) -> Finding {
        let mut hidden = finding.clone();
        hidden.device_name = self.text(&finding.device_name);
        hidden.device_address = self.text(&finding.device_address);
        hidden.device_mac = finding.device_mac.as_deref().map(|mac| self.text(mac));
        hidden.title = self.text(&finding.title);
        for reason in &mut hidden.why {
            reason.meaning = self.text(&reason.meaning);
        }
        for evidence in &mut hidden.evidence {
            evidence.peer = self.address(evidence.peer).0;
        }
        hidden
    }
}

fn parse_mac(text: &str) -> Option<Mac> {
    let mut mac = [0; 6];
    let mut pairs = text.split(':');
    for byte in &mut mac {
        let pair = pairs.next().filter(|pair| pair.len() == 2)?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    pairs.next().is_none().then_some(mac)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ports::fake::FakePseudonymiser;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(
            Hide::new(&FakePseudonymiser, "r".into(), ["r".into(), "r".into()]).text(text),
            expect
        );
    }

    #[test]
    fn internal_addresses_leave_sentences_and_others_stay() {
        check("192.168.100.113 tries 203.0.113.9:23.", "192.168.100.112 tries 203.0.113.9:23.");
        check("from 10.0.0.7:4711, 10.0.0.8-10.0.0.9", "from 10.0.0.6:4711, 10.0.0.9-10.0.0.8");
        check("fe80::2 and 2001:db8::1 at 12:31:12", "fe80::3 and 2001:db8::1 at 12:31:12");
        check("camera b8:27:eb:7d:6b:a6", "camera ba:27:eb:7d:6b:a7");
        check("10.0.0.0/24 is a decade: 1.5 faced", "10.0.0.1/24 is a decade: 1.5 faced");
    }

    proptest! {
        #[test]
        fn no_internal_address_survives(a: [u8; 2], before in "[ -~]{0,8}[ (=]", after in "[ ,)].{0,8}") {
            let address = std::net::Ipv4Addr::new(192, 168, a[0], a[1]);
            let mut hide = Hide::new(&FakePseudonymiser, "r".into(), ["r".into(), "r".into()]);
            let out = hide.text(&format!("{before}{address}{after}"));
            let real = address.to_string();
            prop_assert!(!out.contains(&real), "{}", out);
            prop_assert!(hide.count() >= 1);
        }

        #[test]
        fn text_without_addresses_is_untouched(text in "[g-zG-Z ,\u{e9}]{0,40}") {
            check(&text, &text);
        }
    }
}
