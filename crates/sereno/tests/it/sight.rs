//! Every role at every endpoint that reads: nothing above its label comes out, not by lists, counts, neighbours, full
//! text or errors. What is hidden is answered like what does not exist.

use std::path::Path;

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

/// Label, marking of TLP 2.0, a word that stands in nothing else.
pub(crate) const LABELS: [(&str, &str, &str); 5] = [
    ("tlp:clear", "94868c89-83c2-464b-929b-a1a8aa3c8487", "avocet"),
    ("tlp:green", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "bittern"),
    ("tlp:amber", "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "curlew"),
    ("tlp:amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003", "dotterel"),
    ("tlp:red", "e828b379-4e03-4974-9ac4-e53a884c97c1", "egret"),
];
/// Roles and how many of the labels they see.
pub(crate) const ROLES: [(&str, usize); 6] = [
    ("administrator", 5),
    ("analyst", 5),
    ("operator", 4),
    ("assessor", 3),
    ("read-only", 2),
    ("taxii", 0),
];
/// Stands where a hidden thing's word and number stand, and nothing is called so.
pub(crate) const NOBODY: (&str, usize) = ("fulmar", 77);

pub(crate) fn id(kind: &str, n: usize) -> String {
    format!("{kind}--00000000-0000-4000-8000-{n:012}")
}

/// For each of some labels an indicator, its relation to the clear one, and a note on the clear one.
pub(crate) fn objects(labels: std::ops::Range<usize>) -> Vec<Value> {
    let at = "2026-11-30T00:00:00.000Z";
    let mut objects = Vec::new();
    for n in labels {
        let (_, marking, word) = LABELS[n];
        let marked = json!([format!("marking-definition--{marking}")]);
        objects.push(json!({"type": "indicator", "spec_version": "2.1", "id": id("indicator", n), "created": at,
            "modified": at, "name": format!("the {word}"), "description": format!("{word} nests here"),
            "indicator_types": ["malicious-activity"], "pattern_type": "stix", "valid_from": at,
            "pattern": format!("[domain-name:value = '{word}.example' OR ipv4-addr:value = '203.0.113.77']"),
            "object_marking_refs": marked}));
        objects.push(json!({"type": "note", "spec_version": "2.1", "id": id("note", n), "created": at,
            "modified": at, "content": format!("a {word} was seen"), "object_refs": [id("indicator", 0)],
            "object_marking_refs": marked}));
        if n > 0 {
            objects.push(json!({"type": "relationship", "spec_version": "2.1", "id": id("relationship", n),
                "created": at, "modified": at, "relationship_type": format!("flies-with-{word}"),
                "source_ref": id("indicator", 0), "target_ref": id("indicator", n),
                "description": format!("{word}s in the same flock"), "object_marking_refs": marked}));
        }
    }
    objects
}

/// An incident of others under a label.
fn incident(n: usize) -> Value {
    let (at, (_, marking, word)) = ("2026-11-30T00:00:00.000Z", LABELS[n]);
    json!({"type": "incident", "spec_version": "2.1", "id": id("incident", n), "created": at, "modified": at,
        "name": format!("the nest of the {word} is robbed"), "description": format!("{word} feathers"),
        "object_marking_refs": [format!("marking-definition--{marking}")]})
}

pub(crate) struct Web<'n> {
    pub(crate) node: &'n Node,
    pub(crate) client: reqwest::Client,
}

impl Web<'_> {
    pub(crate) async fn ask(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, String) {
        let url = format!("{}{path}", self.node.url);
        let mut request = self.client.request(method.parse().unwrap(), &url).bearer_auth(token);
        if path.starts_with("/taxii2/") {
            let media = "application/taxii+json;version=2.1";
            request = request.header("accept", media).header("content-type", media);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// A path of the description with its parameters filled in about one thing.
pub(crate) fn filled(path: &str, parameters: &[(String, String)], word: &str, n: usize) -> String {
    let mut path = path.replace("{*path}", &format!("events/view/{}", n + 1));
    let mut query = Vec::new();
    for (name, place) in parameters {
        let value = match name.as_str() {
            "root" => "sereno".to_owned(),
            "q" => word.to_owned(),
            "value" => format!("{word}.example"),
            "from" => id("indicator", 0),
            "at" => "2999-01-01T00:00:00Z".to_owned(),
            "count" => "true".to_owned(),
            "cursor" | "next" | "after" | "before" | "domain" | "limit" => continue,
            "least" => "1".to_owned(),
            _ => id("indicator", n),
        };
        match place.as_str() {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            _ => query.push(format!("{}={value}", name.replace('[', "%5B").replace(']', "%5D"))),
        }
    }
    format!("{path}?{}", query.join("&"))
}

/// Streams, which never end: they have tests of their own.
pub(crate) const STREAMS: [&str; 2] = ["/api/v1/events", "/api/v1/knowledge/stream"];

/// Every GET of the node's own description, the streams left out.
pub(crate) fn reads(description: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let paths = description["paths"].as_object().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    paths
        .iter()
        .filter(|(path, methods)| methods.get("get").is_some() && !STREAMS.contains(&path.as_str()))
        .map(|(path, methods)| {
            let all = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
            (path.clone(), all.iter().map(|p| (text(&p["name"]), text(&p["in"]))).collect())
        })
        .collect()
}

/// Questions the description has no parameters for: query language, MISP, collections.
pub(crate) fn more_questions(word: &str, n: usize) -> Vec<(&'static str, String, Option<Value>)> {
    let (indicator, misp) = (id("indicator", n), |path: &str| format!("/misp/{path}"));
    let mut asked: Vec<_> = [
        format!("/api/v1/intel/objects?count=true&q=related:{indicator}"),
        format!("/api/v1/intel/objects?count=true&q=id:{indicator}"),
        format!("/api/v1/intel/objects?count=true&q=value:{word}.example"),
        format!("/api/v1/intel/objects?count=true&q={}*&at=2999-01-01T00:00:00Z", &word[..3]),
        format!("/api/v1/intel/export?q=name:{word}"),
        format!("/api/v1/intel/path?from={indicator}&to={}", id("indicator", 0)),
        format!("/api/v1/intel/objects/{}", id("note", n)),
        format!("/api/v1/intel/objects/{}", id("relationship", n)),
        format!("/taxii2/sereno/collections/inbox/objects/{indicator}/"),
        misp(&format!("attributes/view/{}", n + 1)),
    ]
    .into_iter()
    .map(|path| ("GET", path, None))
    .collect();
    for (path, body) in [
        ("events/restSearch", json!({"value": format!("{word}.example")})),
        ("attributes/restSearch", json!({"value": format!("%{word}%")})),
        ("events/restSearch", json!({"searchall": word})),
        ("sightings/restSearch/attribute", json!({"id": n + 1})),
    ] {
        asked.push(("POST", misp(path), Some(body)));
    }
    asked
}

/// The lists that name nothing and may show everything.
pub(crate) const LISTS: [&str; 8] = [
    "/api/v1/intel/objects?count=true",
    "/api/v1/intel/objects?q=value:203.0.113.77&count=true",
    "/api/v1/intel/objects/indicator--00000000-0000-4000-8000-000000000000",
    "/api/v1/intel/objects/indicator--00000000-0000-4000-8000-000000000000/relations",
    "/api/v1/intel/export",
    "/api/v1/intel/lookup?value=203.0.113.77",
    "/taxii2/sereno/collections/inbox/objects/",
    "/misp/events/index",
];

async fn fill(web: &Web<'_>, analyst: &str) {
    fill_labels(web, analyst, 0..LABELS.len()).await;
}

/// Says objects and MISP events under some of the labels.
pub(crate) async fn fill_labels(web: &Web<'_>, analyst: &str, labels: std::ops::Range<usize>) {
    let objects = objects(labels.clone());
    let count = objects.len();
    let bundle = json!({"type": "bundle", "id": id("bundle", 0), "objects": objects});
    let (status, said) =
        web.ask(analyst, "POST", "/api/v1/intel/import?tlp=clear", Some(&bundle)).await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["new"], count, "{said}");
    // What others share with us opens incidents under their labels.
    let incidents: Vec<Value> = labels.clone().map(incident).collect();
    let path = "/taxii2/sereno/collections/inbox/objects/";
    let url = format!("{}{path}", web.node.url);
    let media = "application/taxii+json;version=2.1";
    let sent = web.client.post(url).bearer_auth(analyst).header("content-type", media);
    let sent = sent.header("accept", media).body(json!({ "objects": incidents }).to_string());
    let said: Value =
        serde_json::from_str(&sent.send().await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(said["success_count"], incidents.len(), "{said}");
    for (label, _, word) in &LABELS[labels] {
        let event = json!({"Event": {"info": format!("an event of the {word}"), "distribution": "3",
            "Tag": [{"name": label}], "Attribute": [{"type": "domain", "value": format!("{word}.example"),
            "comment": format!("about the {word}")}]}});
        let (status, said) = web.ask(analyst, "POST", "/misp/events/add", Some(&event)).await;
        assert_eq!(status, 200, "{said}");
    }
}

/// What is hidden and what does not exist answer alike, the asked words aside.
async fn hidden_is_like_missing(
    web: &Web<'_>,
    role: &str,
    token: &str,
    seen: usize,
    reads: &[(String, Vec<(String, String)>)],
) {
    for (n, (_, _, word)) in LABELS.iter().enumerate().skip(seen) {
        let about = |word: &str, n: usize| -> Vec<(&'static str, String, Option<Value>)> {
            let described = reads
                .iter()
                .filter(|(path, _)| {
                    ["/api/v1/intel/", "/api/v1/knowledge/", "/taxii2/", "/misp/"]
                        .iter()
                        .any(|p| path.starts_with(p))
                })
                .map(|(path, parameters)| ("GET", filled(path, parameters, word, n), None));
            described.chain(more_questions(word, n)).collect()
        };
        for (hidden, missing) in about(word, n).into_iter().zip(about(NOBODY.0, NOBODY.1)) {
            let plain = |text: String, word: &str, n: usize| {
                text.replace(word, "WORD").replace(&id("indicator", n)[9..], "--ID")
            };
            let (status, text) = web.ask(token, hidden.0, &hidden.1, hidden.2.as_ref()).await;
            let (other, nothing) = web.ask(token, missing.0, &missing.1, missing.2.as_ref()).await;
            let (text, nothing) = (plain(text, word, n), plain(nothing, NOBODY.0, NOBODY.1));
            // A bundle has another random id each time.
            let cut = |text: String| text.split("bundle--").next().unwrap_or_default().to_owned();
            let alike = (status, cut(text.clone())) == (other, cut(nothing.clone()));
            assert!(
                alike,
                "{role} asks {}: {status} {text}\n  of nothing: {other} {nothing}",
                hidden.1
            );
        }
    }
}

#[test]
fn no_role_sees_above_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let analyst = node.token("analyst");
    blocking(async {
        let web = Web { node: &node, client: reqwest::Client::new() };
        fill(&web, &analyst).await;
        let (_, description) = web.ask(&analyst, "GET", "/api/v1/openapi.json", None).await;
        let reads = reads(&serde_json::from_str(&description).unwrap());
        assert!(reads.len() > 50, "{} paths", reads.len());
        let mut asked = 0;
        for (role, seen) in ROLES {
            let token = node.token(role);
            let general = reads.iter().map(|(path, p)| filled(path, p, NOBODY.0, 0));
            for path in general.chain(LISTS.map(str::to_owned)) {
                let (status, text) = web.ask(&token, "GET", &path, None).await;
                assert!(status < 500, "{role} {path}: {status} {text}");
                for (label, _, word) in &LABELS[seen..] {
                    assert!(!text.contains(word), "{role} reads of {label} at {path}: {text}");
                }
                asked += 1;
            }
            hidden_is_like_missing(&web, role, &token, seen, &reads).await;
            for (_, _, word) in &LABELS[..seen] {
                let path = format!("/api/v1/intel/objects?q=name:{word}");
                let (status, text) = web.ask(&token, "GET", &path, None).await;
                assert!(status == 200 && text.contains(word), "{role} sees {word}: {text}");
            }
        }
        eprintln!("{asked} questions of {} roles", ROLES.len());
    });
}

/// Who holds grants has those, whatever the role beside them.
#[test]
fn grants_are_all_that_their_holder_has() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let analyst = node.token("analyst");
    let token = granted(folder.path());
    blocking(async {
        let web = Web { node: &node, client: reqwest::Client::new() };
        fill(&web, &analyst).await;
        for path in [
            "/api/v1/intel/objects",
            "/api/v1/intel/export",
            "/api/v1/incidents",
            "/api/v1/tokens",
            "/misp/events/index",
            "/api/v1/intel/lookup?value=egret.example",
        ] {
            let (status, text) = web.ask(&token, "GET", path, None).await;
            assert_eq!(status, 403, "{path}: {text}");
        }
        let (status, _) =
            web.ask(&token, "GET", "/taxii2/sereno/collections/inbox/objects/", None).await;
        assert_eq!(status, 200);
    });
}

pub(crate) fn granted(data: &Path) -> String {
    let words = ["token", "new", "--json", "--role", "administrator", "--collection", "inbox:read"];
    let made = output(sereno().args(words).arg("--data").arg(data));
    read_json(&made)["token"].as_str().unwrap().to_owned()
}
