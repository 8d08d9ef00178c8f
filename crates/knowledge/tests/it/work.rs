//! What analysts do: sightings, reports, parameters, lists of well-known values, the stream.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use model::ShareDecision;
use platform::http::{Caller, Gate};
use platform::testing::{call, call_through};
use ports::fake::FakeAuthorizer;
use ports::{AccessQuestion, Authorizer};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{House, attack, bundle, id, object};

impl House {
    async fn ask(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        call(self.room.router(), true, method, path, body).await
    }

    /// As somebody who may read up to TLP:GREEN.
    async fn ask_green(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        call_through(self.room.router(), Gate(Arc::new(UpToGreen)), method, path, body).await
    }

    fn now(&self) -> String {
        self._platform.now().to_millis_text()
    }
}

struct UpToGreen;

impl Authorizer for UpToGreen {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let beyond = question.action == "see"
            && !["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str());
        FakeAuthorizer(!beyond).decide(question)
    }
}

fn indicator(n: u32, value: &str, at: &str, more: Value) -> Value {
    let mut made = object(
        "indicator",
        n,
        json!({"pattern": format!("[ipv4-addr:value = '{value}']"), "pattern_type": "stix",
            "valid_from": at, "confidence": 60}),
    );
    made["created"] = at.into();
    made["modified"] = at.into();
    made.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn people_say_that_it_was_seen_was_none_or_has_ended() {
    let house = House::new().await;
    let now = house.now();
    house.import(&bundle(&[indicator(1, "45.9.148.7", &now, json!({}))])).await;
    let path = format!("/api/v1/knowledge/objects/{}/sightings", id("indicator", 1));
    let page = async || house.get(&format!("/api/v1/intel/objects/{}", id("indicator", 1))).await.1;
    let before = page().await["item"]["score_now"].as_f64().unwrap();
    assert!((59.0..=60.0).contains(&before));
    let seen =
        json!({"type": "sighting", "count": 3, "where": "pump station", "comment": "in the log"});
    let (status, kept) = house.ask("POST", &path, &seen).await;
    assert_eq!(status, StatusCode::CREATED, "{kept}");
    assert!(kept["score_now"].as_f64().unwrap() > 67.0, "{kept}");
    let made =
        house.get(&format!("/api/v1/intel/objects/{}", kept["id"].as_str().unwrap())).await.1;
    assert_eq!(made["object"]["count"], 3);
    assert_eq!(made["object"]["description"], "Seen: pump station: in the log");
    assert_eq!(made["item"]["tlp"], "TLP:AMBER", "a sighting is as protected as what was seen");
    assert_eq!(
        (&made["said"][0]["source"], &made["said"][0]["kind"]),
        (&json!("local administrator"), &json!("person"))
    );
    let (_, wrong) = house.ask("POST", &path, &json!({"type": "false-positive"})).await;
    assert!((40.0..42.0).contains(&wrong["score_now"].as_f64().unwrap()), "{wrong}");
    let (_, ended) = house.ask("POST", &path, &json!({"type": "expiration"})).await;
    assert_eq!((&ended["score_now"], &ended["standing"]), (&json!(0.0), &json!("ended")));
    let found = house.get("/api/v1/intel/objects?q=type:indicator").await.1;
    assert_eq!(found["items"][0]["standing"], "ended", "lists tell it too");
    assert_eq!(page().await["values"][0]["standing"]["reports"], 3);
    // out of sight is not there, with the same words as what does not exist
    let (status, secret) = house.ask_green("POST", &path, &json!({"type": "expiration"})).await;
    let (_, nothing) = house
        .ask_green("POST", &path.replace("000001", "000002"), &json!({"type": "expiration"}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(secret["detail"].as_str().unwrap().replace("000001", "000002"), nothing["detail"]);
    for bad in [
        json!({"type": "sighting", "count": 0}),
        json!({"type": "sighting", "seen_at": "2199-01-01T00:00:00Z"}),
        json!({"type": "sighting", "where": "a\u{0}b"}),
        json!({"type": "liked"}),
    ] {
        let (status, problem) = house.ask("POST", &path, &bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}: {problem}");
    }
}

const REPORT: &str = "Industroyer called 45[.]9.148[.]7 for Loss of Availability (T0826).\n\
    The second stage came from hxxp://bad-host-4711[.]top/a and used CVE-2026-12345.\n\
    Our resolver 8[.]8.8[.]8 and 192.168.1.4 were asked too.\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_reviewed_accepted_and_stored_once() {
    let house = House::new().await;
    call(house.room.router(), true, "POST", "/api/v1/intel/import?tlp=clear", &attack()).await;
    let now = house.now();
    house.import(&bundle(&[indicator(9, "45.9.148.7", &now, json!({}))])).await;
    let own =
        json!({"name": "Ours", "version": 1, "type": "hostname", "list": ["bad-host-4711.top"]});
    assert_eq!(
        house.ask("POST", "/api/v1/knowledge/warninglists", &own).await.0,
        StatusCode::CREATED
    );
    let review = async || {
        let text = Body::from(REPORT);
        raw(&house, "/api/v1/knowledge/reports/extract", text).await
    };
    let (_, found) = review().await;
    let one = |key: &str| {
        let all = found["candidates"].as_array().unwrap();
        all.iter()
            .find(|one| one["key"] == key)
            .cloned()
            .unwrap_or_else(|| panic!("{key}: {found}"))
    };
    let doubts = |key: &str| one(key)["doubts"].clone();
    assert_eq!(doubts("ipv4:45.9.148.7"), json!(["already-known"]));
    assert_eq!(doubts("url:http://bad-host-4711.top/a"), json!(["warninglist"]));
    assert_eq!(one("url:http://bad-host-4711.top/a")["warninglists"], json!(["Ours"]));
    assert!(doubts("ipv4:8.8.8.8").as_array().unwrap().contains(&json!("warninglist")), "{found}");
    assert!(doubts("ipv4:192.168.1.4").as_array().unwrap().contains(&json!("not-public")));
    let cve = one("cve:CVE-2026-12345");
    assert_eq!((&cve["line"], &cve["suggestion"]), (&json!(2), &json!("accept")));
    assert_eq!(one("ipv4:45.9.148.7")["defanged"], "45[.]9[.]148[.]7");
    assert_eq!(found["stored_as"], json!([]));

    let mut new = json!({"text": REPORT, "title": "Night Heron at the port", "tlp": "green", "source": "Port CERT",
        "confidence": 80, "accept": ["ipv4:45.9.148.7", "technique:T0826", "cve:CVE-2026-12345"]});
    let (status, stored) = house.ask("POST", "/api/v1/knowledge/reports", &new).await;
    assert_eq!(status, StatusCode::CREATED, "{stored}");
    // report, indicator, vulnerability, and what stands with the technique in one sentence
    assert_eq!((&stored["stored"]["new"], &stored["skipped"]), (&json!(4), &json!([])), "{stored}");
    let report = stored["report"].as_str().unwrap();
    let (_, page) = house.get(&format!("/api/v1/intel/objects/{report}")).await;
    assert_eq!(
        (&page["item"]["tlp"], &page["said"][0]["source"]),
        (&json!("TLP:GREEN"), &json!("Port CERT"))
    );
    let refs = page["object"]["object_refs"].as_array().unwrap();
    assert!(refs.contains(&json!(id("attack-pattern", 3))), "{page}");
    let (_, related) =
        house.get("/api/v1/intel/objects?q=type:relationship%20source:%22Port%20CERT%22").await;
    let relation = &related["items"][0];
    assert_eq!(relation["name"], "indicator related-to attack-pattern", "{related}");
    assert_eq!(review().await.1["stored_as"], json!([report]));
    // the same text under the same label again; candidates that the text does not have
    assert_eq!(house.ask("POST", "/api/v1/knowledge/reports", &new).await.0, StatusCode::CONFLICT);
    new["tlp"] = "amber".into();
    for (accept, wanted) in [
        (json!(["ipv4:45.9.148.8"]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!([]), StatusCode::UNPROCESSABLE_ENTITY),
        (json!(["all"]), StatusCode::CREATED),
    ] {
        new["accept"] = accept;
        let (status, answer) = house.ask("POST", "/api/v1/knowledge/reports", &new).await;
        assert_eq!(status, wanted, "{answer}");
    }
    // under a label one may not read nothing is stored, and nothing is told of what is
    let (status, refused) = house.ask_green("POST", "/api/v1/knowledge/reports", &new).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.to_string().contains("report--"), "{refused}");
    assert_eq!(
        raw(&house, "/api/v1/knowledge/reports/extract", Body::from(vec![0xff])).await.0,
        StatusCode::BAD_REQUEST
    );
}

async fn raw(house: &House, path: &str, body: Body) -> (StatusCode, Value) {
    let (routes, _) = house.room.router().into_parts();
    let app = axum::Router::from(routes).layer(Extension(Gate(Arc::new(FakeAuthorizer(true)))));
    let request = Request::post(path).extension(Caller::local_admin()).body(body).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_shown_chosen_and_refused_with_the_reason() {
    let house = House::new().await;
    house
        .import(&bundle(&[indicator(1, "45.9.148.7", "2026-01-01T00:00:00.000Z", json!({}))]))
        .await;
    let path = "/api/v1/knowledge/decay";
    let kind = |answer: &Value, name: &str| {
        let kinds = answer["kinds"].as_array().unwrap();
        kinds.iter().find(|one| one["kind"] == name).unwrap().clone()
    };
    let (_, shown) = house.get(path).await;
    assert_eq!(
        (&kind(&shown, "address")["lifetime_days"], &kind(&shown, "address")["chosen_by"]),
        (&json!(30.0), &Value::Null)
    );
    let change =
        json!({"kinds": {"address": {"lifetime_days": 10.0}}, "sources": {"import:test": 50}});
    let (status, changed) = house.ask("PUT", path, &change).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    let address = kind(&changed, "address");
    assert_eq!((&address["lifetime_days"], &address["decay_speed"]), (&json!(10.0), &json!(2.0)));
    assert_eq!(address["chosen_by"], "local administrator");
    assert_eq!(changed["sources"][0]["weight"], 50);
    let (_, reset) = house.ask("PUT", path, &json!({"reset": ["address"]})).await;
    assert_eq!(kind(&reset, "address"), kind(&shown, "address"));
    for (bad, status) in [
        (json!({"kinds": {"address": {"lifetime_days": 0.0}}}), 422),
        (json!({"kinds": {"address": {"threshold": 101.0}}}), 422),
        (json!({"kinds": {"smell": {}}}), 422),
        (json!({"sources": {"import:test": 101}}), 422),
        (json!({"sources": {"nobody": 1}}), 404),
    ] {
        let (got, problem) = house.ask("PUT", path, &bad).await;
        assert_eq!(got.as_u16(), status, "{bad}: {problem}");
    }
    // a source beyond sight is neither shown nor weighed
    let (_, seen) = house.ask_green("GET", path, &Value::Null).await;
    assert_eq!(seen["sources"], json!([]));
    let hidden = json!({"sources": {"import:test": 1}});
    assert_eq!(house.ask_green("PUT", path, &hidden).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn well_known_values_are_excused_as_long_as_the_list_is_there() {
    let house = House::new().await;
    let now = house.now();
    house.import(&bundle(&[indicator(1, "45.9.148.7", &now, json!({}))])).await;
    let path = "/api/v1/knowledge/warninglists";
    let list =
        json!({"name": "Ours / all", "version": 3, "type": "cidr", "list": ["45.9.148.0/24", "?"]});
    let (status, added) = house.ask("POST", path, &list).await;
    assert_eq!(
        (status, &added["left_out"]),
        (StatusCode::CREATED, &json!(["'?' is no address or network"]))
    );
    let page = async || house.get(&format!("/api/v1/intel/objects/{}", id("indicator", 1))).await.1;
    assert_eq!(page().await["values"][0]["excused_by"], "Ours / all");
    assert_eq!(page().await["item"]["standing"], "excused");
    let (_, lists) = house.get(path).await;
    assert_eq!((&lists[0]["name"], &lists[0]["origin"]), (&json!("Ours / all"), &json!("loaded")));
    assert!(lists.as_array().unwrap().iter().any(|list| list["origin"] == "shipped"));
    let one = format!("{path}/Ours%20%2F%20all");
    assert_eq!(house.ask("DELETE", &one, &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.ask("DELETE", &one, &Value::Null).await.0, StatusCode::NOT_FOUND);
    assert_eq!(page().await["item"]["standing"], "lives");
    for bad in [
        json!({"name": ""}),
        json!([]),
        json!({"name": "", "version": 1, "type": "string", "list": []}),
    ] {
        assert_eq!(
            house.ask("POST", path, &bad).await.0,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{bad}"
        );
    }
}

/// Opens a stream and reads until so many events with a place came.
async fn events(house: &House, gate: Gate, query: &str, many: usize) -> Vec<(i64, Value)> {
    let (routes, _) = house.room.router().into_parts();
    let app = axum::Router::from(routes).layer(Extension(gate));
    let request = Request::get(format!("/api/v1/knowledge/stream{query}"))
        .extension(Caller::local_admin())
        .body(Body::empty())
        .unwrap();
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    let mut text = String::new();
    let read = async {
        while text.matches("id: ").count() < many || !text.ends_with("\n\n") {
            text.push_str(&String::from_utf8_lossy(&body.next().await.unwrap().unwrap()));
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    text.split("\n\n")
        .filter_map(|event| {
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
            Some((field("id: ")?.parse().ok()?, serde_json::from_str(field("data: ")?).ok()?))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_goes_on_where_it_was_and_stays_in_sight() {
    let house = House::new().await;
    let all = || Gate(Arc::new(FakeAuthorizer(true)));
    let now = house.now();
    house.import(&bundle(&[indicator(1, "45.9.148.7", &now, json!({}))])).await;
    let green = json!({"object_marking_refs": [stix::Tlp::Green.id()]});
    house
        .import(&bundle(&[object(
            "malware",
            2,
            json!({"name": "Night Heron", "is_family": true,
        "object_marking_refs": green["object_marking_refs"]}),
        )]))
        .await;
    let mut gone = indicator(1, "45.9.148.7", &now, json!({"revoked": true}));
    gone["modified"] = "2199-01-01T00:00:00.000Z".into();
    house.import(&bundle(&[gone])).await;
    let told = events(&house, all(), "?after=0", 3).await;
    let words: Vec<&str> =
        told.iter().map(|(_, event)| event["change"].as_str().unwrap()).collect();
    assert_eq!(words, ["new", "new", "revoked"]);
    assert_eq!(told[1].1["object"]["name"], "Night Heron");
    let rest = events(&house, all(), &format!("?after={}", told[1].0), 1).await;
    assert_eq!(rest, told[2..], "the place to come back with loses and repeats nothing");
    let malware = events(&house, all(), "?after=0&types=malware", 1).await;
    assert_eq!(malware, told[1..2]);
    let seen = events(&house, Gate(Arc::new(UpToGreen)), "?after=0", 1).await;
    assert_eq!(seen, told[1..2], "what is amber is not there");
}

const D3FEND: &str = r#"@prefix : <http://d3fend.mitre.org/ontologies/d3fend.owl#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
:d3fend-tactical-verb-property a owl:ObjectProperty .
:analyzes a owl:ObjectProperty ; rdfs:subPropertyOf :d3fend-tactical-verb-property .
:modifies a owl:ObjectProperty .
:File a owl:Class .
:FileWatch a owl:Class ; rdfs:label "File Watch" ; :d3fend-id "D3-XW" ; :definition "Watches files." ;
  rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :analyzes ; owl:someValuesFrom :File ] .
:T0826 a owl:Class ; :attack-id "T0826" ;
  rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :modifies ; owl:someValuesFrom :File ] .
:T9999 a owl:Class ; :attack-id "T9999" ;
  rdfs:subClassOf [ a owl:Restriction ; owl:onProperty :modifies ; owl:someValuesFrom :File ] .
"#;

#[tokio::test(flavor = "multi_thread")]
async fn catalogues_are_loaded_related_and_loaded_again_without_a_change() {
    let house = House::new().await;
    call(house.room.router(), true, "POST", "/api/v1/intel/import?tlp=clear", &attack()).await;
    let load = async |name: &str, text: &str| {
        raw(&house, &format!("/api/v1/knowledge/catalogues/{name}"), Body::from(text.to_owned()))
            .await
    };
    let (status, loaded) = load("d3fend", D3FEND).await;
    assert_eq!((status, &loaded["stored"]["new"]), (StatusCode::OK, &json!(2)), "{loaded}");
    assert_eq!(loaded["unknown"], json!(["T9999"]));
    let (_, again) = load("d3fend", D3FEND).await;
    assert_eq!(
        (&again["stored"]["new"], &again["stored"]["same"]),
        (&json!(0), &json!(2)),
        "{again}"
    );
    let (_, renamed) = load("d3fend", &D3FEND.replace("Watches files", "Looks at files")).await;
    assert_eq!(
        (&renamed["stored"]["updated"], &renamed["stored"]["same"]),
        (&json!(1), &json!(1)),
        "{renamed}"
    );
    let (_, near) =
        house.get(&format!("/api/v1/intel/objects/{}/relations", id("attack-pattern", 3))).await;
    let kinds: Vec<&Value> =
        near["relations"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&json!("mitigates")), "{near}");
    let (_, cwe) = load("cwe", "CWE-ID,Name\n79,Cross-site Scripting\n").await;
    assert_eq!(cwe["stored"]["new"], 1, "{cwe}");
    let (_, found) = house.get("/api/v1/intel/objects?q=%22CWE-79%22").await;
    assert_eq!(found["items"][0]["name"], "CWE-79 Cross-site Scripting", "{found}");
    for (name, text, wanted) in [
        ("d3fend", "<a> <b>", 422),
        ("d3fend", "", 422),
        ("cwe", "a,b\n", 422),
        ("nothing", "", 404),
    ] {
        assert_eq!(load(name, text).await.0.as_u16(), wanted, "{name}");
    }
    let (_, licences) = house.get("/api/v1/knowledge/licences").await;
    let of = |name: &str| {
        licences
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .cloned()
            .unwrap_or_default()
    };
    assert!(of("D3FEND")["text"].as_str().unwrap().contains("MITRE Corporation"), "{licences}");
    assert_eq!((&of("ATT&CK and CAPEC")["origin"], &of("ATLAS")), (&json!("loaded"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_navigator_layer_comes_in_and_what_is_known_goes_out() {
    let house = House::new().await;
    let layer = json!({"name": "What we saw", "versions": {"layer": "4.5"}, "domain": "ics-attack", "techniques": [
        {"techniqueID": "T0826", "score": 3}, {"techniqueID": "T0827", "enabled": false},
        {"techniqueID": "T9999", "score": 1}]});
    let path = "/api/v1/knowledge/layers?tlp=green";
    assert_eq!(
        house.ask("POST", path, &layer).await.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "ATT&CK is missing"
    );
    call(house.room.router(), true, "POST", "/api/v1/intel/import?tlp=clear", &attack()).await;
    let (status, kept) = house.ask("POST", path, &layer).await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    assert_eq!(
        (&kept["techniques"], &kept["unknown"], &kept["known"]),
        (&json!(1), &json!(["T9999"]), &json!(false))
    );
    assert_eq!(house.ask("POST", path, &layer).await.1["known"], true);
    let (_, page) =
        house.get(&format!("/api/v1/intel/objects/{}", kept["id"].as_str().unwrap())).await;
    assert_eq!(page["object"]["x_navigator_layer"], layer, "nothing of it is lost");
    assert_eq!(
        (&page["item"]["name"], &page["item"]["tlp"]),
        (&json!("What we saw"), &json!("TLP:GREEN"))
    );
    // it lights the matrix as any other word on a technique
    let (_, out) = house.get("/api/v1/intel/layer").await;
    assert_eq!(out["techniques"], json!([{"techniqueID": "T0826", "score": 2}]));
    assert_eq!(
        house.ask_green("POST", "/api/v1/knowledge/layers?tlp=red", &layer).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        house.ask("POST", path, &json!({"name": "x"})).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_lays_graphs_out_for_themselves() {
    let house = House::new().await;
    let path = "/api/v1/knowledge/layouts/malware--1";
    let layout = json!({"positions": {"malware--1": [0.5, -20.0], "tool--2": [7.0, 8.0]}});
    assert_eq!(house.get(path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.ask("PUT", path, &layout).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.get(path).await.1, layout);
    let moved = json!({"positions": {"malware--1": [1.0, 1.0]}});
    assert_eq!(house.ask("PUT", path, &moved).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.get(path).await.1, moved);
    assert_eq!(house.get("/api/v1/knowledge/layouts").await.1[0]["name"], "malware--1");
    // somebody else has none
    let (routes, _) = house.room.router().into_parts();
    let app = axum::Router::from(routes).layer(Extension(Gate(Arc::new(FakeAuthorizer(true)))));
    let other = Caller { id: "other".into(), ..Caller::local_admin() };
    let request = Request::get(path).extension(other).body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::NOT_FOUND);
    for bad in
        [json!({"positions": {"a": [1e9, 0.0]}}), json!({"positions": {"a": [1.0]}}), json!({})]
    {
        assert_eq!(house.ask("PUT", path, &bad).await.0, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(house.ask("DELETE", path, &Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.ask("DELETE", path, &Value::Null).await.0, StatusCode::NOT_FOUND);
}
