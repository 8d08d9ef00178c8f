#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;
use crate::value::{Kind, Observable};

fn list(name: &str, matching: Matching, entries: &[&str]) -> Warninglist {
    Warninglist {
        name: name.into(),
        description: String::new(),
        version: 1,
        matching,
        matching_attributes: Vec::new(),
        list: entries.iter().map(|entry| (*entry).to_owned()).collect(),
    }
}

fn hits<'a>(matcher: &'a Matcher, text: &str) -> Vec<&'a str> {
    let observable = Observable::classify(text).unwrap();
    matcher.lists(&observable).into_iter().map(|list| matcher.name(list)).collect()
}

#[test]
fn every_kind_of_list() {
    let lists = [
        list("exact", Matching::String, &["Google.com", ".microsoft.com"]),
        list("hosts", Matching::Hostname, &[".bank.example", "dns.example"]),
        list("nets", Matching::Cidr, &["10.0.0.0/8", "10.1.0.0/16", "2001:DB8::/32", "192.0.2.1"]),
        list("inner", Matching::Cidr, &["10.1.2.0/24", "nonsense"]),
        list("parts", Matching::Substring, &["mail"]),
        list("expressions", Matching::Regex, &["/^(noc|abuse)\\@.*$/i", "/(/"]),
    ];
    let (matcher, left_out) = Matcher::new(&lists).unwrap();
    let told: Vec<&str> = left_out.iter().map(|left| left.entry.as_str()).collect();
    assert_eq!(told, ["nonsense", "/(/"]);
    let none: [&str; 0] = [];
    assert_eq!(hits(&matcher, "google.com"), ["exact"]);
    assert_eq!(hits(&matcher, "www.google.com"), none);
    assert_eq!(hits(&matcher, "www.microsoft.com"), ["exact"]);
    assert_eq!(hits(&matcher, "a.bank.example"), ["hosts"]);
    assert_eq!(hits(&matcher, "notbank.example"), none);
    assert_eq!(hits(&matcher, "https://dns.example:444/x"), ["hosts"]);
    assert_eq!(hits(&matcher, "10.1.2.3"), ["nets", "inner"]);
    assert_eq!(hits(&matcher, "10.1.3.3"), ["nets"]);
    assert_eq!(hits(&matcher, "10.255.255.255"), ["nets"]);
    assert_eq!(hits(&matcher, "11.0.0.0"), none);
    assert_eq!(hits(&matcher, "10.1.2.128/25"), ["nets", "inner"]);
    assert_eq!(hits(&matcher, "10.1.2.0/23"), ["nets"]);
    assert_eq!(hits(&matcher, "http://10.1.2.3/"), ["nets", "inner"]);
    assert_eq!(hits(&matcher, "[2001:db8::5]:80"), ["nets"]);
    assert_eq!(hits(&matcher, "x.Mail.org"), ["parts"]);
    assert_eq!(hits(&matcher, "NOC@x.org"), ["expressions"]);
}

#[test]
fn attributes_say_for_which_kinds() {
    let mut only = list("hashes", Matching::String, &["d41d8cd98f00b204e9800998ecf8427e", "a.org"]);
    only.matching_attributes = vec!["md5".into(), "filename|md5".into()];
    let mut phones = list("phones", Matching::Regex, &["/5/"]);
    phones.matching_attributes = vec!["phone-number".into()];
    let (matcher, left_out) = Matcher::new(&[only, phones]).unwrap();
    assert_eq!(hits(&matcher, "D41D8CD98F00B204E9800998ECF8427E"), ["hashes"]);
    assert!(hits(&matcher, "a.org").is_empty());
    assert_eq!((left_out.len(), left_out[0].list), (1, 1));
}

#[test]
fn the_shipped_selection_answers() {
    let (matcher, left_out) = Matcher::new(&shipped().unwrap()).unwrap();
    assert!(matcher.len() >= 40, "{} lists", matcher.len());
    assert!(left_out.len() < 20, "{left_out:?}");
    for (value, part) in [
        ("8.8.8.8", "public DNS"),
        ("192.168.1.1", "RFC 1918"),
        ("d41d8cd98f00b204e9800998ecf8427e", "empty files"),
        ("google.com", "1000"),
        ("example.com", "6761"),
        ("104.16.1.1", "Cloudflare"),
    ] {
        let names = hits(&matcher, value);
        assert!(
            names.iter().any(|name| name.to_lowercase().contains(&part.to_lowercase())),
            "{value}: {names:?}"
        );
    }
    assert!(hits(&matcher, "45.155.205.233").is_empty());
}

fn naive(nets: &[(u32, u8)], ip: u32) -> Vec<u16> {
    let mask = |length: u8| u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
    let holds = |(net, length): &(u32, u8)| (net ^ ip) & mask(*length) == 0;
    let found = nets.iter().enumerate().filter(|(_, net)| holds(net));
    found.map(|(at, _)| u16::try_from(at).unwrap()).collect()
}

proptest! {
    #[test]
    fn ranges_agree_with_looking_at_every_network(
        nets in prop::collection::vec((any::<u32>().prop_map(|n| n & 0xf0f0_f0ff), 0_u8..=32), 0..40),
        asked in prop::collection::vec(any::<u32>().prop_map(|n| n & 0xf0f0_f0ff), 0..20),
    ) {
        let text = |(net, length): &(u32, u8)| {
            format!("{}/{length}", std::net::Ipv4Addr::from(*net))
        };
        let lists: Vec<_> =
            nets.iter().map(|net| list("n", Matching::Cidr, &[&text(net)])).collect();
        let (matcher, _) = Matcher::new(&lists).unwrap();
        let edges = nets.iter().map(|net| net.0);
        for ip in asked.into_iter().chain(edges) {
            let address = std::net::Ipv4Addr::from(ip).to_string();
            let observable = Observable::of_kind(Kind::Ipv4, &address).unwrap();
            prop_assert_eq!(matcher.lists(&observable), naive(&nets, ip));
        }
    }
}
