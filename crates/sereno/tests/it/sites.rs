//! Sites, maps and what the organisation is, with the real program: by command beside a running node, by request, and
//! after a kill.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

fn run(data: &Path, words: &[&str]) -> Output {
    output(sereno().arg("--json").args(words).arg("--data").arg(data))
}

fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend([0, 0, 2, 128, 0, 0, 1, 224]);
    bytes
}

async fn get(url: String, token: Option<&str>, range: Option<&str>) -> (u16, String, Vec<u8>) {
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let answer = request.send().await.unwrap();
    let header =
        |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let said = format!("{} {}", header("content-type"), header("x-content-type-options"));
    (answer.status().as_u16(), said, answer.bytes().await.unwrap().to_vec())
}

#[test]
fn sites_and_plans_are_made_by_command_outlive_a_kill_and_are_for_those_who_signed_in() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let node = Node::start(&data);
    let plan = folder.path().join("floor.png");
    std::fs::write(&plan, png()).unwrap();
    let layer = read_json(&run(&data, &["site", "map", "add", plan.to_str().unwrap()]));
    assert_eq!((&layer["name"], &layer["form"]), (&json!("floor"), &json!("plan")), "{layer}");
    let id = layer["id"].as_str().unwrap().to_owned();
    let place = ["--plan", id.as_str(), "--x", "0.25", "--y", "0.5"];
    let made = run(&data, &[&["site", "add", "Pump hall", "--kind", "plant"][..], &place].concat());
    assert!(made.status.success(), "{made:?}");
    let file = folder.path().join("sites.geojson");
    let point = json!({ "type": "FeatureCollection", "features": [{ "type": "Feature",
        "geometry": { "type": "Point", "coordinates": [2.1866, 41.4036] },
        "properties": { "name": "Glòries", "kind": "tram stop" } }] });
    std::fs::write(&file, point.to_string()).unwrap();
    let imported = read_json(&run(&data, &["site", "import", file.to_str().unwrap()]));
    assert_eq!(imported, json!({ "made": 1, "changed": 0 }));
    // What is no file of sites is refused with the place of the fault, and nothing is changed.
    std::fs::write(&file, r#"{"type": "FeatureCollection", "features": [{"type": "Feature"}]}"#)
        .unwrap();
    let refused = run(&data, &["site", "import", file.to_str().unwrap()]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("feature 1"), "{refused:?}");

    let token = node.token("read-only");
    let content = format!("{}/api/v1/map/layers/{id}/content", node.url);
    let (status, said, part) = blocking(get(content.clone(), Some(&token), Some("bytes=1-3")));
    assert_eq!(
        (status, said.as_str(), part.as_slice()),
        (206, "image/png nosniff", b"PNG".as_slice())
    );
    assert_eq!(blocking(get(content, None, None)).0, 401);
    let (_, _, now) = blocking(get(format!("{}/api/v1/situation", node.url), Some(&token), None));
    let now: Value = serde_json::from_slice(&now).unwrap();
    let names: Vec<&str> = now["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|site| site["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Glòries", "Pump hall"]);
    assert_eq!(now["missing"], json!([]), "every room answers the situation");
    node.kill();

    // Beside a node that does not run: the same routes in this process.
    let list = read_json(&run(&data, &["site", "list"]));
    assert_eq!(list["total"], 2, "{list}");
    let refused = run(&data, &["site", "map", "remove", &id]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Pump hall"), "{refused:?}");
    assert!(run(&data, &["site", "remove", "pump hall"]).status.success());
    assert!(run(&data, &["site", "map", "remove", &id]).status.success());
}

#[test]
fn what_the_organisation_is_can_be_said_by_an_administrator_alone_and_shows_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let node = Node::start(&data);
    let change = |role: &str, body: Value| {
        let (token, url) = (node.token(role), format!("{}/api/v1/node", node.url));
        blocking(async move {
            let request = reqwest::Client::new().patch(url).bearer_auth(token).json(&body);
            request.send().await.unwrap().status().as_u16()
        })
    };
    assert_eq!(change("operator", json!({ "kind": "cert" })), 403);
    assert_eq!(change("administrator", json!({ "kind": "pirate" })), 422);
    assert_eq!(change("administrator", json!({})), 422);
    assert_eq!(change("administrator", json!({ "name": "Harbour", "kind": "trainer" })), 200);
    let (_, _, body) = blocking(get(format!("{}/api/v1/node", node.url), None, None));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (&body["node"]["name"], &body["node"]["kind"]),
        (&json!("Harbour"), &json!("trainer"))
    );
}
