#![allow(clippy::unwrap_used)]

use ports::fake::FakePseudonymiser;
use proptest::prelude::*;

use super::*;
use crate::config::Config;

/// Keeps prefixes and moves every network away: flips the first bit.
pub(super) struct Flip;

impl Pseudonymiser for Flip {
    fn pseudonym(&self, _: &str, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) ^ (1 << 31)).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) ^ (1 << 127)).into()),
        }
    }
    fn original(&self, recipient: &str, pseudonym: IpAddr) -> IpAddr {
        self.pseudonym(recipient, pseudonym)
    }
    fn label(&self, recipient: &str, above: &str, label: &str) -> String {
        ports::fake::FakePseudonymiser.label(recipient, above, label)
    }
    fn original_label(&self, recipient: &str, above: &str, pseudonym: &str) -> Option<String> {
        ports::fake::FakePseudonymiser.original_label(recipient, above, pseudonym)
    }
}

fn own() -> Vec<Network> {
    Config::default().own_networks.iter().map(|text| Network::parse(text).unwrap()).collect()
}

fn check(text: &str, expect: &str) {
    let own = own();
    let got = Hiding::new(&own, &[], &Flip, "r").text(text);
    assert_eq!(got.as_deref().unwrap_or(text), expect, "{text}");
    assert_eq!(got.is_some(), text != expect, "told only when something changed");
}

#[test]
fn own_addresses_are_found_in_every_form() {
    check("10.0.0.1", "138.0.0.1");
    check("from 192.168.1.9:443, then 172.16.0.1.", "from 64.168.1.9:443, then 44.16.0.1.");
    check("[ipv4-addr:value = '10.1.2.3']", "[ipv4-addr:value = '138.1.2.3']");
    check("http://10.0.0.7/a?b=10.0.0.8", "http://138.0.0.7/a?b=138.0.0.8");
    check("010.000.000.001", "138.0.0.1");
    check("10[.]0[.]0[.]1 and 10(.)0(.)0(.)1", "138[.]0[.]0[.]1 and 138(.)0(.)0(.)1");
    check("10.0[.]0.1", "138.0[.]0.1");
    check("host10.0.0.1x", "host138.0.0.1x");
    check("1.10.0.0.1", "1.138.0.0.1");
    check("10.0.0.0/8 and 10.0.0.129/25", "138.0.0.0/8 and 138.0.0.128/25");
    check("fd00::1", "7d00::1");
    check("[fd00::1]:443 ip:fd00::2.", "[7d00::1]:443 ip:7d00::2.");
    check("fe80::1%eth0", "7e80::1%eth0");
    check("::ffff:10.0.0.1", "::ffff:138.0.0.1");
    check("64:ff9b::10.0.0.1", "64:ff9b::138.0.0.1");
    check("::1", "8000::1");
    check("FD00:0:0:0:0:0:0:1", "7d00::1");
    check("é10.0.0.1é", "é138.0.0.1é");
}

#[test]
fn what_is_no_own_address_stays() {
    for text in [
        "",
        "8.8.8.8 and 2001:db8::1",
        "2001:fd00::1",
        "version 10.0.0",
        "10.0.0.256",
        "10.0.0.1000",
        "12:31:12",
        "aa:bb:cc:dd:ee:ff",
        "10..0.0.1",
        "d41d8cd98f00b204e9800998ecf8427e",
    ] {
        check(text, text);
    }
}

#[test]
fn a_network_that_moves_onto_itself_is_told_apart_where_it_can_be() {
    let own = own();
    assert!(Hiding::new(&own, &[], &Flip, "r").apart);
    // the last bit flips: 10.0.0.0/8 stays where it is under every name
    let hiding = Hiding::new(&own, &[], &FakePseudonymiser, "r");
    assert!(!hiding.apart);
    assert_eq!(hiding.text("10.0.0.1").as_deref(), Some("10.0.0.0"));
}

/// A pseudonymiser whose first name moves 10/8 into 192.168/16's neighbourhood and the next ones away.
struct Named;

impl Pseudonymiser for Named {
    fn pseudonym(&self, recipient: &str, address: IpAddr) -> IpAddr {
        if recipient.contains('#') { Flip.pseudonym(recipient, address) } else { address }
    }
    fn original(&self, recipient: &str, pseudonym: IpAddr) -> IpAddr {
        self.pseudonym(recipient, pseudonym)
    }
    fn label(&self, recipient: &str, above: &str, label: &str) -> String {
        ports::fake::FakePseudonymiser.label(recipient, above, label)
    }
    fn original_label(&self, recipient: &str, above: &str, pseudonym: &str) -> Option<String> {
        ports::fake::FakePseudonymiser.original_label(recipient, above, pseudonym)
    }
}

#[test]
fn another_name_is_tried_until_networks_move_apart() {
    let own = own();
    let hiding = Hiding::new(&own, &[], &Named, "r");
    assert!(hiding.apart);
    assert_eq!(hiding.text("10.0.0.1").as_deref(), Some("138.0.0.1"));
}

#[test]
fn networks_are_read_and_told_apart() {
    let of = |text: &str| Network::parse(text);
    assert_eq!(of("10.1.2.3/8"), of("10.0.0.0/8"));
    assert!(of("10.0.0.0/33").is_none() && of("x").is_none() && of("10.0.0.0/-1").is_none());
    let all = of("0.0.0.0/0").unwrap();
    assert!(all.contains("255.1.1.1".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
    assert!(all.overlaps(&of("10.0.0.0/8").unwrap()) && !all.overlaps(&of("::/0").unwrap()));
    assert!(of("::1").unwrap().contains("::1".parse().unwrap()));
}

/// An own address in one of its forms.
fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("10.{a}.{b}.{c}")),
        any::<[u8; 2]>().prop_map(|[a, b]| format!("192.168.{a}.{b}")),
        any::<[u8; 2]>().prop_map(|[a, b]| format!("192[.]168[.]{a}[.]{b}")),
        any::<[u16; 3]>().prop_map(|[a, b, c]| format!("fd00:{a:x}::{b:x}:{c:x}")),
        any::<[u8; 2]>().prop_map(|[a, b]| format!("::ffff:172.16.{a}.{b}")),
    ]
}

proptest! {
    #[test]
    fn no_own_address_is_left_and_a_second_pass_changes_nothing(
        parts in prop::collection::vec((address(), "[ -~é]{0,6}[ ,;('=<]"), 1..5),
    ) {
        let own = own();
        let hiding = Hiding::new(&own, &[], &Flip, "r");
        let text: String = parts.iter().map(|(address, gap)| format!("{gap}{address} ")).collect();
        let out = hiding.text(&text).unwrap();
        for (address, _) in &parts {
            let whole = out.split([' ', ',', ';', '(', '\'', '=', '<']).any(|word| word == address);
            prop_assert!(!whole, "{} in {}", address, out);
        }
        prop_assert_eq!(hiding.text(&out), None);
    }

    #[test]
    fn any_text_is_read(text in ".{0,80}") {
        let own = own();
        let hiding = Hiding::new(&own, &[], &Flip, "r");
        if let Some(out) = hiding.text(&text) {
            prop_assert_eq!(hiding.text(&out), None);
        }
    }
}
