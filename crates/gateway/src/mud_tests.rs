#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

/// The example of RFC 8520 §9, with its IPv6 access lists.
const EXAMPLE: &str = r#"{"ietf-mud:mud": {"mud-version": 1, "mud-url": "https://lighting.example.com/lightbulb2000",
 "last-update": "2019-01-28T11:20:51+01:00", "cache-validity": 48, "is-supported": true, "systeminfo": "The BMS Example Light Bulb",
 "from-device-policy": {"access-lists": {"access-list": [{"name": "mud-76100-v6fr"}]}},
 "to-device-policy": {"access-lists": {"access-list": [{"name": "mud-76100-v6to"}]}}},
 "ietf-access-control-list:acls": {"acl": [
  {"name": "mud-76100-v6to", "type": "ipv6-acl-type", "aces": {"ace": [{"name": "cl0-todev", "matches": {
    "ipv6": {"ietf-acldns:src-dnsname": "test.example.com", "protocol": 6},
    "tcp": {"ietf-mud:direction-initiated": "from-device", "source-port": {"operator": "eq", "port": 443}}},
    "actions": {"forwarding": "accept"}}]}},
  {"name": "mud-76100-v6fr", "type": "ipv6-acl-type", "aces": {"ace": [{"name": "cl0-frdev", "matches": {
    "ipv6": {"ietf-acldns:dst-dnsname": "test.example.com", "protocol": 6},
    "tcp": {"ietf-mud:direction-initiated": "from-device", "destination-port": {"operator": "eq", "port": 443}}},
    "actions": {"forwarding": "accept"}}]}}]}}"#;

fn meanings() -> Meanings {
    let mut meanings =
        Meanings { local: vec!["10.0.0.0/8".parse().unwrap()], ..Meanings::default() };
    let nets = vec!["2001:db8::7".parse().unwrap(), "192.0.2.7".parse().unwrap()];
    meanings.names.insert("test.example.com".into(), nets);
    meanings
}

#[test]
fn the_example_of_the_standard_is_one_service_and_the_defaults() {
    let mud = read(EXAMPLE.as_bytes(), &meanings()).unwrap();
    assert_eq!(mud.system, "The BMS Example Light Bulb");
    let service = AllowEntry {
        peer: "2001:db8::7".parse().unwrap(),
        protocol: Some(6),
        port: Some(443),
        local_port: None,
    };
    assert!(mud.entries.contains(&service), "{:?}", mud.entries);
    // Both directions say the same; DNS over UDP and TCP and NTP of the house are added (§4).
    assert_eq!(mud.entries.len(), 4, "{:?}", mud.entries);
    assert!(mud.left_out.is_empty());
}

#[test]
fn what_is_not_known_is_said_and_not_guessed() {
    let mud = read(EXAMPLE.as_bytes(), &Meanings::default()).unwrap();
    assert!(mud.entries.is_empty(), "no name, no way out: {:?}", mud.entries);
    assert_eq!(mud.left_out.len(), 2);
    assert!(mud.left_out[0].contains("test.example.com"), "{:?}", mud.left_out);
}

#[test]
fn files_that_are_not_what_they_say_are_refused_with_the_place() {
    for (text, word) in [
        ("{", "JSON"),
        ("{}", "ietf-mud:mud"),
        (r#"{"ietf-mud:mud": {"mud-version": 2}}"#, "version 1"),
        (
            r#"{"ietf-mud:mud": {"mud-version": 1, "from-device-policy": {"access-lists": {"access-list": [{"name": "x"}]}}}}"#,
            "'x'",
        ),
    ] {
        let error = read(text.as_bytes(), &Meanings::default()).unwrap_err();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn classes_and_ranges_are_what_somebody_said_they_are() {
    let file = |matches: &str| {
        format!(
            r#"{{"ietf-mud:mud": {{"mud-version": 1, "from-device-policy": {{"access-lists": {{"access-list": [{{"name": "a"}}]}}}}}},
 "ietf-access-control-list:acls": {{"acl": [{{"name": "a", "aces": {{"ace": [{{"name": "e", "matches": {matches}, "actions": {{"forwarding": "accept"}}}}]}}}}]}}}}"#
        )
    };
    let meanings =
        Meanings { controllers: vec!["10.1.0.5".parse().unwrap()], ..Meanings::default() };
    let controller = file(
        r#"{"ietf-mud:mud": {"my-controller": [null]}, "udp": {"destination-port": {"operator": "range", "lower-port": 5683, "upper-port": 5684}}}"#,
    );
    let mud = read(controller.as_bytes(), &meanings).unwrap();
    let ports: Vec<_> =
        mud.entries.iter().map(|entry| (entry.peer.to_string(), entry.port)).collect();
    assert_eq!(ports, [("10.1.0.5".to_owned(), Some(5_683)), ("10.1.0.5".to_owned(), Some(5_684))]);
    let wide = file(r#"{"tcp": {"destination-port": {"lower-port": 0, "upper-port": 65535}}}"#);
    assert!(read(wide.as_bytes(), &meanings).unwrap().left_out[0].contains("65535"));
    let other = file(r#"{"ietf-mud:mud": {"same-manufacturer": [null]}}"#);
    assert_eq!(read(other.as_bytes(), &meanings).unwrap().left_out.len(), 1);
}

proptest! {
    #[test]
    fn any_bytes_are_a_file_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, &meanings());
    }

    /// Pieces of the example cut out or exchanged: never a panic, never more than was asked for.
    #[test]
    fn damaged_files_do_no_harm(at in 0usize..900, length in 0usize..40, with in "[\\[\\]{}\":,a-z0-9]{0,6}") {
        let mut text = EXAMPLE.to_owned();
        let (at, end) = (at.min(text.len()), (at + length).min(text.len()));
        text.replace_range(at..end.max(at), &with);
        if let Ok(mud) = read(text.as_bytes(), &meanings()) {
            prop_assert!(mud.entries.len() <= 2 * MAX_ACES);
        }
    }
}
