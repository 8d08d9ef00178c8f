//! ATT&CK and its kin.

use std::collections::BTreeMap;

use feeds::knowledge::d3fend::{D3fend, D3fendError, Fit};
use feeds::knowledge::layer::{Layer, LayerError, Mark};
use feeds::knowledge::{ItemKind, Knowledge, RelationKind};
use serde_json::{Value, json};
use stix::Object;

use crate::{data, fixture};

/// A matrix of two tactics in the reverse order of their names.
fn objects() -> Vec<Object> {
    let external = |id: &str| json!([{"source_name": "mitre-attack", "external_id": id}]);
    let technique = |n: u32, id: &str, name: &str, phase: &str| {
        json!({"type": "attack-pattern", "id": format!("attack-pattern--{n}"), "name": name,
            "external_references": external(id), "x_mitre_domains": ["enterprise-attack"],
            "modified": "2025-01-01T00:00:00.000Z",
            "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": phase}]})
    };
    let relation = |kind: &str, from: &str, to: &str| {
        json!({"type": "relationship", "id": format!("relationship--{kind}{from}"),
            "relationship_type": kind, "source_ref": from, "target_ref": to})
    };
    let tactic = |n: u32, id: &str, name: &str, short: &str| {
        json!({"type": "x-mitre-tactic", "id": format!("x-mitre-tactic--{n}"), "name": name,
            "external_references": external(id), "x_mitre_shortname": short})
    };
    let mut old = technique(4, "T0004", "Old", "alpha");
    old["revoked"] = json!(true);
    let mut older = technique(1, "T0001", "Former name", "beta");
    older["modified"] = json!("2024-01-01T00:00:00.000Z");
    [
        json!({"type": "x-mitre-matrix", "id": "x-mitre-matrix--1", "name": "Small",
            "external_references": external("enterprise-attack"),
            "tactic_refs": ["x-mitre-tactic--2", "x-mitre-tactic--1", "x-mitre-tactic--9"]}),
        tactic(1, "TA1", "Alpha", "alpha"),
        tactic(2, "TA2", "Beta", "beta"),
        technique(1, "T0001", "One", "beta"),
        older,
        technique(2, "T0001.001", "Part", "beta"),
        technique(3, "T0003", "Three", "alpha"),
        old,
        json!({"type": "malware", "id": "malware--1", "name": "Tool", "x_mitre_aliases": ["Tool", "T-Rex"],
            "external_references": external("S0001")}),
        relation("subtechnique-of", "attack-pattern--2", "attack-pattern--1"),
        relation("uses", "malware--1", "attack-pattern--2"),
        relation("revoked-by", "attack-pattern--4", "attack-pattern--3"),
        relation("eats", "malware--1", "attack-pattern--2"),
        json!({"type": "x-new", "id": "x-new--1"}),
        json!({"type": "marking-definition", "id": "marking-definition--1",
            "definition": {"statement": "Copyright"}}),
    ]
    .into_iter()
    .map(|value| Object::from_value(value).unwrap())
    .collect()
}

#[test]
fn tables() {
    let knowledge = Knowledge::read(&objects());
    assert_eq!(knowledge.get("T0001").unwrap().name, "One", "the newest version counts");
    assert_eq!(knowledge.get("T0001.001").unwrap().parents, ["T0001"]);
    assert_eq!(knowledge.get("T0004").unwrap().replaced_by.as_deref(), Some("T0003"));
    let used: Vec<_> = knowledge.targets("S0001", RelationKind::Uses).map(|i| &i.id).collect();
    assert_eq!(used, ["T0001.001"]);
    let parts: Vec<_> =
        knowledge.sources("T0001", RelationKind::SubtechniqueOf).map(|i| &i.id).collect();
    assert_eq!(parts, ["T0001.001"]);
    assert_eq!(knowledge.of_kind(ItemKind::Malware).next().unwrap().aliases, ["T-Rex"]);
    assert_eq!(knowledge.not_read, BTreeMap::from([("x-new".into(), 1)]));
    assert_eq!(knowledge.loose, BTreeMap::from([("eats".into(), 1), ("tactic_refs".into(), 1)]));
    assert_eq!(knowledge.statements, ["Copyright"]);
    let names = knowledge.names();
    let tool = names.iter().find(|entry| entry.id == "S0001").unwrap();
    assert_eq!(tool.names, ["Tool", "T-Rex"]);
    assert!(names.iter().find(|entry| entry.id == "T0004").unwrap().withdrawn);
}

#[test]
fn a_matrix_with_numbers() {
    let knowledge = Knowledge::read(&objects());
    let numbers: BTreeMap<String, f64> =
        [("T0001.001", 3.0), ("T0003", 1.0), ("T0004", 9.0), ("T7777", 1.0)]
            .map(|(id, n)| (id.to_owned(), n))
            .into();
    let matrix = knowledge.matrix_of("enterprise-attack", &numbers).unwrap();
    let columns: Vec<_> = matrix.columns.iter().map(|c| (c.id.as_str(), c.covered)).collect();
    assert_eq!(columns, [("TA2", 1), ("TA1", 1)]);
    let cell = &matrix.columns[0].cells[0];
    assert_eq!((cell.id.as_str(), cell.number, cell.total, cell.covered), ("T0001", 0.0, 3.0, 1));
    assert_eq!((matrix.techniques, matrix.sub_techniques, matrix.covered), (2, 1, 2));
    assert_eq!(matrix.not_placed, ["T0004", "T7777"]);
    assert!(knowledge.matrix_of("mobile-attack", &numbers).is_none());
}

#[test]
fn countermeasures() {
    let read = D3fend::read(&fixture("d3fend.ttl")).unwrap();
    assert_eq!(read.countermeasures["D3-XW"].tactics, ["Detect"]);
    let fits = |id: &str| read.against(id).into_iter().collect::<Vec<_>>();
    assert_eq!(fits("T0001"), [("D3-XS", Fit::Same), ("D3-XW", Fit::Covers)]);
    assert_eq!(fits("T0001.001"), fits("T0001"), "parts inherit");
    assert_eq!(fits("T0002"), [("D3-XS", Fit::Partly), ("D3-XW", Fit::Same)]);
    assert_eq!(fits("T0003"), []);
    assert!(matches!(D3fend::read(b"<a> <b>"), Err(D3fendError::Syntax(_))));
    assert!(matches!(D3fend::read(b""), Err(D3fendError::Empty)));
}

#[test]
fn layers_go_out_as_they_came_in() {
    let bytes = fixture("layer.json");
    let mut layer = Layer::read(&bytes).unwrap();
    let before: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&layer.to_json()).unwrap(), before);
    let marks: Vec<_> = layer.marks().collect();
    assert_eq!((marks[0].score, marks[0].tactic.as_deref()), (Some(5.0), Some("execution")));
    assert!(!marks[1].enabled);
    assert_eq!(layer.scores(), BTreeMap::from([("T1059".into(), 5.0)]));
    layer.set(&Mark { score: Some(7.0), ..marks[0].clone() });
    let after: Value = serde_json::from_str(&layer.to_json()).unwrap();
    assert_eq!(after["techniques"][0]["score"], json!(7));
    assert_eq!(after["techniques"][0]["metadata"], before["techniques"][0]["metadata"]);
    assert_eq!(after["techniques"].as_array().unwrap().len(), 2);
    layer.set(&Mark { technique: "T1".into(), enabled: true, ..Mark::default() });
    assert_eq!(layer.marks().count(), 3);
}

#[test]
fn layers_are_judged() {
    let with = |pointer: &str, value: Value| {
        let mut layer: Value = serde_json::from_slice(&fixture("layer.json")).unwrap();
        *layer.pointer_mut(pointer).unwrap() = value;
        Layer::read(layer.to_string().as_bytes())
    };
    for version in ["4.6", "3.0", "5.0", "4.", "x"] {
        let read = with("/versions/layer", json!(version));
        assert!(matches!(read, Err(LayerError::Version(v)) if v == version));
    }
    assert!(with("/versions/layer", json!("4.3")).is_ok());
    assert!(matches!(with("/domain", json!(1)), Err(LayerError::Shape(_))));
    let error = with("/techniques/1", json!({"score": 1})).unwrap_err();
    assert!(error.to_string().contains("/techniques/1/techniqueID"));
    let scores = BTreeMap::from([("T1059".to_owned(), 2.0), ("T1003".to_owned(), 0.5)]);
    let made = Layer::of_scores("x", "ics-attack", &scores);
    assert_eq!(Layer::read(made.to_json().as_bytes()).unwrap().scores(), scores);
}

#[test]
fn the_real_list_of_weaknesses_is_read() {
    let Some(packed) = data("vuln/cwe/cwec_v4.14.xml.zst") else { return };
    let mut text = Vec::new();
    let mut reader = ruzstd::decoding::StreamingDecoder::new(&*packed).unwrap();
    std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
    let found = feeds::knowledge::cwe::read(&text).unwrap();
    let named = |id: &str| found.iter().find(|one| one.id == id).map(|one| one.name.as_str());
    // The catalogue says 938 weaknesses for 4.14, deprecated ones not counted.
    assert_eq!(found.len(), 938);
    assert_eq!(named("CWE-306"), Some("Missing Authentication for Critical Function"));
    assert_eq!(named("CWE-1004"), Some("Sensitive Cookie Without 'HttpOnly' Flag"));
    assert_eq!(named("CWE-2"), None, "a category");
    assert!(
        found.iter().all(|one| !one.description.is_empty() && !one.description.contains("&lt;"))
    );
}
