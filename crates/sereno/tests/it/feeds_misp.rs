//! Two real nodes speak MISP to each other: one is the server, the other pulls from it and pushes to it.

use serde_json::{Value, json};

use crate::feeds_pull::{private_folder, run, secret};
use crate::programs::{Node, blocking};

fn ask(node: &Node, key: &str, path: &str, body: &Value) -> Value {
    blocking(async {
        let answer = reqwest::Client::new()
            .post(format!("{}/misp/{path}", node.url))
            .header("authorization", key)
            .header("accept", "application/json")
            .json(body)
            .send()
            .await
            .unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    })
}

fn event(n: usize, distribution: &str, values: &[&str]) -> Value {
    let attributes: Vec<Value> = values
        .iter()
        .map(|value| json!({"type": "domain", "category": "Network activity", "to_ids": true, "value": value}))
        .collect();
    json!({"Event": {"uuid": format!("{n:08x}-1111-4111-8111-111111111111"), "info": format!("event {n}"),
        "date": "2026-01-02", "analysis": "2", "threat_level_id": "2", "distribution": distribution, "published": true,
        "Tag": [{"name": "tlp:green"}], "Attribute": attributes}})
}

fn known(folder: &std::path::Path, value: &str) -> bool {
    run(folder, &["intel", "lookup", value])["known"] == json!(true)
}

fn view(node: &Node, key: &str, n: usize) -> Value {
    ask(node, key, &format!("events/view/{n:08x}-1111-4111-8111-111111111111"), &json!({}))
}

/// Three published events and one that is not.
fn fill(server: &Node, key: &str) {
    for n in 1..=3 {
        ask(server, key, "events/add", &event(n, "3", &[&format!("e{n}.bad-host-4711.top")]));
    }
    let mut hidden = event(4, "3", &["e4.bad-host-4711.top"]);
    hidden["Event"]["published"] = json!(false);
    ask(server, key, "events/add", &hidden);
}

/// To nobody in particular an event marked TLP:GREEN does not go.
fn names_somebody(here: &std::path::Path) {
    let pushed = run(here, &["feed", "push", "run", "out"]);
    assert_eq!((&pushed["sent"], &pushed["withheld"]), (&json!(0), &json!(1)), "{pushed}");
    run(here, &["organisation", "new", "There", "--kind", "cert"]);
    run(here, &["feed", "push", "for", "out", "There"]);
}

#[test]
fn events_go_from_server_to_server_and_back_once() {
    let (there, here) = (tempfile::tempdir().unwrap(), private_folder());
    let (server, node) = (Node::start(there.path()), Node::start(here.path()));
    let (their, our) = (server.token("analyst"), node.token("analyst"));
    fill(&server, &their);
    assert!(known(there.path(), "e1.bad-host-4711.top"), "{}", view(&server, &their, 1));
    let url = format!("{}/misp/", server.url);
    let secret = secret(here.path(), &their);
    let who = ["--auth", "key", "--secret-file", &secret];
    let with = |arguments: &[&str]| {
        let all: Vec<&str> = arguments.iter().chain(&who).copied().collect();
        run(here.path(), &all)
    };
    with(&["feed", "add", "misp", "--form", "misp-server", "--url", &url, "--tlp", "amber"]);
    let pulled = run(here.path(), &["feed", "run", "misp"]);
    assert_eq!(
        (&pulled["state"], &pulled["counts"]["rejected"]),
        (&json!("fine"), &json!(0)),
        "{pulled}"
    );
    assert!(known(here.path(), "e1.bad-host-4711.top"), "{pulled} {}", view(&node, &our, 1));
    assert!(!known(here.path(), "e4.bad-host-4711.top"));
    let (theirs, ours) = (view(&server, &their, 1), view(&node, &our, 1));
    assert_eq!(theirs["Event"]["timestamp"], ours["Event"]["timestamp"]);
    assert_eq!(theirs["Event"]["Attribute"][0]["uuid"], ours["Event"]["Attribute"][0]["uuid"]);
    // A newer state is taken over, with its time; what is as before is not.
    let id = theirs["Event"]["uuid"].as_str().unwrap().to_owned();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    ask(
        &server,
        &their,
        &format!("attributes/add/{id}"),
        &json!({"type": "domain", "category": "Network activity", "value": "e99.bad-host-4711.top"}),
    );
    ask(&server, &their, &format!("events/publish/{id}"), &json!({}));
    let pulled = run(here.path(), &["feed", "run", "misp"]);
    assert_eq!(
        (&pulled["counts"]["updated"], &pulled["counts"]["skipped"]),
        (&json!(1), &json!(2)),
        "{pulled}"
    );
    assert!(known(here.path(), "e99.bad-host-4711.top"));
    // Ours go there: what may, with its UUIDs and times; what was pulled does not go back.
    ask(&node, &our, "events/add", &event(20, "3", &["o20.bad-host-4711.top"]));
    ask(&node, &our, "events/add", &event(21, "0", &["o21.bad-host-4711.top"]));
    let mut amber = event(22, "3", &["o22.bad-host-4711.top"]);
    amber["Event"]["Tag"] = json!([{"name": "tlp:amber"}]);
    ask(&node, &our, "events/add", &amber);
    with(&["feed", "push", "add", "out", "--to", &url, "--events"]);
    names_somebody(here.path());
    let pushed = run(here.path(), &["feed", "push", "run", "out"]);
    assert_eq!((&pushed["sent"], &pushed["failed"]), (&json!(1), &json!(0)), "{pushed}");
    assert!(known(there.path(), "o20.bad-host-4711.top"));
    assert!(
        !known(there.path(), "o21.bad-host-4711.top")
            && !known(there.path(), "o22.bad-host-4711.top")
    );
    assert_eq!(
        view(&server, &their, 20)["Event"]["timestamp"],
        view(&node, &our, 20)["Event"]["timestamp"]
    );
    assert_eq!(run(here.path(), &["feed", "push", "run", "out"])["sent"], 1);
    // With the feed goes what it brought, and nothing else.
    let gone = crate::programs::output(
        crate::programs::sereno().args(["feed", "remove", "misp", "--data"]).arg(here.path()),
    );
    assert!(gone.status.success());
    assert!(
        !known(here.path(), "e1.bad-host-4711.top") && known(here.path(), "o20.bad-host-4711.top")
    );
}
