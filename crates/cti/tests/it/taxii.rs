//! TAXII 2.1 as the standard describes it.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Node, Setup, TAXII, client};

pub(crate) fn malware(n: u32, modified: &str) -> Value {
    json!({"type": "malware", "spec_version": "2.1", "name": format!("m{n}"), "is_family": false,
        "id": format!("malware--00000000-0000-4000-8000-{n:012}"),
        "created": "2020-01-01T00:00:00.000Z", "modified": modified})
}

pub(crate) async fn post(node: &Node, role: &str, body: String) -> Response {
    client(role)
        .post(node.url("/taxii2/sereno/collections/inbox/objects/"))
        .header("content-type", TAXII)
        .header("accept", TAXII)
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn add(node: &Node, objects: &[Value]) -> Value {
    let answer = post(node, "administrator", json!({ "objects": objects }).to_string()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    answer.json().await.unwrap()
}

async fn get(node: &Node, path: &str) -> Response {
    client("administrator").get(node.url(&format!("/taxii2/{path}"))).send().await.unwrap()
}

async fn json_of(node: &Node, path: &str) -> Value {
    let answer = get(node, path).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    assert_eq!(answer.headers()["content-type"], TAXII);
    answer.json().await.unwrap()
}

const DAY1: &str = "2020-01-01T00:00:00.000Z";
const DAY2: &str = "2020-01-02T00:00:00.000Z";
const DAY3: &str = "2020-01-03T00:00:00.000Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_discovery_to_objects() {
    let node = Setup::new(1, "operator").start().await;
    let discovery = json_of(&node, "").await;
    assert_eq!(discovery["api_roots"], json!(["/taxii2/sereno/"]));
    let root = json_of(&node, "sereno/").await;
    assert_eq!(root["versions"], json!([TAXII]));
    let collections = json_of(&node, "sereno/collections/").await;
    let inbox = &collections["collections"][0];
    assert_eq!(inbox["id"], cti::INBOX_ID);
    assert_eq!((&inbox["can_read"], &inbox["can_write"]), (&true.into(), &true.into()));

    let status = add(&node, &[malware(1, DAY1), malware(2, DAY1)]).await;
    assert_eq!((&status["status"], &status["success_count"]), (&"complete".into(), &2.into()));
    let stored =
        json_of(&node, &format!("sereno/status/{}/", status["id"].as_str().unwrap())).await;
    assert_eq!(stored, status);
    let objects = json_of(&node, "sereno/collections/inbox/objects/").await;
    assert_eq!(objects["objects"], json!([malware(1, DAY1), malware(2, DAY1)]));
    assert_eq!(objects["more"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_and_filters() {
    let node = Setup::new(1, "operator").start().await;
    add(&node, &[malware(1, DAY1), malware(1, DAY3), malware(1, DAY2), malware(2, DAY2)]).await;
    let address = json!({"type": "ipv4-addr", "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4",
        "spec_version": "2.1", "value": "198.51.100.3"});
    add(&node, &[address]).await;
    let modified = async |query: &str| -> Vec<String> {
        let path = format!("sereno/collections/inbox/objects/?{query}");
        let page = json_of(&node, &path).await;
        let objects = page["objects"].as_array().cloned().unwrap_or_default();
        objects.iter().map(|o| o["modified"].as_str().unwrap_or("-")[..].to_owned()).collect()
    };
    assert_eq!(modified("").await, [DAY3, DAY2, "-"]);
    assert_eq!(modified("match[version]=all&match[type]=malware").await, [DAY1, DAY3, DAY2, DAY2]);
    assert_eq!(modified("match[version]=first&match[type]=malware").await, [DAY1, DAY2]);
    assert_eq!(modified(&format!("match[version]={DAY2}")).await, [DAY2, DAY2]);
    assert_eq!(modified("match[type]=ipv4-addr,x-none").await, ["-"]);
    assert_eq!(modified("match[id]=malware--00000000-0000-4000-8000-000000000002").await, [DAY2]);
    assert!(modified("match[spec_version]=2.0").await.is_empty());

    let id = "malware--00000000-0000-4000-8000-000000000001";
    let one = json_of(&node, &format!("sereno/collections/inbox/objects/{id}/")).await;
    assert_eq!(one["objects"][0]["modified"], DAY3);
    let versions =
        json_of(&node, &format!("sereno/collections/inbox/objects/{id}/versions/")).await;
    assert_eq!(versions["versions"], json!([DAY1, DAY3, DAY2]));
    let missing = get(&node, "sereno/collections/inbox/objects/malware--x/").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_stay_good_while_objects_are_added() {
    let node = Setup::new(1, "operator").start().await;
    let all: Vec<Value> = (0..25).map(|n| malware(n, DAY1)).collect();
    add(&node, &all[..20]).await;
    let (mut seen, mut next, mut dates) = (Vec::new(), String::new(), Vec::new());
    loop {
        let path = format!("sereno/collections/inbox/objects/?limit=7{next}");
        let answer = get(&node, &path).await;
        dates.push(answer.headers()["x-taxii-date-added-first"].to_str().unwrap().to_owned());
        let last = answer.headers()["x-taxii-date-added-last"].to_str().unwrap().to_owned();
        let page: Value = answer.json().await.unwrap();
        seen.extend(page["objects"].as_array().unwrap().clone());
        if seen.len() == 7 {
            add(&node, &all[20..]).await;
        }
        if page["more"] == false {
            let path = format!("sereno/collections/inbox/objects/?added_after={last}");
            assert_eq!(json_of(&node, &path).await, json!({"more": false}));
            break;
        }
        next = format!("&next={}", page["next"].as_str().unwrap());
    }
    assert_eq!(seen, all);
    assert!(dates.is_sorted());
    let manifest = json_of(&node, "sereno/collections/inbox/manifest/?limit=500").await;
    let added: Vec<&str> = manifest["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["date_added"].as_str().unwrap())
        .collect();
    assert_eq!(added.len(), 25);
    assert!(added.windows(2).all(|pair| pair[0] < pair[1]), "date_added rises strictly");
    assert_eq!(manifest["objects"][0]["media_type"], "application/stix+json;version=2.1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_again_is_stored_once_and_broken_objects_are_named() {
    let node = Setup::new(1, "operator").start().await;
    let mut broken = malware(2, DAY1);
    broken["is_family"] = json!("no");
    let first = add(&node, &[malware(1, DAY1), broken, json!({"x": 1})]).await;
    assert_eq!((&first["success_count"], &first["failure_count"]), (&1.into(), &2.into()));
    assert!(first["failures"][0]["message"].as_str().unwrap().contains("/is_family"));
    let again = add(&node, &[malware(1, DAY1)]).await;
    // Whether somebody else said it before is not told.
    assert_eq!(
        (&again["success_count"], &again["successes"][0]["message"]),
        (&1.into(), &Value::Null)
    );
    // what is not held is no success, and the first word stays
    let mut other = malware(1, DAY1);
    other["name"] = json!("another");
    let differs = add(&node, &[other]).await;
    assert_eq!((&differs["success_count"], &differs["failure_count"]), (&0.into(), &1.into()));
    assert!(differs["failures"][0]["message"].as_str().unwrap().contains("other content"));
    let objects = json_of(&node, "sereno/collections/inbox/objects/?match[version]=all").await;
    assert_eq!(objects["objects"], json!([malware(1, DAY1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_and_versions_are_taken_out() {
    let node = Setup::new(1, "operator").start().await;
    add(&node, &[malware(1, DAY1), malware(1, DAY2), malware(1, DAY3), malware(2, DAY1)]).await;
    let path = "sereno/collections/inbox/objects/malware--00000000-0000-4000-8000-000000000001/";
    let delete = async |role: &str, query: &str| {
        let url = node.url(&format!("/taxii2/{path}{query}"));
        client(role).delete(url).send().await.unwrap().status().as_u16()
    };
    assert_eq!(delete("read-only", "").await, 404);
    assert_eq!(delete("operator", "").await, 403);
    assert_eq!(delete("grant=inbox:write", "").await, 403);
    assert_eq!(delete("administrator", "?match[version]=last").await, 200);
    assert_eq!(json_of(&node, path).await["objects"], json!([malware(1, DAY2)]));
    assert_eq!(delete("administrator", &format!("?match[version]={DAY3}")).await, 404);
    assert_eq!(delete("administrator", "").await, 200);
    assert_eq!(get(&node, path).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(delete("administrator", "").await, 404);
    let left = json_of(&node, "sereno/collections/inbox/objects/?match[version]=all").await;
    assert_eq!(left["objects"], json!([malware(2, DAY1)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stix_2_0_goes_out_as_it_came() {
    let node = Setup::new(1, "operator").start().await;
    let mut old = malware(7, DAY1);
    let own = old.as_object_mut().unwrap();
    own.remove("spec_version");
    own.insert("labels".into(), json!(["worm"]));
    let mut undated = old.clone();
    undated.as_object_mut().unwrap().remove("modified");
    let status = add(&node, &[old.clone(), undated, malware(8, DAY1)]).await;
    assert_eq!((&status["success_count"], &status["failure_count"]), (&2.into(), &1.into()));
    let of = async |spec: &str| {
        let path = format!("sereno/collections/inbox/objects/?match[spec_version]={spec}");
        json_of(&node, &path).await["objects"].clone()
    };
    assert_eq!(of("2.0").await, json!([old]));
    assert_eq!(of("2.1").await, json!([malware(8, DAY1)]));
    let manifest =
        json_of(&node, "sereno/collections/inbox/manifest/?match[spec_version]=2.0").await;
    assert_eq!(manifest["objects"][0]["media_type"], "application/stix+json;version=2.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_objects_of_one_envelope_all_come_by_added_after() {
    let node = Setup::new(1, "operator").start().await;
    let all: Vec<Value> = (0..300).map(|n| malware(n, DAY1)).collect();
    add(&node, &all).await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("sereno/collections/inbox/objects/?limit=20{after}");
        let answer = get(&node, &path).await;
        let last = answer.headers()["x-taxii-date-added-last"].to_str().unwrap().to_owned();
        let page: Value = answer.json().await.unwrap();
        seen.extend(page["objects"].as_array().unwrap().clone());
        if page["more"] == false {
            break;
        }
        after = format!("&added_after={last}");
    }
    assert_eq!(seen, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_without_slash_head_and_options() {
    let node = Setup::new(1, "operator").start().await;
    add(&node, &[malware(1, DAY1)]).await;
    let admin = client("administrator");
    for path in ["", "/sereno", "/sereno/collections", "/sereno/collections/inbox/objects?limit=1"]
    {
        let answer = admin.get(node.url(&format!("/taxii2{path}"))).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    let url = node.url("/taxii2/sereno/collections/inbox/objects/");
    let head = admin.head(&url).send().await.unwrap();
    assert_eq!(
        (head.status(), head.headers()["content-type"].to_str().unwrap()),
        (StatusCode::OK, TAXII)
    );
    assert!(head.headers().contains_key("x-taxii-date-added-last"));
    let options = admin.request(reqwest::Method::OPTIONS, &url).send().await.unwrap();
    assert_eq!(options.status(), StatusCode::NO_CONTENT);
    assert_eq!(options.headers()["allow"], "GET, HEAD, OPTIONS, POST");
    let put = admin.put(&url).send().await.unwrap();
    assert_eq!((put.status().as_u16(), put.headers().contains_key("allow")), (405, true));
    assert_eq!(put.json::<Value>().await.unwrap()["http_status"], "405");
}
