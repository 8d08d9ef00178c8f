#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use proptest::prelude::*;
use serde_json::json;

use super::super::names::Domain;
use super::super::network::Network;
use super::super::rule::{Addressees, Rule};
use super::*;
use crate::config::Config;

struct Flip;

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

fn rule(id: &str, types: &[&str], action: Action) -> Rule {
    Rule {
        id: id.into(),
        name: id.into(),
        to: Addressees::default(),
        types: types.iter().map(|kind| (*kind).to_owned()).collect(),
        action,
        paused: false,
    }
}

fn redactor(rules: Vec<Rule>) -> Redactor {
    let own = Config::default().own_networks;
    let own = own.iter().map(|text| Network::parse(text).unwrap()).collect();
    Redactor::new(rules, own, vec![Domain::parse("harbour.example").unwrap()]).unwrap()
}

fn hide() -> Rule {
    rule("hide", &[], Action::Pseudonymise)
}

fn replace(pattern: &str, with: &str) -> Rule {
    rule("replace", &[], Action::Replace { pattern: pattern.into(), with: with.into() })
}

fn remove(properties: &[&str]) -> Rule {
    let properties = properties.iter().map(|p| (*p).to_owned()).collect();
    rule("remove", &[], Action::Remove { properties })
}

fn run(rules: Vec<Rule>, objects: &[Value], around: &[Value]) -> Vec<Redacted> {
    let redactor = redactor(rules);
    let recipient = Recipient::default();
    let work = redactor.work(&recipient, &Flip);
    let read = |all: &[Value]| -> Vec<Object> {
        all.iter().map(|object| Object::from_value(object.clone()).unwrap()).collect()
    };
    let (objects, around) = (read(objects), read(around));
    work.batch(&objects.iter().collect::<Vec<_>>(), &around)
}

/// An observable with the id the standard gives it.
fn observable(kind: &str, more: Value) -> Value {
    let mut object = json!({ "type": kind, "spec_version": "2.1", "id": "" });
    let map = object.as_object_mut().unwrap();
    map.extend(more.as_object().unwrap().clone());
    let id = stix::id::deterministic(kind, map).unwrap();
    map.insert("id".into(), json!(id.as_str()));
    object
}

fn report(refs: &[&Value], description: &str) -> Value {
    let refs: Vec<&str> = refs.iter().map(|object| object["id"].as_str().unwrap()).collect();
    json!({
        "type": "report", "spec_version": "2.1", "id": "report--00000000-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "r",
        "published": "2026-01-01T00:00:00Z", "object_refs": refs, "description": description,
    })
}

fn body(redacted: &Redacted) -> Value {
    redacted.object.clone().unwrap()
}

#[test]
fn observables_get_the_ids_of_what_they_hold_and_references_follow() {
    let address = observable("ipv4-addr", json!({ "value": "10.0.0.1" }));
    let public = observable("ipv4-addr", json!({ "value": "8.8.8.8" }));
    let traffic = observable(
        "network-traffic",
        json!({ "src_ref": address["id"], "dst_ref": public["id"], "protocols": ["tcp"] }),
    );
    let told = report(&[&address, &traffic, &public], "seen at 10.0.0.1");
    let objects = [told, traffic.clone(), address.clone(), public.clone()];
    let out = run(vec![hide()], &objects, &[]);
    let (told, traffic_out, hidden) = (body(&out[0]), body(&out[1]), body(&out[2]));
    let expect = observable("ipv4-addr", json!({ "value": "138.0.0.1" }));
    assert_eq!((&hidden["id"], &hidden["value"]), (&expect["id"], &expect["value"]));
    assert_eq!(hidden["x_sereno_redacted"], json!(["hide"]));
    let expect_traffic = observable(
        "network-traffic",
        json!({ "src_ref": expect["id"], "dst_ref": public["id"], "protocols": ["tcp"] }),
    );
    assert_eq!(traffic_out, expect_traffic, "changed by its reference alone");
    assert_eq!(told["object_refs"], json!([expect["id"], expect_traffic["id"], public["id"]]));
    assert_eq!(told["description"], "seen at 138.0.0.1");
    assert_eq!(body(&out[3]), public, "what holds nothing of ours leaves as it came");
    // the old id, from which the address can be found by trying, is nowhere
    let all = serde_json::to_string(&out.iter().map(body).collect::<Vec<_>>()).unwrap();
    for id in [&address["id"], &traffic["id"]] {
        assert!(!all.contains(id.as_str().unwrap()), "{all}");
    }
}

#[test]
fn names_and_mac_addresses_of_the_house_leave_under_new_ids() {
    let name = observable("domain-name", json!({ "value": "srv1.harbour.example" }));
    let theirs = observable("domain-name", json!({ "value": "srv1.harbour.example.evil.test" }));
    let mac = observable("mac-addr", json!({ "value": "b8:27:eb:7d:6b:a6" }));
    let url = observable("url", json!({ "value": "https://srv1.harbour.example/a?b=10.0.0.1" }));
    let mail = observable("email-addr", json!({ "value": "ops@srv1.harbour.example" }));
    let told = report(
        &[&name, &theirs, &mac, &url, &mail],
        "b8-27-eb-7d-6b-a6 asked srv1[.]harbour[.]example",
    );
    let objects = [told, name.clone(), theirs.clone(), mac.clone(), url, mail];
    // two rules that ask for the same do it once
    let twice = vec![hide(), rule("again", &[], Action::Pseudonymise)];
    let out = run(twice, &objects, &[]);
    let all: Vec<Value> = out.iter().map(body).collect();
    let hidden = "p15-1vrs.harbour.example";
    assert_eq!(all[0]["description"], "ba-27-eb-7d-6b-a6 asked p15-1vrs[.]harbour[.]example");
    for (at, kind, value) in [
        (1, "domain-name", hidden.to_owned()),
        (3, "mac-addr", "ba:27:eb:7d:6b:a6".to_owned()),
        (4, "url", format!("https://{hidden}/a?b=138.0.0.1")),
        (5, "email-addr", format!("ops@{hidden}")),
    ] {
        let expect = observable(kind, json!({ "value": value }));
        assert_eq!((&all[at]["id"], &all[at]["value"]), (&expect["id"], &expect["value"]));
        assert_eq!(all[0]["object_refs"][at - 1], expect["id"], "references follow");
        assert_eq!(all[at]["x_sereno_redacted"], json!(["hide"]));
    }
    assert_eq!(all[2], theirs, "who pretends to be us is news");
    let text = serde_json::to_string(&all).unwrap();
    for gone in
        ["//srv1", "@srv1", "b8:27", name["id"].as_str().unwrap(), mac["id"].as_str().unwrap()]
    {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn batches_agree_with_each_other() {
    let address = observable("ipv4-addr", json!({ "value": "10.0.0.1" }));
    let traffic =
        observable("network-traffic", json!({ "src_ref": address["id"], "protocols": ["tcp"] }));
    let told = report(&[&traffic], "x");
    let whole = run(vec![hide()], &[told.clone(), traffic.clone(), address.clone()], &[]);
    let alone = run(vec![hide()], std::slice::from_ref(&told), &[traffic.clone(), address.clone()]);
    assert_eq!(body(&alone[0]), body(&whole[0]));
    // what is not known at all cannot be told: the object stays rather than name the address
    let lost = run(vec![hide()], std::slice::from_ref(&told), &[]);
    assert!(lost[0].object.clone().unwrap_err().contains("is not known here"));
    // a rule that touches no id keeps nothing back
    let harmless = run(vec![remove(&["x_*", "/description"])], std::slice::from_ref(&told), &[]);
    assert_eq!(body(&harmless[0])["object_refs"], told["object_refs"]);
    let half = run(vec![hide()], &[told], std::slice::from_ref(&traffic));
    assert!(half[0].object.is_ok(), "its own reference is known");
    let half = run(vec![hide()], &[traffic], &[]);
    assert!(half[0].object.is_err());
}

#[test]
fn what_would_break_the_standard_stays() {
    let indicator = json!({
        "type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000001",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "name": "n",
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '10.0.0.1']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
    });
    let one = |rule: Rule| run(vec![rule], std::slice::from_ref(&indicator), &[]).remove(0);
    let stays = one(remove(&["pattern"]));
    assert!(stays.object.unwrap_err().contains("pattern"), "required");
    assert_eq!(stays.redactions[0].place, "/pattern");
    let stays = one(replace(r"\[", "("));
    assert!(stays.object.unwrap_err().contains("would break STIX 2.1"), "no pattern any more");
    let gone = one(remove(&["name"]));
    assert!(body(&gone).get("name").is_none());
    assert_eq!(body(&gone)["x_sereno_redacted"], json!(["remove"]));
    let hidden = body(&one(hide()));
    assert_eq!(hidden["pattern"], "[ipv4-addr:value = '138.0.0.1']");
    assert_eq!(hidden["id"], indicator["id"], "only observables change their ids");
    let dropped = one(rule("drop", &["indicator"], Action::Drop));
    assert!(dropped.object.unwrap_err().contains("keeps it back"));
    assert!(one(rule("drop", &["malware"], Action::Drop)).object.is_ok());
    let address = observable("ipv4-addr", json!({ "value": "10.0.0.1" }));
    let nothing = run(vec![remove(&["value"])], &[address], &[]).remove(0);
    assert!(nothing.object.unwrap_err().contains("withheld"));
}

#[test]
fn rules_that_never_rest_keep_the_object_back() {
    let rules = vec![
        rule("a", &[], Action::Replace { pattern: "ping".into(), with: "pong".into() }),
        rule("b", &[], Action::Replace { pattern: "pong".into(), with: "ping".into() }),
    ];
    let out = run(rules, &[report(&[], "ping")], &[]);
    assert!(out[0].object.clone().unwrap_err().contains("rounds"));
}

#[test]
fn rules_that_feed_each_other_do_not_fill_the_memory() {
    let grows =
        |from: &str, to: &str| Action::Replace { pattern: from.into(), with: to.repeat(500) };
    let rules = vec![rule("a", &[], grows("q", "z")), rule("b", &[], grows("z", "q"))];
    let out = run(rules, &[report(&[], "qq")], &[]);
    let stays = out[0].object.clone().unwrap_err();
    assert!(stays.contains("more than 4194304 bytes"), "{stays}");
}

#[test]
fn rules_that_cannot_work_are_refused() {
    for (action, word) in [
        (Action::Replace { pattern: "(".into(), with: String::new() }, "cannot be read"),
        (Action::Replace { pattern: "a*".into(), with: String::new() }, "empty text"),
        (Action::Replace { pattern: "a".into(), with: "aa".into() }, "own replacement"),
        (
            Action::Replace { pattern: r"\w{1000}{1000}".into(), with: String::new() },
            "cannot be read",
        ),
        (Action::Remove { properties: vec![] }, "1 to 100"),
        (Action::Remove { properties: vec!["id".into()] }, "never left away"),
        (Action::Remove { properties: vec!["/object_marking_refs/0".into()] }, "never left away"),
    ] {
        let refused = rule("r", &[], action).check().unwrap_err();
        assert!(refused.contains(word), "{refused}");
    }
}

#[test]
fn rules_are_for_whom_they_name() {
    let of = |kind: &str, id: &str, community: &str| Recipient {
        kind: kind.into(),
        id: id.into(),
        communities: [community.to_owned()].into(),
        ..Recipient::default()
    };
    let set = |text: &str| [text.to_owned()].into();
    let to = Addressees { kinds: set("vendor"), organisations: set("n1"), communities: set("c1") };
    for (recipient, included) in [
        (of("vendor", "", ""), true),
        (of("cert", "n1", ""), true),
        (of("cert", "n2", "c1"), true),
        (of("cert", "n2", "c2"), false),
    ] {
        assert_eq!(to.include(&recipient), included, "{recipient:?}");
        assert!(Addressees::default().include(&recipient));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn redacting_again_changes_nothing_and_no_own_address_leaves(
        a in any::<[u8; 3]>(), b in any::<[u8; 2]>(),
        words in "[a-z ]{0,12}", kept in any::<bool>(),
    ) {
        let real = [format!("10.{}.{}.{}", a[0], a[1], a[2]), format!("192.168.{}.{}", b[0], b[1])];
        let one = observable("ipv4-addr", json!({ "value": real[0] }));
        let two = observable("ipv4-addr", json!({ "value": real[1], "x_internal": words }));
        let traffic = observable("network-traffic", json!({
            "src_ref": one["id"], "dst_ref": two["id"], "protocols": ["tcp"],
            "x_log": { "line": format!("{words}{} -> {}:80", real[0], real[1]), real[0].clone(): "key" },
        }));
        let told = report(&[&one, &two, &traffic], &format!("{words} ({})", real[1]));
        let objects = [one, two, traffic, told];
        let rules = || {
            let mut rules = vec![hide(), remove(&["x_internal"]), replace("[aeiou]{2}", "-")];
            if kept {
                rules.swap(0, 2);
            }
            rules
        };
        let once = run(rules(), &objects, &[]);
        let bodies: Vec<Value> = once.iter().map(body).collect();
        let text = serde_json::to_string(&bodies).unwrap();
        for address in &real {
            for (at, _) in text.match_indices(address.as_str()) {
                let digit = |place: Option<&u8>| place.is_some_and(u8::is_ascii_digit);
                let around = (at.checked_sub(1).and_then(|p| text.as_bytes().get(p)), text.as_bytes().get(at + address.len()));
                prop_assert!(digit(around.0) || digit(around.1), "{} in {}", address, text);
            }
        }
        for object in &objects {
            if object["type"] != "report" {
                prop_assert!(!text.contains(object["id"].as_str().unwrap()), "{}", text);
            }
        }
        let twice = run(rules(), &bodies, &[]);
        prop_assert_eq!(twice.iter().map(body).collect::<Vec<_>>(), bodies);
    }
}
