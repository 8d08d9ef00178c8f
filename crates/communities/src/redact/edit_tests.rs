#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

fn removed(object: Value, property: &str) -> (Value, Vec<String>) {
    let mut map = object.as_object().unwrap().clone();
    let mut changes = Changes::default();
    let any = remove(&mut map, property, "r", &mut changes);
    let places: Vec<String> = changes.into_parts().0.into_iter().map(|c| c.place).collect();
    assert_eq!(any, !places.is_empty());
    (Value::Object(map), places)
}

#[test]
fn properties_go_by_pointer_and_by_name() {
    let object = json!({
        "type": "report", "name": "n", "x_internal_a": 1, "x_internal_b": 2, "x_other": {"x_internal_c": 1, "kept": 1},
        "external_references": [{"source_name": "a", "url": "u"}, {"source_name": "b", "url": "v"}],
    });
    let (left, places) = removed(object.clone(), "x_internal_*");
    assert_eq!(places, ["/x_internal_a", "/x_internal_b", "/x_other/x_internal_c"]);
    assert_eq!(left["x_other"], json!({"kept": 1}));
    let (left, places) = removed(object.clone(), "/external_references/*/url");
    assert_eq!(places.len(), 2);
    assert_eq!(left["external_references"][1], json!({"source_name": "b"}));
    let (left, _) = removed(object.clone(), "/external_references/0");
    assert_eq!(left["external_references"], json!([{"source_name": "b", "url": "v"}]));
    // STIX knows no empty lists: what is emptied goes too
    let (left, _) = removed(object.clone(), "/external_references/*");
    assert!(left.get("external_references").is_none());
    for nothing in ["/nothing", "nothing", "/external_references/7", "/name/x"] {
        assert_eq!(removed(object.clone(), nothing).0, object, "{nothing}");
    }
    // what says what an object is stays, whatever the pattern
    for all in ["*", "/*"] {
        assert_eq!(removed(object.clone(), all).0, json!({"type": "report"}), "{all}");
    }
}

#[test]
fn patterns_of_names() {
    for (pattern, name, fits) in [
        ("*", "anything", true),
        ("x_*", "x_a", true),
        ("x_*", "y_x_a", false),
        ("*_note", "x_note", true),
        ("*_note", "x_notes", false),
        ("a*b*c", "a1b2c", true),
        ("a*b*c", "a1c2b", false),
        ("a*a", "a", false),
        ("name", "name", true),
        ("name", "names", false),
    ] {
        assert_eq!(glob(pattern, name), fits, "{pattern} {name}");
    }
}

#[test]
fn texts_change_but_not_what_an_object_is() {
    let object = json!({
        "type": "secret", "id": "secret--1", "created_by_ref": "secret--2", "name": "secret", "n": 1,
        "object_refs": ["secret--3"], "list": ["a", {"b": "secret", "secret": "key"}],
    });
    let mut map = object.as_object().unwrap().clone();
    let mut changes = Changes::default();
    let change = |text: &str| text.contains("secret").then(|| text.replace("secret", "-"));
    assert!(texts(&mut map, "r", &mut changes, &change));
    let expect = json!({
        "type": "secret", "id": "secret--1", "created_by_ref": "secret--2", "name": "-", "n": 1,
        "object_refs": ["secret--3"], "list": ["a", {"b": "-", "-": "key"}],
    });
    assert_eq!(Value::Object(map.clone()), expect);
    let places: Vec<String> = changes.into_parts().0.into_iter().map(|c| c.place).collect();
    assert_eq!(places, ["/name", "/list/1/b", "/list/1"]);
    assert!(!texts(&mut map, "r", &mut Changes::default(), &change));
}

#[test]
fn granular_markings_go_with_what_they_mark() {
    let red = stix::Tlp::Red.id();
    let mut map = json!({
        "type": "report", "name": "n", "labels": ["a"], "granular_markings": [
            {"marking_ref": red, "selectors": ["description", "name"]},
            {"marking_ref": red, "selectors": ["description"]},
        ],
    });
    let map = map.as_object_mut().unwrap();
    tidy_markings(map);
    assert_eq!(map["granular_markings"], json!([{"marking_ref": red, "selectors": ["name"]}]));
    map.shift_remove("name");
    tidy_markings(map);
    assert!(!map.contains_key("granular_markings"));
}
