//! Every way out of the node asks the sharing policies: what an organisation without a node reads over TAXII, and what a
//! push takes to it, is what the preview says.

use std::path::Path;

use serde_json::{Value, json};

use crate::faults_kit::{Answer, Phoenix, ask, items, plain, send};
use crate::programs::{output, sereno};

const AT: &str = "2026-11-30T00:00:00.000Z";
const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const OWN: &str = "10.0.0.7";
const MEDIA: &str = "application/taxii+json;version=2.1";

fn indicator(n: u32, marking: &str) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--00000000-0000-4000-8000-{n:012}"),
        "created": AT, "modified": AT, "name": format!("beacon {n} seen at {OWN}"), "pattern_type": "stix",
        "indicator_types": ["malicious-activity"], "pattern": format!("[ipv4-addr:value = '203.0.113.{n}']"),
        "valid_from": AT, "object_marking_refs": [marking]})
}

fn address() -> Value {
    let mut object = json!({"type": "ipv4-addr", "spec_version": "2.1", "value": OWN, "object_marking_refs": [GREEN]});
    let id = stix::id::deterministic("ipv4-addr", object.as_object().unwrap()).unwrap();
    object["id"] = id.as_str().into();
    object
}

/// Runs a command that must do; its answer as JSON.
fn run(data: &Path, words: &[&str]) -> Value {
    let done = output(sereno().args(words).args(["--json", "--data"]).arg(data));
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap_or(Value::Null)
}

fn fails(data: &Path, words: &[&str]) -> String {
    let done = output(sereno().args(words).arg("--data").arg(data));
    assert!(!done.status.success(), "{words:?}");
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn get(node: &Phoenix, token: &str, path: &str) -> Answer {
    let url = format!("{}/taxii2/sereno/collections/c2/{path}", node.url);
    send(plain, |http| http.get(url).bearer_auth(token).header("accept", MEDIA)).unwrap()
}

fn post(node: &Phoenix, token: &str, objects: &[Value]) {
    let url = format!("{}/taxii2/sereno/collections/c2/objects/", node.url);
    let body = json!({ "objects": objects }).to_string();
    let answer = send(plain, |http| {
        let request = http.post(url).bearer_auth(token).header("accept", MEDIA);
        request.header("content-type", MEDIA).body(body)
    });
    let status = answer.unwrap().json();
    assert_eq!(
        (&status["status"], &status["failure_count"]),
        (&json!("complete"), &json!(0)),
        "{status}"
    );
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn policy(data: &Path, of: &Path, text: &str) {
    let file = of.join("policy.cedar");
    std::fs::write(&file, text).unwrap();
    run(data, &["policy", "put", file.to_str().unwrap(), "--id", "ports"]);
}

/// The preview says the same as what goes.
fn as_previewed(data: &Path, read: &Value, ids: &[String]) {
    let mut preview = vec!["share", "preview", "--bodies", "--to", "Harbour ISAC"];
    for id in ids {
        preview.extend(["--object", id]);
    }
    let preview = run(data, &preview);
    let answers = preview["recipients"][0]["answers"].as_array().unwrap();
    let goes: Vec<&Value> = answers.iter().map(|answer| &answer["allowed"]).collect();
    assert_eq!(goes, [true, true, false, true], "AMBER by name, RED to nobody: {preview}");
    let bodies: Vec<&Value> = answers.iter().filter_map(|answer| answer.get("body")).collect();
    assert_eq!(read["objects"].as_array().unwrap().iter().collect::<Vec<_>>(), bodies);
    assert_eq!(read["objects"][2]["type"], "ipv4-addr");
}

/// One object, its versions, the manifest and the dates speak of what goes.
fn one_by_one(node: &Phoenix, outside: &str, pseudonym: &Value, ids: &[String]) {
    let found = get(node, outside, &format!("objects/{}/", text(pseudonym, "id"))).json();
    assert_eq!(found["objects"], json!([pseudonym]));
    let nothing = "indicator--00000000-0000-4000-8000-000000000099";
    for hidden in [ids[2].as_str(), ids[3].as_str()] {
        for path in ["", "versions/"] {
            let answer = get(node, outside, &format!("objects/{hidden}/{path}"));
            let none = get(node, outside, &format!("objects/{nothing}/{path}"));
            assert_eq!((answer.status, &answer.text), (404, &none.text), "{hidden} {path}");
        }
    }
    let manifest = get(node, outside, "manifest/?limit=2");
    let told = manifest.headers["x-taxii-date-added-last"].to_str().unwrap().to_owned();
    let manifest = manifest.json();
    assert_eq!(manifest["objects"][1]["date_added"], told, "{manifest}");
}

/// A policy that is put while pages are read hides the rest.
fn while_pages_are_read(node: &Phoenix, of: &Path, (outside, house): (&str, &str), first_id: &str) {
    let data = node.data.as_path();
    let whole = get(node, house, "objects/").json();
    let first = get(node, outside, "objects/?limit=1").json();
    assert_eq!((&first["more"], &first["objects"][0]["id"]), (&json!(true), &json!(first_id)));
    policy(
        data,
        of,
        "@reason(\"the port is closed\")\nforbid (principal, action, resource) when { principal.sector == \"ports\" };",
    );
    let next = get(node, outside, &format!("objects/?limit=1&next={}", text(&first, "next")));
    assert_eq!(next.json(), json!({ "more": false }));
    assert!(next.headers.get("x-taxii-date-added-last").is_none());
    assert_eq!(get(node, outside, "manifest/").json(), json!({ "more": false }));
    assert_eq!(get(node, house, "objects/").json(), whole, "the house reads as ever");
}

#[test]
fn an_organisation_without_a_node_reads_what_the_preview_says() {
    let folder = tempfile::tempdir().unwrap();
    let node = Phoenix::up(&folder.path().join("node"), "Harbour", "operator");
    let data = node.data.as_path();
    let new = [
        "organisation",
        "new",
        "Harbour ISAC",
        "--kind",
        "cert",
        "--sector",
        "ports",
        "--country",
        "pt",
    ];
    let isac = text(&run(data, &new)[0], "id");
    assert!(fails(data, &new).contains("there is an organisation"));
    run(data, &["taxii", "collection", "new", "--title", "C2", "--alias", "c2"]);
    let token = |words: &[&str]| {
        let all = [&["token", "new", "--role", "taxii"], words].concat();
        text(&run(data, &all), "token")
    };
    let admin = text(&run(data, &["token", "new", "--role", "administrator"]), "token");
    let house = token(&["--label", "house", "--collection", "c2:read"]);
    let outside = token(&["--label", "isac", "--collection", "c2:read", "--for", "Harbour ISAC"]);
    let refused = fails(data, &["token", "new", "--role", "analyst", "--for", "Harbour ISAC"]);
    assert!(refused.contains("role taxii alone"), "{refused}");
    let listed = items(data, &["token", "list"]);
    let of = |label: &str| listed.iter().find(|one| one["label"] == label).unwrap()["for"].clone();
    assert_eq!((of("isac"), of("house")), (json!("Harbour ISAC"), Value::Null));

    let objects = [indicator(1, GREEN), indicator(2, AMBER), indicator(3, RED), address()];
    post(&node, &admin, &objects);
    run(data, &["redaction", "new", "own addresses", "--pseudonymise"]);
    let whole = get(&node, &house, "objects/").json();
    assert_eq!(whole["objects"], json!(objects), "who is of the house reads as ever");
    let read = get(&node, &outside, "objects/");
    assert!(!read.text.contains(OWN), "{}", read.text);
    let read = read.json();
    let ids: Vec<String> = objects.iter().map(|object| text(object, "id")).collect();
    as_previewed(data, &read, &ids);
    one_by_one(&node, &outside, &read["objects"][2], &ids);
    while_pages_are_read(&node, folder.path(), (&outside, &house), &ids[0]);
    assert_eq!(get(&node, &house, "objects/").json(), whole);
    run(data, &["policy", "remove", "ports"]);
    assert_eq!(get(&node, &outside, "objects/").json(), read);
    // an organisation that is forgotten gets nothing any more, and does not become one of the house
    let gone = output(sereno().args(["organisation", "remove", &isac, "--data"]).arg(data));
    assert!(gone.status.success());
    let answer = get(&node, &outside, "objects/");
    assert_eq!(answer.status, 403, "{}", answer.text);
    assert!(
        answer.text.contains("no longer known") && !answer.text.contains("beacon"),
        "{}",
        answer.text
    );
}

#[test]
fn a_push_is_judged_for_the_organisation_that_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let there = Phoenix::up(&folder.path().join("there"), "ISAC", "cert");
    let here_data = folder.path().join("here");
    let here =
        Phoenix::up_with(&here_data, "Harbour", "operator", "[feedhub]\nallow_private = true\n");
    let (theirs, ours) = (there.data.as_path(), here.data.as_path());
    let made = run(theirs, &["taxii", "collection", "new", "--title", "In", "--alias", "c2"]);
    let id = text(&made, "id");
    let token = text(
        &run(theirs, &["token", "new", "--role", "taxii", "--collection", "c2:read,write"]),
        "token",
    );
    let secret = folder.path().join("secret");
    std::fs::write(&secret, &token).unwrap();
    let bundle = folder.path().join("bundle.json");
    let objects = json!([indicator(1, GREEN), indicator(2, AMBER), indicator(3, GREEN)]);
    std::fs::write(&bundle, objects.to_string()).unwrap();
    run(ours, &["intel", "import", bundle.to_str().unwrap(), "--label", "own"]);
    run(ours, &["redaction", "new", "own addresses", "--pseudonymise"]);
    let url = format!("{}/taxii2/sereno/collections/{id}/", there.url);
    run(
        ours,
        &[
            "feed",
            "push",
            "add",
            "out",
            "--to",
            &url,
            "--type",
            "indicator",
            "--auth",
            "bearer",
            "--secret-file",
            secret.to_str().unwrap(),
        ],
    );
    let done = run(ours, &["feed", "push", "run", "out"]);
    assert_eq!(
        (&done["sent"], &done["withheld"], &done["for"]),
        (&json!(0), &json!(3), &Value::Null),
        "{done}"
    );
    let stays = items(ours, &["feed", "push", "withheld", "out"]);
    assert_eq!(stays.len(), 2, "what is above the label is counted alone: {stays:?}");
    assert!(text(&stays[0], "reason").contains("names no organisation"), "{stays:?}");
    run(ours, &["organisation", "new", "ISAC", "--kind", "cert"]);
    run(ours, &["feed", "push", "for", "out", "ISAC"]);
    let done = run(ours, &["feed", "push", "run", "out"]);
    assert_eq!(
        (&done["sent"], &done["withheld"], &done["for"]),
        (&json!(2), &json!(1), &json!("ISAC")),
        "{done}"
    );
    let got = get(&there, &token, "objects/");
    assert_eq!(got.json()["objects"].as_array().unwrap().len(), 2, "{}", got.text);
    assert!(!got.text.contains(OWN) && got.text.contains("x_sereno_redacted"), "{}", got.text);
    let _ = ask(ours, &["feed", "push", "list"]);
}
