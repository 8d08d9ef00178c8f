//! Laws of versioning (STIX 2.1 §3.6).

use proptest::prelude::*;
use serde_json::{Value, json};
use stix::version::{Relation, VersionError, check_successor, compare, newest, revoke};
use stix::{Object, Timestamp};

fn tool(modified_ms: i64, name: &str, revoked: bool) -> Object {
    let at = |ms: i64| Timestamp::from_unix_us(ms * 1_000).to_string();
    let mut value = json!({"type": "tool", "spec_version": "2.1",
        "id": "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", "name": name,
        "created": at(0), "modified": at(modified_ms)});
    if revoked {
        value["revoked"] = json!(true);
    }
    Object::from_value(value).unwrap()
}

fn with(object: &Object, name: &str, value: Value) -> Object {
    let mut map = object.properties().clone();
    map.insert(name.to_owned(), value);
    Object::from_map(map)
}

#[test]
fn each_rule_is_named() {
    let (one, two) = (tool(1, "a", false), tool(2, "a", false));
    assert_eq!(check_successor(&one, &two), Ok(()));
    let foreign =
        with(&two, "created_by_ref", json!("identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"));
    let later_born = with(&two, "created", json!("1970-01-01T00:00:00.001Z"));
    let other = with(&two, "id", json!("tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3e"));
    for (current, next, error) in [
        (&one, &foreign, VersionError::Creator),
        (&one, &later_born, VersionError::Created),
        (&one, &other, VersionError::Identity),
        (&two, &one, VersionError::NotLater),
        (&one, &one, VersionError::NotLater),
        (&tool(1, "a", true), &two, VersionError::Revoked),
    ] {
        assert_eq!(check_successor(current, next), Err(error));
    }
    let ip = stix::build::ipv4_addr([198, 51, 100, 3].into()).build();
    assert_eq!(check_successor(&ip, &ip), Err(VersionError::Unversioned));
}

#[test]
fn versions_are_told_apart_to_the_last_digit() {
    let older = with(&tool(1, "a", false), "modified", json!("1970-01-01T00:00:01.00000001Z"));
    let newer = with(&older, "modified", json!("1970-01-01T00:00:01.0000000100001Z"));
    assert_eq!(compare(&older, &newer), Relation::Older);
    assert_eq!(check_successor(&older, &newer), Ok(()));
    assert_eq!(newest([&newer, &older]), Some(&newer));
}

proptest! {
    #[test]
    fn comparing_is_antisymmetric(a in 0..5_i64, b in 0..5_i64, x in "[ab]", y in "[ab]") {
        let (a, b) = (tool(a, &x, false), tool(b, &y, false));
        let turned = match compare(&a, &b) {
            Relation::Older => Relation::Newer,
            Relation::Newer => Relation::Older,
            same => same,
        };
        prop_assert_eq!(compare(&b, &a), turned);
        prop_assert_eq!(compare(&a, &a), Relation::Same);
    }

    #[test]
    fn a_successor_is_newer_and_never_the_other_way(a in 0..9_i64, b in 0..9_i64, r: bool) {
        let (a, b) = (tool(a, "n", r), tool(b, "m", false));
        if check_successor(&a, &b).is_ok() {
            prop_assert_eq!(compare(&b, &a), Relation::Newer);
            prop_assert!(check_successor(&b, &a).is_err());
            prop_assert!(!a.is_revoked());
        }
    }

    #[test]
    fn a_revocation_is_a_successor_and_the_last(at in -5_000..5_000_i64, ms in 0..5_000_i64) {
        let object = tool(ms, "n", false);
        let revoked = revoke(&object, Timestamp::from_unix_us(at * 1_000)).unwrap();
        prop_assert_eq!(check_successor(&object, &revoked), Ok(()));
        prop_assert!(stix::validate::object(&revoked).is_valid());
        prop_assert_eq!(revoke(&revoked, Timestamp::from_unix_us(0)), Err(VersionError::Revoked));
        prop_assert_eq!(newest([&object, &revoked]), Some(&revoked));
        prop_assert_eq!(newest([&revoked, &object]), Some(&revoked));
    }

    #[test]
    fn the_newest_is_not_older_than_any(times in prop::collection::vec((0..6_i64, any::<bool>()), 1..8)) {
        let all: Vec<Object> = times.iter().map(|(at, r)| tool(*at, "n", *r)).collect();
        let best = newest(&all).unwrap();
        for other in &all {
            prop_assert_ne!(compare(best, other), Relation::Older);
            // a revocation is not lost to a version of the same instant
            prop_assert!(best.is_revoked() || !other.is_revoked() || best.version() != other.version());
        }
    }
}
