//! Patterns on the command line, and questions line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::programs::{json as read, output, sereno};

fn observed() -> Value {
    json!({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "198.51.100.7"},
        {"type": "observed-data", "id": "observed-data--1", "number_observed": 2, "object_refs": ["ipv4-addr--1"],
         "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:01Z"}]})
}

#[test]
fn patterns_are_checked_matched_and_compared_with_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("observed.json");
    std::fs::write(&file, json!([observed()]).to_string()).unwrap();
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{").unwrap();
    let run = |arguments: &[&str]| output(sereno().args(["stix", "pattern"]).args(arguments));
    let asked = |pattern: &str, file: &std::path::Path| {
        let out = run(&["match", "--json", pattern, file.to_str().unwrap()]);
        (out.status.code(), read(&out))
    };
    let ip = "[ipv4-addr:value = '198.51.100.7']";
    assert_eq!(asked(ip, &file), (Some(0), json!({"match": true})));
    assert_eq!(asked(&format!("{ip} REPEATS 3 TIMES"), &file), (Some(1), json!({"match": false})));
    let (code, answer) = asked("[ipv4-addr:value", &file);
    assert!(code == Some(2) && answer["error"].as_str().unwrap().contains("column 17"), "{answer}");
    let (code, answer) = asked(ip, &broken);
    assert!(
        code == Some(3) && answer["error"].as_str().unwrap().contains("broken.json"),
        "{answer}"
    );
    let (code, answer) = asked(ip, &folder.path().join("absent.json"));
    assert!(code == Some(3) && answer["error"].is_string(), "{answer}");

    let check = |pattern: &str| {
        let out = run(&["check", "--json", pattern]);
        (out.status.code(), read(&out))
    };
    assert_eq!(check(ip), (Some(0), json!({"valid": true, "warnings": []})));
    let (code, answer) = check("[a:b = 1]\n AND [c]");
    assert_eq!((code, &answer["line"], &answer["column"]), (Some(1), &json!(2), &json!(8)));
    let (code, answer) = check("[a:b = 1 AND c:d = 1]");
    assert!(
        code == Some(0) && answer["warnings"][0].as_str().unwrap().contains("§9.5"),
        "{answer}"
    );

    let normal = run(&["normal", "[a:b = 2 OR a:b = 1] OR [a:b == 2]"]);
    assert_eq!(String::from_utf8_lossy(&normal.stdout).trim(), "[a:b IN (1, 2)]");
    let equal = |a: &str, b: &str| run(&["equal", a, b]).status.code();
    assert_eq!(equal("[a:b = 1 AND a:c = 2]", "[a:c = 2 AND a:b NOT != 1]"), Some(0));
    assert_eq!(equal("[a:b = 1]", "[a:b = 2]"), Some(1));
    assert_eq!(equal("[a:b = 1]", "[a:b"), Some(2));
}

#[test]
fn a_batch_answers_each_line_before_the_next_is_sent_whatever_comes() {
    let mut batch = sereno()
        .args(["stix", "batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = batch.stdin.take().unwrap();
    let mut answers = BufReader::new(batch.stdout.take().unwrap());
    let mut ask = |line: &str| -> Value {
        writeln!(questions, "{line}").unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap()
    };
    let of = |question: Value| question.to_string();
    let ip = "[ipv4-addr:value = '198.51.100.7']";
    let matched = json!({"id": 1, "op": "match", "pattern": ip, "observed": [observed()]});
    assert_eq!(ask(&of(matched)), json!({"id": 1, "match": true}));
    let none =
        json!({"id": "b", "op": "match", "pattern": "[url:value = 'x']", "observed": [observed()]});
    assert_eq!(ask(&of(none)), json!({"id": "b", "match": false}));
    assert_eq!(
        ask(&of(json!({"id": 2, "op": "check", "pattern": ip}))),
        json!({"id": 2, "valid": true})
    );
    let answer = ask(&of(json!({"id": 3, "op": "check", "pattern": "[a:b ~ 1]"})));
    assert!(answer["valid"] == json!(false) && answer["error"].is_string(), "{answer}");
    let answer = ask(&of(json!({"id": 4, "op": "match", "pattern": "[", "observed": []})));
    assert!(answer["id"] == json!(4) && answer["error"].is_string(), "{answer}");
    let answer = ask(&of(json!({"id": 5, "op": "match", "pattern": ip, "observed": [7]})));
    assert!(answer["error"].is_string() && answer.get("match").is_none(), "{answer}");
    let sco = json!({"type": "ipv4-addr", "spec_version": "2.1", "value": "198.51.100.7",
        "id": "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"});
    let answer = ask(&of(json!({"id": 6, "op": "validate", "object": sco})));
    assert!(answer["valid"].is_boolean() && answer["errors"].is_array(), "{answer}");
    assert!(answer["warnings"].is_array(), "{answer}");
    let answer = ask(&of(json!({"id": 7, "op": "validate", "object": {"type": "indicator"}})));
    assert!(answer["valid"] == json!(false) && answer["errors"].as_array().unwrap().len() > 1);
    for (line, id) in [
        ("{", Value::Null),
        ("7", Value::Null),
        ("{\"id\":8,\"op\":\"guess\"}", json!(8)),
        ("{\"id\":9}", json!(9)),
        ("\u{feff}\u{0}", Value::Null),
    ] {
        let answer = ask(line);
        assert!(answer["id"] == id && answer["error"].is_string(), "{line}: {answer}");
    }
    assert_eq!(ask(&of(json!({"op": "check", "pattern": ip}))), json!({"id": null, "valid": true}));
    drop(questions);
    assert!(batch.wait().unwrap().success());
}
