//! The published JSON schemas of CACAO v2.0 against this validator.

use std::path::{Path, PathBuf};

use cacao::validate;
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

use crate::kit::{abilities, shipped};

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

/// What the schema refuses, the validator refuses: each property taken out or given another type.
#[test]
fn whatever_the_schema_refuses_is_refused_here() {
    let schema = schema(&fixtures());
    let abilities = abilities();
    let whole = shipped().remove(0);
    let mut all = Vec::new();
    places(&whole, "", &mut all);
    let (mut refused, mut missed) = (0, Vec::new());
    for place in &all {
        for change in ["remove", "null", "number", "list"] {
            let mut mutant = whole.clone();
            match change {
                "remove" => remove(&mut mutant, place),
                "null" => *mutant.pointer_mut(place).unwrap() = Value::Null,
                "number" => *mutant.pointer_mut(place).unwrap() = serde_json::json!(-1.5),
                _ => *mutant.pointer_mut(place).unwrap() = serde_json::json!([]),
            }
            if !schema.is_valid(&mutant) {
                refused += 1;
                if validate(&mutant, &abilities).valid {
                    missed.push(format!("{change} {place}"));
                }
            }
        }
    }
    assert!(refused > 200, "the schema refuses hardly anything: {refused}");
    assert!(missed.is_empty(), "{} of {refused} missed: {missed:#?}", missed.len());
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
