//! `sereno stix upgrade FILE`: standard output, or a file, is the result in STIX 2.1; standard error what could not be
//! carried or was assumed; with `--json` both stand in one object.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use stix::bundle::Bundle;
use stix::json::{DEFAULT_LIMITS, Limits};
use stix::object::Object;
use stix::upgrade::{self, Loss};

use super::read_file;
use crate::output::{self, Failure, WRONG_USE};

/// Largest file read, bytes.
const MAX_FILE_BYTES: usize = 256 << 20;
const LIMITS: Limits =
    Limits { max_bytes: MAX_FILE_BYTES, max_values: 20_000_000, ..DEFAULT_LIMITS };

pub(crate) fn run(file: &Path, out: Option<&Path>, json: bool) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_FILE_BYTES as u64)?;
    let value = stix::json::read(&bytes, LIMITS).map_err(unreadable(file))?;
    let (bundle, losses) = if value.get("type").and_then(Value::as_str) == Some("bundle") {
        upgrade::bundle(&Bundle::from_value(value).map_err(unreadable(file))?)
    } else {
        let object = Object::from_value(value).filter(|object| !object.kind().is_empty());
        let what = "neither a bundle nor an object of STIX: it has no `type`";
        upgrade::alone(&object.ok_or(what).map_err(unreadable(file))?)
    };
    let all_carried = losses.iter().all(|loss| loss.value.is_none());
    say(bundle.to_value(), &losses, out, json)?;
    Ok(output::answer(all_carried))
}

fn unreadable<E: std::fmt::Display>(file: &Path) -> impl FnOnce(E) -> Failure + use<'_, E> {
    move |cause| Failure {
        code: WRONG_USE,
        message: format!("{}: {cause}", file.display()),
        remedy: "Nothing was upgraded.".into(),
    }
}

fn say(bundle: Value, losses: &[Loss], out: Option<&Path>, json: bool) -> Result<(), Failure> {
    if let Some(out) = out {
        let text = format!("{bundle:#}\n");
        std::fs::write(out, text).map_err(Failure::file(out))?;
    }
    if json {
        let listed = |carried: bool| -> Vec<Value> {
            losses.iter().filter(|loss| loss.value.is_none() == carried).map(told).collect()
        };
        let mut answer = json!({ "not_carried": listed(false), "assumed": listed(true) });
        if out.is_none() {
            answer["bundle"] = bundle;
        }
        return output::value(&answer);
    }
    if out.is_none() {
        output::value(&bundle)?;
    }
    for Loss { object, property, what, value } in losses {
        let word = if value.is_some() { "not carried" } else { "assumed" };
        output::note(&format!("{word}: {object} {property}: {what}"));
    }
    Ok(())
}

fn told(loss: &Loss) -> Value {
    let mut told = json!({ "object": loss.object, "property": loss.property, "what": loss.what });
    if let Some(value) = &loss.value {
        told["value"] = value.clone();
    }
    told
}
