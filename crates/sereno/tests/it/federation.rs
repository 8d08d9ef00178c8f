//! Three organisations in a row: an operator, its national CERT, another country's CERT. What the first says reaches the
//! third as far as its label lets it; so do updates and retractions, also when the middle loses its power.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults_kit::{Phoenix, ask, facts, invitation, items, join, until};
use crate::programs::{output, sereno};

/// What takes longer than this does not reach others "within seconds".
const SECONDS: Duration = Duration::from_secs(20);

/// What takes longer than this after a node came back never comes.
const MINUTES: Duration = Duration::from_secs(120);

struct Chain {
    folder: tempfile::TempDir,
    operator: Phoenix,
    national: Phoenix,
    foreign: Phoenix,
}

impl Chain {
    /// The operator calls the national CERT; the foreign CERT calls it too, so that the national one can call nobody.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = Phoenix::up(&folder.path().join("operator"), "Harbour", "operator");
        let national = Phoenix::up(&folder.path().join("national"), "National CERT", "cert");
        let foreign = Phoenix::up(&folder.path().join("foreign"), "Foreign CERT", "cert");
        for (node, name, kind) in
            [(&operator, "Harbour", "operator"), (&foreign, "Foreign", "cert")]
        {
            let file = match kind {
                "operator" => invitation(&national.data, folder.path(), name),
                _ => invite(&national.data, folder.path(), name, kind),
            };
            let (code, said) = join(&node.data, &file);
            assert_eq!(code, 0, "{said}");
        }
        Self { folder, operator, national, foreign }
    }

    fn import(&self, objects: &[Value]) {
        let bundle = json!({ "type": "bundle", "objects": objects,
            "id": "bundle--00000000-0000-4000-8000-000000000001" });
        let file = self.folder.path().join("bundle.json");
        std::fs::write(&file, bundle.to_string()).unwrap();
        let done = output(
            sereno().args(["intel", "import", "--data"]).arg(&self.operator.data).arg(&file),
        );
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn invite(of: &Path, folder: &Path, name: &str, kind: &str) -> std::path::PathBuf {
    let words = ["peer", "invite", "--kind", kind, "--name", name, "--data"];
    let done = output(sereno().args(words).arg(of));
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = folder.join(format!("{name}.json"));
    std::fs::write(&file, &done.stdout).unwrap();
    file
}

fn id(number: u32) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

fn indicator(number: u32, tlp: stix::Tlp, modified: &str, name: &str) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": id(number), "name": name,
        "created": "2026-01-01T00:00:00.000Z", "modified": modified,
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
        "object_marking_refs": [tlp.id()],
    })
}

/// The newest version of an object at a node.
fn known(node: &Phoenix, number: u32) -> Option<Value> {
    let path = format!("/api/v1/intel/objects/{}", id(number));
    let done = output(sereno().args(["get", &path, "--data"]).arg(&node.data));
    let answer: Value = serde_json::from_slice(&done.stdout).ok()?;
    answer.get("object").filter(|object| object.is_object()).cloned()
}

fn share(node: &Phoenix, ids: &[String], to: &str) -> Value {
    let mut words = vec!["share", "objects", "--to", to];
    words.extend(ids.iter().map(String::as_str));
    ask(&node.data, &words)
}

/// Waits, but no longer than seconds.
fn soon<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(SECONDS, what, look)
}

fn within<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    until(what, || {
        let found = look();
        assert!(found.is_some() || start.elapsed() < limit, "{what}: not within {limit:?}");
        found
    })
}

fn counts(node: &Phoenix, share: &Value) -> Value {
    ask(&node.data, &["share", "show", share["id"].as_str().unwrap()])["counts"].clone()
}

#[test]
fn intelligence_travels_a_chain_of_three_as_far_as_its_label_and_is_taken_back() {
    let chain = Chain::new();
    let (first, second) = ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z");
    let objects = [
        indicator(1, stix::Tlp::Clear, first, "open"),
        indicator(2, stix::Tlp::Amber, first, "for the CERT"),
        indicator(3, stix::Tlp::Red, first, "for nobody"),
    ];
    chain.import(&objects);
    let ids = [id(1), id(2), id(3)];
    let made = share(&chain.operator, &ids, "National CERT");
    assert_eq!(made["counts"], json!({ "queued": 2, "withheld": 1 }), "{made:#}");
    soon("the objects at the national CERT", || known(&chain.national, 2));
    soon("receipts", || {
        (counts(&chain.operator, &made) == json!({ "received": 2, "withheld": 1 })).then_some(())
    });
    assert_eq!(known(&chain.national, 1).unwrap(), objects[0], "it is not what was sent");
    assert_eq!(known(&chain.national, 3), None);

    let onward = share(&chain.national, &ids[..2], "Foreign");
    assert_eq!(onward["counts"], json!({ "queued": 1, "withheld": 1 }), "{onward:#}");
    soon("the open one at the foreign CERT", || known(&chain.foreign, 1));

    chain.import(&[indicator(1, stix::Tlp::Clear, second, "open, corrected")]);
    soon("the update at the foreign CERT", || {
        known(&chain.foreign, 1).filter(|object| object["name"] == "open, corrected")
    });
    assert_eq!(known(&chain.foreign, 2), None, "TLP:AMBER went further than one step");

    let retract = ["share", "retract", &ids[0], "--reason", "it was a test address"];
    let retraction = ask(&chain.operator.data, &retract);
    let told = soon("the acknowledgement of both", || {
        let words = ["share", "retractions", retraction["id"].as_str().unwrap()];
        let told = ask(&chain.operator.data, &words);
        (told["behind"][0]["acknowledged"] == 1).then_some(told)
    });
    assert_eq!(told["counts"], json!({ "acknowledged": 1 }), "{told:#}");
    assert_eq!(told["behind"][0]["reached"], 1, "{told:#}");
    for node in [&chain.national, &chain.foreign] {
        assert_eq!(known(node, 1).unwrap()["revoked"], true);
    }
    assert!(!told.to_string().contains("Foreign"), "the operator learned who is behind its CERT");
    for node in [&chain.operator, &chain.national, &chain.foreign] {
        assert_eq!(ask(&node.data, &["ledger", "verify"])["verified"], true);
        for link in items(&node.data, &["federation", "links"]) {
            assert_eq!((&link["refused"], &link["queued"]), (&json!(0), &json!(0)), "{link:#}");
        }
    }
}

#[test]
fn the_middle_of_a_chain_is_killed_again_and_again_and_everything_arrives_once() {
    const SHARES: u32 = 60;
    let mut chain = Chain::new();
    let foreign = items(&chain.national.data, &["peer", "list"])
        .into_iter()
        .find(|peer| peer["name"] == "Foreign")
        .unwrap();
    let rule = chain.folder.path().join("rule.json");
    let text = json!({ "highest_tlp": "clear", "own_only": false, "peers": [foreign["id"]] });
    std::fs::write(&rule, text.to_string()).unwrap();
    ask(&chain.national.data, &["share", "standing", "--add", rule.to_str().unwrap()]);
    let objects: Vec<Value> = (1..=SHARES)
        .map(|number| {
            indicator(number, stix::Tlp::Clear, "2026-01-01T00:00:00.000Z", "one of many")
        })
        .collect();
    chain.import(&objects);
    for number in 1..=SHARES {
        share(&chain.operator, &[id(number)], "National CERT");
        if number % 15 == 7 {
            chain.national.fall();
        }
        if number % 15 == 12 {
            chain.national.rise();
        }
    }
    let (operator, foreign) = (&chain.operator, &chain.foreign);
    within(MINUTES, "all of it at the foreign CERT", || {
        let found = items(&foreign.data, &["share", "received", "--limit", "500"]);
        (found.len() == SHARES as usize).then_some(())
    });
    within(MINUTES, "all receipts", || {
        let shares = items(&operator.data, &["share", "list", "--limit", "500"]);
        assert_eq!(shares.len(), SHARES as usize);
        shares.iter().all(|share| share["counts"] == json!({ "received": 1 })).then_some(())
    });
    for node in [&chain.national, foreign] {
        let received = facts(&node.data, "federation.objects_received");
        let kept: u64 = received.iter().map(|fact| fact["payload"]["kept"].as_u64().unwrap()).sum();
        assert_eq!(kept, u64::from(SHARES), "an object took effect twice, or never");
    }
    let links = |node: &Phoenix| -> BTreeMap<String, Value> {
        let all = items(&node.data, &["federation", "links"]);
        all.into_iter().map(|link| (link["name"].as_str().unwrap().to_owned(), link)).collect()
    };
    let (out, through, end) = (links(operator), links(&chain.national), links(foreign));
    assert_eq!(out["National CERT"]["out_seq"], through["Harbour"]["in_seq"]);
    assert_eq!(through["Foreign"]["out_seq"], end["National CERT"]["in_seq"]);
    for link in out.values().chain(through.values()).chain(end.values()) {
        assert_eq!(link["refused"], 0, "{link:#}");
    }
}

/// Copies a folder, sockets left out.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_file() => {
                std::fs::copy(entry.path(), target).unwrap();
            }
            _ => {}
        }
    }
}

#[test]
fn a_node_restored_from_a_backup_goes_on_with_both_its_peers() {
    let mut chain = Chain::new();
    let objects: Vec<Value> = (1..=8)
        .map(|number| indicator(number, stix::Tlp::Clear, "2026-01-01T00:00:00.000Z", "one"))
        .collect();
    chain.import(&objects);
    let pass_on = |chain: &Chain, number: u32| {
        share(&chain.operator, &[id(number)], "National CERT");
        within(MINUTES, "an object in the middle", || known(&chain.national, number));
        share(&chain.national, &[id(number)], "Foreign");
        within(MINUTES, "an object at the end", || known(&chain.foreign, number));
    };
    pass_on(&chain, 1);
    pass_on(&chain, 2);
    chain.national.fall();
    let backup = chain.folder.path().join("backup");
    copy(&chain.national.data, &backup);
    chain.national.rise();
    pass_on(&chain, 3);
    pass_on(&chain, 4);
    chain.national.fall();
    copy(&backup, &chain.national.data);
    chain.national.rise();
    // Its peers know more of it than it does itself.
    pass_on(&chain, 5);
    pass_on(&chain, 6);
    for node in [&chain.operator, &chain.national, &chain.foreign] {
        within(MINUTES, "links without a complaint", || {
            let links = items(&node.data, &["federation", "links"]);
            let calm = |link: &Value| link["last_error"].is_null() && link["under_way"] == 0;
            links.iter().all(calm).then_some(())
        });
    }
    let received = facts(&chain.foreign.data, "federation.objects_received");
    let kept: u64 = received.iter().map(|fact| fact["payload"]["kept"].as_u64().unwrap()).sum();
    assert_eq!(kept, 6, "{received:#?}");
}

#[test]
fn what_a_peer_brings_shows_no_more_than_a_reader_may_see() {
    let chain = Chain::new();
    let token = |role: &str| {
        let words = ["token", "new", "--json", "--role", role, "--data"];
        let made = output(sereno().args(words).arg(&chain.national.data));
        crate::programs::json(&made)["token"].as_str().unwrap().to_owned()
    };
    let first = "2026-01-01T00:00:00.000Z";
    chain.import(&[
        indicator(1, stix::Tlp::Clear, first, "open"),
        indicator(2, stix::Tlp::Amber, first, "for the CERT"),
    ]);
    share(&chain.operator, &[id(1), id(2)], "National CERT");
    soon("the objects at the national CERT", || known(&chain.national, 2));
    let hidden = share(&chain.national, &[id(2)], "Foreign");
    let reader = token("read-only");
    let get = |path: &str| {
        let url = format!("{}/api/v1/federation{path}", chain.national.url);
        let answer = crate::faults_kit::send(crate::faults_kit::plain, |client| {
            client.get(&url).bearer_auth(&reader)
        });
        answer.unwrap()
    };
    let received = get("/received");
    assert_eq!(received.status, 200, "{received:?}");
    assert!(!received.text.contains(&id(2)), "a label above the reader's sight: {}", received.text);
    assert!(received.text.contains(&id(1)), "{}", received.text);
    assert!(!get("/shares").text.contains(&id(2)) && get("/shares").json()["items"] == json!([]));
    let shown = get(&format!("/shares/{}", hidden["id"].as_str().unwrap()));
    let unknown = get("/shares/01a22beb-4160-79df-81eb-5454ed957a73");
    assert_eq!((shown.status, &shown.text), (404, &unknown.text), "existence leaks");
}
