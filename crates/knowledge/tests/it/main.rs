//! The room over a real database, through its endpoints.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

mod imports;
mod work;

use axum::http::StatusCode;
use knowledge::{Config, Knowledge};
use platform::Platform;
use platform::testing::call;
use serde_json::{Value, json};

struct House {
    room: Knowledge,
    _platform: Platform,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rooms = [intel::MIGRATIONS, knowledge::MIGRATIONS];
        let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
        let room = Knowledge::open(&platform, Config::default()).unwrap();
        Self { room, _platform: platform, _folder: folder }
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        call(self.room.router(), true, "GET", path, &Value::Null).await
    }

    async fn import(&self, body: &Value) -> (StatusCode, Value) {
        call(self.room.router(), true, "POST", "/api/v1/intel/import?label=test", body).await
    }
}

fn id(kind: &str, n: u32) -> String {
    format!("{kind}--00000000-0000-4000-8000-{n:012}")
}

fn object(kind: &str, n: u32, more: Value) -> Value {
    let mut object = json!({"type": kind, "spec_version": "2.1", "id": id(kind, n),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"});
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn bundle(objects: &[Value]) -> Value {
    json!({"type": "bundle", "id": id("bundle", 1), "objects": objects})
}

fn example() -> Value {
    bundle(&[
        object("malware", 1, json!({"name": "Night Heron", "is_family": true})),
        object(
            "indicator",
            2,
            json!({"name": "controller", "pattern": "[ipv4-addr:value = '198.51.100.7']",
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}),
        ),
        object(
            "relationship",
            3,
            json!({"source_ref": id("indicator", 2),
            "relationship_type": "indicates", "target_ref": id("malware", 1)}),
        ),
        object("tool", 4, json!({"description": "it lacks its name"})),
        json!("not an object"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_accounts_for_every_object() {
    let house = House::new().await;
    let (status, report) = house.import(&example()).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        (&report["objects"], &report["new"], &report["refused"]),
        (&json!(5), &json!(3), &json!(2))
    );
    assert_eq!(report["problems"][0]["index"], 3);
    assert!(report["problems"][0]["reason"].as_str().unwrap().contains("name"), "{report}");
    let (_, again) = house.import(&example()).await;
    assert_eq!((&again["new"], &again["same"]), (&json!(0), &json!(3)));
    let mut changed = example();
    changed["objects"][0]["name"] = "Another bird".into();
    let (_, conflict) = house.import(&changed).await;
    assert_eq!((&conflict["conflicts"], &conflict["same"]), (&json!(1), &json!(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_stores_nothing_and_says_where() {
    let house = House::new().await;
    for body in [json!("text"), json!({"type": "bundle", "objects": {}}), json!(7)] {
        let (status, problem) = house.import(&body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let (status, problem) =
        house.import(&bundle(&[object("x-deep", 1, json!({"deep": deep}))])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("inside each other"), "{problem}");
    let (_, found) = house.get("/api/v1/intel/objects?count=true").await;
    assert_eq!(found["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analyst_finds_follows_and_exports() {
    let house = House::new().await;
    house.import(&example()).await;
    let (_, found) = house.get("/api/v1/intel/objects?q=heron&count=true").await;
    assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!(id("malware", 1))));
    let (_, page) = house.get(&format!("/api/v1/intel/objects/{}", id("indicator", 2))).await;
    assert_eq!(page["object"]["pattern"], "[ipv4-addr:value = '198.51.100.7']");
    assert_eq!(page["said"][0]["source"], "test");
    assert_eq!(page["values"][0]["value"], "198.51.100.7");
    assert_eq!(page["relations"][0], json!({"kind": "indicates", "count": 1}));
    assert_eq!(page["item"]["tlp"], "TLP:AMBER", "what carries no marking has the import's");
    let (_, near) =
        house.get(&format!("/api/v1/intel/objects/{}/relations", id("malware", 1))).await;
    assert_eq!(near["relations"][0]["told_by"], id("relationship", 3));
    assert_eq!(near["objects"].as_array().unwrap().len(), 2);
    let ends = format!("from={}&to={}", id("indicator", 2), id("malware", 1));
    let (_, path) = house.get(&format!("/api/v1/intel/path?{ends}")).await;
    assert_eq!((&path["found"], path["relations"].as_array().unwrap().len()), (&json!(true), 1));
    let (_, export) = house.get("/api/v1/intel/export?q=type:malware").await;
    assert_eq!(export["objects"], json!([example()["objects"][0]]));
    let (_, offers) = house.get("/api/v1/intel/complete?q=type:ma").await;
    assert_eq!(offers[0]["text"], "malware");
    let (_, before) = house.get("/api/v1/intel/objects?at=2020-01-01T00:00:00Z&count=true").await;
    assert_eq!(before["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_get_the_place_and_the_remedy() {
    let house = House::new().await;
    for (path, status) in [
        ("/api/v1/intel/objects?q=colour:red", 400),
        ("/api/v1/intel/objects?q=%22open", 400),
        ("/api/v1/intel/objects?at=yesterday", 400),
        ("/api/v1/intel/objects?cursor=%25%25", 400),
        ("/api/v1/intel/objects?cursor=eA", 400),
        ("/api/v1/intel/objects/malware--nothing", 404),
        ("/api/v1/intel/objects/..%2F..%2Fetc", 404),
        ("/api/v1/intel/path?from=a&to=b", 404),
    ] {
        let (got, problem) = house.get(path).await;
        assert_eq!(got.as_u16(), status, "{path}: {problem}");
        assert!(problem["detail"].is_string() && problem["remedy"].is_string(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_without_the_policy() {
    let house = House::new().await;
    for (method, path) in [
        ("GET", "/api/v1/intel/objects"),
        ("GET", "/api/v1/intel/complete?q="),
        ("GET", "/api/v1/intel/objects/x"),
        ("GET", "/api/v1/intel/objects/x/relations"),
        ("GET", "/api/v1/intel/path?from=a&to=b"),
        ("GET", "/api/v1/intel/common-values"),
        ("GET", "/api/v1/intel/matrix"),
        ("GET", "/api/v1/intel/layer"),
        ("POST", "/api/v1/knowledge/reports/extract"),
        ("POST", "/api/v1/knowledge/reports"),
        ("GET", "/api/v1/knowledge/decay"),
        ("PUT", "/api/v1/knowledge/decay"),
        ("GET", "/api/v1/knowledge/warninglists"),
        ("POST", "/api/v1/knowledge/warninglists"),
        ("DELETE", "/api/v1/knowledge/warninglists/x"),
        ("POST", "/api/v1/knowledge/objects/x/sightings"),
        ("GET", "/api/v1/knowledge/stream"),
        ("GET", "/api/v1/knowledge/licences"),
        ("GET", "/api/v1/knowledge/layouts"),
        ("GET", "/api/v1/knowledge/layouts/x"),
        ("PUT", "/api/v1/knowledge/layouts/x"),
        ("DELETE", "/api/v1/knowledge/layouts/x"),
        ("POST", "/api/v1/knowledge/catalogues/d3fend"),
        ("POST", "/api/v1/knowledge/layers"),
        ("GET", "/api/v1/intel/export"),
        ("POST", "/api/v1/intel/import"),
    ] {
        let (status, _) = call(house.room.router(), false, method, path, &Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

fn attack() -> Value {
    let mitre = |id: &str| json!([{"source_name": "mitre-attack", "external_id": id}]);
    let technique = |n, id: &str, name: &str| {
        object(
            "attack-pattern",
            n,
            json!({"name": name, "external_references": mitre(id), "x_mitre_domains": ["ics-attack"],
            "kill_chain_phases": [{"kill_chain_name": "mitre-ics-attack", "phase_name": "impact"}]}),
        )
    };
    bundle(&[
        object(
            "x-mitre-matrix",
            1,
            json!({"name": "ATT&CK for ICS", "external_references": mitre("ics-attack"),
            "x_mitre_domains": ["ics-attack"], "tactic_refs": [id("x-mitre-tactic", 2)]}),
        ),
        object(
            "x-mitre-tactic",
            2,
            json!({"name": "Impact", "external_references": mitre("TA0105"),
            "x_mitre_domains": ["ics-attack"], "x_mitre_shortname": "impact"}),
        ),
        technique(3, "T0826", "Loss of Availability"),
        technique(4, "T0827", "Loss of Control"),
        object("malware", 5, json!({"name": "Industroyer", "is_family": true})),
        object(
            "relationship",
            6,
            json!({"source_ref": id("malware", 5), "relationship_type": "uses", "target_ref": id("attack-pattern", 3)}),
        ),
        object(
            "relationship",
            7,
            json!({"source_ref": id("malware", 5), "relationship_type": "mitigates", "target_ref": id("attack-pattern", 4)}),
        ),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_matrix_is_lit_by_what_is_known_and_reports_are_read_with_its_names() {
    let house = House::new().await;
    let (_, empty) = house.get("/api/v1/intel/matrix").await;
    assert_eq!(empty["matrix"], Value::Null, "nothing is loaded yet");
    let (status, report) =
        call(house.room.router(), true, "POST", "/api/v1/intel/import?tlp=clear", &attack()).await;
    assert_eq!((status, &report["refused"]), (StatusCode::OK, &json!(0)), "{report}");
    let (_, lit) = house.get("/api/v1/intel/matrix?domain=ics-attack").await;
    let cells = &lit["matrix"]["columns"][0]["cells"];
    assert_eq!((&cells[0]["id"], &cells[0]["number"]), (&json!("T0826"), &json!(1.0)), "{lit}");
    assert_eq!(cells[1]["number"], 0.0, "how to meet it is no use of it");
    let (_, layer) = house.get("/api/v1/intel/layer").await;
    assert_eq!(layer["techniques"], json!([{"techniqueID": "T0826", "score": 1}]));
    assert_eq!(house.get("/api/v1/intel/matrix?domain=none").await.0, StatusCode::NOT_FOUND);
    let text = json!("Industroyer led to Loss of Availability (T0826) from 45[.]9.148[.]7.");
    let (_, found) =
        call(house.room.router(), true, "POST", "/api/v1/knowledge/reports/extract", &text).await;
    let values: Vec<&str> = found["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["value"].as_str().unwrap())
        .collect();
    assert!(values.contains(&"T0826") && values.contains(&"45.9.148.7"), "{found}");
}
