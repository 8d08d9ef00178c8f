//! The published JSON schemas of CACAO v2.0 against this validator.

use std::path::{Path, PathBuf};

use cacao::validate;
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::kit::{abilities, shipped};

/// Every type of step, command, agent, target, credential, marking and signature.
const EVERYTHING: &str = include_str!("../fixtures/everything.json");

const BASE: &str = "https://schemas.invalid/cacao/";

/// Schemas by path: their own ids are missing or clash in one of the published sets.
struct Folder(PathBuf);

impl Folder {
    fn read(&self, path: &str) -> Value {
        let text = std::fs::read_to_string(self.0.join(path)).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        schema.as_object_mut().unwrap().remove("$id");
        schema
    }
}

impl Retrieve for Folder {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let path = uri.as_str().strip_prefix(BASE).ok_or("not one of the schemas")?;
        Ok(self.read(path))
    }
}

fn schema(folder: &Path) -> Validator {
    let folder = Folder(folder.to_owned());
    let root = folder.read("playbook.json");
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft7)
        .with_base_uri(format!("{BASE}playbook.json"))
        .with_retriever(folder)
        .build(&root)
        .unwrap()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cacao-schemas")
}

#[test]
fn shipped_playbooks_pass_the_published_schemas() {
    let mut folders = vec![fixtures()];
    match crate::kit::data("cti/cacao/schemas-soarca") {
        Some(folder) => folders.push(folder),
        None => println!("skipped: second set of schemas (SERENO_TEST_DATA)"),
    }
    for folder in folders {
        let schema = schema(&folder);
        for playbook in shipped() {
            let errors: Vec<String> = schema
                .iter_errors(&playbook)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", folder.display());
        }
    }
}

/// Every place of a value as a JSON pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let here = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                out.push(here.clone());
                places(inner, &here, out);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let here = format!("{at}/{index}");
                out.push(here.clone());
                places(inner, &here, out);
            }
        }
        _ => {}
    }
}

/// Where the schema refuses what is accepted here, and why; docs/cacao-conformance.md says more.
const MORE: [(&str, &str); 2] = [
    ("address/", "patterns of the schema refuse variables and names without a dot"),
    (
        "cases/",
        "its pattern for cases knows no other than the standard's steps, which the workflow says",
    ),
];

/// What is refused here and not by the schema: part of the place, words of the error; docs/cacao-conformance.md says more.
const STRICTER: &[(&str, &str)] = &[
    // Commands: the schema looks at their common properties only.
    ("/commands/", "must be"),
    ("/commands/", "is missing"),
    ("/commands/", "has 'command' or"),
    // Keys outside of the patterns are no part of the schema.
    ("/zzz", "must be"),
    ("/zzz", "the name of a variable"),
    ("/zzz", "is none of dname"),
    // Forms of texts.
    ("_args/", "the name of a variable"),
    ("/port", "must be a"),
    ("/external_references", "must not be an empty list"),
    ("/address/", "address"),
    ("/value", "is no "),
    // What no schema can say.
    ("", "leads to"),
    ("", "is needed at least"),
    ("", "endless"),
    ("", "repeats without"),
    ("", "meets no end"),
    ("", "two branches"),
    ("", "_definitions (§3.1)"),
    ("", "is defined neither"),
    ("", "is constant"),
    ("", "must name a variable"),
    ("/cases", "at least one case"),
    ("/condition", "condition"),
    ("/valid_until", "must be later"),
    ("/modified", "must not be earlier"),
    ("", "kms_key_identifier"),
    ("", "the key must"),
];

#[allow(clippy::print_stdout)] // what is skipped is said
fn schemas() -> Vec<Validator> {
    let mut all = vec![schema(&fixtures())];
    match crate::kit::data("cti/cacao/schemas-soarca") {
        Some(folder) => all.push(schema(&folder)),
        None => println!("skipped: second set of schemas (SERENO_TEST_DATA)"),
    }
    all
}

fn mutated(whole: &Value, place: &str, change: &str) -> Value {
    let mut mutant = whole.clone();
    let at = mutant.pointer_mut(place).unwrap();
    match change {
        "remove" => remove(&mut mutant, place),
        "null" => *at = Value::Null,
        "number" => *at = serde_json::json!(-1.5),
        "list" => *at = serde_json::json!([]),
        "object" => *at = serde_json::json!({}),
        "text" => *at = serde_json::json!("x y"),
        _ => match at {
            Value::Array(items) => items.push(serde_json::json!(true)),
            Value::Object(map) => drop(map.insert("zzz".into(), serde_json::json!(true))),
            other => *other = Value::Bool(true),
        },
    }
    mutant
}

/// Both sets of schemas and this validator over systematic mutants: every difference is one that is explained.
fn compare(name: &str, whole: &Value) -> usize {
    let schemas = schemas();
    let abilities = abilities();
    let mut all = Vec::new();
    places(whole, "", &mut all);
    let (mut refused, mut missed, mut unexplained) = (0, Vec::new(), Vec::new());
    for place in &all {
        for change in ["remove", "null", "number", "list", "object", "text", "more"] {
            let mutant = mutated(whole, place, change);
            let report = validate(&mutant, &abilities);
            let theirs: Vec<bool> = schemas.iter().map(|schema| schema.is_valid(&mutant)).collect();
            if theirs.iter().any(|valid| !valid) {
                refused += 1;
                let explained = MORE.iter().any(|(part, _)| place.contains(part));
                if report.valid && !explained {
                    let cause = schemas[0].iter_errors(&mutant).next().map(|e| e.to_string());
                    missed.push(format!("{change} {place}: {}", cause.unwrap_or_default()));
                }
            } else {
                let strange = |error: &&String| {
                    let here = STRICTER.iter().filter(|(part, _)| error.contains(part));
                    !here.into_iter().any(|(_, word)| error.contains(word))
                };
                unexplained.extend(
                    report.errors.iter().filter(strange).map(|e| format!("{change} {place}: {e}")),
                );
            }
        }
    }
    assert!(missed.is_empty(), "{name}: {} of {refused} missed: {missed:#?}", missed.len());
    assert!(unexplained.is_empty(), "{name}: {unexplained:#?}");
    refused
}

#[test]
fn the_schemas_and_this_validator_differ_only_where_it_is_explained() {
    let mut refused = 0;
    for playbook in shipped().iter().filter(|it| it["name"] == "Contain and tell") {
        refused += compare("Contain and tell", playbook);
    }
    assert!(refused > 200, "the schema refuses hardly anything: {refused}");
}

#[test]
fn so_do_they_over_a_playbook_of_everything() {
    let whole: Value = serde_json::from_str(EVERYTHING).unwrap();
    let report = validate(&whole, &abilities());
    assert!(report.valid, "{report:#?}");
    for schema in schemas() {
        let errors: Vec<String> =
            schema.iter_errors(&whole).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    let refused = compare("everything", &whole);
    assert!(refused > 800, "{refused}");
}

#[test]
fn so_do_they_over_the_published_examples() {
    for name in [
        "oasis-examples/basic-example-1.json",
        "oasis-examples/spec-3.1-example.json",
        "soarca-examples/http-playbook.json",
        "soarca-examples/manual-playbook.json",
        "soarca-examples/openc2-playbook.json",
        "soarca-examples/ssh-playbook.json",
        "soarca-examples/powershell-playbook.json",
    ] {
        match crate::kit::data(&format!("cti/cacao/{name}")) {
            Some(path) => {
                let whole = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
                compare(name, &whole);
            }
            None => println!("skipped: {name} (SERENO_TEST_DATA)"),
        }
    }
}

fn remove(value: &mut Value, place: &str) {
    let (parent, key) = place.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent).unwrap() {
        Value::Object(map) => drop(map.remove(&key)),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        _ => {}
    }
}
