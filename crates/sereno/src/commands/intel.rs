//! `sereno intel lookup|sources|search|show|relations|path|import|export|common|matrix|extract`.

use std::process::ExitCode;

use serde_json::Value;

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::{IntelCommand, Place};
use crate::output::{self, Failure};

/// Largest bundle read, bytes; the node has a limit of its own.
const MAX_IMPORT_BYTES: u64 = 1 << 30;

pub(crate) async fn run(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        IntelCommand::Lookup { place, value } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("/api/v1/intel/lookup?value={}", escape(&value))).await;
            api.close().await;
            let answer = answer?;
            if json {
                output::value(&answer)?;
            } else {
                output::line(&format!("{}: {}", text(&answer, "value"), text(&answer, "summary")));
            }
            Ok(output::answer(answer.get("known").and_then(Value::as_bool).unwrap_or(false)))
        }
        IntelCommand::Sources(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/intel/sources").await;
            api.close().await;
            table(&answer?, &["name", "values", "licence", "loaded_at"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Common(place) => {
            let answer = get(&place, "/api/v1/intel/common-values").await?;
            table(&answer, &["held", "kind", "value", "reason"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        other => explore(other, json).await,
    }
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    answer
}

async fn explore(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    let asked = |name: &str, value: Option<&String>| {
        value.map_or_else(String::new, |value| format!("&{name}={}", escape(value)))
    };
    match command {
        IntelCommand::Search { place, query, at, limit } => {
            let at = asked("at", at.as_ref());
            let path = format!("/api/v1/intel/objects?limit={limit}&q={}{at}", escape(&query));
            let answer = get(&place, &path).await?;
            table(&answer, &["type", "tlp", "name", "id"], json)?;
            let found = answer.get("items").and_then(Value::as_array);
            Ok(output::answer(found.is_some_and(|items| !items.is_empty())))
        }
        IntelCommand::Show { place, id, at } => {
            let at = asked("at", at.as_ref());
            let answer =
                get(&place, &format!("/api/v1/intel/objects/{}?{at}", escape(&id))).await?;
            output::value(&answer)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Relations { place, id } => {
            let path = format!("/api/v1/intel/objects/{}/relations?limit=1000", escape(&id));
            let answer = get(&place, &path).await?;
            let relations = answer.get("relations").cloned().unwrap_or(Value::Null);
            let shown = if json { &answer } else { &relations };
            table(shown, &["origin", "kind", "target"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Path { place, from, to } => {
            let path = format!("/api/v1/intel/path?from={}&to={}", escape(&from), escape(&to));
            let answer = get(&place, &path).await?;
            if json {
                output::value(&answer)?;
            } else {
                output::line(text(&answer, "summary"));
                let relations = answer.get("relations").cloned().unwrap_or(Value::Null);
                table(&relations, &["origin", "kind", "target"], false)?;
            }
            Ok(output::answer(answer.get("found").and_then(Value::as_bool).unwrap_or(false)))
        }
        IntelCommand::Import { place, file, label, tlp } => {
            import(&place, &file, &label, &tlp, json).await
        }
        IntelCommand::Export { place, query } => {
            let api = Api::of(&place).await?;
            let text = api.get_text(&format!("/api/v1/intel/export?q={}", escape(&query))).await;
            api.close().await;
            output::line(&text?);
            Ok(ExitCode::SUCCESS)
        }
        other => read_with(other, json).await,
    }
}

async fn read_with(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        IntelCommand::Matrix { place, domain, layer } => {
            let what = if layer { "layer" } else { "matrix" };
            let asked = domain.map_or_else(String::new, |d| format!("?domain={}", escape(&d)));
            output::value(&get(&place, &format!("/api/v1/intel/{what}{asked}")).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Extract { place, file } => {
            let bytes = read_file(&file, MAX_IMPORT_BYTES)?;
            let api = Api::of(&place).await?;
            let answer = api.post_text("/api/v1/intel/extract", bytes).await;
            api.close().await;
            let answer = answer?;
            let candidates = answer.get("candidates").cloned().unwrap_or(Value::Null);
            let shown = if json { &answer } else { &candidates };
            table(shown, &["suggestion", "kind", "value", "spelling", "count"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        // Everything else was answered before.
        _ => Ok(ExitCode::SUCCESS),
    }
}

async fn import(
    place: &Place,
    file: &std::path::Path,
    label: &str,
    tlp: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_IMPORT_BYTES)?;
    let api = Api::of(place).await?;
    let path = format!("/api/v1/intel/import?tlp={}&label={}", escape(tlp), escape(label));
    let answer = api.post_bytes(&path, bytes, "application/json").await;
    api.close().await;
    let answer = answer?;
    if json {
        output::value(&answer)?;
    } else {
        let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        output::line(&format!(
            "{} objects: {} new, {} updated, {} older, {} known, {} in conflict, {} refused",
            count("objects"),
            count("new"),
            count("updated"),
            count("older"),
            count("same"),
            count("conflicts"),
            count("refused")
        ));
        let problems = answer.get("problems").cloned().unwrap_or(Value::Null);
        if problems.as_array().is_some_and(|list| !list.is_empty()) {
            table(&problems, &["index", "id", "reason"], false)?;
        }
    }
    let clean =
        ["refused", "conflicts"].iter().all(|name| answer.get(*name) == Some(&Value::from(0)));
    Ok(output::answer(clean))
}
