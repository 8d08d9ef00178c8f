//! Reading object by object gives what reading at once gives.

use std::io::Read;

use proptest::prelude::*;
use serde_json::{Value, json};
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::stream::{Reader, validate};

/// Gives a few bytes at a time, so that every border is crossed.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(self.0.len()).min(out.len());
        out[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

fn read(text: &[u8], drip: usize) -> Result<(Vec<Value>, Value), String> {
    let mut reader = Reader::new(Drip(text, drip), DEFAULT_LIMITS);
    let mut items = Vec::new();
    while let Some(item) = reader.next_item().map_err(|e| e.to_string())? {
        assert_eq!(item.index, items.len() as u64);
        assert!(text[item.byte as usize] != b' ');
        items.push(item.value);
    }
    Ok((items, Value::Object(reader.head().clone())))
}

#[test]
fn members_may_stand_in_any_order() {
    let text =
        br#" {"objects" : [ {"a":"]}\"" } , {"b":[1,{"c":2}]},3 ] , "type":"bundle","n":-1.5e3 } "#;
    for drip in [1, 2, 7, 1_000] {
        let (items, head) = read(text, drip).unwrap();
        assert_eq!(items, [json!({"a": "]}\""}), json!({"b": [1, {"c": 2}]}), json!(3)]);
        assert_eq!(head, json!({"type": "bundle", "n": -1500.0}));
    }
    // a lone object keeps its own property of that name
    let (items, head) = read(br#"{"type":"x-a","objects":[1]}"#, 3).unwrap();
    assert_eq!((items.len(), head["objects"][0].as_i64()), (0, Some(1)));
}

#[test]
fn errors_name_the_place_in_the_whole_text() {
    for (text, place) in [
        ("{\"type\":\"bundle\",\n\"objects\":[{},\n {\"a\":1,\"a\":2}]}", "line 3, column 11"),
        ("{\"objects\":[{\"a\":tru}]}", "at /objects/0/a"),
        ("{\"objects\":[{}{}]}", "column 15"),
        ("{\"objects\":[{},]}", "/objects/1"),
        ("{\"objects\":[],\"objects\":[]}", "stands twice"),
        ("{\"a\":1,\"a\":2}", "stands twice"),
        ("[]", "not a JSON object"),
        ("{\"objects\":[{}]", "comma or the end"),
        ("{} {}", "something follows"),
        ("", "not a JSON object"),
    ] {
        let error = read(text.as_bytes(), 1).unwrap_err();
        assert!(error.contains(place), "{text}: {error}");
    }
}

#[test]
fn each_object_has_the_limits_alone() {
    let limits = Limits { max_bytes: 200, max_depth: 3, max_values: 20 };
    let many = format!("{{\"objects\":[{}{{}}]}}", "{\"a\":[1]},".repeat(10_000));
    assert!(validate(many.as_bytes(), limits).is_ok());
    let long = format!("{{\"objects\":[{{\"a\":\"{}\"}}]}}", "x".repeat(100_000));
    assert!(validate(long.as_bytes(), limits).unwrap_err().to_string().contains("limit is 200"));
    let deep = format!("{{\"objects\":[{}", "[".repeat(100_000));
    assert!(validate(deep.as_bytes(), limits).unwrap_err().to_string().contains("make it flatter"));
}

/// They are kept until the end, so a thousand of them must not each have the limits alone.
#[test]
fn the_other_members_have_the_limits_together() {
    let limits = Limits { max_bytes: 200, max_depth: 3, max_values: 20 };
    let with = |count: usize, value: &str| {
        let members: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{value}")).collect();
        let text = format!("{{\"objects\":[{{}}],{}}}", members.join(","));
        validate(text.as_bytes(), limits).map_err(|error| error.to_string())
    };
    let long = format!("\"{}\"", "x".repeat(80));
    assert!(with(2, &long).is_ok());
    let told = with(3, &long).unwrap_err();
    assert!(told.contains("limit is 200") && !told.contains("has 82 bytes"), "{told}");
    assert!(with(2, "[1,2,3,4]").is_ok());
    assert!(with(4, "[1,2,3,4]").unwrap_err().contains("more than 20 values"));
    let many = format!("{{\"{}\":1,\"{}\":1}}", "a".repeat(120), "b".repeat(120));
    assert!(validate(many.as_bytes(), limits).is_err(), "names count too");
}

#[test]
fn the_judgement_is_that_of_the_whole_bundle() {
    let tool = |name: &str| {
        json!({"type": "tool", "spec_version": "2.1", "name": name,
        "id": "tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "created": "2016-04-06T20:03:48.000Z", "modified": "2016-04-06T20:03:48.000Z"})
    };
    let bundle = json!({"type": "bundle", "id": "bundle--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f",
        "spec_version": "2.0", "objects": [tool("a"), tool("b"), tool("a"), {"type": "file"}]});
    let text = bundle.to_string();
    let streamed = validate(text.as_bytes(), DEFAULT_LIMITS).unwrap();
    let whole =
        stix::validate::bundle(&stix::Bundle::read(text.as_bytes(), DEFAULT_LIMITS).unwrap());
    assert_eq!(streamed.errors, whole.errors);
    let twice = |p: &&stix::validate::Problem| p.message.contains("stands twice");
    assert_eq!(streamed.problems.iter().filter(twice).count(), 1);
    // an object without id is named by its place
    assert!(streamed.problems.iter().any(|p| p.object == "/objects/3" && p.property == "/id"));
    assert!(!validate(&b"{\"type\":\"bundle\"}"[..], DEFAULT_LIMITS).unwrap().is_valid());
    assert!(!validate(&b"{\"objects\":[{}]}"[..], DEFAULT_LIMITS).unwrap().is_valid());
}

proptest! {
    #[test]
    fn what_json_accepts_is_read_alike(text in "[\\[\\]{}\":,a1\\\\ \n-]{0,60}", drip in 1..5_usize) {
        let text = format!("{{\"objects\":[{text}]}}");
        let whole = stix::json::read(text.as_bytes(), DEFAULT_LIMITS).ok();
        match (read(text.as_bytes(), drip), whole) {
            (Ok((items, _)), Some(value)) => prop_assert_eq!(json!(items), value["objects"].clone()),
            (Err(_), None) => {}
            (streamed, whole) => prop_assert!(false, "{streamed:?} {whole:?}"),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, 3);
    }
}
